// A machine's hart as the conditions of stops see it.
#pragma once

#include "core/machine.hpp"
#include "replay/debugger.hpp"

namespace retrov {

class MachineHart final : public HartView {
 public:
  /// The machine must outlive it.
  MachineHart(const Machine& machine, unsigned hart) : machine_(machine), hart_(hart) {}
  [[nodiscard]] std::optional<u64> read_register(RegisterId id) const override;
  [[nodiscard]] std::size_t read_memory(VirtAddr address, std::span<u8> out) const override;

 private:
  const Machine& machine_;
  unsigned hart_;
};

}  // namespace retrov
