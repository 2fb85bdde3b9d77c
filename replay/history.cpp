#include "replay/history.hpp"

#include <algorithm>
#include <utility>

namespace retrov {

std::size_t History::first_event_at(Position from) const {
  const auto at = std::lower_bound(events_.begin(), events_.end(), from,
                                   [](const Event& event, Position position) { return event.at < position; });
  return static_cast<std::size_t>(at - events_.begin());
}

void History::reach(Position at) { end_ = std::max(end_, at); }

void History::add_event(Event event) {
  RV_CHECK(!event.batch.inputs.empty());
  RV_CHECK(event.at >= end_ && (events_.empty() || event.at > events_.back().at));
  reach(event.at);
  events_.push_back(std::move(event));
  if (listener_ != nullptr) listener_->on_event(events_.back());
}

void History::add_block(Position before, const CapturedBlock& block) {
  if (!blocks_.put(block.disk, block.index, block.bytes)) return;
  reach(before);
  if (listener_ != nullptr) listener_->on_block(before, block);
}

void History::add_mark(HashMark mark) {
  RV_CHECK(mark.at >= end_);
  reach(mark.at);
  marks_.push_back(std::move(mark));
  if (listener_ != nullptr) listener_->on_mark(marks_.back());
}

void History::progress(Position now) {
  reach(now);
  if (listener_ != nullptr) listener_->on_progress(now);
}

void History::finish(Outcome outcome) {
  outcome_ = std::move(outcome);
  if (listener_ != nullptr) listener_->on_finish(end_, outcome_);
}

}  // namespace retrov
