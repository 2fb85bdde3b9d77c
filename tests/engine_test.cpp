// The threaded engine (core/engine/engine, core/engine/dispatch, core/engine/code_cache, core/access, core/hart)
// against the reference engine, which decodes and walks anew at every step: random code, random slices, restores and
// stops must not show.
#include "core/engine/engine.hpp"

#include <random>

#include "core/hart.hpp"
#include "tests/catch.hpp"
#include "tests/support/chaos.hpp"

using namespace retrov;

namespace {

/// Runs to `end`; chaos never idles for long, since no device exists that it could wait for.
void run_to(Machine& machine, u64 end, StopSet* stops = nullptr) {
  while (machine.position().steps < end) {
    const Pause pause = machine.run_until(Position{end}, stops);
    REQUIRE(pause != Pause::kIdle);
    if (pause == Pause::kStop) stops->ignore_at = machine.position();
  }
}

constexpr u64 kSteps = 20'000;

}  // namespace

TEST_CASE("engine: random code gives the reference engine's state at every random pause", "[engine]") {
  for (const ChaosMode mode : {ChaosMode::kMachine, ChaosMode::kSupervisorSv39}) {
    for (u64 seed = 1; seed <= 12; ++seed) {
      INFO("seed " << seed << " mode " << static_cast<int>(mode));
      std::mt19937_64 random(seed);
      const auto fast = chaos_machine(seed, mode, EngineKind::kFast);
      const auto reference = chaos_machine(seed, mode, EngineKind::kReference);
      for (u64 at = 0; at < kSteps;) {
        at += 1 + random() % (random() % 4 == 0 ? 3 : 700);
        run_to(*fast, at);
        run_to(*reference, at);
        REQUIRE(fast->hash() == reference->hash());
      }
    }
  }
}

TEST_CASE("engine: pausing at every step gives what running through gives", "[engine]") {
  for (u64 seed = 21; seed <= 24; ++seed) {
    const auto stepped = chaos_machine(seed, ChaosMode::kSupervisorSv39, EngineKind::kFast);
    const auto run = chaos_machine(seed, ChaosMode::kSupervisorSv39, EngineKind::kFast);
    for (u64 at = 1; at <= 3000; ++at) run_to(*stepped, at);
    run_to(*run, 3000);
    CHECK(stepped->hash() == run->hash());
  }
}

TEST_CASE("engine: stops at every turn change nothing", "[engine]") {
  for (u64 seed = 31; seed <= 36; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto plain = chaos_machine(seed, ChaosMode::kSupervisorSv39, EngineKind::kFast);
    const auto stopped = chaos_machine(seed, ChaosMode::kSupervisorSv39, EngineKind::kFast);
    StopSet stops;
    for (u64 at = 0; at < kSteps;) {
      at += 1 + random() % 500;
      stops.breakpoints.clear();
      for (unsigned i = 0; i < 20; ++i) {
        stops.breakpoints.push_back(VirtAddr{kChaosRam + kChaosCode + 2 * (random() % (kChaosCodeBytes / 2))});
      }
      std::sort(stops.breakpoints.begin(), stops.breakpoints.end());
      stops.watches = {{VirtAddr{kChaosRam + 0x30000 + random() % 256}, 8, WatchKind::kAccess, 0, false}};
      run_to(*stopped, at, &stops);
      run_to(*plain, at);
      REQUIRE(stopped->hash() == plain->hash());
    }
  }
}

TEST_CASE("engine: both engines stop at the same breakpoints and watched accesses", "[engine]") {
  for (u64 seed = 41; seed <= 46; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    StopSet stops;
    for (unsigned i = 0; i < 60; ++i) {
      stops.breakpoints.push_back(VirtAddr{kChaosRam + kChaosCode + 2 * (random() % (kChaosCodeBytes / 2))});
    }
    std::sort(stops.breakpoints.begin(), stops.breakpoints.end());
    stops.watches = {{VirtAddr{kChaosRam + 0x30000}, 512, WatchKind::kWrite, 0, false},
                     {VirtAddr{kChaosRam + kChaosTables + 0x2000}, 64, WatchKind::kRead, 0, true}};
    const auto all_stops = [&](EngineKind engine) {
      const auto machine = chaos_machine(seed, ChaosMode::kSupervisorSv39, engine);
      StopSet mine = stops;
      std::vector<std::pair<u64, u64>> seen;
      while (machine->position().steps < kSteps) {
        if (machine->run_until(Position{kSteps}, &mine) != Pause::kStop) continue;
        seen.emplace_back(machine->position().steps, mine.hit->address.value);
        mine.ignore_at = machine->position();
      }
      return seen;
    };
    const auto fast = all_stops(EngineKind::kFast);
    CHECK(fast == all_stops(EngineKind::kReference));
    CHECK_FALSE(fast.empty());
  }
}

TEST_CASE("engine: restoring any snapshot and running on gives the recorded states", "[engine]") {
  for (u64 seed = 51; seed <= 54; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto machine = chaos_machine(seed, ChaosMode::kSupervisorSv39, EngineKind::kFast);
    std::vector<Snapshot> snapshots{machine->snapshot()};
    std::vector<u64> hashes{machine->hash()};
    for (unsigned i = 0; i < 40; ++i) {
      run_to(*machine, machine->position().steps + 1 + random() % 600);
      snapshots.push_back(machine->snapshot());
      hashes.push_back(machine->hash());
    }
    for (unsigned i = 0; i < 60; ++i) {
      const std::size_t from = random() % (snapshots.size() - 1);
      machine->restore(snapshots[from]);
      REQUIRE(machine->hash() == hashes[from]);
      const std::size_t to = from + 1 + random() % std::min<std::size_t>(3, snapshots.size() - from - 1);
      run_to(*machine, snapshots[to].at.steps);
      REQUIRE(machine->hash() == hashes[to]);
    }
  }
}

