// A second place in a session's history: a machine of its own, for a thread that searches beside the session's. It is
// entered by snapshots of the session's timeline, and what snapshots it takes on its way are for that timeline, too.
//
// Must stay true: nobody adds to the history while it moves.
#pragma once

#include <vector>

#include "replay/fresh_replay.hpp"
#include "replay/timeline.hpp"

namespace retrov {

class SideCursor {
 public:
  /// The history must outlive it. Says nothing of what the guest says. Throws Error (kUnavailable) without host memory
  /// for a machine.
  SideCursor(const History& history, EngineKind engine, const SnapshotOptions& snapshots);

  [[nodiscard]] const History& history() const { return replay_.history(); }
  [[nodiscard]] Timeline& timeline() { return timeline_; }
  [[nodiscard]] const Machine& machine() { return replay_.machine(); }
  /// The snapshots taken since the last call, which are kept no longer.
  [[nodiscard]] std::vector<KeptPointer> take_snapshots() { return timeline_.release_snapshots(); }

 private:
  FreshReplay replay_;
  Timeline timeline_;
};

}  // namespace retrov
