// The host's clocks, for pacing and for measuring our own cost. Nothing read here may decide what a guest sees, except
// through a recorded input.
#pragma once

#include <time.h>

#include "core/types.hpp"

namespace retrov {

inline constexpr u64 kNanosPerSecond = 1'000'000'000;

inline u64 clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<u64>(now.tv_sec) * kNanosPerSecond + static_cast<u64>(now.tv_nsec);
}
inline u64 host_ns() { return clock_ns(CLOCK_MONOTONIC); }
/// CPU time of this thread: what work costs, however busy the host is.
inline u64 cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace retrov
