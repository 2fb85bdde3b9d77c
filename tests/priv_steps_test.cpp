// Privileged instructions as steps, on both engines: what is not allowed and leaves no trace, where a trap stands, that
// nothing comes between an interrupt and its cause, and what counts (privileged manual, 3.1.6 to 3.1.16, 3.3).
// core/trap and core/csr.
#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr u64 kInterrupt = u64{1} << 63;

/// Wakes the hart without interrupting it.
void end_wfi(RuleBench& bench) {
  bench.set(csr::kMstatus, 0);
  bench.set(csr::kMie, irq::kSsip);
  bench.set(csr::kMip, irq::kSsip);
  bench.enter(Priv::kMachine, RuleBench::kHandlerM);
  bench.run(1);
  bench.set(csr::kMip, 0);
  bench.set(csr::kMie, 0);
}

}  // namespace

TEST_CASE("priv_steps: an instruction that is not allowed is illegal with its bits, and nothing else", "[priv_steps]") {
  constexpr u64 kFsInitial = u64{1} << 13, kTm = 1u << 1;
  constexpr Priv kU = Priv::kUser, kSup = Priv::kSupervisor, kMach = Priv::kMachine;
  struct Case {
    const char* what;
    u32 raw;
    Priv mode;
    bool allowed;
    u64 mstatus = 0, mcounteren = 0, scounteren = 0, menvcfg = 0, senvcfg = 0;
  };
  const Case cases[] = {
      {"mret", 0x30200073, kU, false},
      {"mret", 0x30200073, kSup, false},
      {"mret", 0x30200073, kMach, true, mstatus::kTsr | mstatus::kMpp},
      {"sret", 0x10200073, kU, false},
      {"sret", 0x10200073, kSup, true, mstatus::kSpp},
      {"sret", 0x10200073, kSup, false, mstatus::kTsr},
      {"sret", 0x10200073, kMach, true, mstatus::kTsr | mstatus::kSpp},
      {"wfi", 0x10500073, kU, false},
      {"wfi", 0x10500073, kSup, true},
      {"wfi", 0x10500073, kSup, false, mstatus::kTw},
      {"wfi", 0x10500073, kMach, true, mstatus::kTw},
      {"sfence.vma", 0x12000073, kU, false},
      {"sfence.vma", 0x12000073, kSup, true},
      {"sfence.vma", 0x12000073, kSup, false, mstatus::kTvm},
      {"sfence.vma", 0x12000073, kMach, true, mstatus::kTvm},
      {"csrr a0, satp", 0x18002573, kU, false},
      {"csrr a0, satp", 0x18002573, kSup, true},
      {"csrr a0, satp", 0x18002573, kSup, false, mstatus::kTvm},
      {"csrr a0, satp", 0x18002573, kMach, true, mstatus::kTvm},
      {"csrw satp, a0", 0x18051073, kSup, false, mstatus::kTvm},
      {"csrr a0, mscratch", 0x34002573, kSup, false},
      {"csrr a0, 0x7c0", 0x7c002573, kMach, false},
      {"csrw cycle, a0", 0xc0051073, kMach, false},
      {"csrr a0, cycle", 0xc0002573, kMach, true},
      {"csrr a0, cycle", 0xc0002573, kSup, false, 0, ~u64{1}, ~u64{0}},
      {"csrr a0, cycle", 0xc0002573, kSup, true, 0, 1, 0},
      {"csrr a0, cycle", 0xc0002573, kU, false, 0, 1, ~u64{1}},
      {"csrr a0, cycle", 0xc0002573, kU, false, 0, ~u64{1}, 1},
      {"csrr a0, cycle", 0xc0002573, kU, true, 0, 1, 1},
      {"csrr a0, time", 0xc0102573, kSup, false, 0, ~u64{2}, ~u64{0}},
      {"csrr a0, time", 0xc0102573, kU, true, 0, 2, 2},
      {"csrr a0, instret", 0xc0202573, kSup, false, 0, ~u64{4}, ~u64{0}},
      {"csrr a0, instret", 0xc0202573, kU, true, 0, 4, 4},
      {"csrr a0, hpmcounter31", 0xc1f02573, kSup, false, 0, 0x7fffffff, ~u64{0}},
      {"csrr a0, hpmcounter31", 0xc1f02573, kU, true, 0, 1u << 31, 1u << 31},
      {"csrr a0, stimecmp", 0x14d02573, kSup, false, 0, ~kTm, 0, menvcfg::kStce},
      {"csrr a0, stimecmp", 0x14d02573, kSup, false, 0, kTm, 0, 0},
      {"csrr a0, stimecmp", 0x14d02573, kSup, true, 0, kTm, 0, menvcfg::kStce},
      {"csrr a0, stimecmp", 0x14d02573, kU, false, 0, kTm, kTm, menvcfg::kStce},
      {"csrr a0, fcsr", 0x00302573, kMach, false},
      {"csrr a0, fcsr", 0x00302573, kU, true, kFsInitial},
      {"fadd.d", 0x02a57553, kMach, false},
      {"fadd.d", 0x02a57553, kU, true, kFsInitial},
      {"fld", 0x0005b507, kMach, false},
      {"c.fld", 0x2188, kMach, false},
      {"c.fld", 0x2188, kMach, true, kFsInitial},
      {"cbo.zero", 0x0045a00f, kSup, false, 0, 0, 0, 0, menvcfg::kCbze},
      {"cbo.zero", 0x0045a00f, kSup, true, 0, 0, 0, menvcfg::kCbze},
      {"cbo.zero", 0x0045a00f, kU, false, 0, 0, 0, menvcfg::kCbze},
      {"cbo.zero", 0x0045a00f, kU, true, 0, 0, 0, menvcfg::kCbze, menvcfg::kCbze},
      {"zeros", 0x0000, kMach, false},
      {"ones", 0xffffffff, kMach, false},
      {"ones", 0xffffffff, kU, false},
  };
  for (const EngineKind engine : kEngines) {
    RuleBench bench(engine);
    bench.set(csr::kMepc, RuleBench::kCode);
    bench.set(csr::kSepc, RuleBench::kCode);
    for (const Case& c : cases) {
      INFO(c.what << " in mode " << static_cast<int>(c.mode) << " mstatus " << std::hex << c.mstatus << " engine "
                  << static_cast<int>(engine));
      bench.code({c.raw});
      bench.set(csr::kMstatus, c.mstatus);
      bench.set(0x306, c.mcounteren);
      bench.set(0x106, c.scounteren);
      bench.set(csr::kMenvcfg, c.menvcfg);
      bench.set(0x10a, c.senvcfg);
      bench.set_x(10, 0x77);
      bench.set_x(11, RuleBench::kData);
      const u64 retired = bench.get(0xb02);
      const Taken taken = bench.step(c.mode);
      if (c.allowed) {
        CHECK(taken == Taken{});
        CHECK(bench.get(0xb02) == retired + 1);
      } else {
        CHECK(taken == Taken{2, c.raw, RuleBench::kCode, Priv::kMachine});
        CHECK(bench.x(10) == 0x77);
        CHECK(bench.get(0xb02) == retired);
      }
      if (bench.machine().idle()) end_wfi(bench);
    }
  }
}

