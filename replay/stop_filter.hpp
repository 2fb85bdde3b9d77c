// What counts of the stops that a run comes to: conditions of breakpoints, and whether a watched access is worth a
// word. The machine asks in the middle of its run (core/stops.hpp), so what does not count costs no stop.
#pragma once

#include <optional>
#include <vector>

#include "core/machine.hpp"
#include "replay/debugger.hpp"
#include "replay/watched_access.hpp"

namespace retrov {

enum class LookBehind : bool { kNo, kYes };

class RulesFilter final : public StopFilter {
 public:
  /// All must outlive it; `rules` may be null, then all counts.
  RulesFilter(const Machine& machine, const std::vector<WatchRange>& watches, const StopRules* rules)
      : machine_(machine), watches_(watches), rules_(rules) {}

  /// Whether watched accesses are to be made before they are judged. Whoever stands before them, and cannot come back
  /// from behind one, says no. Devices are never touched so.
  void set_look_behind(LookBehind value) { look_behind_ = value; }
  /// Of the last access that counted.
  [[nodiscard]] const std::optional<WatchReport>& report() const { return report_; }

  [[nodiscard]] bool counts(unsigned hart, VirtAddr pc) const override;
  bool looks_behind(const StopHit& access) override;
  bool counts_behind() override;

 private:
  const Machine& machine_;
  const std::vector<WatchRange>& watches_;
  const StopRules* rules_;
  LookBehind look_behind_ = LookBehind::kNo;
  std::optional<WatchedAccess> access_;
  std::optional<WatchReport> report_;
};

}  // namespace retrov
