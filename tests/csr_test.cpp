#include "core/csr.hpp"

#include <set>

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

constexpr u16 kFflags = 1, kFrm = 2, kFcsr = 3, kSstatus = 0x100, kSie = 0x104, kScounteren = 0x106, kSepc = 0x141;
constexpr u16 kSip = 0x144, kStimecmp = 0x14d, kSatp = 0x180, kMstatus = 0x300, kMisaNumber = 0x301, kMedeleg = 0x302;
constexpr u16 kMideleg = 0x303, kMie = 0x304, kMtvec = 0x305, kMcounteren = 0x306, kMenvcfg = 0x30a;
constexpr u16 kMcountinhibit = 0x320, kMscratch = 0x340, kMepc = 0x341, kMip = 0x344, kPmpcfg0 = 0x3a0;
constexpr u16 kPmpcfg2 = 0x3a2, kPmpaddr0 = 0x3b0, kMcycle = 0xb00, kMinstret = 0xb02, kCycle = 0xc00, kTime = 0xc01;
constexpr u16 kInstret = 0xc02, kMhartid = 0xf14;

TEST_CASE("csr: rows ascend, have names of their own, and each can be read", "[csr]") {
  BareHart bare;
  std::set<std::string> names;
  int last = -1;
  for (const CsrRow& row : csr_rows()) {
    CHECK(int{row.number} > last);
    last = row.number;
    CHECK(names.insert(row.name).second);
    CHECK(bare.hart.csr_peek(row.number).has_value());
    CHECK(csr_name(row.number) == row.name);
    CHECK(find_csr(row.number) == &row);
  }
  CHECK(csr_name(kMstatus) == "mstatus");
  CHECK(csr_name(0xb03) == "mhpmcounter3");
  CHECK(csr_name(0x33f) == "mhpmevent31");
  CHECK(csr_name(0x3bf) == "pmpaddr15");
  CHECK(csr_name(0x7a5).empty());
}

TEST_CASE("csr: what is absent is illegal to read and to write, which is how firmware probes", "[csr]") {
  BareHart bare;
  // tcontrol, tinfo, mstateen0, scountovf, mtopi, hstatus, mseccfg, odd pmpcfg, pmpcfg4, pmpaddr16, cycleh, seed,
  // vstart, vsstatus, the hole between mcycle and minstret, and a number out of range.
  for (u16 number : {0x7a5, 0x7a4, 0x30c, 0xda0, 0xfb0, 0x600, 0x747, 0x3a1, 0x3a4, 0x3c0, 0xc80, 0x015, 0x008, 0x200,
                     0xb01, 0x1300}) {
    CAPTURE(number);
    CHECK_FALSE(bare.read(number).has_value());
    CHECK_FALSE(bare.write(number, 0));
    CHECK_FALSE(bare.hart.csr_peek(number).has_value());
    CHECK_FALSE(bare.hart.csr_poke(number, 0));
  }
  u64 value = 0;
  CHECK(bare.hart.csr_read(0x7a5, value).cause == Cause::kIllegalInstruction);
}

TEST_CASE("csr: a write to a read-only number is illegal, to a fixed register ignored", "[csr]") {
  BareHart bare;
  for (u16 number : {kCycle, kTime, kInstret, kMhartid}) CHECK_FALSE(bare.write(number, 1));
  CHECK(bare.keep(kMisaNumber, 0) == 0x800000000014112d);
  CHECK(bare.keep(0x323, 5) == 0);
  CHECK(bare.keep(0xb1f, 5) == 0);
  for (u16 trigger : {0x7a0, 0x7a1, 0x7a2, 0x7a3}) CHECK(bare.keep(trigger, ~u64{0}) == 0);
  CHECK(bare.read(kMhartid) == 0);
}

