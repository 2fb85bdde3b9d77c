#include "gdbstub/history_scan.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "gdbstub/expression.hpp"
#include "gdbstub/stop_clauses.hpp"
#include "replay/position.hpp"
#include "replay/report_fields.hpp"

namespace retrov {
namespace {

struct Place {
  VirtAddr address;
  std::string_view name;
  StopClauses clauses;
};

StopClauses clauses_of(const ScanOrder::Place& place, const SymbolLookup& symbol) {
  StopClauses clauses = parse_clauses(place.clauses);
  if (!place.condition.empty()) clauses.conditions.push_back(compile_condition(place.condition, symbol));
  if (place.format) clauses.commands.push_back(compile_printf(*place.format, place.arguments, symbol));
  return clauses;
}

class ScanRules final : public StopRules {
 public:
  explicit ScanRules(const ScanOrder& order) : format_(order.json ? ReportFormat::kJson : ReportFormat::kText) {
    for (const ScanOrder::Place& place : order.places) {
      places_.push_back({place.address, place.name, clauses_of(place, order.symbol)});
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

  [[nodiscard]] HitText tell(Position at, unsigned hart, const HartView& view, VirtAddr breakpoint) const {
    HitText result;
    for (const Place& place : places_) {
      if (place.address != breakpoint || !clauses_hold(view, breakpoint, place.clauses)) continue;
      ++result.hits;
      std::string said = place.clauses.commands.empty() ? std::string(place.name)
                                                        : run_commands(view, breakpoint, place.clauses);
      if (said.ends_with('\n')) said.pop_back();
      result.text += line(at, hart, place, said);
    }
    return result;
  }

  // --- StopRules ---
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr breakpoint) const override {
    return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
      return place.address == breakpoint && clauses_hold(hart, breakpoint, place.clauses);
    });
  }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return false; }
  bool handle(const HartView&, VirtAddr) override { return true; }

 private:
  [[nodiscard]] std::string line(Position at, unsigned hart, const Place& place, const std::string& said) const {
    if (format_ == ReportFormat::kText) {
      return "step " + group_digits(at.steps) + "  hart " + std::to_string(hart) + "  " + said + "\n";
    }
    return object(format_, [&](Fields& fields) {
             fields.number("step", at.steps);
             fields.number("hart", hart);
             fields.text("pc", "0x" + hex(place.address.value));
             fields.text("place", place.name);
             fields.text("text", said);
           }) +
           "\n";
  }

  const ReportFormat format_;
  std::vector<Place> places_;
};

}  // namespace

void scan_history(const HistorySearch& search, const ScanOrder& order, std::ostream& out) {
  ScanRules rules(order);
  u64 hits = 0;
  const auto tell = [&rules](Position at, unsigned hart, const HartView& view, VirtAddr breakpoint) {
    return rules.tell(at, hart, view, breakpoint);
  };
  const auto show = [&](const HitText& hit) {
    hits += hit.hits;
    out << hit.text;
    return out.good();
  };
  const Position reached = search(rules.request(), order.from, order.to, tell, show);
  if (order.json) return;
  out << hits << (hits == 1 ? " hit" : " hits") << " in steps " << group_digits(order.from.steps) << " to "
      << group_digits(reached.steps) << (reached < order.to ? ", where it was broken off" : "") << '\n';
}

}  // namespace retrov
