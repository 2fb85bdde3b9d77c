#include "gdbstub/stop_table.hpp"

namespace retrov {

void StopTable::add_breakpoint(BreakKind kind, VirtAddr address, StopClauses clauses) {
  breakpoints_.insert_or_assign({address, kind}, std::move(clauses));
}

void StopTable::add_watch(const WatchRange& range, StopClauses clauses) {
  watches_.insert_or_assign(key(range.kind, range.address, range.length_bytes), Watch{range, std::move(clauses)});
}

void StopTable::clear() {
  breakpoints_.clear();
  watches_.clear();
}

StopRequest StopTable::request() {
  StopRequest result;
  result.rules = this;
  for (const auto& [key, clauses] : breakpoints_) {
    const VirtAddr address = key.first;
    if (result.breakpoints.empty() || result.breakpoints.back() != address) result.breakpoints.push_back(address);
  }
  for (const auto& [key, watch] : watches_) result.watches.push_back(watch.range);
  return result;
}

bool StopTable::counts(const HartView& hart, VirtAddr breakpoint) const {
  for (auto at = breakpoints_.lower_bound({breakpoint, BreakKind::kSoftware});
       at != breakpoints_.end() && at->first.first == breakpoint; ++at) {
    if (clauses_hold(hart, breakpoint, at->second)) return true;
  }
  return false;
}

bool StopTable::counts(const HartView& hart, const WatchRange& range) const {
  const auto found = watches_.find(key(range.kind, range.address, range.length_bytes));
  return found == watches_.end() || conditions_hold(hart, found->second.clauses);
}

bool StopTable::stops_at(const HartView& hart, VirtAddr address) const {
  for (const BreakKind kind : {BreakKind::kSoftware, BreakKind::kHardware}) {
    const auto found = breakpoints_.find({address, kind});
    if (found == breakpoints_.end() || !found->second.commands.empty()) continue;
    if (clauses_hold(hart, address, found->second)) return true;
  }
  return false;
}

bool StopTable::handle(const HartView& hart, VirtAddr breakpoint) {
  bool stop = false;
  for (const BreakKind kind : {BreakKind::kSoftware, BreakKind::kHardware}) {
    const auto found = breakpoints_.find({breakpoint, kind});
    if (found == breakpoints_.end() || !clauses_hold(hart, breakpoint, found->second)) continue;
    stop = stop || found->second.commands.empty();
    if (!found->second.commands.empty()) print_(run_commands(hart, breakpoint, found->second));
  }
  return !stop;
}

}  // namespace retrov
