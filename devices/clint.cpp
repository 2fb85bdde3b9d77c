#include "devices/clint.hpp"

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u64 kMsipEnd = 0x4000;
constexpr u64 kMtimecmp = 0x4000;
constexpr u64 kMtime = 0xbff8;
constexpr u64 kMsipBit = 1u << 3;
constexpr u64 kMtipBit = 1u << 7;
constexpr u32 kMachineSoftwareIrq = 3;
constexpr u32 kMachineTimerIrq = 7;

// msip registers are words; the timer's are double words that may be accessed by halves.
bool is_valid_access(u64 offset, unsigned size_bytes) {
  if (offset % size_bytes != 0) return false;
  return offset < kMsipEnd ? size_bytes == 4 : size_bytes == 4 || size_bytes == 8;
}

u64 part_of(u64 whole, u64 offset, unsigned size_bytes) {
  return size_bytes == 8 ? whole : (whole >> (offset % 8 * 8)) & 0xffffffffu;
}

u64 with_part(u64 whole, u64 offset, unsigned size_bytes, u64 value) {
  if (size_bytes == 8) return value;
  const u64 shift = offset % 8 * 8;
  return (whole & ~(u64{0xffffffffu} << shift)) | (value & 0xffffffffu) << shift;
}

}  // namespace

std::optional<u64> Clint::peek(u64 offset, unsigned size_bytes, Ticks now) const {
  if (!is_valid_access(offset, size_bytes)) return std::nullopt;
  if (offset < kMsipEnd) return offset / 4 < harts_ ? msip_[offset / 4] : 0;
  if (offset >= kMtime) return offset < kMtime + 8 ? part_of(time_.mtime(now), offset, size_bytes) : 0;
  const u64 hart = (offset - kMtimecmp) / 8;
  return hart < harts_ ? part_of(mtimecmp_[hart], offset, size_bytes) : 0;
}

bool Clint::write(u64 offset, unsigned size_bytes, u64 value, Ticks now) {
  if (!is_valid_access(offset, size_bytes)) return false;
  if (offset < kMsipEnd) {
    if (offset / 4 < harts_) msip_[offset / 4] = value & 1;
    return true;
  }
  if (offset >= kMtime) {
    // 0xbff8 to 0xbfff only; what lies above is empty.
    if (offset < kMtime + 8) time_.mtime_offset = with_part(time_.mtime(now), offset, size_bytes, value) - now.value;
    return true;
  }
  const u64 hart = (offset - kMtimecmp) / 8;
  if (hart < harts_) mtimecmp_[hart] = with_part(mtimecmp_[hart], offset, size_bytes, value);
  return true;
}

void Clint::reset() {
  msip_ = {};
  mtimecmp_ = no_timers();
  time_.mtime_offset = 0;
}

u64 Clint::mip_bits(unsigned hart, Ticks now) const {
  const u64 compare = mtimecmp_[hart];
  const bool timer = compare != kNoTimer && time_.mtime(now) >= compare;
  return (msip_[hart] != 0 ? kMsipBit : 0) | (timer ? kMtipBit : 0);
}

// MTIP rises when mtime reaches mtimecmp and falls when mtime wraps to 0; both are a distance from mtime as it is now.
Ticks Clint::next_mip_change(unsigned hart, Ticks now) const {
  const u64 compare = mtimecmp_[hart];
  if (compare == kNoTimer || compare == 0) return kNever;
  const u64 mtime = time_.mtime(now);
  const u64 distance = mtime < compare ? compare - mtime : u64{0} - mtime;
  return distance < ~u64{0} - now.value ? Ticks{now.value + distance} : kNever;
}

void Clint::describe(FdtNode& soc) const {
  FdtNode node = soc.child("clint@2000000");
  node.texts("compatible", {"sifive,clint0", "riscv,clint0"});
  node.reg(kClintRegion.base, kClintRegion.size_bytes);
  std::vector<u32> lines;
  for (unsigned hart = 0; hart < harts_; ++hart) {
    lines.insert(lines.end(), {cpu_intc_phandle(hart), kMachineSoftwareIrq, cpu_intc_phandle(hart), kMachineTimerIrq});
  }
  node.cells("interrupts-extended", lines);
}

}  // namespace retrov
