#include "tests/support/walker.hpp"


namespace retrov::test {

namespace {

/// Lines that have become this long grow by little; what is known of them is kept in memory.
constexpr u64 kLongSteps = 30'000;

constexpr WalkKind kKinds[] = {
    {"seek", 6, &Walker::seek},
    {"seek-near", 8, &Walker::seek_near},
    {"step", 14, &Walker::step_forward},
    {"reverse-step", 14, &Walker::step_backward},
    {"continue", 16, &Walker::run_forward},
    {"reverse-continue", 16, &Walker::run_backward},
    {"step-range", 2, &Walker::step_range},
    {"stops", 10, &Walker::wish},
    {"no-stops", 2, &Walker::wish_nothing},
    {"modes", 6, &Walker::set_modes},
    {"type", 4, &Walker::type},
    {"write", 6, &Walker::write},
    {"scratch", 3, &Walker::set_scratch},
    {"fork", 3, &Walker::fork},
    {"switch", 3, &Walker::switch_branch},
    {"power-cycle", 1, &Walker::power_cycle},
    {"reset", 1, &Walker::reset},
    {"interrupted", 2, &Walker::interrupted_move},
    {"executions", 1, &Walker::count_executions},
    {"look", 2, &Walker::look_elsewhere},
};

std::string number(u64 value) { return std::to_string(value); }

const char* reason_name(StopReason reason) {
  static constexpr const char* kNames[] = {"step",        "breakpoint", "watchpoint",  "history-begin", "history-end",
                                           "powered-off", "ebreak",     "csr-write", "interrupted",   "arrived"};
  return kNames[static_cast<int>(reason)];
}

}  // namespace

std::span<const WalkKind> walk_kind_rows() { return kKinds; }

Walker::Walker(u64 seed) : setup_(walk_setup(seed)), walked_(setup_) {
  Line& line = lines_[line_];
  line.truth = std::make_unique<Truth>(session().history());
  line.truth->extend(session().end());
}

bool Walker::act(const WalkOp& op) {
  const WalkKind& kind = kKinds[op.kind];
  say(kind.name);
  const std::string before = (copy_ ? "copy" : line_) + "@" + number(session().position().steps) + ": ";
  bool done = false;
  try {
    done = (this->*kind.act)(op);
  } catch (const Error& error) {
    throw WalkFailure{before + last_ + ": " + error.what()};
  } catch (const WalkFailure& failure) {
    throw WalkFailure{before + last_ + ": " + failure.what};
  }
  say(before + last_);
  return done;
}

bool Walker::is_off() { return session().machine().power().off; }

bool Walker::crosses() {
  if (copy_) return true;
  return session().live() && (!in_past() || session().edge() == Edge::kGo);
}

unsigned Walker::any_hart(u64 value) { return static_cast<unsigned>(value % setup_.harts); }

/// One that was executed somewhere in the line; those near to here more often.
u64 Walker::any_pc(u64 value) {
  Truth& known = truth();
  const u64 here = session().position().steps, span = known.end().steps + 1;
  const u64 near = std::min(span - 1, here + value / 3 % 400 - std::min<u64>(here, 200));
  const u64 at = value % 3 == 0 ? value / 3 % span : near;
  return known.at(Position{at}).harts[any_hart(value >> 20)][2];
}

std::string Walker::irq_text() { return session().step_irq() == StepIrq::kSkip ? ", over interrupts" : ""; }

/// Of a throw-away copy nothing is recorded, so whoever makes its truth must be told who may run.
void Walker::let_all_run() {
  if (!copy_) return;
  session().set_only_hart(only_hart_ = std::nullopt);
  if (copy_->machine().sched_mask() == ~u64{0}) return;
  const bool idle = copy_->machine().idle();
  copy_->apply({{Input{kMachineItself, SchedMask{}}}, idle ? copy_->machine().now() : Ticks{}});
}

/// Each expectation is checked by whoever moves; the state everywhere.
void Walker::check_state() {
  Truth& known = truth();
  const Position here = session().position();
  if (session().hash() != known.at(here).hash) {
    std::string differing;
    if (here == known.end()) {
      const auto mine = session().component_hashes();
      const auto theirs = known.machine().component_hashes();
      for (std::size_t i = 0; i < mine.size(); ++i) {
        if (mine[i].hash != theirs[i].hash) differing += " " + mine[i].name;
      }
    }
    throw WalkFailure{"at step " + number(here.steps) + " the state is another one" + differing};
  }
}

/// The line may have grown.
void Walker::moved() {
  Truth& known = truth();
  known.extend(copy_ ? session().position() : session().end());
  if (!copy_ && known.end() != session().end()) throw WalkFailure{"the line has become shorter"};
  check_state();
}

void Walker::drop_copy() {
  if (!copy_) return;
  copy_.reset();
  reported_access_ = access_before_copy_;
  reported_instruction_ = instruction_before_copy_;
}

void Walker::expect(const Stop& stop, const TrueStop& expected) {
  const auto text = [](StopReason reason, Position at, unsigned hart, VirtAddr byte) {
    return std::string(reason_name(reason)) + " at step " + number(at.steps) + " hart " + number(hart) + " byte " +
           number(byte.value);
  };
  const bool stands_there = stop.at == session().position();
  bool same = stop.reason == expected.reason && stop.at == expected.at && stands_there;
  const bool named = stop.reason == StopReason::kBreakpoint || stop.reason == StopReason::kCsrWrite ||
                     stop.reason == StopReason::kWatchpoint;
  // A device's write has no hart, and may share its step with an access.
  if (same && named && !wish_.request.device_writes) same = stop.hart == expected.hart;
  if (same && stop.reason == StopReason::kWatchpoint && !wish_.request.device_writes) {
    same = stop.watched == expected.watched && stop.watch_kind == expected.watch_kind;
  }
  if (same) return;
  throw WalkFailure{text(stop.reason, stop.at, stop.hart, stop.watched) +
                    (stands_there ? "" : ", standing at step " + number(session().position().steps)) +
                    "; a slow search finds " + text(expected.reason, expected.at, expected.hart, expected.watched)};
}

// --- moves ---

bool Walker::seek(const WalkOp& op) {
  const Position target{op.a % 8 == 0 ? session().end().steps : op.a / 8 % (session().end().steps + 1)};
  say("seek " + number(target.steps));
  drop_copy();
  session().seek(target);
  reported_access_.reset();
  reported_instruction_.reset();
  if (session().position() != target) throw WalkFailure{"stands at step " + number(session().position().steps)};
  moved();
  return true;
}

bool Walker::seek_near(const WalkOp& op) {
  const u64 here = session().position().steps;
  const u64 far = op.b % 3 == 0 ? 500 : 6;
  const u64 up = here + op.a % far, down = here - std::min(here, op.a % far);
  WalkOp there{0, 8 * std::min(op.b % 2 == 0 ? up : down, session().end().steps) + 1, 0, 0};
  return seek(there);
}

void Walker::forward_expectation(const Stop& stop, Position from, Position limit, bool crossed) {
  SlowSearch search(truth(), wish_);
  const Position end = truth().end();
  SlowSearch::Passing passing;
  passing.instruction = reported_instruction_;
  // What was reported and is still the next behind what was done by hand.
  while (passing.instruction && *passing.instruction < end && truth().at(*passing.instruction).by_hand) {
    const TrueStep& hand = truth().at(*passing.instruction);
    const Position next{passing.instruction->steps + 1};
    const TrueStep& then = truth().at(next);
    if (then.turn != hand.turn || then.harts[then.turn][2] != hand.harts[hand.turn][2]) break;
    passing.instruction = next;
  }
  const bool to_limit = limit <= end;
  const auto look = to_limit ? SlowSearch::AtLimit::kPass : SlowSearch::AtLimit::kLook;
  const auto found = search.forward(from, std::min(limit, end), look, passing);
  if (found) return expect(stop, *found);
  if (to_limit) return expect(stop, {limit, StopReason::kStep, 0, {}, {}});
  if (is_off()) return expect(stop, {end, StopReason::kPoweredOff, 0, {}, {}});
  if (crossed) throw WalkFailure{"stops without a reason at step " + number(stop.at.steps)};
  expect(stop, {end, StopReason::kHistoryEnd, 0, {}, {}});
}

bool Walker::run_forward(const WalkOp& op) {
  if (is_off() && !in_past()) return false;
  const Position from = session().position();
  const bool long_enough = session().end().steps > kLongSteps;
  const u64 distance = 1 + op.a % (op.b % 4 == 0 ? 5000 : 700) % (long_enough && !in_past() ? 60 : 5000);
  const Position limit{from.steps + distance};
  const bool crossed = crosses();
  if (crossed) let_all_run();
  say("continue, " + number(distance) + " steps at most");
  const Stop stop = session().run_to(limit);
  moved();
  forward_expectation(stop, from, limit, crossed);
  reported_access_.reset();
  reported_instruction_.reset();
  if (stop.reason == StopReason::kCsrWrite) reported_instruction_ = stop.at;
  return true;
}

bool Walker::run_backward(const WalkOp&) {
  const Position from = copy_ ? copy_from_ : session().position();
  drop_copy();
  const auto at_start = reported_access_ == from ? SlowSearch::AtLimit::kPass : SlowSearch::AtLimit::kLook;
  const Stop stop = session().resume(Direction::kBackward);
  moved();
  const auto found = SlowSearch(truth(), wish_).backward(from, at_start, std::nullopt);
  expect(stop, found ? *found : TrueStop{Position{0}, StopReason::kHistoryBegin, 0, {}, {}});
  note_backward(stop);
  return true;
}

void Walker::note_backward(const Stop& stop) {
  reported_access_.reset();
  reported_instruction_.reset();
  const bool behind = stop.reason == StopReason::kWatchpoint || stop.reason == StopReason::kCsrWrite;
  if (behind) reported_access_ = stop.at;
}

void Walker::step_expectation(const Stop& stop, Position from, unsigned hart, bool crossed) {
  SlowSearch search(truth(), wish_);
  const Position end = truth().end();
  const StepIrq irq = session().step_irq();
  const auto target = search.step_forward(hart, from, irq);
  SlowSearch::Passing passing;
  passing.step_of = hart;
  passing.irq = irq;
  const auto look = target ? SlowSearch::AtLimit::kPass : SlowSearch::AtLimit::kLook;
  const auto early = search.forward(from, target.value_or(end), look, passing);
  if (early) return expect(stop, *early);
  if (target) return expect(stop, {copy_ ? *target : search.past_hands(*target), StopReason::kStep, 0, {}, {}});
  if (is_off()) return expect(stop, {end, StopReason::kPoweredOff, 0, {}, {}});
  if (crossed) throw WalkFailure{"stops without a reason at step " + number(stop.at.steps)};
  expect(stop, {end, StopReason::kHistoryEnd, 0, {}, {}});
}

bool Walker::step_forward(const WalkOp& op) {
  const unsigned hart = only_hart_ ? *only_hart_ : any_hart(op.a);
  const u64 count = op.b % 4 == 0 ? 1 + op.c % 8 : 1;
  for (u64 i = 0; i < count; ++i) {
    if (is_off() && !in_past()) return i != 0;
    const Position from = session().position();
    const bool crossed = crosses();
    if (crossed) let_all_run();
    say("step of hart " + number(hart) + " from " + number(from.steps) + irq_text());
    const Stop stop = session().step(hart, Direction::kForward);
    moved();
    step_expectation(stop, from, hart, crossed);
    reported_access_.reset();
    reported_instruction_.reset();
    if (stop.reason == StopReason::kCsrWrite) reported_instruction_ = stop.at;
  }
  return true;
}

bool Walker::step_backward(const WalkOp& op) {
  const unsigned hart = any_hart(op.a);
  const u64 count = op.b % 4 == 0 ? 1 + op.c % 8 : 1;
  for (u64 i = 0; i < count; ++i) {
    const Position from = copy_ ? copy_from_ : session().position();
    drop_copy();
    say("reverse-step of hart " + number(hart) + " from " + number(from.steps) + irq_text());
    const Stop stop = session().step(hart, Direction::kBackward);
    moved();
    SlowSearch search(truth(), wish_);
    const auto target = search.step_backward(hart, from, session().step_irq());
    const auto early = search.backward(from, SlowSearch::AtLimit::kPass, target.value_or(Position{0}));
    if (early) {
      expect(stop, *early);
    } else {
      expect(stop, {target.value_or(Position{0}), target ? StopReason::kStep : StopReason::kHistoryBegin, 0, {}, {}});
    }
    note_backward(stop);
  }
  return true;
}

bool Walker::step_range(const WalkOp& op) {
  if (is_off() && !in_past()) return false;
  // A hart alone that waits for another would never leave its loop.
  if (only_hart_ && crosses()) return false;
  const unsigned hart = any_hart(op.a);
  if (crosses()) let_all_run();
  const u64 pc = session().machine().hart_summary(hart).pc.value;
  const Stop stop = session().step_range(hart, VirtAddr{pc - op.b % 24}, VirtAddr{pc + op.c % 48});
  say("step-range of hart " + number(hart) + ": " + reason_name(stop.reason) + " at " + number(stop.at.steps));
  moved();
  reported_access_.reset();
  reported_instruction_.reset();
  if (stop.reason == StopReason::kCsrWrite) reported_instruction_ = stop.at;
  return true;
}

bool Walker::interrupted_move(const WalkOp& op) {
  if (is_off() && !in_past()) return false;
  const bool back = op.a % 2 == 0;
  if (back) drop_copy();
  if (!back && !in_past() && !crosses()) return false;
  if (!back && crosses()) let_all_run();
  session().interrupt();
  const Stop stop = back ? session().resume(Direction::kBackward)
                         : session().run_to(Position{session().position().steps + 500});
  moved();
  // Who stands at the beginning need not go there.
  const bool there = back && stop.at == Position{0};
  if ((stop.reason != StopReason::kInterrupted && !there) || stop.at != session().position()) {
    throw WalkFailure{std::string("was not broken off: ") + reason_name(stop.reason)};
  }
  reported_access_.reset();
  reported_instruction_.reset();
  return true;
}

}  // namespace retrov::test
