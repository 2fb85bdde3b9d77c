#include "gdbstub/machine_view.hpp"

namespace retrov {

DebuggerView::DebuggerView(const Debugger& debugger) : debugger_(debugger) {
  const Machine& machine = debugger.machine();
  const bool has_doubles = machine.config().extensions.has(Extension::kD);
  for (const RegisterInfo& info : register_list()) {
    if (!machine.read_register(0, info.id)) continue;
    registers_.push_back(info);
    if (info.group == RegisterGroup::kFloat && !has_doubles) registers_.back().size_bytes = 4;
  }
}

unsigned DebuggerView::hart_count() const { return debugger_.machine().hart_count(); }

unsigned DebuggerView::current_hart() const { return debugger_.machine().current_hart(); }

HartSummary DebuggerView::summary(unsigned hart) const { return debugger_.machine().hart_summary(hart); }

const std::vector<RegisterInfo>& DebuggerView::registers() const { return registers_; }

std::optional<u64> DebuggerView::read_register(unsigned hart, RegisterId id) const {
  return debugger_.machine().read_register(hart, id);
}

std::optional<std::string> DebuggerView::refuse_register_write(unsigned hart, RegisterId id) const {
  return debugger_.machine().refuse_register_write(hart, id);
}

}  // namespace retrov
