// Physical memory protection as instructions meet it, on both engines (privileged manual, 3.7): four bytes are the
// grain, the lowest entry decides, a lock binds M-mode, walks are a supervisor's and MPRV's accesses those of MPP; a
// change holds for the next instruction, whatever the engine has kept. core/pmp, core/csr.
#include <utility>

#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr u64 kCode = RuleBench::kCode, kData = RuleBench::kData;
constexpr u64 kR = 1, kW = 2, kX = 4, kTor = 1 << 3, kNa4 = 2 << 3, kNapot = 3 << 3, kLocked = 0x80;
constexpr u32 kNop = 0x00000013, kLw = 0x0005a503, kLd = 0x0005b503, kLh = 0x00059503, kSw = 0x00c5a023;
constexpr u64 kInstructionFault = 1, kLoadFault = 5, kStoreFault = 7;
constexpr u64 kLoadPage = 13;

struct Bench : RuleBench {
  using RuleBench::RuleBench;
  void entry(unsigned index, u64 config, u64 pmpaddr) {
    set(static_cast<u16>(csr::kPmpaddr0 + index), pmpaddr);
    const auto number = static_cast<u16>(csr::kPmpcfg0 + index / 8 * 2);
    const unsigned shift = index % 8 * 8;
    set(number, (get(number) & ~(u64{0xff} << shift)) | config << shift);
  }
  /// The cause of one access, or 0.
  u64 access(Priv mode, u32 raw, u64 address) {
    put(kCode, raw, 4);
    set_x(11, address);
    const Taken taken = step(mode);
    if (!taken.cause) return 0;
    CHECK(taken == Taken{*taken.cause, address, kCode, Priv::kMachine});
    return *taken.cause;
  }
  Taken fetch(Priv mode, u64 address) { return step(mode, address); }
};

}  // namespace

TEST_CASE("priv_pmp: four bytes in the middle of a page are refused, and nothing beside them", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    for (const u64 config : {kNa4, kTor}) {
      INFO("engine " << static_cast<int>(engine) << " config " << config);
      Bench bench(engine);
      const u64 hole = kData + 0x108;
      bench.entry(0, 0, hole >> 2);
      bench.entry(1, config, (config == kTor ? hole + 4 : hole) >> 2);
      for (const Priv mode : {Priv::kSupervisor, Priv::kUser}) {
        CHECK(bench.access(mode, kLw, hole - 4) == 0);
        CHECK(bench.access(mode, kLw, hole + 4) == 0);
        CHECK(bench.access(mode, kLw, hole) == kLoadFault);
        CHECK(bench.access(mode, kLh, hole + 2) == kLoadFault);
        CHECK(bench.access(mode, kSw, hole) == kStoreFault);
        CHECK(bench.access(mode, kSw, hole - 4) == 0);
        CHECK(bench.access(mode, kLd, hole - 8) == 0);
        // Parts of these are allowed, which does not help.
        CHECK(bench.access(mode, kLd, hole - 4) == kLoadFault);
        CHECK(bench.access(mode, kLw, hole - 2) == kLoadFault);
        CHECK(bench.access(mode, kSw, hole + 2) == kStoreFault);
        // A fetch is of halves.
        bench.code({kNop, kNop, kNop}, hole - 8);
        CHECK(bench.fetch(mode, hole - 4) == Taken{});
        bench.put(hole - 2, kNop, 4);
        CHECK(bench.fetch(mode, hole - 2) == Taken{kInstructionFault, hole, hole - 2, Priv::kMachine});
        CHECK(bench.fetch(mode, hole) == Taken{kInstructionFault, hole, hole, Priv::kMachine});
        bench.code({0x0001}, hole - 2);
        CHECK(bench.fetch(mode, hole - 2) == Taken{});
      }
      // An entry without lock lets M-mode do all but what it matches in part.
      CHECK(bench.access(Priv::kMachine, kLw, hole) == 0);
      CHECK(bench.access(Priv::kMachine, kSw, hole) == 0);
      CHECK(bench.access(Priv::kMachine, kLd, hole - 4) == kLoadFault);
    }
  }
}

TEST_CASE("priv_pmp: the rights of an entry are those of loads, stores and fetches", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    for (u64 rights = 0; rights < 8; ++rights) {
      for (const u64 lock : {u64{0}, kLocked}) {
        Bench bench(engine);
        bench.put(kData, kNop, 4);
        bench.entry(3, kNapot | lock | rights, kData >> 2 | 0x1ff);
        // W without R is stored without W.
        const u64 kept = (rights & kR) != 0 ? rights : rights & ~kW;
        for (const Priv mode : {Priv::kSupervisor, Priv::kMachine}) {
          INFO("rights " << rights << " lock " << lock << " mode " << static_cast<int>(mode));
          const bool bound = mode != Priv::kMachine || lock != 0;
          const auto may = [&](u64 right) { return !bound || (kept & right) != 0; };
          CHECK(bench.access(mode, kLw, kData + 16) == (may(kR) ? 0 : kLoadFault));
          CHECK(bench.access(mode, kSw, kData + 16) == (may(kW) ? 0 : kStoreFault));
          const Taken refused{kInstructionFault, kData, kData, Priv::kMachine};
          CHECK(bench.fetch(mode, kData) == (may(kX) ? Taken{} : refused));
        }
      }
    }
  }
}

