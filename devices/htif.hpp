// The host-target interface of bare-metal tests: a guest stores a command at the ELF symbol `tohost`. Watched at its
// physical address, so that any mapping and any width of store is seen. It has no registers.
#pragma once

#include <functional>

#include "core/device.hpp"
#include "core/memory.hpp"

namespace retrov {

class Htif final : public StatefulAs<Htif, Device>, public RamObserver {
 public:
  /// All must outlive the device. `tohost` and the 7 bytes after it are RAM.
  Htif(PhysAddr tohost, Memory& memory, PowerControl& power, OutputSink& output, std::function<Position()> position);

  [[nodiscard]] std::string_view name() const override { return "htif"; }
  std::optional<u64> read(u64, unsigned, Ticks) override { return std::nullopt; }
  bool write(u64, unsigned, u64, Ticks) override { return false; }
  [[nodiscard]] std::optional<u64> peek(u64, unsigned, Ticks) const override { return std::nullopt; }
  void describe(FdtNode&) const override {}
  void reset() override {}
  /// A hart wrote to tohost: does what the eight bytes there say now.
  void ram_written(PhysAddr address, u64 size_bytes) override;

  template <class A>
  void serialize(A& a) {
    a(field("warned", warned_));
  }

 private:
  PhysAddr tohost_;
  Memory& memory_;
  PowerControl& power_;
  OutputSink& output_;
  std::function<Position()> position_;
  bool warned_ = false;

  void acknowledge();
};

}  // namespace retrov
