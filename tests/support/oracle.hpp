// A history walked step by step, with everything noted that a debugger could be asked about: the slow truth that
// stepping and searching are compared with.
#pragma once

#include <vector>

#include "replay/replayer.hpp"
#include "tests/support/guest_bench.hpp"

namespace retrov::test {

struct Walked {
  struct HartState {
    u64 pc = 0;
    bool waiting = false;
    std::vector<Position> open;  ///< Interrupts whose handlers have not returned.
    bool just_returned = false;
  };
  struct At {
    int stepper = -1;        ///< The hart that makes the step from here, if one does.
    bool interrupt = false;  ///< The step takes an interrupt.
    std::vector<HartState> harts;
    u64 watched = 0;         ///< Eight bytes of memory.
  };
  std::vector<At> at;  ///< By position; the last is the end, from which no step is made.

  [[nodiscard]] Position end() const { return Position{at.size() - 1}; }
  /// Positions at which the hart is about to step, and those at which it begins to wait.
  [[nodiscard]] std::vector<Position> stops(unsigned hart) const {
    std::vector<Position> result;
    for (std::size_t p = 0; p < at.size(); ++p) {
      const bool steps = at[p].stepper == static_cast<int>(hart);
      const bool waits = p > 0 && at[p - 1].stepper == static_cast<int>(hart) && at[p].harts[hart].waiting;
      if (steps || waits) result.push_back(Position{p});
    }
    return result;
  }
  /// Of those, the ones outside handlers; being back from one is part of the step that was interrupted.
  [[nodiscard]] std::vector<Position> stops_outside(unsigned hart) const {
    std::vector<Position> result;
    for (const Position stop : stops(hart)) {
      const HartState& state = at[stop.steps].harts[hart];
      if (state.open.empty() && !state.just_returned) result.push_back(stop);
    }
    return result;
  }
  /// Where an instruction at `pc` is about to be executed.
  [[nodiscard]] std::vector<Position> executions(u64 pc) const {
    std::vector<Position> result;
    for (std::size_t p = 0; p < at.size(); ++p) {
      if (at[p].stepper < 0 || at[p].interrupt) continue;
      if (at[p].harts[static_cast<unsigned>(at[p].stepper)].pc == pc) result.push_back(Position{p});
    }
    return result;
  }
  /// Where the step changes the watched memory.
  [[nodiscard]] std::vector<Position> changes() const {
    std::vector<Position> result;
    for (std::size_t p = 0; p + 1 < at.size(); ++p) {
      if (at[p].watched != at[p + 1].watched) result.push_back(Position{p});
    }
    return result;
  }
};

inline Walked walk(const History& history, PhysAddr watched) {
  Screen screen;
  const auto machine = build_board(history.board(), EngineKind::kReference, screen, {});
  Replayer replayer(history);
  const std::atomic<bool> never{false};
  Walked result;
  for (;;) {
    Walked::At here;
    for (unsigned h = 0; h < machine->hart_count(); ++h) {
      const SteppingFacts& facts = machine->stepping(h);
      Walked::HartState state{machine->hart_summary(h).pc.value, machine->hart_summary(h).waiting, {},
                              facts.returned_at == machine->position()};
      for (const InterruptFrame& frame : facts.open_irqs) state.open.push_back(frame.taken_at);
      here.harts.push_back(std::move(state));
    }
    std::array<u8, 8> bytes{};
    if (!machine->read_physical(watched, bytes)) throw Error(Exit::kFailure, "nothing to watch");
    for (unsigned i = 0; i < 8; ++i) here.watched |= u64{bytes[i]} << (8 * i);
    const Position now = machine->position();
    const bool more = now < history.end();
    if (more && drive(*machine, replayer, Position{now.steps + 1}, nullptr, never) == Halt::kEnded) {
      throw Error(Exit::kFailure, "the history does not reach its end");
    }
    for (unsigned h = 0; more && h < machine->hart_count(); ++h) {
      const SteppingFacts& facts = machine->stepping(h);
      if (facts.last_step != now) continue;
      here.stepper = static_cast<int>(h);
      here.interrupt = !facts.open_irqs.empty() && facts.open_irqs.back().taken_at == now;
    }
    result.at.push_back(std::move(here));
    if (!more) return result;
  }
}

}  // namespace retrov::test
