// SiFive's test finisher: the register through which a guest ends its run or asks for a reset. Has no state.
#pragma once

#include "core/device.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

/// The process status for a guest that ends with `code`: shells keep 126 and above for themselves.
constexpr int status_of_guest_code(u64 code) { return code < 125 ? static_cast<int>(code) : 125; }

class TestFinisher final : public StatefulAs<TestFinisher, Device> {
 public:
  /// `power` must outlive the device.
  explicit TestFinisher(PowerControl& power) : power_(power) {}

  [[nodiscard]] std::string_view name() const override { return "test-finisher"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  /// The nodes /poweroff and /reboot: writes to a system controller register, which is how Linux and OpenSBI find it.
  static void describe_uses(FdtNode& root);
  void reset() override {}

  template <class A>
  void serialize(A&) {}

 private:
  PowerControl& power_;
};

}  // namespace retrov