TEST_CASE("csr: the number says which privilege is needed", "[csr]") {
  BareHart bare;
  bare.set_privilege(Priv::kSupervisor);
  CHECK_FALSE(bare.read(kMscratch).has_value());
  CHECK_FALSE(bare.write(kMscratch, 1));
  CHECK(bare.read(kSepc).has_value());
  bare.set_privilege(Priv::kUser);
  CHECK_FALSE(bare.read(kSepc).has_value());
  CHECK_FALSE(bare.write(kSepc, 1));
  CHECK(bare.hart.csr.sepc == 0);
}

TEST_CASE("csr: mstatus keeps what exists and derives SD", "[csr]") {
  BareHart bare;
  constexpr u64 kFixed = u64{2} << 32 | u64{2} << 34;
  CHECK(bare.read(kMstatus) == kFixed);
  const u64 all = *bare.keep(kMstatus, ~u64{0});
  CHECK(all == (kFixed | mstatus::kSd | 0x7e79aa));
  CHECK((all & mstatus::kVs) == 0);
  CHECK(bare.keep(kMstatus, mstatus::kSd) == kFixed);
  CHECK(bare.keep(kMstatus, u64{1} << 13) == (kFixed | u64{1} << 13));
  SECTION("MPP has no mode 2 and stays") {
    bare.write(kMstatus, u64{1} << 11);
    CHECK((*bare.keep(kMstatus, u64{2} << 11 | mstatus::kMie) & (mstatus::kMpp | mstatus::kMie)) ==
          (u64{1} << 11 | mstatus::kMie));
  }
}

TEST_CASE("csr: MPRV, MPP and SUM choose at once whose translations data accesses use", "[csr]") {
  BareHart bare;
  const auto context_of = [&](u64 status) {
    CHECK(bare.write(kMstatus, status));
    return bare.hart.context;
  };
  constexpr u64 kSupervisor = u64{1} << 11;
  const auto* machine = context_of(0);
  const auto* user = context_of(mstatus::kMprv);
  const auto* supervisor = context_of(mstatus::kMprv | kSupervisor);
  CHECK(user != machine);
  CHECK(supervisor != machine);
  CHECK(supervisor != user);
  CHECK(context_of(mstatus::kMprv) == user);
  CHECK(context_of(mstatus::kMprv | mstatus::kMpp) == machine);
  CHECK(context_of(mstatus::kMprv | kSupervisor) == supervisor);
  const auto* with_user_pages = context_of(mstatus::kMprv | kSupervisor | mstatus::kSum);
  CHECK(with_user_pages != supervisor);
  CHECK(with_user_pages != user);
  CHECK(context_of(kSupervisor) == machine);
}

TEST_CASE("csr: sstatus is the supervisor's part of mstatus", "[csr]") {
  BareHart bare;
  bare.write(kMstatus, mstatus::kMie | mstatus::kMpp | mstatus::kTvm);
  CHECK(bare.keep(kSstatus, ~u64{0}) == (mstatus::kSd | u64{2} << 32 | 0xc6122));
  CHECK((*bare.read(kMstatus) & (mstatus::kMie | mstatus::kMpp | mstatus::kTvm | mstatus::kMprv | mstatus::kTw)) ==
        (mstatus::kMie | mstatus::kMpp | mstatus::kTvm));
  CHECK(bare.keep(kSstatus, 0) == u64{2} << 32);
  CHECK((*bare.read(kMstatus) & mstatus::kMie) != 0);
}

TEST_CASE("csr: delegation and enables keep the bits that exist", "[csr]") {
  BareHart bare;
  CHECK(bare.keep(kMedeleg, ~u64{0}) == 0xb3ff);
  CHECK(bare.keep(kMie, ~u64{0}) == 0xaaa);
  CHECK(bare.read(kSie) == 0);
  CHECK(bare.keep(kMideleg, ~u64{0}) == 0x222);
  CHECK(bare.read(kSie) == 0x222);
  bare.write(kSie, 0);
  CHECK(bare.read(kMie) == 0x888);
  bare.write(kMideleg, irq::kSsip);
  bare.write(kSie, ~u64{0});
  CHECK(bare.read(kMie) == (0x888 | irq::kSsip));
}

