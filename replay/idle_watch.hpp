// How long a guest has done nothing but wait. One that looks at the clock now and then still waits: what it computes in
// a hundredth of the time is nothing.
#pragma once

#include "core/types.hpp"

namespace retrov {

class IdleWatch {
 public:
  /// `wanted` is guest time in ticks, 0: nobody asks. `steps_per_tick` is the machine's.
  IdleWatch(u64 wanted, u64 steps_per_tick) : wanted_(wanted), steps_per_tick_(steps_per_tick) {}
  [[nodiscard]] bool wanted() const { return wanted_ != 0; }
  /// The guest begins to wait at that position: when it will have waited long enough, if nothing comes between.
  [[nodiscard]] Ticks enough(Position now, Ticks guest_now);
  /// Something has come.
  void restart() { waiting_ = false; }

 private:
  u64 wanted_;
  u64 steps_per_tick_;
  bool waiting_ = false;
  Position since_;
  Ticks since_time_;
};

}  // namespace retrov
