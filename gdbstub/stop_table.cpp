#include "gdbstub/stop_table.hpp"

#include <algorithm>

namespace retrov {

void StopTable::clear() {
  breakpoints_.clear();
  watches_.clear();
}

StopRequest StopTable::request() const {
  StopRequest result;
  for (const auto& [kind, address] : breakpoints_) result.breakpoints.push_back(address);
  std::sort(result.breakpoints.begin(), result.breakpoints.end());
  const auto doubles = std::unique(result.breakpoints.begin(), result.breakpoints.end());
  result.breakpoints.erase(doubles, result.breakpoints.end());
  for (const auto& [key, range] : watches_) result.watches.push_back(range);
  return result;
}

bool same_request(const StopRequest& a, const StopRequest& b) {
  const auto same_range = [](const WatchRange& x, const WatchRange& y) {
    return x.address == y.address && x.length_bytes == y.length_bytes && x.kind == y.kind && x.satp == y.satp &&
           x.physical == y.physical;
  };
  return a.breakpoints == b.breakpoints &&
         std::equal(a.watches.begin(), a.watches.end(), b.watches.begin(), b.watches.end(), same_range);
}

}  // namespace retrov
