// The core-local interruptor: software interrupts between harts and the machine timer, at the offsets of SiFive's
// CLINT. `mtime` is not stored: it is guest time plus an offset that lives in the machine's TimeBase, because counters
// and Sstc look at it too.
#pragma once

#include <array>

#include "core/device.hpp"
#include "core/time_base.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Clint final : public StatefulAs<Clint, Device> {
 public:
  /// `time` must outlive the device.
  Clint(unsigned harts, TimeBase& time) : harts_(harts), time_(time) {}

  [[nodiscard]] std::string_view name() const override { return "clint"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  void reset() override;
  [[nodiscard]] u64 mip_bits(unsigned hart, Ticks now) const override;
  [[nodiscard]] Ticks next_mip_change(unsigned hart, Ticks now) const override;

  template <class A>
  void serialize(A& a) {
    a(field("msip", msip_), field("mtimecmp", mtimecmp_));
  }

 private:
  /// A comparand that is never reached: reset state, and what guests write for "no timer".
  static constexpr u64 kNoTimer = ~u64{0};
  static constexpr std::array<u64, kMaxHarts> no_timers() {
    std::array<u64, kMaxHarts> timers{};
    timers.fill(kNoTimer);
    return timers;
  }
  unsigned harts_;
  TimeBase& time_;
  std::array<u8, kMaxHarts> msip_{};
  std::array<u64, kMaxHarts> mtimecmp_ = no_timers();
};

}  // namespace retrov
