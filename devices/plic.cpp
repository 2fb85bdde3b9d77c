#include "devices/plic.hpp"

#include <bit>

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u64 kPending = 0x1000;
constexpr u64 kEnable = 0x2000;
constexpr u64 kEnableStride = 0x80;
constexpr u64 kContext = 0x200000;
constexpr u64 kContextStride = 0x1000;
constexpr u64 kClaim = 4;  // Within a context; 0 is the threshold.
constexpr u8 kMaxPriority = 7;
constexpr u64 kMeipBit = 1u << 11;
constexpr u64 kSeipBit = 1u << 9;
constexpr u32 kMachineExternalIrq = 11;
constexpr u32 kSupervisorExternalIrq = 9;

bool is_valid_access(u64 offset, unsigned size_bytes) { return size_bytes == 4 && offset % 4 == 0; }

}  // namespace

unsigned Plic::best(unsigned context, unsigned floor) const {
  unsigned source = 0, priority = floor;
  for (unsigned word = 0; word < kWords; ++word) {
    // Ascending, and only a higher priority replaces: the lowest number wins a tie (section 4).
    for (u32 left = pending_[word] & enable_[context][word]; left != 0; left &= left - 1) {
      const unsigned candidate = 32 * word + static_cast<unsigned>(std::countr_zero(left));
      if (priority_[candidate] > priority) source = candidate, priority = priority_[candidate];
    }
  }
  return source;
}

std::optional<u64> Plic::peek(u64 offset, unsigned size_bytes, Ticks) const {
  if (!is_valid_access(offset, size_bytes)) return std::nullopt;
  if (offset < kPending) return offset / 4 <= kSources ? priority_[offset / 4] : 0;
  if (offset < kEnable) return (offset - kPending) / 4 < kWords ? pending_[(offset - kPending) / 4] : 0;
  if (offset < kContext) {
    const u64 context = (offset - kEnable) / kEnableStride, word = (offset - kEnable) % kEnableStride / 4;
    return context < contexts() && word < kWords ? enable_[context][word] : 0;
  }
  const u64 context = (offset - kContext) / kContextStride, reg = (offset - kContext) % kContextStride;
  if (context >= contexts()) return 0;
  if (reg == 0) return threshold_[context];
  return reg == kClaim ? best(static_cast<unsigned>(context), 0) : 0;
}

// A claim is not affected by the threshold (section 8). The source is in service until it is completed.
std::optional<u64> Plic::read(u64 offset, unsigned size_bytes, Ticks now) {
  const std::optional<u64> value = peek(offset, size_bytes, now);
  const bool is_claim = offset >= kContext && (offset - kContext) % kContextStride == kClaim;
  if (is_claim && value.value_or(0) != 0) {
    const u32 bit = 1u << *value % 32;
    pending_[*value / 32] &= ~bit;
    claimed_[*value / 32] |= bit;
    asked_[*value / 32] &= ~bit;
  }
  return value;
}

bool Plic::write(u64 offset, unsigned size_bytes, u64 stored, Ticks) {
  if (!is_valid_access(offset, size_bytes)) return false;
  const u32 value = static_cast<u32>(stored);
  if (offset < kPending) {
    const u64 source = offset / 4;
    if (source != 0 && source <= kSources) priority_[source] = value & kMaxPriority;
    return true;
  }
  if (offset < kEnable) return true;  // Pending bits are read-only.
  if (offset < kContext) {
    const u64 context = (offset - kEnable) / kEnableStride, word = (offset - kEnable) % kEnableStride / 4;
    const u32 no_source_zero = word == 0 ? ~u32{1} : ~u32{0};
    if (context < contexts() && word < kWords) enable_[context][word] = value & no_source_zero;
    return true;
  }
  const u64 context = (offset - kContext) / kContextStride, reg = (offset - kContext) % kContextStride;
  if (context >= contexts()) return true;
  if (reg == 0) threshold_[context] = value & kMaxPriority;
  // QEMU completes a source whether the context has it enabled or not, and drivers were written against that.
  if (reg == kClaim && value <= kSources) {
    claimed_[value / 32] &= ~(1u << value % 32);
    latch();
  }
  return true;
}

void Plic::lines_changed(u64 levels, u64 asked) {
  levels_ = levels & ~u64{1};
  asked_[0] |= static_cast<u32>(levels_ & asked);
  asked_[1] |= static_cast<u32>((levels_ & asked) >> 32);
  latch();
}

// The gateways: a high line that has asked becomes pending unless its last interrupt is still being served (section 5).
// Without the asking a driver that leaves a cause standing, as xv6 does with "transmitter empty", would be interrupted
// for ever; QEMU's controller looks at a line when its device updates it, too.
void Plic::latch() {
  pending_[0] |= static_cast<u32>(levels_) & asked_[0] & ~claimed_[0];
  pending_[1] |= static_cast<u32>(levels_ >> 32) & asked_[1] & ~claimed_[1];
}

u64 Plic::mip_bits(unsigned hart, Ticks) const {
  if ((pending_[0] | pending_[1] | pending_[2]) == 0) return 0;
  const bool machine = best(2 * hart, threshold_[2 * hart]) != 0;
  const bool supervisor = best(2 * hart + 1, threshold_[2 * hart + 1]) != 0;
  return (machine ? kMeipBit : 0) | (supervisor ? kSeipBit : 0);
}

// The lines are told anew behind a reset; one that was high before it must not stay pending.
void Plic::reset() {
  priority_ = {};
  pending_ = {};
  claimed_ = {};
  asked_ = {};
  enable_ = {};
  threshold_ = {};
  levels_ = 0;
}

void Plic::describe(FdtNode& soc) const {
  FdtNode node = soc.child("plic@c000000");
  node.texts("compatible", {"sifive,plic-1.0.0", "riscv,plic0"});
  node.reg(kPlicRegion.base, kPlicRegion.size_bytes);
  node.cell("phandle", kPlicPhandle);
  node.cell("riscv,ndev", kSources);
  node.flag("interrupt-controller");
  node.cell("#address-cells", 0);
  node.cell("#interrupt-cells", 1);
  std::vector<u32> lines;
  for (unsigned hart = 0; hart < harts_; ++hart) {
    lines.insert(lines.end(),
                 {cpu_intc_phandle(hart), kMachineExternalIrq, cpu_intc_phandle(hart), kSupervisorExternalIrq});
  }
  node.cells("interrupts-extended", lines);
}

}  // namespace retrov
