// The only loop that joins a machine to its inputs. Recording and replaying run the same loop with another source, so
// that they cannot disagree about where an input goes.
//
// Must stay true: idleness is asked of the machine, never inferred from why a run paused; an empty batch is never
// applied; what is due at `limit` is left for the next call.
#pragma once

#include <atomic>

#include "core/door.hpp"
#include "core/machine.hpp"
#include "core/stops.hpp"

namespace retrov {

enum class Halt : u8 {
  kLimit,
  kEnded,        ///< The machine is idle and its source says that nothing can ever come again.
  kStop,         ///< `stops->hit` says which.
  kPoweredOff,
  kInterrupted,  ///< `interrupted` was set; the position is valid, going on loses nothing.
};

/// Looks at `interrupted` at least every kStretchSteps steps and after every wait. `stops` may be null.
Halt drive(Machine& machine, InputSource& source, Position limit, StopSet* stops, const std::atomic<bool>& interrupted);

/// The latest guest time at which an input may end a wait that began at `now`. No guest waits beyond tick 2^63
/// (docs/machine.md, "Idle"), so what follows from it cannot overflow.
[[nodiscard]] Ticks latest_wake(Ticks now, Ticks deadline);

/// A millisecond or two of the fast engine, a few of the reference engine.
inline constexpr u64 kStretchSteps = 200'000;

/// The hart executed a WFI in the step before this position and waits since.
[[nodiscard]] bool begins_to_wait(const Machine& machine, unsigned hart);

}  // namespace retrov
