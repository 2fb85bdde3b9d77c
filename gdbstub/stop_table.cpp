#include "gdbstub/stop_table.hpp"

#include <algorithm>

#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

/// Nobody knows what an expression that faults would have said, so it counts: better one stop too many.
bool any_holds(const HartView& hart, const std::vector<AgentExpression>& conditions) {
  return conditions.empty() || std::any_of(conditions.begin(), conditions.end(), [&](const AgentExpression& condition) {
           const AgentResult result = condition.evaluate(hart, nullptr);
           return !result.fault.empty() || result.value != 0;
         });
}

constexpr u64 kSatpRoot = (u64{1} << 44) - 1;
constexpr RegisterId kSatp = csr_register(0x180);

/// As for watched ranges: the upper half, and what was set without paging, is the same everywhere.
bool in_space(const HartView& hart, VirtAddr address, std::optional<u64> satp) {
  if (!satp || *satp >> 60 == 0 || static_cast<i64>(address.value) < 0) return true;
  const bool translates = hart.read_register(kRegisterPriv) != 3u;
  const u64 current = hart.read_register(kSatp).value_or(0);
  return translates && current >> 60 != 0 && ((current ^ *satp) & kSatpRoot) == 0;
}

bool clauses_hold(const HartView& hart, VirtAddr address, const StopClauses& clauses) {
  return in_space(hart, address, clauses.satp) && any_holds(hart, clauses.conditions);
}

}  // namespace

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
  return found == watches_.end() || any_holds(hart, found->second.clauses.conditions);
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
    for (const AgentExpression& command : found->second.commands) {
      std::string text;
      const AgentResult result = command.evaluate(hart, &text);
      if (!result.fault.empty()) {
        text += "retrov: the command at 0x" + hex_number(breakpoint.value) + " fails: " + std::string(result.fault) +
                "\n";
      }
      print_(text);
    }
  }
  return !stop;
}

}  // namespace retrov