TEST_CASE("csr: mip shows stored bits and device levels, and stores only its own", "[csr]") {
  BareHart bare;
  bare.lines->level = irq::kMtip | irq::kSeip;
  CHECK(bare.read(kMip) == (irq::kMtip | irq::kSeip));
  bare.write(kMip, ~u64{0});
  CHECK(bare.hart.csr.mip == 0x222);
  CHECK(bare.read(kMip) == (0x222 | irq::kMtip));
  bare.write(kMip, 0);
  CHECK(bare.read(kMip) == (irq::kMtip | irq::kSeip));
  SECTION("sip is masked by delegation and writes SSIP alone, if delegated") {
    CHECK(bare.keep(kSip, ~u64{0}) == 0);
    CHECK(bare.hart.csr.mip == 0);
    bare.write(kMideleg, 0x222);
    CHECK(bare.keep(kSip, ~u64{0}) == (irq::kSsip | irq::kSeip));
    CHECK(bare.hart.csr.mip == irq::kSsip);
  }
}

TEST_CASE("csr: vectors have modes 0 and 1, return addresses are even", "[csr]") {
  BareHart bare;
  for (u16 number : {kMtvec, u16{0x105}}) {
    CHECK(bare.keep(number, 0x80000001) == 0x80000001);
    CHECK(bare.keep(number, 0x90000002) == 0x80000001);
    CHECK(bare.keep(number, 0x90000000) == 0x90000000);
  }
  CHECK(bare.keep(kMepc, 0xffff) == 0xfffe);
  CHECK(bare.keep(kSepc, 0x1003) == 0x1002);
}

TEST_CASE("csr: satp takes Bare, Sv39, Sv48 and Sv57 with their ASID; another mode voids the write", "[csr]") {
  BareHart bare;
  CHECK(bare.keep(kSatp, u64{8} << 60 | u64{0xffff} << 44 | 5) == (u64{8} << 60 | u64{0xffff} << 44 | 5));
  CHECK(bare.keep(kSatp, u64{11} << 60 | 7) == (u64{8} << 60 | u64{0xffff} << 44 | 5));
  CHECK_FALSE(bare.hart.leave);
  CHECK(bare.keep(kSatp, u64{9} << 60 | 7) == (u64{9} << 60 | 7));
  CHECK(bare.hart.leave);
  CHECK(bare.keep(kSatp, 0) == 0);
  SECTION("TVM traps it in S-mode alone") {
    bare.write(kMstatus, mstatus::kTvm);
    CHECK(bare.read(kSatp).has_value());
    bare.set_privilege(Priv::kSupervisor);
    CHECK_FALSE(bare.read(kSatp).has_value());
    CHECK_FALSE(bare.write(kSatp, 1));
    CHECK(bare.hart.csr.satp == 0);
  }
}

TEST_CASE("csr: menvcfg starts with hardware A and D updates on", "[csr]") {
  BareHart bare;
  constexpr u64 kBlocks = menvcfg::kCbie | menvcfg::kCbcfe | menvcfg::kCbze;
  constexpr u64 kHigh = menvcfg::kAdue | menvcfg::kPbmte | menvcfg::kStce;
  CHECK(bare.read(kMenvcfg) == (menvcfg::kAdue | menvcfg::kPbmte));
  CHECK(bare.keep(kMenvcfg, ~u64{0}) == (menvcfg::kFiom | kBlocks | kHigh));
  CHECK(bare.keep(kMenvcfg, 0) == 0);
  CHECK(bare.keep(0x10a, ~u64{0}) == (menvcfg::kFiom | kBlocks));
}

