// The whole board under a storm of random code, DMA, interrupts, resets and inputs (tests/support/storm.hpp): whichever
// way one goes through a recorded history, with the other engine, with pauses, stops or snapshots, every state and
// every output is the recorded one.
#include <algorithm>

#include "core/engine/cache_sizes.hpp"
#include "core/hart.hpp"
#include "tests/catch.hpp"
#include "tests/support/storm.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr unsigned harts_of(u64 seed) { return 1 + static_cast<unsigned>(seed % 3); }

/// Breakpoints and watches where the storm rages.
StopSet random_stops(std::mt19937_64& random) {
  StopSet stops;
  for (u64 i = 0; i <= random() % 30; ++i) {
    stops.breakpoints.push_back(VirtAddr{kStormCode + 2 * (random() % (kStormCodeBytes / 2))});
  }
  std::sort(stops.breakpoints.begin(), stops.breakpoints.end());
  stops.breakpoints.erase(std::unique(stops.breakpoints.begin(), stops.breakpoints.end()), stops.breakpoints.end());
  for (u64 i = 0; i < random() % 4; ++i) {
    static constexpr u64 kPlaces[] = {kStormCode, kStormTables, kStormData, 0x10000000, 0x80200000};
    const u64 at = kPlaces[random() % 5] - 8 + random() % 0x3000;
    const WatchKind kind = static_cast<WatchKind>(1 + random() % 3);
    const u64 satp = random() % 2 == 0 ? 0 : u64{8} << 60 | kStormTables >> 12;
    stops.watches.push_back({VirtAddr{at}, 1 + random() % 0x10000, kind, satp, random() % 2 == 0});
  }
  // Whatever is touched: the first instruction of a page that has not been fetched from is among those that touch.
  if (random() % 3 == 0) stops.watches = {{VirtAddr{kStormCode}, 0x30000, WatchKind::kAccess, 0, false}};
  if (random() % 6 == 0) stops.before_hart = 0;
  return stops;
}

}  // namespace

