// The traps of accesses that translation, protection or the bus refuse: their cause follows from the kind of access
// (privileged manual, 3.1.15), their value is the virtual address of the first byte that was refused.
#pragma once

#include "core/hart.hpp"
#include "core/trap.hpp"

namespace retrov {

inline Trap page_fault(AccessKind kind, u64 address) {
  switch (kind) {
    case AccessKind::kLoad: return {Cause::kLoadPageFault, address};
    case AccessKind::kStore: return {Cause::kStorePageFault, address};
    case AccessKind::kFetch: break;
  }
  return {Cause::kInstructionPageFault, address};
}

inline Trap access_fault(AccessKind kind, u64 address) {
  switch (kind) {
    case AccessKind::kLoad: return {Cause::kLoadAccessFault, address};
    case AccessKind::kStore: return {Cause::kStoreAccessFault, address};
    case AccessKind::kFetch: break;
  }
  return {Cause::kInstructionAccessFault, address};
}

}  // namespace retrov
