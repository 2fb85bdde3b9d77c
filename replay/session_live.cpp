// Going forward: through history as long as there is any, then, in a live session, with the outside world.
#include <algorithm>

#include "core/check.hpp"
#include "replay/hart_view.hpp"
#include "replay/host_clock.hpp"
#include "replay/key_frame.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

namespace {
constexpr unsigned kManySilentAccesses = 8;
}  // namespace

Session::Went Session::go(StopSet* stops, Position limit) {
  for (;;) {
    // Many accesses in a row that are worth no word: then it is cheaper to come back from behind the one that is.
    const bool look = keeps_history() && silent_accesses_ >= kManySilentAccesses;
    if (filter_) filter_->set_look_behind(look ? LookBehind::kYes : LookBehind::kNo);
    const Went went = go_once(stops, limit);
    if (went != Went::kStop || !goes_on_from(*stops)) return went;
  }
}

/// There is nothing to report here after all, and the run can go on.
bool Session::goes_on_from(StopSet& stops) {
  const StopHit& hit = *stops.hit;
  switch (hit.kind) {
    case StopHit::Kind::kBreakpoint:
      if (!handled(hit)) return false;
      stops.pass_breakpoint_at = position();
      return true;
    case StopHit::Kind::kWatch:
      // The step behind an end was judged on trial.
      if (!hit.made && !in_past() && !may_cross_) return false;
      // A store that changes nothing, or an access that traps. Breakpoints at this position were reported before the
      // access, so nothing else is passed over with it.
      watch_report_ = hit.made ? return_before_access() : try_access(stops);
      if (watch_report_ || !stops.hit || stops.hit->kind != StopHit::Kind::kOtherWrite) return !watch_report_;
      // In the same step, which stays made.
      watch_report_ = other_write_report(*stops.hit, stops);
      return false;
    case StopHit::Kind::kOtherWrite:
      watch_report_ = other_write_report(hit, stops);
      return false;
    case StopHit::Kind::kCsrWrite:
    case StopHit::Kind::kEbreak:
      reported_.instruction = position();
      return false;
    case StopHit::Kind::kBeforeHart:
    case StopHit::Kind::kInterruptReturn:
      break;
  }
  return false;
}

/// The rules of the breakpoint have done what is to be done there.
bool Session::handled(const StopHit& hit) {
  return rules_ != nullptr && rules_->handle(MachineHart(*machine_, hit.hart), hit.address);
}

Session::Went Session::go_once(StopSet* stops, Position limit) {
  if (in_past()) {
    switch (timeline_->run_history(limit, stops, interrupted_)) {
      case Halt::kStop:
        return Went::kStop;
      case Halt::kInterrupted:
        return Went::kInterrupted;
      case Halt::kLimit:
      case Halt::kPoweredOff:
      case Halt::kEnded:
        break;
    }
    if (position() < end() && position() < limit) {
      throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " +
                                         std::to_string(position().steps) + ", before the end of the recording");
    }
  }
  if (machine_->power().off) return Went::kPoweredOff;
  if (position() >= limit) return Went::kLimit;
  if (!may_cross_) return stops != nullptr && stops_at_end(*stops) ? Went::kStop : Went::kEdge;
  return run_live(stops, limit);
}

Session::Went Session::run_live(StopSet* stops, Position limit) {
  choose_harts(stops, limit);
  if (position() >= limit) return Went::kLimit;
  InputSource& source = scratch_                  ? static_cast<InputSource&>(no_inputs_)
                        : recorder_ != nullptr ? static_cast<InputSource&>(*recorder_)
                                               : *inputs_;
  if (!scratch_) inputs_->anchor(machine_->now());
  for (;;) {
    const bool marked = recorder_ != nullptr;
    const Position next_mark = std::max(branch_->next_mark, Position{position().steps + 1});
    const Position pause = marked ? std::min(limit, next_mark) : limit;
    const Halt halt = timeline_->run(source, pause, stops, interrupted_);
    // A step that was made to look at it is none of the history yet.
    const bool only_looking = halt == Halt::kStop && stops->hit->made;
    if (marked) recorder_->reached(only_looking ? Position{position().steps - 1} : position());
    if (marked && !only_looking && position() >= branch_->next_mark) mark();
    switch (halt) {
      case Halt::kStop:
        return Went::kStop;
      case Halt::kInterrupted:
        return Went::kInterrupted;
      case Halt::kPoweredOff:
        if (marked) branch_->power_off = outcome();
        return Went::kPoweredOff;
      case Halt::kEnded:
        return Went::kEnded;
      case Halt::kLimit:
        if (position() >= limit) return Went::kLimit;
    }
  }
}

/// Who may run is an input like any other, so it is recorded. A hart that is alone anyway, because this move ends at
/// its next step, needs no such input: that is how gdb steps off a breakpoint.
void Session::choose_harts(StopSet* stops, Position limit) {
  const u64 all = ~u64{0};
  const u64 wanted_mask = only_hart_ ? u64{1} << *only_hart_ : all;
  if (machine_->sched_mask() == wanted_mask) return;
  const bool ends_at_its_step =
      limit.steps == position().steps + 1 || (stops != nullptr && stops->before_hart == only_hart_);
  const bool is_next = only_hart_ && !machine_->idle() && machine_->current_hart() == *only_hart_;
  if (is_next && ends_at_its_step && machine_->sched_mask() == all) return;
  std::optional<Position> none;
  apply_here({Input{kMachineItself, SchedMask{wanted_mask}}}, stops != nullptr ? stops->pass_instruction_at : none);
}