TEST_CASE("priv_pmp: the entry with the lowest number decides, in every mode of matching", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    const u64 word = kData + 0x200;
    for (const u64 first : {kTor, kNa4, kNapot}) {
      for (const u64 second : {kTor, kNa4, kNapot}) {
        for (const u64 right : {u64{0}, kR}) {
          INFO("first " << first << " second " << second << " right " << right);
          Bench bench(engine);
          // Each covers the word; what lies below a range is given by an entry that is off.
          const auto cover = [&](unsigned index, u64 match, u64 rights) {
            bench.entry(index - 1, 0, word >> 2);
            bench.entry(index, match | rights, match == kTor ? (word >> 2) + 2 : word >> 2);
          };
          cover(2, first, right);
          cover(5, second, kR & ~right);
          CHECK(bench.access(Priv::kSupervisor, kLw, word) == (right != 0 ? 0 : kLoadFault));
        }
      }
    }
  }
}

TEST_CASE("priv_pmp: without an entry that matches S and U may nothing, M all", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    Bench bench(engine);
    bench.entry(15, 0, ~u64{0});
    bench.put(kData, kNop, 4);
    CHECK(bench.access(Priv::kMachine, kSw, kData) == 0);
    for (const Priv mode : {Priv::kSupervisor, Priv::kUser}) {
      CHECK(bench.fetch(mode, kData) == Taken{kInstructionFault, kData, kData, Priv::kMachine});
    }
    for (const auto& [raw, fault] : {std::pair{kLw, kLoadFault}, std::pair{kSw, kStoreFault}}) {
      bench.set(csr::kMstatus, mstatus::kMprv);
      CHECK(bench.access(Priv::kMachine, raw, kData) == fault);
    }
  }
}

TEST_CASE("priv_pmp: with MPRV data is protected as for MPP, the fetch as for M-mode", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    Bench bench(engine);
    bench.entry(0, kNapot, kData >> 2 | 0x1ff);
    const auto access = [&](u64 mpp, u32 raw) {
      bench.set(csr::kMstatus, mstatus::kMprv | mpp << 11);
      return bench.access(Priv::kMachine, raw, kData);
    };
    for (const u64 mpp : {0, 1}) {
      CHECK(access(mpp, kLw) == kLoadFault);
      CHECK(access(mpp, kSw) == kStoreFault);
    }
    CHECK(access(3, kLw) == 0);
    CHECK(access(3, kSw) == 0);
    bench.set(csr::kMstatus, mstatus::kMprv);
    bench.put(kData, kNop, 4);
    CHECK(bench.fetch(Priv::kMachine, kData) == Taken{});
  }
}

TEST_CASE("priv_pmp: a walk reads and marks its tables as S-mode, also for M-mode with MPRV and for U", "[priv_pmp]") {
  struct View {
    Priv mode;
    u64 mstatus;
    u64 user;  ///< U of the page.
  };
  const View views[] = {{Priv::kSupervisor, 0, 0},
                        {Priv::kMachine, mstatus::kMprv | u64{1} << 11, 0},
                        {Priv::kMachine, mstatus::kMprv, pte::kU}};
  for (const EngineKind engine : kEngines) {
    for (const View& view : views) {
      INFO("engine " << static_cast<int>(engine) << " mode " << static_cast<int>(view.mode) << " user " << view.user);
      Bench bench(engine);
      bench.sv39();
      const u64 entry_at = RuleBench::leaf_at(kData);
      const auto access = [&](u32 raw, u64 rights, u64 leaf_bits) {
        bench.set_leaf(kData, leaf_bits | view.user);
        bench.entry(0, kNapot | rights, entry_at >> 2);
        bench.set(csr::kMstatus, view.mstatus);
        return bench.access(view.mode, raw, kData);
      };
      CHECK(access(kLw, kR, pte::kAll) == 0);
      CHECK(access(kSw, kR, pte::kAll) == 0);
      CHECK(access(kLw, kX, pte::kAll) == kLoadFault);
      CHECK(access(kSw, 0, pte::kAll) == kStoreFault);
      // A mark that cannot be made is a fault of the access's kind, and is not made.
      CHECK(access(kLw, kR, pte::kAll & ~pte::kA) == kLoadFault);
      CHECK(bench.memory(entry_at) == pte::entry(kData, (pte::kAll & ~pte::kA) | view.user));
      CHECK(access(kSw, kR, pte::kAll & ~pte::kD) == kStoreFault);
      CHECK(access(kLw, kR, pte::kAll & ~pte::kD) == 0);
      CHECK(access(kSw, kR | kW, pte::kV | pte::kR | pte::kW) == 0);
      CHECK(bench.memory(entry_at) == pte::entry(kData, pte::kV | pte::kR | pte::kW | pte::kA | pte::kD | view.user));
      CHECK(access(kLw, 0, 0) == kLoadFault);
      CHECK(access(kLw, kR, 0) == kLoadPage);
    }
  }
}

TEST_CASE("priv_pmp: a change holds for the next instruction", "[priv_pmp]") {
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    Bench bench(engine);
    bench.set(csr::kPmpaddr0, kData >> 2 | 0x1ff);
    bench.set_x(11, kData);
    bench.set_x(12, kNapot | kLocked | kX);
    bench.code({kLw, kSw, 0x3a061073, kSw});  // lw, sw, csrw pmpcfg0, a2, sw
    bench.enter(Priv::kMachine);
    bench.run(4);
    CHECK(bench.taken() == Taken{kStoreFault, kData, kCode + 12, Priv::kMachine});

    // The page that is executed: the instruction behind the write is not fetched.
    Bench fetching(engine);
    fetching.set(csr::kPmpaddr0, kCode >> 2 | 0x1ff);
    fetching.set_x(12, kNapot | kLocked | kR);
    fetching.code({kNop, 0x3a061073, kNop});
    fetching.enter(Priv::kMachine);
    fetching.run(3);
    CHECK(fetching.taken() == Taken{kInstructionFault, kCode + 8, kCode + 8, Priv::kMachine});
  }
}

}  // namespace retrov
