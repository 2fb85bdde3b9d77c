// Going backwards to a stop.
#include <new>

#include "core/check.hpp"
#include "replay/session_parts.hpp"
#include "replay/side_cursor.hpp"

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

/// While it lives, what the guest says on ways back is neither shown nor kept: it is for when one comes there.
class Session::Silence {
 public:
  explicit Silence(OutputLog& output) : output_(output) { output_.mute(true); }
  ~Silence() { output_.mute(false); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  OutputLog& output_;
};

/// The second machine of a search; null if the host has no memory for it.
SideCursor* Session::side_cursor() {
  if (side_ && &side_->history() != history_) side_.reset();
  try {
    if (!side_) side_ = std::make_unique<SideCursor>(*history_, machine_->engine_kind(), timeline_->lend_to_side());
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kUnavailable) throw;
  } catch (const std::bad_alloc&) {
  }
  return side_.get();
}

/// The last stop that counts in [from, now), and the session anywhere. Nothing, and broken_off: the session stands
/// where everything from there on has been searched.
std::optional<PastStop> Session::last_stop(Position from, std::function<bool(const PastStop&)> accept,
                                           bool& broken_off) {
  const Silence silence(output_);
  BackwardSearch search(*timeline_, *machine_, {wanted(), rules_, std::move(accept)}, interrupted_);
  if (jobs_ > 1) search.let_help(alone_steps_, [this] { return side_cursor(); });
  const auto found = search.run(from, position());
  broken_off = search.interrupted();
  return found;
}

/// Strictly between the two; the session stands at `to`.
std::optional<Stop> Session::last_stop_between(Position from, Position to) {
  for (;;) {
    bool broken_off = false;
    const auto found = last_stop(
        from, [from, to](const PastStop& stop) { return stop.at > from && stop.at < to; }, broken_off);
    if (broken_off) return stop_at(StopReason::kInterrupted, machine_->current_hart());
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
    bool broken_off = false;
    const auto found = last_stop(
        begin(),
        [start, reported](const PastStop& stop) {
          // The access that led here counts, once; a breakpoint here is where we come from.
          const bool behind_what_it_reports = is_behind(stop.hit.kind);
          return stop.at < start || (behind_what_it_reports && reported != start);
        },
        broken_off);
    if (broken_off) return stop_at(StopReason::kInterrupted, machine_->current_hart());
    if (!found) {
      Stop stop = go_to_begin(machine_->current_hart());
      stop.hart = machine_->current_hart();  // There.
      return stop;
    }
    Stop stop = arrive(*found);
    if (stop.reason != StopReason::kBreakpoint || !handled(found->hit)) return stop;
  }
}

}  // namespace retrov
