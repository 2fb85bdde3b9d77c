// Looking at other moments of history from where one stands.
#include "core/check.hpp"
#include "replay/hart_view.hpp"
#include "replay/session.hpp"

namespace retrov {

/// The machine is elsewhere for a while, and nobody is to notice: at the end of its life the session is what it was.
/// Snapshots that were taken on the way stay.
class Session::Excursion {
 public:
  explicit Excursion(Session& session) : session_(session), before_(session.timeline_->take_snapshot()) {
    session_.output_.hide(true);
  }
  ~Excursion() {
    session_.timeline_->restore(before_);
    session_.output_.hide(false);
    // One that came too late is not left for the next move.
    session_.interrupted_ = false;
  }
  Excursion(const Excursion&) = delete;
  Excursion& operator=(const Excursion&) = delete;

 private:
  Session& session_;
  KeptPointer before_;
};

/// Going as far as that and back is possible.
void Session::check_excursion(Position furthest) const {
  if (scratch_) throw Error(Exit::kUsage, "this is a throw-away copy; `scratch off` returns to history");
  check_target(furthest);
}

void Session::go_aside(Position at, const std::function<void()>& what) {
  check_excursion(at);
  const Excursion excursion(*this);
  if (!timeline_->seek(at, interrupted_)) throw Error(Exit::kUsage, "interrupted");
  what();
}

void Session::look_at(Position at, const std::function<void(const Machine&, const Snapshot&)>& look) {
  go_aside(at, [&] { look(*machine_, machine_->snapshot()); });
}

std::optional<Position> Session::execution(VirtAddr address, u64 number) {
  std::optional<Position> found;
  u64 left = number;
  const auto count = [&] {
    if (--left == 0) found = position();
  };
  go_aside(begin(), [&] {
    StopSet stops;
    stops.breakpoints = {address};
    for (Halt halt = Halt::kStop; halt == Halt::kStop && !found; stops.pass_breakpoint_at = position()) {
      halt = timeline_->run_history(end(), &stops, interrupted_);
      if (halt == Halt::kInterrupted) throw Error(Exit::kUsage, "interrupted");
      if (halt == Halt::kStop) count();
    }
    // A run to the end has not looked at what would come next, which may be an interrupt or a reset.
    stops.pass_breakpoint_at.reset();
    if (!found && position() == end() && stops_at_end(stops)) count();
  });
  return found;
}

void Session::check_history() const {
  if (recording_ == Recording::kOn) return;
  throw Error(Exit::kUsage, "this run is not recorded (--record off), so there is no history to look through");
}

Position Session::accesses(const AccessOrder& order, const AccessVisit& visit) {
  RV_CHECK(order.from <= order.to);
  check_history();
  check_excursion(order.to);
  const Excursion excursion(*this);
  AccessWalk walk(*timeline_, *machine_, order, interrupted_);
  if (jobs_ > 1) walk.let_help(alone_steps_, [this] { return side_cursor(); });
  return walk.run(visit);
}

Position Session::scan(const StopRequest& request, Position from, Position to) {
  RV_CHECK(request.rules != nullptr && from <= to);
  check_history();
  check_excursion(to);
  const Excursion excursion(*this);
  RulesFilter filter(*machine_, request.watches, request.rules);
  StopSet stops;
  stops.breakpoints = request.breakpoints;
  stops.filter = &filter;
  if (!timeline_->seek(from, interrupted_)) return from;
  for (;;) {
    switch (timeline_->run_history(to, &stops, interrupted_)) {
      case Halt::kStop:
        if (!request.rules->handle(MachineHart(*machine_, stops.hit->hart), stops.hit->address)) return position();
        stops.pass_breakpoint_at = position();
        break;
      case Halt::kInterrupted:
        return position();
      case Halt::kLimit:
      case Halt::kPoweredOff:
      case Halt::kEnded:
        if (position() == to) return to;
        throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " +
                                           std::to_string(position().steps) + " and cannot reach step " +
                                           std::to_string(to.steps));
    }
  }
}

}  // namespace retrov
