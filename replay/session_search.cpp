// Going backwards to a stop.
#include "core/check.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

Stop Session::go_to_begin(unsigned hart) {
  if (!timeline_->seek(Position{0}, interrupted_)) return stop_at(StopReason::kInterrupted, hart);
  return stop_at(StopReason::kHistoryBegin, hart);
}

Stop Session::arrive(const PastStop& found) {
  if (!timeline_->seek(found.at, interrupted_)) return stop_at(StopReason::kInterrupted, found.hit.hart);
  if (!found.watch) return stop_at(StopReason::kBreakpoint, found.hit.hart);
  Stop stop = stop_at(StopReason::kWatchpoint, found.hit.hart);
  stop.watched = found.watch->byte;
  stop.watch_kind = found.watch->kind;
  reported_access_ = found.at;
  return stop;
}

/// Strictly between the two; the session stands at `to`.
std::optional<Stop> Session::last_stop_between(Position from, Position to) {
  BackwardSearch search(*timeline_, *machine_, wanted(), interrupted_,
                        [from, to](const PastStop& stop) { return stop.at > from && stop.at < to; });
  const auto found = search.run(from);
  if (search.interrupted()) return stop_at(StopReason::kInterrupted, machine_->current_hart());
  return found ? std::optional(arrive(*found)) : std::nullopt;
}

Stop Session::resume_backward() {
  check_target(Position{0});
  const Position start = position();
  const auto reported = std::exchange(reported_access_, std::nullopt);
  const auto accept = [start, reported](const PastStop& stop) {
    // The access that led here counts, once; a breakpoint here is where we come from.
    return stop.at < start || (stop.watch && reported != start);
  };
  BackwardSearch search(*timeline_, *machine_, wanted(), interrupted_, accept);
  const auto found = search.run(Position{0});
  if (search.interrupted()) return stop_at(StopReason::kInterrupted, machine_->current_hart());
  if (found) return arrive(*found);
  return go_to_begin(machine_->current_hart());
}

}  // namespace retrov
