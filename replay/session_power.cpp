// Switching the machine off and on.
#include "core/check.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

std::string Session::power_cycle() {
  if (!live()) throw Error(Exit::kUsage, "a recording is not switched off and on");
  if (branch_->finished) throw Error(Exit::kUsage, "the recording has ended");
  if (begin() > Position{0}) {
    throw Error(Exit::kUsage, "this recording begins at step " + std::to_string(begin().steps) +
                                  ", so the guest cannot be switched on again");
  }
  drop_scratch();
  const bool recorded = recording_ == Recording::kOn;
  if (recorded && end() == Position{0}) return branch_->name;
  std::string name = recorded ? name_for("", "restart-") : branch_->name;
  const Move move(*this);
  stand_aside();
  timeline_->return_to(Position{0}, never_interrupted_);
  if (recorded) {
    // A trace that begins later than at power-on has no such state for another line to leave.
    const Branch* line = branch_;
    while (line->parent != nullptr && line->parent->grows) line = line->parent;
    HistoryListener* listener = branch_->listener;
    if (line->from > Position{0}) listener = world_->listen ? world_->listen(name, std::nullopt) : nullptr;
    // All lines have the first state in common, and nothing of what was said to the machine then.
    live_on(*branches_.front(), name, listener);
  } else {
    output_.show_branch({});
  }
  inputs_->power_on_again();
  return name;
}

}  // namespace retrov
