#include "replay/recorder.hpp"

#include "replay/host_clock.hpp"

namespace retrov {

namespace {
/// An idle wait longer than this may be the last thing that is heard of the machine for a while.
constexpr u64 kLongWaitTicks = kTicksPerSecond / 50;
}  // namespace

Took Recorder::take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) {
  const bool long_wait = idle == Idle::kYes && deadline.value - guest_now.value > kLongWaitTicks;
  if (long_wait || host_ns() - told_host_ns_ >= kTellEveryNs) reached(now);
  const Took took = live_.take(now, idle, guest_now, deadline, out);
  if (took != Took::kBatch) return took;
  if (on_inputs_) on_inputs_();
  history_.add_event(Event{now, out});
  return took;
}

void Recorder::reached(Position now) {
  told_host_ns_ = host_ns();
  if (now > history_.end()) history_.progress(now);
}

}  // namespace retrov
