// A guest that changes how it looks at memory, between two accesses of the same address: SUM, MXR, MPRV, satp, ADUE and
// the mode itself hold for the next access on both engines, whatever the threaded one has kept of earlier ones
// (privileged manual, 3.1.6.3, 4.1.11, 4.3.1). core/csr, core/hart, core/trap.
#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr u64 kCode = RuleBench::kCode, kData = RuleBench::kData, kOther = kData + 3 * kPageBytes;
constexpr u32 kLwA5 = 0x0005a783, kLwA6 = 0x0005a803, kLwA7 = 0x0005a883, kSw = 0x0005a023;  // lw …, 0(a1); sw zero
constexpr u64 kLoadPage = 13, kStorePage = 15;
constexpr unsigned kA1 = 11, kA2 = 12, kA3 = 13, kA5 = 15, kA6 = 16, kA7 = 17;

/// kData is kOther through the tables. Which one was read shows in the value.
struct Bench : RuleBench {
  explicit Bench(EngineKind engine) : RuleBench(engine) {
    put(kData, 1);
    put(kOther, 2);
    put(leaf_at(kData), pte::entry(kOther, pte::kAll));
    set_x(kA1, kData);
  }
  /// Runs the code twice, so that the second time much is known from the first.
  template <class Check>
  void twice(Priv mode, u64 steps, Check check) {
    for (int pass = 0; pass < 2; ++pass) {
      INFO("pass " << pass);
      set(csr::kMstatus, 0);
      enter(mode);
      run(steps);
      check();
    }
  }
};

}  // namespace

TEST_CASE("priv_switch: SUM and MXR open a page to the next load and shut it again", "[priv_switch]") {
  struct Case {
    u64 status, leaf;
  };
  const Case cases[] = {{mstatus::kSum, pte::kAll | pte::kU},
                        {mstatus::kMxr, pte::kV | pte::kX | pte::kA},
                        {mstatus::kSum | mstatus::kMxr, pte::kV | pte::kX | pte::kA | pte::kU}};
  for (const EngineKind engine : kEngines) {
    for (const Case& c : cases) {
      INFO("engine " << static_cast<int>(engine) << " status " << std::hex << c.status);
      Bench bench(engine);
      bench.put(RuleBench::leaf_at(kData), pte::entry(kOther, c.leaf));
      bench.sv39();
      bench.set_x(kA2, c.status);
      bench.code({0x10061073, kLwA5, 0x10001073, kLwA6});  // csrw sstatus, a2; lw; csrw sstatus, zero; lw
      bench.twice(Priv::kSupervisor, 4, [&] {
        CHECK(bench.x(kA5) == 2);
        CHECK(bench.taken() == Taken{kLoadPage, kData, kCode + 12, Priv::kMachine});
      });
    }
  }
}

TEST_CASE("priv_switch: MPRV turns translation on and off for M-mode's data", "[priv_switch]") {
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    Bench bench(engine);
    bench.sv39();
    bench.set_x(kA2, mstatus::kMprv | u64{1} << 11);
    bench.code({kLwA5, 0x30061073, kLwA6, 0x30001073, kLwA7});  // lw; csrw mstatus, a2; lw; csrw mstatus, zero; lw
    bench.twice(Priv::kMachine, 5, [&] {
      CHECK(bench.x(kA5) == 1);
      CHECK(bench.x(kA6) == 2);
      CHECK(bench.x(kA7) == 1);
    });
    // A page of the user's is MPP's to read.
    bench.put(RuleBench::leaf_at(kData), pte::entry(kOther, pte::kAll | pte::kU));
    bench.set_x(kA3, mstatus::kMprv);
    bench.code({0x30069073, kLwA5, 0x30061073, kLwA6});  // csrw mstatus, a3; lw; csrw mstatus, a2; lw
    bench.twice(Priv::kMachine, 4, [&] {
      CHECK(bench.x(kA5) == 2);
      CHECK(bench.taken() == Taken{kLoadPage, kData, kCode + 12, Priv::kMachine});
    });
  }
}

TEST_CASE("priv_switch: a root takes effect with its write, without a fence", "[priv_switch]") {
  constexpr u64 kSecondRoot = RuleBench::kRam + 0x20000;
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    Bench bench(engine);
    bench.put(kSecondRoot + 8 * 2, pte::entry(RuleBench::kRam, pte::kAll));  // A gigapage of what is.
    bench.set_x(kA2, u64{8} << 60 | RuleBench::kRoot >> 12);
    bench.set_x(kA3, u64{8} << 60 | kSecondRoot >> 12);
    // csrw satp, a2; lw; csrw satp, a3; lw; csrw satp, a2; lw
    bench.code({0x18061073, kLwA5, 0x18069073, kLwA6, 0x18061073, kLwA7});
    bench.twice(Priv::kSupervisor, 6, [&] {
      CHECK(bench.x(kA5) == 2);
      CHECK(bench.x(kA6) == 1);
      CHECK(bench.x(kA7) == 2);
    });
  }
}

TEST_CASE("priv_switch: a return to another mode looks at memory as that mode", "[priv_switch]") {
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    Bench bench(engine);
    bench.sv39();
    bench.code({kLwA5, 0x30200073});             // M-mode: lw; mret
    bench.code({kLwA6, 0x00000073}, kCode + 8);  // S-mode: lw; ecall
    bench.set(csr::kMtvec, kCode + 16);
    bench.code({kLwA7}, kCode + 16);             // M-mode again: lw
    for (int pass = 0; pass < 2; ++pass) {
      INFO("pass " << pass);
      bench.set(csr::kMepc, kCode + 8);
      bench.set(csr::kMstatus, u64{1} << 11);
      bench.enter(Priv::kMachine);
      bench.run(5);
      CHECK(bench.x(kA5) == 1);
      CHECK(bench.x(kA6) == 2);
      CHECK(bench.x(kA7) == 1);
    }
  }
}

TEST_CASE("priv_switch: a mark that is taken away is missed by the next access", "[priv_switch]") {
  for (const EngineKind engine : kEngines) {
    for (const u64 adue : {menvcfg::kAdue, u64{0}}) {
      INFO("engine " << static_cast<int>(engine) << " ADUE " << (adue != 0));
      Bench bench(engine);
      const u64 entry_at = RuleBench::leaf_at(kData), dirty = pte::entry(kOther, pte::kAll);
      bench.sv39();
      bench.set(csr::kMenvcfg, adue);
      bench.set_x(kA2, entry_at);
      bench.set_x(kA3, dirty & ~pte::kD);
      // sw; lw; sd a3, 0(a2): D is taken away; sw
      bench.code({kSw, kLwA5, 0x00d63023, kSw});
      bench.put(entry_at, dirty);
      bench.enter(Priv::kSupervisor);
      bench.run(4);
      CHECK(bench.taken() == (adue != 0 ? Taken{} : Taken{kStorePage, kData, kCode + 12, Priv::kMachine}));
      CHECK(bench.memory(entry_at) == (adue != 0 ? dirty : dirty & ~pte::kD));
    }
  }
}

}  // namespace retrov
