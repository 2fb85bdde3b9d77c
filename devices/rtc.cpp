#include "devices/rtc.hpp"

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u64 kNsPerTick = 1'000'000'000 / kTicksPerSecond;
enum : u64 {
  kTimeLow = 0x00,
  kTimeHigh = 0x04,
  kAlarmLow = 0x08,
  kAlarmHigh = 0x0c,
  kIrqEnabled = 0x10,
  kClearAlarm = 0x14,
  kAlarmStatus = 0x18,
  kClearInterrupt = 0x1c,
};

u64 with_low(u64 whole, u64 low) { return (whole & ~u64{0xffffffffu}) | (low & 0xffffffffu); }
u64 with_high(u64 whole, u64 high) { return (whole & 0xffffffffu) | high << 32; }

}  // namespace

u64 Rtc::time_ns(Ticks now) const { return base_ns_ + now.value * kNsPerTick; }

std::optional<u64> Rtc::peek(u64 offset, unsigned size_bytes, Ticks now) const {
  if (size_bytes != 4 || offset % 4 != 0) return std::nullopt;
  switch (offset) {
    case kTimeLow:
      return time_ns(now) & 0xffffffffu;
    case kTimeHigh:
      return latched_high_;
    case kAlarmLow:
      return alarm_ns_ & 0xffffffffu;
    case kAlarmHigh:
      return alarm_ns_ >> 32;
    case kIrqEnabled:
      return irq_enabled_;
    case kAlarmStatus:
      return alarm_armed_;
    default:
      return 0;
  }
}

// Drivers read the low half first; the high half then belongs to it, whatever has passed between.
std::optional<u64> Rtc::read(u64 offset, unsigned size_bytes, Ticks now) {
  const std::optional<u64> value = peek(offset, size_bytes, now);
  if (value && offset == kTimeLow) latched_high_ = static_cast<u32>(time_ns(now) >> 32);
  return value;
}

bool Rtc::write(u64 offset, unsigned size_bytes, u64 value, Ticks now) {
  if (size_bytes != 4 || offset % 4 != 0) return false;
  switch (offset) {
    case kTimeLow:
      base_ns_ += with_low(time_ns(now), value) - time_ns(now);
      break;
    case kTimeHigh:
      base_ns_ += with_high(time_ns(now), value) - time_ns(now);
      break;
    // Writing the low half arms the alarm, so drivers write the high half first.
    case kAlarmLow:
      alarm_ns_ = with_low(alarm_ns_, value);
      alarm_armed_ = true;
      break;
    case kAlarmHigh:
      alarm_ns_ = with_high(alarm_ns_, value);
      break;
    case kIrqEnabled:
      irq_enabled_ = (value & 1) != 0;
      break;
    case kClearAlarm:
      alarm_armed_ = false;
      break;
    case kClearInterrupt:
      irq_pending_ = false;
      break;
    default:
      break;
  }
  return true;
}

Ticks Rtc::advance_to(Ticks now) {
  if (!alarm_armed_) return kNever;
  const u64 time = time_ns(now);
  if (time >= alarm_ns_) {
    alarm_armed_ = false;
    irq_pending_ = true;
    return kNever;
  }
  const u64 left_ns = alarm_ns_ - time;
  const u64 left_ticks = left_ns / kNsPerTick + (left_ns % kNsPerTick != 0 ? 1 : 0);
  return left_ticks < kNever.value - now.value ? Ticks{now.value + left_ticks} : kNever;
}

void Rtc::accept(const InputKind& input, Ticks now) {
  const auto* start = std::get_if<RtcStart>(&input);
  if (start != nullptr) base_ns_ = start->unix_ns - now.value * kNsPerTick;
}

void Rtc::reset() {
  latched_high_ = 0;
  alarm_ns_ = 0;
  alarm_armed_ = irq_pending_ = irq_enabled_ = false;
}

void Rtc::describe(FdtNode& soc) const {
  FdtNode node = soc.child("rtc@101000");
  node.text("compatible", "google,goldfish-rtc");
  node.reg(kRtcRegion.base, kRtcRegion.size_bytes);
  node.interrupt(kRtcIrq);
}

}  // namespace retrov
