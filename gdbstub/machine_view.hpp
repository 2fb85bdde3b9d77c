// The few things the stub reads of a machine, apart from memory. A seam: packets are tested on a machine made of a
// table, and the stub cannot reach what could change the guest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/registers.hpp"
#include "replay/debugger.hpp"

namespace retrov {

class MachineView {
 public:
  virtual ~MachineView() = default;
  [[nodiscard]] virtual unsigned hart_count() const = 0;
  /// The hart that makes the next step.
  [[nodiscard]] virtual unsigned current_hart() const = 0;
  [[nodiscard]] virtual HartSummary summary(unsigned hart) const = 0;
  /// All registers that exist, ascending by number.
  [[nodiscard]] virtual const std::vector<RegisterInfo>& registers() const = 0;
  [[nodiscard]] virtual std::optional<u64> read_register(unsigned hart, RegisterId id) const = 0;
  /// Why a write would be refused, or nothing.
  [[nodiscard]] virtual std::optional<std::string> refuse_register_write(unsigned hart, RegisterId id) const = 0;
};

/// The machine where the debugger stands. The debugger must outlive it.
class DebuggerView final : public MachineView {
 public:
  explicit DebuggerView(const Debugger& debugger);
  [[nodiscard]] unsigned hart_count() const override;
  [[nodiscard]] unsigned current_hart() const override;
  [[nodiscard]] HartSummary summary(unsigned hart) const override;
  [[nodiscard]] const std::vector<RegisterInfo>& registers() const override;
  [[nodiscard]] std::optional<u64> read_register(unsigned hart, RegisterId id) const override;
  [[nodiscard]] std::optional<std::string> refuse_register_write(unsigned hart, RegisterId id) const override;

 private:
  const Debugger& debugger_;
  std::vector<RegisterInfo> registers_;
};

}  // namespace retrov
