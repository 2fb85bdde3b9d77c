#include "replay/stop_filter.hpp"

#include "replay/hart_view.hpp"

namespace retrov {

bool RulesFilter::counts(unsigned hart, VirtAddr pc) const {
  return rules_ == nullptr || rules_->counts(MachineHart(machine_, hart), pc);
}

bool RulesFilter::looks_behind(const StopHit& access) {
  if (look_behind_ == LookBehind::kNo) return false;
  const auto physical = machine_.translate_for_debugger(access.hart, access.address);
  if (!physical || machine_.has_device_in(*physical, access.size_bytes)) return false;
  access_.emplace(machine_, watches_, access);
  return true;
}

bool RulesFilter::counts_behind() {
  report_ = access_->after(machine_, rules_);
  return report_.has_value();
}

}  // namespace retrov