TEST_CASE("csr: a change of PBMTE changes translations", "[csr]") {
  BareHart bare;
  bare.hart.context->read.fill(kTestRam, 1);
  bare.write(kMenvcfg, menvcfg::kPbmte);
  CHECK(bare.hart.context->read.probe(kTestRam, 1) != nullptr);
  bare.write(kMenvcfg, 0);
  CHECK(bare.hart.context->read.probe(kTestRam, 1) == nullptr);
  CHECK(bare.hart.leave);
}

TEST_CASE("csr: stimecmp is for S-mode when STCE and TM allow, and then drives STIP", "[csr]") {
  BareHart bare;
  bare.set_privilege(Priv::kSupervisor);
  CHECK_FALSE(bare.read(kStimecmp).has_value());
  bare.hart.csr.menvcfg = menvcfg::kStce;
  CHECK_FALSE(bare.read(kStimecmp).has_value());
  bare.hart.csr.mcounteren = kCounterTime;
  CHECK(bare.keep(kStimecmp, 50) == 50);
  CHECK(bare.hart.leave);
  bare.hart.csr.menvcfg = 0;
  CHECK_FALSE(bare.write(kStimecmp, 60));
  bare.set_privilege(Priv::kMachine);
  CHECK(bare.read(kStimecmp) == 50);

  bare.write(kMenvcfg, menvcfg::kStce);
  bare.write(kMip, irq::kStip);
  CHECK(bare.read(kMip) == 0);
  bare.hart.position = {50 * bare.time.steps_per_tick - 1};
  CHECK(bare.read(kMip) == 0);
  bare.hart.position = {50 * bare.time.steps_per_tick};
  CHECK(bare.read(kMip) == irq::kStip);
}

TEST_CASE("csr: counters are passed down bit by bit", "[csr]") {
  BareHart bare;
  const auto readable = [&](Priv privilege, u16 number) {
    bare.set_privilege(privilege);
    return bare.read(number).has_value();
  };
  CHECK(readable(Priv::kMachine, kCycle));
  CHECK(readable(Priv::kMachine, 0xc1f));
  CHECK_FALSE(readable(Priv::kSupervisor, kCycle));
  bare.hart.csr.mcounteren = 1u << 1 | 1u << 31;
  CHECK_FALSE(readable(Priv::kSupervisor, kCycle));
  CHECK(readable(Priv::kSupervisor, kTime));
  CHECK(readable(Priv::kSupervisor, 0xc1f));
  CHECK_FALSE(readable(Priv::kUser, kTime));
  bare.hart.csr.scounteren = 7;
  CHECK(readable(Priv::kUser, kTime));
  CHECK_FALSE(readable(Priv::kUser, kInstret));
  bare.set_privilege(Priv::kMachine);
  CHECK(bare.keep(kMcounteren, ~u64{0}) == 0xffffffff);
  CHECK(bare.keep(kScounteren, ~u64{0}) == 0xffffffff);
}

TEST_CASE("csr: counters count steps, instructions and ticks", "[csr]") {
  BareHart bare;
  Hart& hart = bare.hart;
  bare.time.idle_offset = 3;
  bare.time.mtime_offset = ~u64{0};
  hart.retired = 40;
  hart.slice_start = {900};
  hart.position = {1000};
  CHECK(bare.read(kCycle) == 1000);
  CHECK(bare.read(kInstret) == 140);
  CHECK(bare.read(kTime) == 10 + 3 - 1);
  SECTION("the instruction behind a write reads what was written") {
    bare.write(kMinstret, 7);
    bare.write(kMcycle, ~u64{0});
    hart.position = {1001};
    CHECK(bare.read(kInstret) == 7);
    CHECK(bare.read(kCycle) == ~u64{0});
    hart.position = {1003};
    CHECK(bare.read(kMinstret) == 9);
    CHECK(bare.read(kMcycle) == 1);
  }
  SECTION("a frozen counter keeps its value and goes on from there") {
    CHECK(bare.keep(kMcountinhibit, ~u64{0}) == 5);
    CHECK(hart.leave);
    hart.position = {1500};
    CHECK(bare.read(kCycle) == 1000);
    CHECK(bare.read(kInstret) == 140);
    bare.write(kMinstret, 11);
    bare.write(kMcountinhibit, 1);
    hart.position = {1501};
    CHECK(bare.read(kInstret) == 11);
    hart.position = {1511};
    CHECK(bare.read(kInstret) == 21);
    CHECK(bare.read(kCycle) == 1000);
  }
  SECTION("the debugger's write is no instruction") {
    CHECK(hart.csr_poke(kMinstret, 7));
    CHECK(hart.csr_poke(kMcycle, 8));
    CHECK(bare.read(kInstret) == 7);
    CHECK(bare.read(kCycle) == 8);
  }
}

