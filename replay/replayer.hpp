// History as an input source: it answers what was recorded, where it was recorded, and nothing else.
#pragma once

#include "core/door.hpp"
#include "replay/history.hpp"

namespace retrov {

class Replayer final : public InputSource {
 public:
  /// The history must outlive it; it may grow meanwhile.
  explicit Replayer(const History& history) : history_(history) {}

  /// The machine has been put elsewhere: the next input is the first recorded at or after this position.
  void move_to(Position now) { next_ = history_.first_event_at(now); }

  Position next_pause(Position now, Position limit) override;
  /// kEnded where the recorded machine waited for an input that never came. Throws Error (kDivergence) if the recording
  /// cannot be of this machine: an input was recorded that falls outside the wait it ends.
  Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) override;

 private:
  const History& history_;
  std::size_t next_ = 0;
};

}  // namespace retrov