TEST_CASE("priv_steps: what a trap that is no fault of memory says of itself", "[priv_steps]") {
  constexpr u64 kCode = RuleBench::kCode;
  struct Case {
    const char* what;
    u32 raw;
    Priv mode;
    u64 cause, value;
  };
  const Case cases[] = {{"ebreak", 0x00100073, Priv::kSupervisor, 3, kCode},
                        {"ecall from U", 0x00000073, Priv::kUser, 8, 0},
                        {"ecall from S", 0x00000073, Priv::kSupervisor, 9, 0},
                        {"ecall from M", 0x00000073, Priv::kMachine, 11, 0},
                        // Without C these targets are misaligned; the jump is where the trap stands.
                        {"jal ra, 6", 0x006000ef, Priv::kUser, 0, kCode + 6},
                        {"jalr ra, 2(a1)", 0x002580e7, Priv::kMachine, 0, kCode + 2},
                        {"beq zero, zero, 6", 0x00000363, Priv::kSupervisor, 0, kCode + 6}};
  for (const EngineKind engine : kEngines) {
    RuleBench bench(engine, without_extension(default_extensions(), Extension::kC));
    for (const Case& c : cases) {
      INFO(c.what << " engine " << static_cast<int>(engine));
      bench.code({c.raw});
      bench.set_x(11, kCode);
      CHECK(bench.step(c.mode) == Taken{c.cause, c.value, kCode, Priv::kMachine});
      CHECK(bench.x(1) == 0);
    }
    RuleBench compressed(engine);
    compressed.code({0x9002});
    CHECK(compressed.step(Priv::kUser) == Taken{3, kCode, kCode, Priv::kMachine});
  }
}

