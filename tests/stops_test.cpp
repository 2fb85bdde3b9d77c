// Stops are a debugger's wish and no state: setting, leaving out and setting them again must find every hit.
#include <array>

#include "core/machine.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

/// Stores an increasing number at kWord, for ever.
constexpr std::array<u32, 7> kStoringLoop = {
    0x00100293,  // li   t0, 1
    0x01f29293,  // slli t0, t0, 31
    0x00001337,  // lui  t1, 1
    0x006282b3,  // add  t0, t0, t1
    0x00138393,  // addi t2, t2, 1
    0x0072b023,  // sd   t2, 0(t0)
    0xff9ff06f,  // j    -8
};
constexpr u64 kCode = 0x80000000;
constexpr u64 kWord = 0x80001000;
constexpr u64 kStepsBeforeLoop = 4;
constexpr u64 kStepsPerRound = 3;

MachineConfig storing_guest() {
  MachineConfig config;
  config.ram_bytes = 1u << 20;
  config.reset_pc = PhysAddr{kCode};
  Blob code{PhysAddr{kCode}, {}};
  for (const u32 word : kStoringLoop) {
    for (unsigned shift = 0; shift < 32; shift += 8) code.bytes.push_back(static_cast<u8>(word >> shift));
  }
  config.initial_memory = {code};
  return config;
}

}  // namespace

TEST_CASE("stops: a watch hits every store, also after steps without stops", "[stops]") {
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    Machine machine(storing_guest(), engine);
    machine.power_on();
    StopSet stops;
    stops.watches = {WatchRange{VirtAddr{kWord}, 8, WatchKind::kWrite, 0, false}};
    for (u64 round = 0; round < 50; ++round) {
      REQUIRE(machine.run_until(Position{1000}, &stops) == Pause::kStop);
      const Position at = machine.position();
      CHECK(at.steps == kStepsBeforeLoop + kStepsPerRound * round + 1);
      CHECK(stops.hit->kind == StopHit::Kind::kWatch);
      // The step that makes the access caches its page if nothing forbids it.
      CHECK(machine.run_until(Position{at.steps + 1}, nullptr) == Pause::kLimit);
    }
  }
}
