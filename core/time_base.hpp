// Guest time as a function of position. T(P) = floor(P / R) + A ticks, where R is the rate and A the sum of all idle
// jumps; mtime = T + M0, and a guest write to mtime sets M0 (docs/machine.md, "Time").
#pragma once

#include "core/state.hpp"
#include "core/types.hpp"

namespace retrov {

struct TimeBase {
  u64 steps_per_tick = 100;  ///< R: a parameter of the trace, not state.
  u64 idle_offset = 0;       ///< A, in ticks.
  u64 mtime_offset = 0;      ///< M0, in ticks.

  [[nodiscard]] Ticks at(Position p) const { return Ticks{p.steps / steps_per_tick + idle_offset}; }
  [[nodiscard]] u64 mtime(Ticks now) const { return now.value + mtime_offset; }
  /// The first position after `now` at which guest time has reached `tick`; kEndOfTime if it never does.
  [[nodiscard]] Position deadline(Ticks tick, Position now) const {
    if (tick == kNever) return kEndOfTime;
    if (tick.value <= idle_offset) return Position{now.steps + 1};
    const u128 steps = u128{tick.value - idle_offset} * steps_per_tick;
    if (steps >= u128{kEndOfTime.steps}) return kEndOfTime;
    return steps > now.steps ? Position{static_cast<u64>(steps)} : Position{now.steps + 1};
  }

  template <class A>
  void serialize(A& a) {
    a(field("idle_offset", idle_offset), field("mtime_offset", mtime_offset));
  }
};

}  // namespace retrov