TEST_CASE("priv_steps: a trap in a handler keeps what is another mode's and loses what is its own", "[priv_steps]") {
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    RuleBench bench(engine);
    bench.set(csr::kMedeleg, 1u << 8);
    bench.set(csr::kMstatus, mstatus::kMie | mstatus::kSie);
    bench.code({0x00000073});                       // ecall in U goes to S,
    bench.code({0x0000}, RuleBench::kHandlerS);     // whose handler is illegal, which goes to M,
    bench.code({0x00100073}, RuleBench::kHandlerM); // whose handler is an ebreak: M again.
    const auto status = [&] { return bench.get(csr::kMstatus) & 0x19aa; };
    CHECK(bench.step(Priv::kUser) == Taken{8, 0, RuleBench::kCode, Priv::kSupervisor});
    CHECK(bench.privilege() == Priv::kSupervisor);
    CHECK(status() == (mstatus::kMie | mstatus::kSpie));
    bench.run(1);
    CHECK(bench.taken() == Taken{2, 0, RuleBench::kHandlerS, Priv::kMachine});
    CHECK(status() == (mstatus::kMpie | u64{1} << 11 | mstatus::kSpie));
    bench.run(1);
    CHECK(bench.taken() == Taken{3, RuleBench::kHandlerM, RuleBench::kHandlerM, Priv::kMachine});
    CHECK(status() == (mstatus::kMpp | mstatus::kSpie));
    CHECK(bench.get(csr::kSepc) == RuleBench::kCode);
    CHECK(bench.get(csr::kScause) == 8);
    // M repairs what it has lost, and returns; so does S.
    bench.set(csr::kMepc, RuleBench::kHandlerS + 2);
    bench.set(csr::kMstatus, mstatus::kMpie | u64{1} << 11 | mstatus::kSpie);
    bench.code({0x30200073}, RuleBench::kHandlerM);
    bench.code({0x10200073}, RuleBench::kHandlerS + 2);
    bench.run(1);
    CHECK(bench.pc() == RuleBench::kHandlerS + 2);
    CHECK(bench.privilege() == Priv::kSupervisor);
    CHECK(status() == (mstatus::kMie | mstatus::kMpie | mstatus::kSpie));
    bench.run(1);
    CHECK(bench.pc() == RuleBench::kCode);
    CHECK(bench.privilege() == Priv::kUser);
    CHECK(status() == (mstatus::kMie | mstatus::kMpie | mstatus::kSie | mstatus::kSpie));
  }
}

TEST_CASE("priv_steps: an interrupt that software makes possible comes before the next instruction", "[priv_steps]") {
  constexpr u64 kSsip = irq::kSsip;
  struct Case {
    const char* what;
    u32 raw;
    Priv mode;
    u64 mip, mie, mideleg, mstatus;
    Priv by;
  };
  const Case cases[] = {
      {"csrsi sip", 0x14416073, Priv::kSupervisor, 0, kSsip, kSsip, mstatus::kSie, Priv::kSupervisor},
      {"csrsi mip", 0x34416073, Priv::kMachine, 0, kSsip, 0, mstatus::kMie, Priv::kMachine},
      {"csrsi sie", 0x10416073, Priv::kSupervisor, kSsip, 0, kSsip, mstatus::kSie, Priv::kSupervisor},
      {"csrsi mie", 0x30416073, Priv::kMachine, kSsip, 0, 0, mstatus::kMie, Priv::kMachine},
      {"csrsi sstatus", 0x10016073, Priv::kSupervisor, kSsip, kSsip, kSsip, 0, Priv::kSupervisor},
      {"csrsi mstatus", 0x30046073, Priv::kMachine, kSsip, kSsip, 0, 0, Priv::kMachine},
      {"csrci mideleg", 0x30317073, Priv::kMachine, kSsip, kSsip, kSsip, mstatus::kMie, Priv::kMachine},
  };
  for (const EngineKind engine : kEngines) {
    for (const Case& c : cases) {
      INFO(c.what << " engine " << static_cast<int>(engine));
      RuleBench bench(engine);
      // nop; the write; addi a3, a3, 1; addi a4, a4, 1
      bench.code({0x00000013, c.raw, 0x00168693, 0x00170713});
      bench.set(csr::kMip, c.mip);
      bench.set(csr::kMie, c.mie);
      bench.set(csr::kMideleg, c.mideleg);
      bench.set(csr::kMstatus, c.mstatus);
      bench.enter(c.mode);
      bench.run(3);
      CHECK(bench.taken() == Taken{kInterrupt | 1, 0, RuleBench::kCode + 8, c.by});
      bench.run(20);
      CHECK(bench.x(13) == 0);
      CHECK(bench.x(14) == 0);
    }
  }
}