TEST_CASE("csr: with FS off the floating-point registers are illegal; a write makes them dirty", "[csr]") {
  BareHart bare;
  for (u16 number : {kFflags, kFrm, kFcsr}) {
    CHECK_FALSE(bare.read(number).has_value());
    CHECK_FALSE(bare.write(number, 0));
    CHECK(bare.hart.csr_peek(number) == 0);
  }
  bare.write(kMstatus, u64{1} << 13);
  CHECK(bare.read(kFcsr) == 0);
  CHECK((bare.hart.csr.mstatus & mstatus::kFs) == u64{1} << 13);
  CHECK(bare.keep(kFcsr, ~u64{0}) == 0xff);
  CHECK((bare.hart.csr.mstatus & (mstatus::kFs | mstatus::kSd)) == (mstatus::kFs | mstatus::kSd));
  CHECK(bare.keep(kFflags, 0) == 0);
  CHECK(bare.keep(kFrm, 0xf5) == 5);
  CHECK(bare.read(kFcsr) == 0xa0);
}

TEST_CASE("csr: protection entries lock, and a locked range locks its base", "[csr]") {
  BareHart bare;
  CHECK(bare.keep(kPmpaddr0, ~u64{0}) == (u64{1} << 54) - 1);
  CHECK(bare.hart.leave);
  CHECK(bare.keep(kPmpcfg0, ~u64{0}) == 0x9f9f9f9f9f9f9f9f);
  CHECK(bare.keep(kPmpcfg0, 0) == 0x9f9f9f9f9f9f9f9f);
  CHECK(bare.keep(kPmpaddr0, 0) == (u64{1} << 54) - 1);
  CHECK(bare.keep(kPmpcfg2, 0x0203) == 0x0003);
  CHECK(bare.keep(0x3b8, 5) == 5);
  bare.write(kPmpcfg2, u64{0x8b} << 16);
  CHECK(bare.keep(0x3b9, 6) == 0);
  CHECK(bare.keep(0x3b8, 6) == 6);
}

TEST_CASE("csr: a write ends the block only when something may follow from it", "[csr]") {
  BareHart bare;
  const auto leaves = [&](u16 number, u64 value) {
    CHECK(bare.write(number, value));
    return bare.hart.leave;
  };
  bare.write(kMideleg, 0x222);
  bare.write(kMie, irq::kStip);
  bare.write(kMstatus, mstatus::kFs);
  CHECK_FALSE(leaves(kSstatus, mstatus::kSie | mstatus::kFs));
  CHECK_FALSE(leaves(kSstatus, mstatus::kFs));
  CHECK_FALSE(leaves(kSstatus, mstatus::kSum | mstatus::kFs));
  CHECK(leaves(kSstatus, mstatus::kSum | mstatus::kMxr | mstatus::kFs));
  CHECK(leaves(kSstatus, mstatus::kFs));
  CHECK(leaves(kSstatus, 0));
  CHECK_FALSE(leaves(kSstatus, mstatus::kFs));
  bare.lines->level = irq::kStip;
  CHECK(leaves(kSstatus, mstatus::kSie | mstatus::kFs));
  for (u16 number : {kMstatus, kMie, kMip, kSie, kSip, kMideleg, kMenvcfg, kStimecmp, kMcountinhibit}) {
    CAPTURE(number);
    CHECK(leaves(number, 0));
  }
  for (u16 number : {kMscratch, kMepc, kSepc, kMcounteren, kMedeleg, kMtvec, u16{0x140}, u16{0x142}}) {
    CAPTURE(number);
    CHECK_FALSE(leaves(number, 4));
  }
}

