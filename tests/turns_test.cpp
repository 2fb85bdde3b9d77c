// Turns to the step (core/machine; docs/machine.md, "Turns"): a guest that pauses, waits, traps and interrupts at
// random, watched step by step and compared with a model of the rules; and the same states on both engines, however the
// run is cut.
#include <cstring>
#include <map>
#include <random>

#include "core/hart.hpp"
#include "tests/catch.hpp"
#include "tests/support/many_harts.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr HartSetup kSetups[] = {{1, 64}, {2, 64}, {2, 65}, {3, 200}, {4, 64}, {4, 97}, {8, 64}, {8, 1000}};
constexpr u64 kSteps = 12'000;

BoardConfig board_of(const HartSetup& setup) {
  BoardConfig board = many_harts_board("turns", setup);
  board.machine.steps_per_tick = 5;
  return board;
}

/// One step, an idle one if need be.
void step(Machine& machine) {
  const Position next{machine.position().steps + 1};
  if (machine.idle()) {
    machine.idle_step();
  } else {
    REQUIRE(machine.run_until(next, nullptr) == Pause::kLimit);
  }
  REQUIRE(machine.position() == next);
}

enum class Ends : u8 { kNo, kYes, kIfItWaits };

/// What an instruction does to the turn it is in.
Ends ends_turn(const Machine& machine, unsigned hart) {
  std::array<u8, 4> bytes{};
  u32 raw = 0;
  if (machine.read_physical(PhysAddr{machine.hart(hart).pc}, bytes)) std::memcpy(&raw, bytes.data(), 4);
  switch (raw) {
    case 0x0100000f:  // pause
    case 0x00d00073:  // wrs.nto
    case 0x01d00073:  // wrs.sto
      return Ends::kYes;
    case 0x10500073:  // wfi
      return Ends::kIfItWaits;
    default:
      return Ends::kNo;
  }
}

/// The rules in the words of docs/machine.md: whose turn it is and how many steps are left in it.
struct Model {
  unsigned harts;
  u64 turn_steps;
  unsigned current = 0;
  u64 left;

  explicit Model(const HartSetup& setup) : harts(setup.harts), turn_steps(setup.turn_steps), left(turn_steps) {}
  /// Absent: the machine is idle.
  std::optional<unsigned> pick(const Machine& machine) {
    const auto runnable = [&](unsigned hart) { return !machine.hart(hart).waiting || machine.hart(hart).wakes(); };
    if (left > 0 && runnable(current)) return current;
    for (unsigned i = 1; i <= harts; ++i) {
      const unsigned next = (current + i) % harts;
      if (!runnable(next)) continue;
      current = next;
      left = turn_steps;
      return next;
    }
    return std::nullopt;
  }
};

struct Seen {
  unsigned switches = 0, idle = 0, interrupts = 0, traps = 0, given_up = 0, used_up = 0, waited = 0, not_waited = 0;
};

/// Walks the machine and the model side by side.
Seen follow(Machine& machine, const HartSetup& setup) {
  Seen seen;
  Model model(setup);
  while (machine.position().steps < kSteps) {
    const Position now = machine.position();
    const unsigned before = model.current;
    const auto expected = model.pick(machine);
    if (!expected) {
      ++seen.idle;
      REQUIRE(machine.idle());
      step(machine);
      continue;
    }
    const unsigned hart = *expected;
    if (hart != before) ++seen.switches;
    REQUIRE(machine.current_hart() == hart);
    const Ends ends = ends_turn(machine, hart);
    const u64 retired = machine.hart(hart).retired;
    step(machine);
    for (unsigned h = 0; h < setup.harts; ++h) REQUIRE((machine.stepping(h).last_step == now) == (h == hart));
    --model.left;
    if (model.left == 0) ++seen.used_up;
    if (machine.hart(hart).retired == retired) {  // An interrupt or a trap: the instruction has not been completed.
      const auto& open = machine.stepping(hart).open_irqs;
      ++(!open.empty() && open.back().taken_at == now ? seen.interrupts : seen.traps);
      continue;
    }
    const bool waits = machine.hart(hart).waiting;
    if (ends == Ends::kIfItWaits) ++(waits ? seen.waited : seen.not_waited);
    if (ends == Ends::kYes || waits) {
      model.left = 0;
      ++seen.given_up;
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("turns: every step is made by the hart that the rules name", "[turns]") {
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    for (const HartSetup& setup : kSetups) {
      INFO(setup.harts << " harts, Q " << setup.turn_steps << ", engine " << static_cast<int>(engine));
      Screen screen;
      const auto machine = build_board(board_of(setup), engine, screen, {});
      const Seen seen = follow(*machine, setup);
      CHECK(seen.interrupts > 10);
      CHECK(seen.traps > 10);
      CHECK(seen.given_up > 20);
      CHECK(seen.waited > 5);
      CHECK(seen.not_waited > 5);
      CHECK((setup.harts == 1 || seen.switches > 20));
      CHECK((setup.turn_steps > 100 || seen.used_up > 5));
      CHECK((setup.harts > 1 || seen.idle > 5));
    }
  }
}

TEST_CASE("turns: however a run is cut, both engines pass through the same states", "[turns]") {
  for (const HartSetup& setup : kSetups) {
    INFO(setup.harts << " harts, Q " << setup.turn_steps);
    Screen screen;
    const BoardConfig board = board_of(setup);
    const auto stepped = build_board(board, EngineKind::kReference, screen, {});
    std::map<u64, u64> hashes;
    std::mt19937_64 random(setup.harts * 1000 + setup.turn_steps);
    u64 next_mark = 0;
    while (stepped->position().steps < kSteps) {
      if (stepped->position().steps == next_mark) {
        hashes[next_mark] = stepped->hash();
        next_mark += 1 + random() % 900;
      }
      step(*stepped);
    }
    for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
      const auto machine = build_board(board, engine, screen, {});
      for (const auto& [at, hash] : hashes) {
        while (machine->position().steps < at) {
          if (machine->run_until(Position{at}, nullptr) == Pause::kIdle) machine->idle_step();
        }
        REQUIRE(machine->hash() == hash);
      }
    }
  }
}

}  // namespace retrov
