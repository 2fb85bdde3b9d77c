// What a session keeps for each line of history it has: the line that began at power-on, the branches that leave it,
// and, while there is one, the throw-away copy. The machine is in one of them at a time.
//
// Must stay true: a branch outlives those that leave it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replay/disks.hpp"
#include "replay/history.hpp"
#include "replay/output_log.hpp"
#include "replay/recorder.hpp"
#include "replay/timeline.hpp"

namespace retrov {

/// Says nothing: what a throw-away copy gets of the world.
class NoInputs final : public InputSource {
 public:
  Position next_pause(Position, Position limit) override { return limit; }
  Took take(Position, Idle idle, Ticks, Ticks deadline, Batch&) override {
    return idle == Idle::kYes && deadline == kNever ? Took::kEnded : Took::kReachedDeadline;
  }
};

struct Branch {
  std::string name;
  Branch* parent = nullptr;  ///< Null: it began at power-on.
  Position from;             ///< Where it left its parent.
  std::unique_ptr<History> own_history;
  History* history = nullptr;  ///< Its own; of a throw-away copy that of its parent, which it does not touch.
  bool grows = false;          ///< The world outside is asked at its end. A recording has nothing beyond.
  std::unique_ptr<Recorder> recorder;        ///< Null: what happens at its end is not kept.
  std::vector<std::unique_ptr<DiskBase>> disks;
  std::unique_ptr<Timeline> timeline;        ///< Null until the session is in it for the first time.
  // Of the trace it is told to:
  HistoryListener* listener = nullptr;
  u64 number = 0;
  bool finished = false;  ///< The history was told how it ended.
  std::optional<Outcome> power_off;  ///< What is known of its end while the session is elsewhere.

  // While the session is elsewhere:
  Position stood_at;
  OutputLog::Shown shown;

  Position next_mark;
  /// Where forward steps gave up waiting for a handler to return, and where its interrupt had been taken: the way back.
  std::map<Position, Position> unreturned;
};

}  // namespace retrov
