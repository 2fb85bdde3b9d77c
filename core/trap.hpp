// A trap as a value: what an instruction did wrong, or asked for. Returned, never thrown, so that the price is a
// register compare. Privileged manual, section 3.1.15 (mcause).
#pragma once

#include "core/types.hpp"

namespace retrov {

enum class Cause : u64 {
  kInstructionMisaligned = 0,
  kInstructionAccessFault = 1,
  kIllegalInstruction = 2,
  kBreakpoint = 3,
  kLoadMisaligned = 4,
  kLoadAccessFault = 5,
  kStoreMisaligned = 6,
  kStoreAccessFault = 7,
  kEcallFromUser = 8,
  kEcallFromSupervisor = 9,
  kEcallFromMachine = 11,
  kInstructionPageFault = 12,
  kLoadPageFault = 13,
  kStorePageFault = 15,
  /// Not of the guest: a watched access is about to be made. Nothing of the step has happened (docs/machine.md,
  /// "Stops").
  kDebugStop = 1000,
  kNone = ~u64{0},
};

struct [[nodiscard]] Trap {
  Cause cause = Cause::kNone;
  u64 value = 0;  ///< What xtval receives.
  explicit operator bool() const { return cause != Cause::kNone; }
};

}  // namespace retrov