TEST_CASE("engine: a store to the entry that translates it leaves no stale translation", "[engine]") {
  // Sv39 identity; the hart stores to the leaf entry of the page tables' own page, making it invalid: the next store to
  // that page must fault. Found by the official suite (rv64si-p-dirty).
  auto machine = chaos_machine(1, ChaosMode::kSupervisorSv39, EngineKind::kFast, 1);
  std::vector<u8> code;
  const auto emit = [&code](u32 raw) {
    for (unsigned i = 0; i < 4; ++i) code.push_back(static_cast<u8>(raw >> (8 * i)));
  };
  emit(0x000224b7);  // lui s1, 0x22          the leaf table
  emit(0x00100313);  // li t1, 1
  emit(0x01f31313);  // slli t1, t1, 31
  emit(0x006484b3);  // add s1, s1, t1
  emit(0x1004b023);  // sd zero, 0x100(s1)    warms the write translation; entry 0x20 is another page
  emit(0x1004b823);  // sd zero, 0x110(s1)    entry 0x22: this very page
  emit(0x1004b423);  // sd zero, 0x108(s1)    must fault
  Batch batch;
  DebuggerWrite write;
  write.where = kChaosRam + kChaosCode;
  write.bytes = code;
  batch.inputs.push_back({kMachineItself, write});
  run_to(*machine, 18);
  machine->apply(batch);
  REQUIRE(machine->hart(0).pc == kChaosRam + kChaosCode);
  run_to(*machine, machine->position().steps + 7);
  CHECK(machine->hart(0).csr.mcause == static_cast<u64>(Cause::kStorePageFault));
  CHECK(machine->hart(0).csr.mtval == kChaosRam + kChaosTables + 0x2108);
}

TEST_CASE("engine: a watched access that is stopped has not marked its own instruction's page", "[engine]") {
  // The instruction is the first one fetched from a page whose A bit is clear, or crosses into such a page.
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    for (const u64 offset : {u64{0}, u64{0xffe}}) {
      INFO("engine " << static_cast<int>(engine) << " offset " << offset);
      auto machine = chaos_machine(1, ChaosMode::kSupervisorSv39, engine, 1);
      run_to(*machine, 18);
      REQUIRE(machine->hart(0).priv == Priv::kSupervisor);
      const u64 pc = kChaosRam + kChaosCode + offset;
      const auto put = [](u64 where, u64 value, unsigned bytes, DebuggerWrite::Space space) {
        DebuggerWrite write;
        write.space = space;
        write.where = where;
        for (unsigned i = 0; i < bytes; ++i) write.bytes.push_back(static_cast<u8>(value >> (8 * i)));
        return Input{kMachineItself, write};
      };
      Batch batch;
      const u64 leaf = kChaosRam + kChaosTables + 0x2000 + 8 * (kChaosCode >> 12);
      for (u64 page = 0; page < 2; ++page) {
        const u64 entry = (((kChaosRam + kChaosCode) >> 12) + page) << 10 | 0x0f;
        batch.inputs.push_back(put(leaf + 8 * page, entry, 8, DebuggerWrite::Space::kPhysicalMemory));
      }
      batch.inputs.push_back(put(pc, 0x00053023, 4, DebuggerWrite::Space::kPhysicalMemory));  // sd zero, 0(a0)
      batch.inputs.push_back(put(10, kChaosRam + 0x30000, 8, DebuggerWrite::Space::kRegister));
      batch.inputs.push_back(put(32, pc, 8, DebuggerWrite::Space::kRegister));
      machine->apply(batch);
      const u64 before = machine->hash();
      StopSet stops;
      stops.watches = {{VirtAddr{kChaosRam + 0x30000}, 8, WatchKind::kWrite, 0, false}};
      const Position here = machine->position();
      REQUIRE(machine->run_until(Position{here.steps + 1}, &stops) == Pause::kStop);
      CHECK(machine->hash() == before);
      stops.ignore_at = here;
      REQUIRE(machine->run_until(Position{here.steps + 1}, &stops) == Pause::kLimit);
      u64 entry = 0;
      std::memcpy(&entry, machine->memory().host(kChaosTables + 0x2000 + 8 * (kChaosCode >> 12)), 8);
      CHECK((entry & 0x40) != 0);
    }
  }
}

TEST_CASE("engine: code in more pages than are kept drops what was decoded", "[engine]") {
  Memory memory(PhysAddr{kChaosRam}, 256 * kPageBytes);
  CodeCache code(memory);
  CacheSizes sizes;
  sizes.code_pages = 100;
  code.limit(sizes);
  const u64 before = code.generation();
  for (u64 page = 0; page < 256; ++page) {
    const u64 generation = code.generation();
    if (code.block(code.page(page), 0) == nullptr) {
      REQUIRE(code.generation() == generation + 1);
      REQUIRE(code.block(code.page(page), 0) != nullptr);
    }
  }
  CHECK(code.generation() == before + 2);
}
