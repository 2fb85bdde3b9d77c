// Where a run must pause: breakpoints by virtual address, watched ranges, and the conditions that stepping needs. A
// stop set is a debugger's wish, never machine state: with or without it the machine passes through the same states,
// and a stop leaves the state exactly as it was before the step that would have hit.
#pragma once

#include <optional>
#include <vector>

#include "core/types.hpp"

namespace retrov {

enum class WatchKind : u8 { kWrite = 1, kRead = 2, kAccess = 3 };

struct WatchRange {
  VirtAddr address;
  u64 length_bytes = 1;
  WatchKind kind = WatchKind::kWrite;
  /// satp that was current when it was set. A lower-half address matches only under the same root (satp's PPN field);
  /// the upper half, and ranges set in bare mode, always match.
  u64 satp = 0;
  /// Address is physical: matches through any mapping. Writes by devices do not stop.
  bool physical = false;
  bool operator==(const WatchRange&) const = default;
};

/// Why the run paused, when it paused at a stop.
struct StopHit {
  enum class Kind : u8 { kBreakpoint, kWatch, kBeforeHart, kInterruptReturn };
  Kind kind = Kind::kBreakpoint;
  unsigned hart = 0;
  /// kWatch: the first accessed byte, the access's size, whether it writes, and the index of the first range it
  /// overlaps.
  VirtAddr address;
  unsigned size_bytes = 0;
  bool is_write = false;
  std::size_t watch_index = 0;
};

struct StopSet {
  /// Ascending, without doubles. Compared with the whole pc of any hart.
  std::vector<VirtAddr> breakpoints;
  std::vector<WatchRange> watches;
  /// Pause when this hart is about to make a step, or begins to wait (stepping, docs/gdb.md).
  std::optional<unsigned> before_hart;
  /// With before_hart-style stepping over interrupts: pause once this hart's stack of open interrupt handlers is no
  /// deeper than `open_irqs_at_most` right after a return.
  std::optional<unsigned> until_irq_return_of;
  unsigned open_irqs_at_most = 0;
  /// No stop of any kind is reported at this position: how a run leaves the place where it stands.
  std::optional<Position> ignore_at;
  /// Filled when a run returns Pause::kStop.
  std::optional<StopHit> hit;
};

}  // namespace retrov
