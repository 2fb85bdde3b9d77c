// Going backwards to a stop.
#include "core/check.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

Stop Session::go_to_begin(unsigned hart) {
  if (!timeline_->seek(begin(), interrupted_)) return stop_at(StopReason::kInterrupted, hart);
  return stop_at(StopReason::kHistoryBegin, hart);
}

Stop Session::arrive(const PastStop& found) {
  if (!timeline_->seek(found.at, interrupted_)) return stop_at(StopReason::kInterrupted, found.hit.hart);
  const StopHit& hit = found.hit;
  if (hit.kind == StopHit::Kind::kBreakpoint) return stop_at(StopReason::kBreakpoint, hit.hart);
  if (hit.kind == StopHit::Kind::kEbreak) {
    reported_.instruction = found.at;
    return stop_at(StopReason::kEbreak, hit.hart);
  }
  reported_.access = found.at;
  if (hit.kind == StopHit::Kind::kCsrWrite) return stop_at(StopReason::kCsrWrite, hit.hart, csr_note(hit));
  Stop stop = stop_at(StopReason::kWatchpoint, found.hit.hart);
  stop.watched = found.watch->byte;
  stop.watch_kind = found.watch->kind;
  return stop;
}

/// Strictly between the two; the session stands at `to`.
std::optional<Stop> Session::last_stop_between(Position from, Position to) {
  for (;;) {
    BackwardSearch search(*timeline_, *machine_, wanted(), rules_, interrupted_,
                          [from, to](const PastStop& stop) { return stop.at > from && stop.at < to; });
    const auto found = search.run(from);
    if (search.interrupted()) return stop_at(StopReason::kInterrupted, machine_->current_hart());
    if (!found) return std::nullopt;
    Stop stop = arrive(*found);
    if (stop.reason != StopReason::kBreakpoint || !handled(found->hit)) return stop;
    to = found->at;
  }
}

Stop Session::resume_backward() {
  check_target(begin());
  for (;;) {
    const Position start = position();
    const auto reported = std::exchange(reported_.access, std::nullopt);
    const auto accept = [start, reported](const PastStop& stop) {
      // The access that led here counts, once; a breakpoint here is where we come from.
      const bool behind_what_it_reports = is_behind(stop.hit.kind);
      return stop.at < start || (behind_what_it_reports && reported != start);
    };
    BackwardSearch search(*timeline_, *machine_, wanted(), rules_, interrupted_, accept);
    const auto found = search.run(begin());
    if (search.interrupted()) return stop_at(StopReason::kInterrupted, machine_->current_hart());
    if (!found) return go_to_begin(machine_->current_hart());
    Stop stop = arrive(*found);
    if (stop.reason != StopReason::kBreakpoint || !handled(found->hit)) return stop;
  }
}

}  // namespace retrov
