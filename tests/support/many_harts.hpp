// Guests that want to know how many harts there are (their word `harts`), and runs of them to the end with hashes on
// the way: what tests of harts beside each other share.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/machine.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

namespace retrov::test {

struct HartSetup {
  unsigned harts;
  u64 turn_steps;
};

inline BoardConfig many_harts_board(const std::string& guest, const HartSetup& setup) {
  BoardConfig board = guest_board(guest, setup.harts);
  board.machine.turn_steps = setup.turn_steps;
  Blob harts{PhysAddr{symbol(guest, "harts")}, std::vector<u8>(8)};
  harts.bytes[0] = static_cast<u8>(setup.harts);
  board.machine.initial_memory.push_back(std::move(harts));
  return board;
}

/// A machine that has powered off.
struct Ended {
  Screen screen;  ///< Where the machine's console goes.
  std::unique_ptr<Machine> machine;
  std::vector<std::pair<u64, u64>> hashes;  ///< Position and hash, on the way and at the end.
  [[nodiscard]] int status() const { return machine->power().status; }
};

/// The guest must end by itself and soon, without input.
inline std::unique_ptr<Ended> run_to_end(const BoardConfig& board, EngineKind engine) {
  constexpr u64 kStride = 50'021, kLimit = 60'000'000;
  auto ended = std::make_unique<Ended>();
  ended->machine = build_board(board, engine, ended->screen, {});
  Machine& machine = *ended->machine;
  while (!machine.power().off) {
    REQUIRE(machine.position().steps < kLimit);
    if (machine.run_until(Position{machine.position().steps + kStride}, nullptr) == Pause::kIdle) machine.idle_step();
    ended->hashes.emplace_back(machine.position().steps, machine.hash());
  }
  return ended;
}

}  // namespace retrov::test
