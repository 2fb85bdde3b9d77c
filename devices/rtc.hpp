// The wall clock: a goldfish RTC. Its time is what the host's clock said when the machine was switched on (an input),
// plus guest time; the host is never asked again. It uses guest time and not mtime, which guests may write.
#pragma once

#include "core/device.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Rtc final : public StatefulAs<Rtc, Device> {
 public:
  [[nodiscard]] std::string_view name() const override { return "rtc"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override;
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  /// The clock goes on: a real one has a battery.
  void reset() override;
  void accept(const InputKind& input, Ticks now) override;
  Ticks advance_to(Ticks now) override;
  [[nodiscard]] bool irq_level() const override { return irq_pending_ && irq_enabled_; }
  [[nodiscard]] unsigned irq_source() const override { return kRtcIrq; }

  template <class A>
  void serialize(A& a) {
    a(field("base_ns", base_ns_), field("latched_high", latched_high_), field("alarm_ns", alarm_ns_));
    a(field("alarm_armed", alarm_armed_), field("irq_pending", irq_pending_), field("irq_enabled", irq_enabled_));
  }

 private:
  u64 base_ns_ = 0;  ///< Unix time at guest time 0, mod 2^64; the guest can set the clock.
  u32 latched_high_ = 0;
  u64 alarm_ns_ = 0;
  bool alarm_armed_ = false, irq_pending_ = false, irq_enabled_ = false;

  [[nodiscard]] u64 time_ns(Ticks now) const;
};

}  // namespace retrov
