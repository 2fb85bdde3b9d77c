#include "replay/drive.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace retrov {

namespace {

/// Stops that hold at a position whatever its step is. The machine reports them before a step of its own; where the
/// step is an input or an idle step, nobody else would.
bool stops_here(const Machine& machine, StopSet* stops) {
  if (stops == nullptr || stops->ignore_at == machine.position()) return false;
  if (const auto hart = stops->until_irq_return_of) {
    const SteppingFacts& facts = machine.stepping(*hart);
    if (facts.returned_at == machine.position() && facts.open_irqs.size() <= stops->open_irqs_at_most) {
      stops->hit = StopHit{StopHit::Kind::kInterruptReturn, *hart, {}, 0, false, 0};
      return true;
    }
  }
  if (const auto hart = stops->before_hart; hart && begins_to_wait(machine, *hart)) {
    stops->hit = StopHit{StopHit::Kind::kBeforeHart, *hart, {}, 0, false, 0};
    return true;
  }
  return false;
}

enum class Next : u8 { kStep, kAgain, kEnded };

/// Asks the source what happens at this position, and does it unless it is a step of the machine's own.
Next ask(Machine& machine, InputSource& source) {
  const bool idle = machine.idle();
  const Ticks deadline = idle ? machine.idle_deadline() : kNever;
  Batch batch;
  switch (source.take(machine.position(), idle ? Idle::kYes : Idle::kNo, machine.now(), deadline, batch)) {
    case Took::kBatch:
      machine.apply(batch);
      return Next::kAgain;
    case Took::kReachedDeadline:
      if (!idle) return Next::kStep;
      machine.idle_step();
      return Next::kAgain;
    case Took::kInterrupted:
      return Next::kAgain;
    case Took::kEnded:
      break;
  }
  RV_CHECK(idle);
  return Next::kEnded;
}

}  // namespace

Ticks latest_wake(Ticks now, Ticks deadline) {
  constexpr Ticks kLastWait{u64{1} << 63};
  return deadline == kNever ? std::max(now, kLastWait) : deadline;
}

bool begins_to_wait(const Machine& machine, unsigned hart) {
  const auto last = machine.stepping(hart).last_step;
  return last && last->steps + 1 == machine.position().steps && machine.hart_summary(hart).waiting;
}

Halt drive(Machine& machine, InputSource& source, Position limit, StopSet* stops,
           const std::atomic<bool>& interrupted) {
  if (stops != nullptr) stops->hit.reset();
  machine.keep_writes_of(stops != nullptr ? stops->other_writers : OtherWriters::kNone);
  for (;;) {
    const Position now = machine.position();
    if (machine.stops_at_other_write(stops)) return Halt::kStop;
    if (machine.power().off) return Halt::kPoweredOff;
    if (now >= limit) return Halt::kLimit;
    if (stops_here(machine, stops)) return Halt::kStop;
    if (interrupted.load(std::memory_order_relaxed)) return Halt::kInterrupted;
    const Next next = ask(machine, source);
    if (next == Next::kEnded) return Halt::kEnded;
    if (next == Next::kAgain) continue;
    const Position stretch{now.steps + std::min(kStretchSteps, limit.steps - now.steps)};
    const Position pause = source.next_pause(now, stretch);
    RV_CHECK(pause > now && pause <= stretch);
    if (machine.run_until(pause, stops) == Pause::kStop) return Halt::kStop;
  }
}

}  // namespace retrov
