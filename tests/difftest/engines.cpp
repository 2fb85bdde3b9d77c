#include "tests/difftest/engines.hpp"

#include <utility>
#include <vector>

#include "core/engine/cache_sizes.hpp"
#include "tests/difftest/compare.hpp"

namespace retrov::difftest {
namespace {

/// Of a program and of what the runner does between its traps.
constexpr u64 kMostSteps = 12'000;
constexpr Place kPlace{0, DT_LOGS + 0x2000000};

struct State {
  Position at;
  u64 hash = 0;
};

/// Where states are compared: after single steps, and after stretches.
std::vector<Position> choose_positions(Random& random, Position from) {
  std::vector<Position> positions;
  const Position end{from.steps + kMostSteps};
  for (Position at = from; at < end; positions.push_back(at)) {
    const u64 most = random.of(1, 1, 2, 8, 60, 400);
    for (u64 i = random.below(20); i > 0 && at < end; --i)
      positions.push_back(at = {at.steps + 1 + random.below(most)});
    at = {at.steps + 1 + random.below(400)};
  }
  return positions;
}

/// As it is, or with caches that hold next to nothing.
CacheSizes random_sizes(Random& random) {
  if (random.one_in(4)) return {};
  CacheSizes sizes;
  sizes.block_instructions = static_cast<unsigned>(random.of(1, 2, 3, 7, kMaxBlockInstructions));
  sizes.code_pages = random.of(1, 2, 5, 100);
  sizes.translations = static_cast<unsigned>(random.of(1, 2, 3, 8, 64, 1024));
  return sizes;
}

/// In as many pieces as chance will have it. A machine that waits for ever, or stands, stays where it is.
void walk(Machine& machine, Position to, Random& random) {
  while (machine.position() < to) {
    const u64 left = to.steps - machine.position().steps;
    const u64 steps = random.one_in(2) ? left : 1 + random.below(left);
    if (machine.run_until(Position{machine.position().steps + steps}, nullptr) != Pause::kLimit) return;
  }
}

}  // namespace

Engines::Engines(const RunnerImage& runner)
    : runner_(runner),
      fast_(bare_machine(runner, EngineKind::kFast, asked_)),
      reference_(bare_machine(runner, EngineKind::kReference, asked_)),
      fast_fresh_(fast_->snapshot()),
      reference_fresh_(reference_->snapshot()) {}

/// Up to the program's first instruction.
void Engines::load(Machine& machine, const Snapshot& fresh, const Program& program) {
  machine.restore(fresh);
  OnRetrov::place(machine, program, kPlace);
  StopSet stops;
  stops.breakpoints = {VirtAddr{runner_.launch}};
  (void)machine.run_until(kEndOfTime, &stops);
}

std::optional<std::string> Engines::disagreement(const Program& program) {
  Random random(program.seed);
  fast_->limit_caches(random_sizes(random));
  load(*fast_, fast_fresh_, program);
  load(*reference_, reference_fresh_, program);
  std::vector<State> states{{reference_->position(), reference_->hash()}};
  for (const Position at : choose_positions(random, reference_->position())) {
    if (reference_->run_until(at, nullptr) != Pause::kLimit) break;
    states.push_back({at, reference_->hash()});
  }
  std::vector<std::pair<std::size_t, Snapshot>> kept{{0, fast_->snapshot()}};
  std::size_t returns = 6;
  for (std::size_t i = 0; i < states.size(); ++i) {
    walk(*fast_, states[i].at, random);
    ++compared_;
    if (fast_->position() != states[i].at || fast_->hash() != states[i].hash) {
      return "seed 0x" + hex_text(program.seed) + ": the engines part between steps " +
             std::to_string(i == 0 ? 0 : states[i - 1].at.steps) + " and " + std::to_string(states[i].at.steps);
    }
    if (random.one_in(20)) kept.emplace_back(i, fast_->snapshot());
    if (returns > 0 && random.one_in(40)) {
      --returns;
      const auto& [back, snapshot] = random.from(kept);
      fast_->restore(snapshot);
      i = back;
    }
  }
  return std::nullopt;
}

}  // namespace retrov::difftest
