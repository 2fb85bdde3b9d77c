// Replays a history and compares it with what was recorded: every hash mark, the console, and how it ended. A
// difference is a result, not an error; whoever asked exits with Exit::kDivergence.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay/history.hpp"
#include "replay/output_log.hpp"
#include "replay/snapshots.hpp"

namespace retrov {

struct Divergence {
  Position after;                       ///< The last mark at which all was well, or the beginning.
  Position at;                          ///< The first at which it was not.
  std::vector<std::string> components;  ///< Those whose hashes differ; "console" is the output.
  std::string detail;                   ///< A sentence.
};

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

struct VerifyOptions {
  EngineKind engine = EngineKind::kFast;
  OutputSink* output = nullptr;               ///< Is shown what the guest says; null: nobody.
  std::function<void(Position)> progress;     ///< Told now and then how far it has come.
  const std::atomic<bool>* interrupted = nullptr;
  /// For tests, kEvery and kRandom: snapshots are taken on the way, and what is compared has been reached again from
  /// the last of them. Otherwise none are, because nothing goes back.
  SnapshotOptions snapshots;
};

/// Throws Error (kBadTrace) if the board cannot be built.
[[nodiscard]] Verdict verify(const History& history, const VerifyOptions& options = {});

}  // namespace retrov
