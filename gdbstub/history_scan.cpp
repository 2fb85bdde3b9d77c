#include "gdbstub/history_scan.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "gdbstub/stop_clauses.hpp"
#include "replay/position.hpp"

namespace retrov {
namespace {

struct Place {
  VirtAddr address;
  std::string_view name;
  StopClauses clauses;
};

class ScanRules final : public StopRules {
 public:
  ScanRules(const Debugger& debugger, const ScanOrder& order, std::ostream& out) : debugger_(debugger), out_(out) {
    for (const ScanOrder::Place& place : order.places) {
      places_.push_back({place.address, place.name, parse_clauses(place.clauses)});
    }
  }

  [[nodiscard]] StopRequest request() {
    StopRequest result;
    result.rules = this;
    for (const Place& place : places_) result.breakpoints.push_back(place.address);
    std::sort(result.breakpoints.begin(), result.breakpoints.end());
    result.breakpoints.erase(std::unique(result.breakpoints.begin(), result.breakpoints.end()),
                             result.breakpoints.end());
    return result;
  }
  [[nodiscard]] u64 hits() const { return hits_; }

  // --- StopRules ---
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr breakpoint) const override {
    return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
      return place.address == breakpoint && clauses_hold(hart, breakpoint, place.clauses);
    });
  }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return false; }
  bool handle(const HartView& hart, VirtAddr breakpoint) override {
    for (const Place& place : places_) {
      if (place.address != breakpoint || !clauses_hold(hart, breakpoint, place.clauses)) continue;
      ++hits_;
      std::string text = place.clauses.commands.empty() ? std::string(place.name)
                                                        : run_commands(hart, breakpoint, place.clauses);
      if (!text.ends_with('\n')) text += '\n';
      out_ << "step " << group_digits(debugger_.position().steps) << "  hart " << debugger_.machine().current_hart()
           << "  " << text;
    }
    return true;
  }

 private:
  const Debugger& debugger_;
  std::ostream& out_;
  std::vector<Place> places_;
  u64 hits_ = 0;
};

}  // namespace

void scan_history(Debugger& debugger, const ScanOrder& order, std::ostream& out) {
  ScanRules rules(debugger, order, out);
  const Position reached = debugger.scan(rules.request(), order.from, order.to);
  out << rules.hits() << (rules.hits() == 1 ? " hit" : " hits") << " in steps " << group_digits(order.from.steps)
      << " to " << group_digits(reached.steps) << (reached < order.to ? ", where it was broken off" : "") << '\n';
}

}  // namespace retrov
