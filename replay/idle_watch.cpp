#include "replay/idle_watch.hpp"

#include <utility>

namespace retrov {

namespace {
constexpr u64 kBusyPart = 100;
}  // namespace

Ticks IdleWatch::enough(Position now, Ticks guest_now) {
  const bool too_busy = (now.steps - since_.steps) / steps_per_tick_ > wanted_ / kBusyPart;
  // A debugger may have gone back.
  const bool went_back = now < since_;
  if (!std::exchange(waiting_, true) || too_busy || went_back) {
    since_ = now;
    since_time_ = guest_now;
  }
  return Ticks{since_time_.value + wanted_};
}

}  // namespace retrov