TEST_CASE("priv_steps: a return to where an interrupt is allowed takes it before anything there", "[priv_steps]") {
  struct Case {
    u32 raw;
    Priv mode;
    u64 mstatus;
  };
  const Case cases[] = {{0x10200073, Priv::kSupervisor, mstatus::kSpp | mstatus::kSpie},
                        {0x10200073, Priv::kSupervisor, 0},  // to U, where S-mode's are always allowed
                        {0x30200073, Priv::kMachine, 0},
                        {0x30200073, Priv::kMachine, u64{1} << 11 | mstatus::kSie}};
  for (const EngineKind engine : kEngines) {
    for (const Case& c : cases) {
      INFO(std::hex << c.raw << " mstatus " << c.mstatus);
      RuleBench bench(engine);
      bench.code({0x00000013, c.raw});
      bench.code({0x00168693}, RuleBench::kCode + 0x100);  // addi a3, a3, 1
      bench.set(csr::kMepc, RuleBench::kCode + 0x100);
      bench.set(csr::kSepc, RuleBench::kCode + 0x100);
      bench.set(csr::kMip, irq::kSsip);
      bench.set(csr::kMie, irq::kSsip);
      bench.set(csr::kMideleg, irq::kSsip);
      bench.set(csr::kMstatus, c.mstatus);
      bench.enter(c.mode);
      bench.run(10);
      CHECK(bench.taken() == Taken{kInterrupt | 1, 0, RuleBench::kCode + 0x100, Priv::kSupervisor});
      CHECK(bench.x(13) == 0);
    }
  }
}

TEST_CASE("priv_steps: WFI waits for what is enabled, and goes on or is interrupted behind itself", "[priv_steps]") {
  for (const EngineKind engine : kEngines) {
    for (const bool interrupted : {true, false}) {
      INFO("engine " << static_cast<int>(engine) << " interrupted " << interrupted);
      RuleBench bench(engine);
      bench.code({0x10500073, 0x00168693, 0x0000006f});  // wfi; addi a3, a3, 1; j .
      bench.set(csr::kMie, irq::kSsip);
      bench.set(csr::kMstatus, interrupted ? mstatus::kMie : 0);
      bench.enter(Priv::kMachine);
      bench.run(1);
      CHECK(bench.machine().idle());
      CHECK(bench.pc() == RuleBench::kCode + 4);
      bench.set(csr::kMip, irq::kStip);  // Pending, but not enabled.
      CHECK(bench.machine().idle());
      bench.set(csr::kMip, irq::kSsip);
      CHECK_FALSE(bench.machine().idle());
      bench.run(1);
      CHECK(bench.taken() == (interrupted ? Taken{kInterrupt | 1, 0, RuleBench::kCode + 4, Priv::kMachine} : Taken{}));
      CHECK(bench.x(13) == (interrupted ? 0 : 1));
      // With the interrupt pending there is nothing to wait for.
      bench.set(csr::kMstatus, 0);
      bench.enter(Priv::kMachine);
      bench.run(2);
      CHECK(bench.pc() == RuleBench::kCode + 8);
    }
  }
}

TEST_CASE("priv_steps: what traps or is written to minstret is not counted by it", "[priv_steps]") {
  for (const EngineKind engine : kEngines) {
    INFO("engine " << static_cast<int>(engine));
    RuleBench bench(engine);
    bench.set_x(11, 5);
    bench.set_x(15, 4);
    bench.code({0xb0259073,    // csrw minstret, a1
                0xb0202673,    // csrr a2, minstret
                0x00000013,    // nop
                0xb02026f3,    // csrr a3, minstret
                0x00000073});  // ecall
    bench.code({0xb0202773,    // csrr a4, minstret
                0x32079073,    // csrw mcountinhibit, a5
                0xb0202873,    // csrr a6, minstret
                0x32001073,    // csrw mcountinhibit, zero
                0xb02028f3,    // csrr a7, minstret
                0xb0202973},   // csrr s2, minstret
               RuleBench::kHandlerM);
    bench.enter(Priv::kMachine);
    bench.run(11);
    CHECK(bench.x(12) == 5);
    CHECK(bench.x(13) == 7);
    CHECK(bench.x(14) == 8);   // The ecall has not retired.
    CHECK(bench.x(16) == 9);   // The csrr has, the csrw that froze it has not been counted,
    CHECK(bench.x(17) == 9);   // nor has anything since.
    CHECK(bench.x(18) == 10);
  }
}

}  // namespace retrov
