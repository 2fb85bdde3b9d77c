// Where was the last stop before here? Stretches of history are run forward, the nearest first, and the last hit of the
// first stretch that has one is the answer.
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

class BackwardSearch {
 public:
  /// Which of what is found counts.
  using Accept = std::function<bool(const PastStop&)>;
  /// All must outlive it. `wanted` is what stops for its own sake, without the conditions of stepping; `rules`, which
  /// may be null, say what of it counts.
  BackwardSearch(Timeline& timeline, const Machine& machine, StopSet wanted, const StopRules* rules,
                 const std::atomic<bool>& interrupted, Accept accept);
  BackwardSearch(const BackwardSearch&) = delete;
  BackwardSearch& operator=(const BackwardSearch&) = delete;

  /// The last stop found by running through [from, now). The timeline is left anywhere, or, if the search was
  /// interrupted, where everything from there on has been searched.
  std::optional<PastStop> run(Position from);
  [[nodiscard]] bool interrupted() const { return broken_; }

 private:
  std::optional<PastStop> scan(Position from, Position to);
  void take(StopSet& set, std::optional<PastStop>& last);
  std::optional<PastStop> scan_in_halves(std::optional<PastStop> so_far, Position to);
  void found(PastStop stop, std::optional<PastStop>& last) const;
  void after_watch(const StopHit& hit, std::optional<PastStop>& last);

  Timeline& timeline_;
  const Machine& machine_;
  StopSet wanted_;
  const StopRules* rules_;
  RulesFilter filter_;
  const std::atomic<bool>& interrupted_;
  Accept accept_;
  bool broken_ = false;
};

}  // namespace retrov
