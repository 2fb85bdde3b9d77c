// Steps of one hart (docs/gdb.md, "Steps and stops"): its stops are the positions at which it is about to make a
// step, and the one at which it begins to wait. With StepIrq::kSkip an interrupt and its handler are part of the step
// they interrupt.
#include <algorithm>

#include "core/check.hpp"
#include "core/hart.hpp"
#include "replay/hart_view.hpp"
#include "replay/session_parts.hpp"

namespace retrov {

namespace {

/// A handler that has not returned by then has switched to something else.
constexpr u64 kHandlerSteps = 50'000'000;

bool contains(const std::vector<Position>& positions, Position at) {
  return std::find(positions.begin(), positions.end(), at) != positions.end();
}

/// What somebody did who had stopped there: wrote, or chose the harts that may run.
bool is_by_hand(const Input& input) {
  return std::holds_alternative<DebuggerWrite>(input.what) || std::holds_alternative<SchedMask>(input.what);
}

}  // namespace

std::vector<Position> Session::open_handlers(unsigned hart) const {
  std::vector<Position> taken;
  for (const InterruptFrame& frame : machine_->stepping(hart).open_irqs) taken.push_back(frame.taken_at);
  return taken;
}

bool Session::is_at_breakpoint(unsigned hart) const {
  return std::binary_search(wanted_.breakpoints.begin(), wanted_.breakpoints.end(), machine_->hart_summary(hart).pc);
}

/// The hart is about to execute a breakpoint that counts, and its rules want it to stop there. An interrupt that is due
/// comes first; then it will be behind the handler.
bool Session::stops_at_breakpoint_of(unsigned hart) {
  if (!is_at_breakpoint(hart) || begins_to_wait(*machine_, hart)) return false;
  if (machine_->hart(hart).pending_interrupt()) return false;
  if (rules_ == nullptr) return true;
  const MachineHart view(*machine_, hart);
  const VirtAddr pc = machine_->hart_summary(hart).pc;
  return rules_->counts(view, pc) && !rules_->handle(view, pc);
}

// --- forward ---

/// One step of the machine, whoever makes it. A breakpoint here was reported on arrival and is passed; an access that
/// is watched is not.
std::optional<Stop> Session::make_step(Instruction here) {
  StopSet stops = wanted();
  stops.pass_breakpoint_at = position();
  if (here == Instruction::kPassed) stops.pass_instruction_at = position();
  const Went went = go(&stops, Position{position().steps + 1});
  if (went == Went::kLimit) return std::nullopt;
  return stop_for(went, stops);
}

std::optional<Stop> Session::run_to_hart(unsigned hart) {
  StopSet stops = wanted();
  stops.before_hart = hart;
  const Went went = go(&stops, kEndOfTime);
  if (went == Went::kStop && stops.hit->kind == StopHit::Kind::kBeforeHart) return std::nullopt;
  return stop_for(went, stops);
}

/// To the hart's next stop after it has made a step; where it has just begun to wait, to the end of the wait.
std::optional<Stop> Session::raw_step(unsigned hart, Instruction here) {
  const Position start = position();
  const bool from_wait = begins_to_wait(*machine_, hart);
  // A breakpoint where the hart was about to step was reported on arrival. It is passed even if an input comes first.
  const VirtAddr pc = machine_->hart_summary(hart).pc;
  const bool reported = machine_->current_hart() == hart;
  for (;;) {
    if (auto early = make_step(here)) return early;
    if (auto early = run_to_hart(hart)) return early;
    const auto last = machine_->stepping(hart).last_step;
    if (from_wait || (last && *last >= start)) break;
    // Something else came first, so this is only the stop before the hart's step.
    const bool passed = reported && machine_->hart_summary(hart).pc == pc;
    if (passed) continue;
    if (stops_at_breakpoint_of(hart)) return stop_at(StopReason::kBreakpoint, hart);
    here = Instruction::kLookedAt;
  }
  pass_debugger_writes();
  return std::nullopt;
}

/// Somebody who stopped here while recording changed the machine by hand; they left it as it is behind that.
void Session::pass_debugger_writes() {
  const Chain<Event>& events = history_->events();
  while (in_past()) {
    const std::size_t next = history_->first_event_at(position());
    if (next == events.size() || events[next].at != position()) return;
    const auto& inputs = events[next].batch.inputs;
    if (!std::all_of(inputs.begin(), inputs.end(), is_by_hand)) return;
    go(nullptr, Position{position().steps + 1});
  }
}

/// From inside a handler whose interrupt was taken at `taken_at`, with `depth` older ones open, to its return.
std::optional<Stop> Session::leave_handler(unsigned hart, Position taken_at, unsigned depth) {
  StopSet stops = wanted();
  stops.until_irq_return_of = hart;
  stops.open_irqs_at_most = depth;
  const Went went = go(&stops, Position{taken_at.steps + kHandlerSteps});
  if (went == Went::kStop && stops.hit->kind == StopHit::Kind::kInterruptReturn) return std::nullopt;
  if (went != Went::kLimit) return stop_for(went, stops);
  if (auto early = run_to_hart(hart)) return early;
  branch_->unreturned[position()] = taken_at;
  return stop_at(StopReason::kStep, hart);
}

Stop Session::step_forward(unsigned hart, Instruction here) {
  const std::vector<Position> inside = open_handlers(hart);
  if (auto early = raw_step(hart, here)) return *early;
  while (step_irq_ == StepIrq::kSkip) {
    const SteppingFacts& facts = machine_->stepping(hart);
    const auto outer = std::find_if(facts.open_irqs.begin(), facts.open_irqs.end(), [&](const InterruptFrame& frame) {
      return !contains(inside, frame.taken_at);
    });
    std::optional<Stop> early;
    if (outer != facts.open_irqs.end()) {
      early = leave_handler(hart, outer->taken_at, static_cast<unsigned>(outer - facts.open_irqs.begin()));
    } else if (facts.returned_at == position() && !contains(inside, facts.returned_irq_taken_at)) {
      // Back at the interrupted instruction, which is part of the step.
      early = raw_step(hart, Instruction::kPassed);
    } else {
      break;
    }
    if (early) return *early;
  }
  return stop_at(StopReason::kStep, hart);
}

// --- backward ---

/// Where this position is left out of the stops, the one that stands for it and all like it.
std::optional<Position> Session::left_out_for(unsigned hart, const std::vector<Position>& inside) const {
  const SteppingFacts& facts = machine_->stepping(hart);
  for (const InterruptFrame& frame : facts.open_irqs) {
    if (!contains(inside, frame.taken_at)) return frame.taken_at;
  }
  const bool returned_here = facts.returned_at == position();
  if (returned_here && !contains(inside, facts.returned_irq_taken_at)) return facts.returned_irq_taken_at;
  return std::nullopt;
}

/// The last stop strictly before now as far as it can be told from here.
std::optional<Position> Session::previous_stop(unsigned hart, const std::vector<Position>& inside) const {
  const SteppingFacts& facts = machine_->stepping(hart);
  if (!facts.last_step) return std::nullopt;
  const Position last = *facts.last_step;
  const Position after_last{last.steps + 1};
  if (machine_->hart_summary(hart).waiting && after_last < position()) {
    // Where only writes by hand lie between, a forward step ends behind them.
    const std::size_t first = history_->first_event_at(after_last);
    const std::size_t beyond = history_->first_event_at(position());
    bool all_by_hand = beyond - first == position().steps - after_last.steps;
    for (std::size_t i = first; i < beyond && all_by_hand; ++i) {
      all_by_hand = is_by_hand(history_->events()[i].batch.inputs[0]);
    }
    if (!all_by_hand) return after_last;
  }
  if (step_irq_ == StepIrq::kEnter) return last;
  if (const auto way_back = branch_->unreturned.find(position());
      way_back != branch_->unreturned.end()) return way_back->second;
  // The step was the return, or the first one after it, of a handler that is closed now.
  const bool of_handler = facts.returned_at == last || facts.returned_at == after_last;
  if (of_handler && !contains(inside, facts.returned_irq_taken_at)) return facts.returned_irq_taken_at;
  return last;
}

Stop Session::step_backward(unsigned hart) {
  const Position start = position();
  const std::vector<Position> inside = open_handlers(hart);
  check_target(begin());
  std::optional<Position> target = previous_stop(hart, inside);
  const StopReason reason = target ? StopReason::kStep : StopReason::kHistoryBegin;
  if (!target) target = begin();
  // A reset has ended a wait without a step, and here nothing says any more that there was one.
  const bool was_reset = machine_->hart_summary(hart).pc.value == machine_->config().reset_pc.value;
  if (const Position next{target->steps + 1}; was_reset && next >= begin() && next < start) {
    if (!timeline_->seek(next, interrupted_)) return stop_at(StopReason::kInterrupted, hart);
    if (begins_to_wait(*machine_, hart)) target = next;
  }
  while (target) {
    // What the hart did before the history began is known, and cannot be gone to.
    if (*target < begin()) return go_to_begin(hart);
    if (!timeline_->seek(*target, interrupted_)) return stop_at(StopReason::kInterrupted, hart);
    target = step_irq_ == StepIrq::kSkip ? left_out_for(hart, inside) : std::nullopt;
  }
  const Position arrived = position();
  const bool stops_wanted = !wanted_.breakpoints.empty() || !wanted_.watches.empty() || !wanted_.csr_writes.empty() ||
                            wanted_.ebreak_privileges != 0;
  if (!stops_wanted || arrived.steps + 1 >= start.steps) return stop_at(reason, hart);
  // Other harts' turns and handlers lie between; what stops a step forward stops it backwards, too.
  if (!timeline_->seek(start, interrupted_)) return stop_at(StopReason::kInterrupted, hart);
  if (auto stop = last_stop_between(arrived, start)) return *stop;
  if (!timeline_->seek(arrived, interrupted_)) return stop_at(StopReason::kInterrupted, hart);
  return stop_at(reason, hart);
}

}  // namespace retrov
