// A machine that replays a history from its beginning, or from a snapshot of such a machine: what is verified, and what
// is compared with another of its kind.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "replay/drive.hpp"
#include "replay/disks.hpp"
#include "replay/history.hpp"
#include "replay/key_frame.hpp"
#include "replay/output_log.hpp"
#include "replay/replayer.hpp"
#include "replay/snapshots.hpp"

namespace retrov {

class FreshReplay {
 public:
  /// What the guest says from `shown_from` on goes to `shown`, if that is not null; it and the history must outlive the
  /// replay. Throws Error (kBadTrace) if the board cannot be built or the first state is none.
  FreshReplay(const History& history, EngineKind engine, OutputSink* shown = nullptr, Position shown_from = {});
  ~FreshReplay();
  FreshReplay(const FreshReplay&) = delete;
  FreshReplay& operator=(const FreshReplay&) = delete;

  [[nodiscard]] Machine& machine() { return *machine_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] Position position() const { return machine_->position(); }
  [[nodiscard]] const ConsoleTally& console() const { return output_->tally(); }
  [[nodiscard]] OutputLog& output() { return *output_; }
  /// Throws Error (kDivergence) as the replayer and the disks do.
  Halt run_to(Position limit, const std::atomic<bool>& interrupted, StopSet* stops = nullptr);
  [[nodiscard]] KeptSnapshot snapshot();
  /// Told of each block that a disk is asked for, inside the step that asks. Empty: nobody is.
  void on_block(const std::function<void(BlockName)>& callback);
  /// One of this replay, or of another one of the same history.
  void restore(const KeptSnapshot& snapshot);
  /// Somebody else has put the machine elsewhere in the history.
  void moved() { replayer_.move_to(position()); }

 private:
  class Curtain;
  const History& history_;
  std::unique_ptr<Curtain> curtain_;
  std::unique_ptr<OutputLog> output_;
  Replayer replayer_;
  std::vector<std::unique_ptr<ReplayDisk>> disks_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace retrov
