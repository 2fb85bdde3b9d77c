// Looking at all of history from where one stands.
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

Position Session::scan(const StopRequest& request, Position from, Position to) {
  RV_CHECK(request.rules != nullptr && from <= to);
  if (recording_ == Recording::kOff) {
    throw Error(Exit::kUsage, "this run is not recorded (--record off), so there is no history to look through");
  }
  if (scratch_) throw Error(Exit::kUsage, "this is a throw-away copy; `scratch off` returns to history");
  check_target(to);
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
