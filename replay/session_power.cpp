// Switching the machine off and on.
#include "core/check.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

std::string Session::power_cycle() {
  if (!live()) throw Error(Exit::kUsage, "a recording is not switched off and on");
  if (branch_->finished) throw Error(Exit::kUsage, "the recording has ended");
  drop_scratch();
  const bool recorded = recording_ == Recording::kOn;
  if (recorded && end() == Position{0}) return branch_->name;
  std::string name = recorded ? name_for("", "restart-") : branch_->name;
  const Move move(*this);
  stand_aside();
  timeline_->return_to(Position{0}, never_interrupted_);
  if (recorded) {
    // All lines have the first state in common, and nothing of what was said to the machine then.
    live_on(*branches_.front(), name, branch_->listener);
  } else {
    output_.show_branch({});
  }
  inputs_->power_on_again();
  return name;
}

}  // namespace retrov