TEST_CASE("chaos: the storm reaches what it is meant to reach", "[chaos]") {
  const Storm storm = record_storm(2, 3, 300'000);
  StormWalker walker(*storm.history, EngineKind::kFast);
  std::array<u64, 4> steps_in{};
  u64 paged = 0, idle = 0, resets = 0, interrupts = 0, in_code = 0;
  while (walker.to(Position{walker.now().steps + 1}) == Halt::kLimit && walker.now() < storm.history->end()) {
    const Hart& hart = walker.machine->hart(walker.machine->current_hart());
    ++steps_in[static_cast<unsigned>(hart.priv)];
    if (hart.csr.satp != 0 && hart.priv != Priv::kMachine) ++paged;
    if (walker.machine->idle()) ++idle;
    if (hart.pc == 0x1000) ++resets;
    if (hart.pc - kStormCode < kStormCodeBytes) ++in_code;
    if (static_cast<i64>(hart.csr.mcause) < 0) ++interrupts;
  }
  CHECK(steps_in[0] > 500);
  CHECK(steps_in[1] > 5000);
  CHECK(paged > 1500);
  CHECK(idle > 0);
  CHECK(resets > 3);
  CHECK(in_code > 3000);
  CHECK(interrupts > 5000);
  CHECK(storm.said.size() > 50);
  CHECK(storm.history->events().size() > 300);
}

TEST_CASE("chaos: the reference engine passes through the recorded states", "[chaos]") {
  for (u64 seed = 1; seed <= 24; ++seed) {
    INFO("seed " << seed);
    const Storm storm = record_storm(seed, harts_of(seed), 600'000);
    StormWalker walker(*storm.history, EngineKind::kReference);
    for (const auto& [at, hash] : storm.hashes) {
      walker.to(at);
      REQUIRE(walker.machine->hash() == hash);
    }
    CHECK(walker.transcript.said == storm.said);
  }
}

TEST_CASE("chaos: however little the caches hold, the states are those recorded", "[chaos]") {
  for (u64 seed = 71; seed <= 82; ++seed) {
    INFO("seed " << seed);
    const Storm storm = record_storm(seed, harts_of(seed), 100'000);
    StormWalker walker(*storm.history, EngineKind::kFast);
    std::mt19937_64 random(seed);
    for (const auto& [at, hash] : storm.hashes) {
      CacheSizes sizes;
      sizes.block_instructions = 1 + static_cast<unsigned>(random() % (random() % 2 == 0 ? 4 : kMaxBlockInstructions));
      sizes.code_pages = 1 + random() % 4;
      sizes.translations = 1 + static_cast<unsigned>(random() % (random() % 2 == 0 ? 2 : 40));
      walker.machine->limit_caches(sizes);
      walker.to(at);
      REQUIRE(walker.machine->hash() == hash);
    }
    CHECK(walker.transcript.said == storm.said);
  }
}

TEST_CASE("chaos: pausing and looking at any step changes nothing", "[chaos]") {
  for (u64 seed = 21; seed <= 26; ++seed) {
    INFO("seed " << seed);
    const Storm storm = record_storm(seed, harts_of(seed), 100'000);
    StormWalker walker(*storm.history, EngineKind::kFast);
    std::mt19937_64 random(seed);
    for (const auto& [at, hash] : storm.hashes) {
      const u64 mean = random() % 4 == 0 ? 1 : 50;
      while (walker.now() < at && !walker.machine->power().off) {
        walker.to(std::min(at, Position{walker.now().steps + 1 + random() % mean}));
        if (random() % 20 == 0) (void)walker.machine->hash();
        for (unsigned hart = 0; hart < walker.machine->hart_count(); ++hart) {
          (void)walker.machine->translate_for_debugger(hart, VirtAddr{kStormData + random() % 0x1000});
          (void)walker.machine->read_register(hart, csr_register(0xc01));
        }
        std::array<u8, 16> bytes;
        (void)walker.machine->read_physical(PhysAddr{0x10000000}, bytes);
        (void)walker.machine->read_physical(PhysAddr{0xc200000}, bytes);
      }
      REQUIRE(walker.machine->hash() == hash);
    }
    CHECK(walker.transcript.said == storm.said);
  }
}

TEST_CASE("chaos: a stop stands in the very state that a run without stops passes through", "[chaos]") {
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    for (u64 seed = 31; seed <= 36; ++seed) {
      INFO("seed " << seed << " engine " << static_cast<int>(engine));
      const Storm storm = record_storm(seed, harts_of(seed), 60'000);
      StormWalker plain(*storm.history, EngineKind::kFast);
      StormWalker stopped(*storm.history, engine);
      std::mt19937_64 random(seed);
      unsigned seen = 0;
      for (const auto& [at, hash] : storm.hashes) {
        StopSet stops = random_stops(random);
        while (stopped.to(at, &stops) == Halt::kStop) {
          plain.to(stopped.now());
          REQUIRE(stopped.machine->hash() == plain.machine->hash());
          stops.ignore_at = stopped.now();
          ++seen;
        }
        REQUIRE(stopped.machine->hash() == hash);
      }
      CHECK(seen > 100);
      CHECK(stopped.transcript.said == storm.said);
    }
  }
}

// A key typed where a debugger stood made most replays of an early model diverge.
TEST_CASE("chaos: what was recorded with stops replays without them", "[chaos]") {
  for (u64 seed = 51; seed <= 66; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const Storm storm = record_storm(seed, harts_of(seed), 60'000, [&random] { return random_stops(random); });
    StormWalker walker(*storm.history, EngineKind::kFast);
    for (const auto& [at, hash] : storm.hashes) {
      walker.to(at);
      REQUIRE(walker.machine->hash() == hash);
    }
    CHECK(walker.transcript.said == storm.said);
  }
}

TEST_CASE("chaos: from any snapshot the same states follow", "[chaos]") {
  for (u64 seed = 41; seed <= 46; ++seed) {
    INFO("seed " << seed);
    const Storm storm = record_storm(seed, harts_of(seed), 60'000);
    StormWalker walker(*storm.history, EngineKind::kFast);
    std::mt19937_64 random(seed);
    std::vector<std::pair<Snapshot, u64>> kept{{walker.machine->snapshot(), walker.machine->hash()}};
    for (unsigned i = 0; i < 60; ++i) {
      walker.to(std::min(storm.history->end(), Position{walker.now().steps + 1 + random() % 2000}));
      kept.emplace_back(walker.machine->snapshot(), walker.machine->hash());
    }
    for (unsigned i = 0; i < 120; ++i) {
      const auto& [from, hash] = kept[random() % kept.size()];
      walker.restore(from);
      REQUIRE(walker.machine->hash() == hash);
      const auto& [to, wanted] = kept[random() % kept.size()];
      if (to.at < from.at || to.at.steps - from.at.steps > 8000) continue;
      walker.to(to.at);
      REQUIRE(walker.machine->hash() == wanted);
    }
  }
}
