// Faults on purpose, for testing that replays which differ are noticed and explained (make PLANT=KIND:STEP,
// docs/divergence.md). Nothing of this is in a normal build.
//
//   transient:STEP   a bit of hart 0's s11 flips at that step, once in the life of the process
//   consistent:STEP  a build that computes differently: from that step on, at every sixteenth, the bit is set
//
// Must stay true: what a consistent fault makes of a state depends on that state alone, however often it is made.
#pragma once

#include <algorithm>

#include "core/hart.hpp"

namespace retrov::plant {

inline constexpr unsigned kRegister = 27;
inline constexpr u64 kBit = u64{1} << 40;

#if defined RETROV_PLANT_transient

inline constexpr Position kAt{RETROV_PLANT_transient};

inline Position next_stop(Position now, Position limit) { return now < kAt ? std::min(kAt, limit) : limit; }

inline void disturb(Position now, Hart& hart) {
  static bool done = false;
  if (done || now < kAt) return;
  done = true;
  hart.x[kRegister] ^= kBit;
}

#elif defined RETROV_PLANT_consistent

inline constexpr Position kAt{RETROV_PLANT_consistent};
inline constexpr u64 kEverySteps = 16;

inline Position next_stop(Position now, Position limit) {
  const u64 passed = now < kAt ? 0 : (now.steps - kAt.steps) / kEverySteps + 1;
  return std::min(Position{kAt.steps + passed * kEverySteps}, limit);
}

inline void disturb(Position now, Hart& hart) {
  if (now >= kAt && (now.steps - kAt.steps) % kEverySteps == 0) hart.x[kRegister] |= kBit;
}

#else

constexpr Position next_stop(Position, Position limit) { return limit; }
inline void disturb(Position, Hart&) {}

#endif

}  // namespace retrov::plant
