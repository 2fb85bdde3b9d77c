// The last stop within a stretch of history: it is run forward, with whichever machine, and what counts of its stops is
// remembered.
//
// A breakpoint counts where it is about to execute; a watched access counts right after it was made (docs/gdb.md,
// "Going backwards"), so one that lies a step before a breakpoint shares its position and is the earlier of the two.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "core/stops.hpp"
#include "replay/stop_filter.hpp"
#include "replay/timeline.hpp"
#include "replay/watched_access.hpp"

namespace retrov {

struct PastStop {
  Position at;  ///< Where it is reported.
  StopHit hit;
  std::optional<WatchReport> watch;
};

/// Such a hit is reported right behind the instruction that made it, not before.
[[nodiscard]] bool is_behind(StopHit::Kind kind);

/// What is looked for. Any thread may ask it.
struct SearchOrder {
  /// What stops for its own sake, without the conditions of stepping.
  StopSet wanted;
  /// What of it counts; null: all. Must outlive the search.
  const StopRules* rules = nullptr;
  /// Which of what is found is wanted.
  std::function<bool(const PastStop&)> accept;
};

class StretchScan {
 public:
  /// All must outlive it. The machine is the timeline's.
  StretchScan(Timeline& timeline, const Machine& machine, const SearchOrder& order,
              const std::atomic<bool>& interrupted);
  StretchScan(const StretchScan&) = delete;
  StretchScan& operator=(const StretchScan&) = delete;

  /// The last stop found by running through [from, to). The timeline is left anywhere. Throws Error as a seek does.
  std::optional<PastStop> run(Position from, Position to);
  /// The last run was broken off, and found nothing.
  [[nodiscard]] bool interrupted() const { return broken_; }

 private:
  void take(StopSet& set, std::optional<PastStop>& last);
  std::optional<PastStop> run_in_halves(std::optional<PastStop> so_far, Position to);
  void found(PastStop stop, std::optional<PastStop>& last) const;
  void after_watch(const StopHit& hit, std::optional<PastStop>& last);

  Timeline& timeline_;
  const Machine& machine_;
  const SearchOrder& order_;
  StopSet wanted_;
  RulesFilter filter_;
  const std::atomic<bool>& interrupted_;
  bool broken_ = false;
};

}  // namespace retrov