/// A run that ends where history ends has not looked at the step that would come next. What that step accesses is
/// judged here, because nobody may make it.
bool Session::stops_at_end(StopSet& stops) {
  Trial trial(*this);
  if (filter_) filter_->set_look_behind(LookBehind::kNo);
  const Position here = position();
  try {
    if (machine_->run_until(Position{here.steps + 1}, &stops) != Pause::kStop || position() != here) return false;
    const StopHit hit = *stops.hit;
    if (hit.kind != StopHit::Kind::kWatch) return true;
    const WatchedAccess access(*machine_, stops.watches, hit);
    stops.ignore_at = here;
    machine_->run_until(Position{here.steps + 1}, &stops);
    watch_report_ = access.after(*machine_, rules_);
    stops.hit = hit;
    return watch_report_.has_value();
  } catch (const Error&) {
    // The step needs what was never recorded, so it is not part of this history.
    return false;
  }
}

/// The run has made a watched access, and it is to be reported: before it.
std::optional<WatchReport> Session::return_before_access() {
  silent_accesses_ = 0;
  timeline_->return_to(Position{position().steps - 1}, never_interrupted_);
  return filter_->report();
}

/// Makes the step that was stopped before. If there is nothing to report it stays made, and what it said is shown;
/// else, and if it fails, the session stands before it again: by a snapshot, or, once many stores in a row have changed
/// nothing, by running there from an older one.
std::optional<WatchReport> Session::try_access(StopSet& stops) {
  const Position here = position();
  const bool past = in_past();
  stops.ignore_at = here;
  const WatchedAccess access(*machine_, stops.watches, *stops.hit);
  const bool snapshot_first = !keeps_history() || silent_accesses_ < kManySilentAccesses;
  const KeptPointer before = snapshot_first ? timeline_->unkept_snapshot() : nullptr;
  const auto unmake = [&] {
    output_.drop_held();
    if (before) {
      timeline_->restore(before);
    } else {
      timeline_->return_to(here, never_interrupted_);
    }
  };
  std::optional<WatchReport> report;
  output_.hold();
  try {
    if (past) {
      timeline_->run_history(Position{here.steps + 1}, &stops, interrupted_);
    } else {
      if (recorder_) recorder_->reached(here);
      machine_->run_until(Position{here.steps + 1}, &stops);
    }
    // The run may have been interrupted before the step.
    if (position() > here) report = access.after(*machine_, rules_);
  } catch (...) {
    unmake();
    throw;
  }
  silent_accesses_ = report ? 0 : silent_accesses_ + 1;
  if (report) {
    unmake();
  } else {
    output_.show_held();
    // The step stays made, even if the move ends here.
    if (!past && recorder_) recorder_->reached(position());
  }
  return report;
}

Stop Session::stop_for(Went went, const StopSet& stops) const {
  const unsigned current = machine_->current_hart();
  switch (went) {
    case Went::kStop: {
      const StopHit& hit = *stops.hit;
      if (hit.kind == StopHit::Kind::kBreakpoint) return stop_at(StopReason::kBreakpoint, hit.hart);
      if (hit.kind == StopHit::Kind::kEbreak) return stop_at(StopReason::kEbreak, hit.hart);
      if (hit.kind == StopHit::Kind::kCsrWrite) return stop_at(StopReason::kCsrWrite, hit.hart, csr_note(hit));
      RV_CHECK(watch_report_.has_value());
      Stop stop = stop_at(StopReason::kWatchpoint, hit.hart);
      stop.watched = watch_report_->byte;
      stop.watch_kind = watch_report_->kind;
      return stop;
    }
    case Went::kPoweredOff:
      return stop_at(StopReason::kPoweredOff, current, machine_->power().why);
    case Went::kInterrupted:
      return stop_at(StopReason::kInterrupted, current);
    case Went::kEnded:
      return stop_at(StopReason::kHistoryEnd, current,
                     scratch_ ? "the throw-away copy waits for input, and gets none"
                              : "the guest waits for input, and the input has ended");
    case Went::kEdge:
      return stop_at(StopReason::kHistoryEnd, current);
    case Went::kLimit:
      break;
  }
  return stop_at(StopReason::kStep, current);
}

void Session::mark() {
  timeline_->make_room();
  history_->add_mark(make_mark(*machine_, output_.tally(), HashRam::kYes));
  branch_->next_mark = mark_plan_.next_after(position());
  // All pages have just been hashed, which is what costs.
  timeline_->take_snapshot();
  if (!key_frames_) return;
  if (key_frames_->due(position(), cpu_ns())) add_key_frame();
  branch_->next_mark = std::min(branch_->next_mark, key_frames_->next(position()));
}

void Session::mark_input() {
  const Chain<HashMark>& marks = history_->marks();
  if (!marks.empty() && position().steps < marks.back().at.steps + kLightMarkSteps) return;
  history_->add_mark(make_mark(*machine_, output_.tally(), HashRam::kNo));
}

/// Right behind a mark, with which it will be compared.
void Session::add_key_frame() {
  const u64 begin = cpu_ns();
  KeyFrame frame = make_key_frame();
  frame.toll = key_frames_->toll();
  history_->add_key_frame(frame);
  const u64 now = cpu_ns();
  key_frames_->taken(position(), now, now - begin);
}

/// Of the present state.
KeyFrame Session::make_key_frame() {
  KeyFrame frame;
  frame.state = timeline_->snapshot_for_key_frame();
  for (const ComponentHash& component : machine_->component_hashes()) frame.names.push_back(component.name);
  if (BlockReads* reads = history_->block_reads()) {
    frame.blocks_since = reads->since();
    frame.blocks = reads->take(position());
  }
  frame.initial_ram = machine_->initial_ram();
  return frame;
}

}  // namespace retrov