TEST_CASE("csr: the debugger is bound by WARL, not by privilege", "[csr]") {
  BareHart bare;
  bare.set_privilege(Priv::kUser);
  CHECK(bare.hart.csr_poke(kMepc, 0x1001));
  CHECK(bare.hart.csr_peek(kMepc) == 0x1000);
  CHECK_FALSE(bare.hart.csr_poke(kCycle, 1));
  CHECK_FALSE(bare.hart.csr_poke(kMisaNumber, 1));
}

}  // namespace
TEST_CASE("csr: what an absent extension brings is not there, for instructions and for the debugger", "[csr]") {
  struct Case {
    Extension extension;
    std::vector<u16> numbers;
  };
  const Case cases[] = {{Extension::kF, {1, 2, 3}},
                        {Extension::kSstc, {kStimecmp}},
                        {Extension::kZicntr, {0xc00, 0xc01, 0xc02}},
                        {Extension::kZihpm, {0xc03, 0xc1f}}};
  for (const Case& c : cases) {
    BareHart bare;
    bare.hart.csr.mstatus |= mstatus::kFs;
    bare.hart.csr.menvcfg |= menvcfg::kStce;
    for (const u16 number : c.numbers) {
      INFO(csr_name(number));
      CHECK(bare.read(number).has_value());
      CHECK(bare.hart.csr_peek(number).has_value());
    }
    bare.platform.extensions = without_extension(default_extensions(), c.extension);
    for (const u16 number : c.numbers) {
      INFO(csr_name(number));
      CHECK_FALSE(bare.read(number).has_value());
      CHECK_FALSE(bare.write(number, 0));
      CHECK_FALSE(bare.hart.csr_peek(number).has_value());
      CHECK_FALSE(bare.hart.csr_poke(number, 0));
    }
  }
}

TEST_CASE("csr: fields of absent extensions are read-only zero", "[csr]") {
  BareHart bare;
  bare.platform.extensions = base_extensions();
  bare.hart.reset(kTestRam);
  CHECK(bare.hart.csr.menvcfg == 0);
  CHECK(bare.keep(0x30a, ~u64{0}) == menvcfg::kFiom);
  CHECK((*bare.keep(kMstatus, ~u64{0}) & (mstatus::kFs | mstatus::kSd)) == 0);
  CHECK(bare.keep(0x341, ~u64{0}) == ~u64{3});
  CHECK(bare.keep(kMisaNumber, 0) == 0x8000000000140100);
  CHECK(bare.keep(kSatp, u64{9} << 60) == 0);
  CHECK(bare.keep(kSatp, u64{10} << 60) == 0);
  CHECK(bare.keep(kSatp, u64{8} << 60 | 5) == (u64{8} << 60 | 5));
}

TEST_CASE("csr: with Svade and Svadu announced A and D are not updated before firmware asks", "[csr]") {
  BareHart bare;
  CHECK(bare.read(0x30a) == (menvcfg::kAdue | menvcfg::kPbmte));
  bare.platform.extensions = with_extension(default_extensions(), Extension::kSvade);
  bare.hart.reset(kTestRam);
  CHECK(bare.read(0x30a) == menvcfg::kPbmte);
  CHECK(bare.keep(0x30a, menvcfg::kAdue) == menvcfg::kAdue);
}

}  // namespace retrov
