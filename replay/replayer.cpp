#include "replay/replayer.hpp"

#include <algorithm>
#include <string>

#include "core/check.hpp"
#include "replay/drive.hpp"

namespace retrov {

Position Replayer::next_pause(Position, Position limit) {
  const Chain<Event>& events = history_.events();
  return next_ < events.size() ? std::min(events[next_].at, limit) : limit;
}

Took Replayer::take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) {
  const Chain<Event>& events = history_.events();
  if (next_ < events.size() && events[next_].at == now) {
    out = events[next_].batch;
    if (idle == Idle::kYes && (out.wake < guest_now || out.wake > latest_wake(guest_now, deadline))) {
      throw Error(Exit::kDivergence, "replay diverged: the input recorded at step " + std::to_string(now.steps) +
                                         " does not fall into the machine's wait");
    }
    ++next_;
    return Took::kBatch;
  }
  RV_CHECK(next_ == events.size() || events[next_].at > now);
  return idle == Idle::kYes && deadline == kNever ? Took::kEnded : Took::kReachedDeadline;
}

}  // namespace retrov
