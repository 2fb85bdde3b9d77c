// Where a run must pause: breakpoints by virtual address, watched ranges, and the conditions that stepping needs. A
// stop set is a debugger's wish, never machine state: with or without it the machine passes through the same states,
// and a stop leaves the state exactly as it was before the step that would have hit.
#pragma once

#include <optional>
#include <vector>

#include "core/types.hpp"
#include "core/writer.hpp"

namespace retrov {

enum class WatchKind : u8 { kWrite = 1, kRead = 2, kAccess = 3 };

struct WatchRange {
  VirtAddr address;
  u64 length_bytes = 1;
  WatchKind kind = WatchKind::kWrite;
  /// satp that was current when it was set. A lower-half address matches only under the same root (satp's PPN field);
  /// the upper half, and ranges set in bare mode, always match.
  u64 satp = 0;
  /// Address is physical: matches through any mapping.
  bool physical = false;
  /// A write that leaves the bytes as they were counts as well. For whoever reports: the run stops at every access.
  bool unchanged = false;
  bool operator==(const WatchRange&) const = default;
};

/// Why the run paused, when it paused at a stop.
struct StopHit {
  enum class Kind : u8 {
    kBreakpoint,
    kWatch,
    kBeforeHart,
    kInterruptReturn,
    kCsrWrite,     ///< `address` is the CSR's number.
    kEbreak,
    kOtherWrite,   ///< Behind the step in which `writer`, no instruction, wrote; `address` is the first watched byte.
  };
  Kind kind = Kind::kBreakpoint;
  unsigned hart = 0;
  /// kWatch: the first accessed byte, the access's size, whether it writes, and the index of the first range it
  /// overlaps.
  VirtAddr address;
  unsigned size_bytes = 0;
  bool is_write = false;
  std::size_t watch_index = 0;
  bool made = false;  ///< kWatch: the run stands right behind the access, because its filter has looked.
  Writer writer = Writer::kHart;
  VirtAddr access_at = {};  ///< kWatch: where the access begins.
  WatchKind access = WatchKind::kWrite;  ///< kWatch: what it does.
};

/// Says in the middle of a run what counts, so that what does not costs no stop. Registers, pc and position of the hart
/// are those of the moment, as is memory. Must change nothing and depend on these alone.
class StopFilter {
 public:
  virtual ~StopFilter() = default;
  /// A breakpoint is about to be executed.
  [[nodiscard]] virtual bool counts(unsigned hart, VirtAddr pc) const = 0;
  /// A watched access is about to be made. True: it is made, and counts_behind is asked then; false: the run stops
  /// before it.
  virtual bool looks_behind(const StopHit& access) = 0;
  virtual bool counts_behind() = 0;
};

struct StopSet {
  /// Ascending, without doubles. Compared with the whole pc of any hart.
  std::vector<VirtAddr> breakpoints;
  /// Null: all of them count.
  StopFilter* filter = nullptr;
  std::vector<WatchRange> watches;
  /// Pause right behind a step in which one of these wrote to a watched range; else such writes do not stop.
  OtherWriters other_writers = OtherWriters::kNone;
  /// Pause before an instruction that writes one of these CSRs.
  std::vector<u16> csr_writes;
  /// Bit p: pause before an ebreak at privilege p instead of trapping.
  u8 ebreak_privileges = 0;
  /// Pause when this hart is about to make a step, or begins to wait (stepping, docs/gdb.md).
  std::optional<unsigned> before_hart;
  /// With before_hart-style stepping over interrupts: pause once this hart's stack of open interrupt handlers is no
  /// deeper than `open_irqs_at_most` right after a return.
  std::optional<unsigned> until_irq_return_of;
  unsigned open_irqs_at_most = 0;
  /// No stop of any kind is reported at this position: how a run leaves the place where it stands.
  std::optional<Position> ignore_at;
  /// The same for breakpoints alone.
  std::optional<Position> pass_breakpoint_at;
  /// The same for CSR writes and ebreaks alone.
  std::optional<Position> pass_instruction_at;
  /// Filled when a run returns Pause::kStop.
  std::optional<StopHit> hit;

  [[nodiscard]] bool passes_breakpoint(Position at) const { return ignore_at == at || pass_breakpoint_at == at; }
  [[nodiscard]] bool passes_instruction(Position at) const { return ignore_at == at || pass_instruction_at == at; }
};

}  // namespace retrov
