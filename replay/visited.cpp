#include "replay/visited.hpp"

#include <algorithm>
#include <utility>

namespace retrov {

namespace {

constexpr std::size_t kMostPlaces = 1000;

}  // namespace

void Visited::arrive(const Debugger& debugger, How how) {
  if (const auto fork = debugger.forked(); fork && fork->is_scratch) return;
  const std::vector<BranchInfo> branches = debugger.branches();
  const auto line = std::find_if(branches.begin(), branches.end(), [](const auto& branch) { return branch.current; });
  const Place here{line == branches.end() ? "" : line->name, debugger.position()};
  if (aim_ && places_[*aim_] == here) {
    current_ = *std::exchange(aim_, std::nullopt);
    steps_ = 0;
    return;
  }
  if (!places_.empty() && places_[current_] == here) return;
  aim_.reset();
  const bool takes_its_place = how == How::kStep ? steps_ > 0 : steps_ == 1;
  if (!places_.empty()) places_.resize(current_ + (takes_its_place ? 0 : 1));
  if (places_.empty() || places_.back() != here) places_.push_back(here);
  if (places_.size() > kMostPlaces) places_.erase(places_.begin());
  current_ = places_.size() - 1;
  steps_ = how == How::kStep ? steps_ + 1 : 0;
}

std::optional<Place> Visited::aim(i64 distance) {
  const i64 index = static_cast<i64>(current_) + distance;
  if (index < 0 || index >= static_cast<i64>(places_.size())) return std::nullopt;
  aim_ = static_cast<std::size_t>(index);
  return places_[*aim_];
}

}  // namespace retrov
