// The boot ROM: the reset vector and what the firmware is told. Its bytes are part of the board's config, not state;
// writes are ignored.
#pragma once

#include <vector>

#include "core/device.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Rom final : public StatefulAs<Rom, Device> {
 public:
  /// What `bytes` does not cover reads as zero.
  explicit Rom(std::vector<u8> bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::string_view name() const override { return "rom"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64, unsigned, u64, Ticks) override { return true; }
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  /// Guests have no use for it: it has no node.
  [[nodiscard]] bool executable() const override { return true; }
  void describe(FdtNode&) const override {}
  void reset() override {}

  template <class A>
  void serialize(A&) {}

 private:
  std::vector<u8> bytes_;
};

}  // namespace retrov
