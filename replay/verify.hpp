// Replays a history and compares it with what was recorded: every hash mark, the console, and how it ended. A
// difference is a result, not an error; whoever asked exits with Exit::kDivergence.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay/divergence.hpp"
#include "replay/history.hpp"
#include "replay/output_log.hpp"
#include "replay/segments.hpp"
#include "replay/snapshots.hpp"

namespace retrov {

struct Verdict {
  std::optional<Divergence> divergence;
  bool interrupted = false;
  Position reached;
  u64 marks = 0;                      ///< Compared and found equal.
  u64 key_frames = 0;                 ///< The same.
  std::vector<std::string> unknown;   ///< Components of the recording that this machine does not have.
  ConsoleTally console;
  u64 hash = 0;                       ///< Of the state reached.
  [[nodiscard]] bool identical() const { return !divergence && !interrupted; }
};

/// Whether a second replay runs beside the first and is compared with it, RAM included, wherever a mark is.
enum class Twice : bool { kNo, kYes };

struct VerifyOptions {
  EngineKind engine = EngineKind::kFast;
  Twice twice = Twice::kNo;
  OutputSink* output = nullptr;               ///< Is shown what the guest says; null: nobody.
  Position output_from;                       ///< What steps below this one say is not shown.
  /// So many threads, between key frames; what the verdict says does not depend on it. With `output` there is one.
  unsigned jobs = 1;
  u64 least_segment_steps = kLeastSegmentSteps;
  std::function<void(Position)> progress;     ///< Told now and then how far it has come.
  const std::atomic<bool>* interrupted = nullptr;
  /// For tests, kEvery and kRandom: snapshots are taken on the way, and what is compared has been reached again from
  /// the last of them. Otherwise none are, because nothing goes back.
  SnapshotOptions snapshots;
};

/// Throws Error (kBadTrace) if the board cannot be built.
[[nodiscard]] Verdict verify(const History& history, const VerifyOptions& options = {});

/// Twice, with a second replay of its own history, which should be the same but for its marks. For tests.
[[nodiscard]] Verdict verify_beside(const History& history, const History& second, const VerifyOptions& options = {});

}  // namespace retrov
