// Traps, interrupts and the returns from them: core/trap.cpp.
#include "core/trap.hpp"

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kHandlerM = 0x80001000, kHandlerS = 0x80002000, kPc = 0x80000100;
constexpr u64 kInterrupt = u64{1} << 63;

struct Fixture : BareHart {
  Csrs& csr = hart.csr;
  Fixture() {
    csr.mtvec = kHandlerM;
    csr.stvec = kHandlerS;
    hart.pc = kPc;
    hart.next_pc = kPc + 4;
    hart.x[2] = 0x1000;
  }
  void enable(u64 mie, u64 mideleg = 0) {
    csr.mie = mie;
    csr.mideleg = mideleg;
  }
  void interrupt(unsigned number, u64 at) {
    hart.position = {at};
    hart.take_interrupt(number);
  }
};

bool is_illegal(const Trap& trap) { return trap.cause == Cause::kIllegalInstruction; }

TEST_CASE("trap: M-mode stacks its state and jumps to mtvec", "[trap]") {
  Fixture f;
  f.csr.mstatus |= mstatus::kMie;
  f.csr.medeleg = ~u64{0};
  f.hart.take_trap({Cause::kLoadAccessFault, 0x1234});
  CHECK(f.hart.pc == kHandlerM);
  CHECK(f.hart.priv == Priv::kMachine);
  CHECK(f.csr.mepc == kPc);
  CHECK(f.csr.mcause == 5);
  CHECK(f.csr.mtval == 0x1234);
  CHECK((f.csr.mstatus & (mstatus::kMie | mstatus::kMpie | mstatus::kMpp)) == (mstatus::kMpie | mstatus::kMpp));
}

TEST_CASE("trap: a delegated cause of S or U goes to stvec, another one to mtvec", "[trap]") {
  Fixture f;
  f.csr.medeleg = 1u << 13;
  f.csr.mstatus |= mstatus::kSie | mstatus::kSpp;
  f.set_privilege(Priv::kUser);
  SECTION("delegated") {
    f.hart.take_trap({Cause::kLoadPageFault, 0x77});
    CHECK(f.hart.priv == Priv::kSupervisor);
    CHECK(f.hart.pc == kHandlerS);
    CHECK(f.csr.sepc == kPc);
    CHECK(f.csr.scause == 13);
    CHECK(f.csr.stval == 0x77);
    CHECK((f.csr.mstatus & (mstatus::kSie | mstatus::kSpie | mstatus::kSpp)) == mstatus::kSpie);
    CHECK(f.csr.mepc == 0);
  }
  SECTION("not delegated") {
    f.hart.take_trap({Cause::kStorePageFault, 0x77});
    CHECK(f.hart.priv == Priv::kMachine);
    CHECK(f.hart.pc == kHandlerM);
    CHECK((f.csr.mstatus & mstatus::kMpp) == 0);
    CHECK(f.csr.sepc == 0);
  }
}

TEST_CASE("trap: a vectored handler is for interrupts only", "[trap]") {
  Fixture f;
  f.csr.mtvec = kHandlerM | 1;
  f.hart.take_trap({Cause::kIllegalInstruction, 0});
  CHECK(f.hart.pc == kHandlerM);
  f.hart.take_interrupt(7);
  CHECK(f.hart.pc == kHandlerM + 4 * 7);
  CHECK(f.csr.mcause == (kInterrupt | 7));
  CHECK(f.csr.mtval == 0);
}

TEST_CASE("trap: interrupts are taken in the manual's order", "[trap]") {
  Fixture f;
  f.csr.mstatus |= mstatus::kMie;
  f.lines->level = irq::kSupervisor | irq::kMachine;
  u64 enabled = irq::kSupervisor | irq::kMachine;
  for (unsigned number : {11u, 3u, 7u, 9u, 1u, 5u}) {
    f.enable(enabled);
    CHECK(f.hart.pending_interrupt() == number);
    enabled &= ~(u64{1} << number);
  }
  f.enable(0);
  CHECK_FALSE(f.hart.pending_interrupt().has_value());
}

TEST_CASE("trap: global enables count in their own mode, lower modes are always open", "[trap]") {
  Fixture f;
  f.enable(irq::kMtip | irq::kSsip, irq::kSsip);
  const auto pending = [&](Priv privilege, u64 status, u64 level) {
    f.set_privilege(privilege);
    f.csr.mstatus = status;
    f.lines->level = level;
    return f.hart.pending_interrupt();
  };
  CHECK_FALSE(pending(Priv::kMachine, 0, irq::kMtip).has_value());
  CHECK(pending(Priv::kMachine, mstatus::kMie, irq::kMtip) == 7);
  CHECK(pending(Priv::kSupervisor, 0, irq::kMtip) == 7);
  CHECK_FALSE(pending(Priv::kMachine, mstatus::kMie | mstatus::kSie, irq::kSsip).has_value());
  CHECK_FALSE(pending(Priv::kSupervisor, mstatus::kMie, irq::kSsip).has_value());
  CHECK(pending(Priv::kSupervisor, mstatus::kSie, irq::kSsip) == 1);
  CHECK(pending(Priv::kUser, 0, irq::kSsip) == 1);
  CHECK(pending(Priv::kUser, 0, irq::kSsip | irq::kMtip) == 7);
}

TEST_CASE("trap: what is delegated yields to the machine's interrupts of less rank", "[trap]") {
  Fixture f;
  f.enable(irq::kSeip | irq::kSsip, irq::kSeip);
  f.set_privilege(Priv::kUser);
  f.lines->level = irq::kSeip | irq::kSsip;
  CHECK(f.hart.pending_interrupt() == 1);
}

TEST_CASE("trap: a delegated interrupt goes to S-mode and wakes the hart", "[trap]") {
  Fixture f;
  f.enable(irq::kStip, irq::kStip);
  f.set_privilege(Priv::kSupervisor);
  f.hart.waiting = true;
  f.hart.take_interrupt(5);
  CHECK(f.hart.pc == kHandlerS);
  CHECK(f.csr.scause == (kInterrupt | 5));
  CHECK((f.csr.mstatus & mstatus::kSpp) != 0);
  CHECK_FALSE(f.hart.waiting);
}

TEST_CASE("trap: mret pops the stack and leaves MPRV only to M-mode", "[trap]") {
  Fixture f;
  f.csr.mepc = 0x80003000;
  f.csr.mstatus |= mstatus::kMpie | mstatus::kMprv | u64{1} << 11;
  SECTION("to S-mode") {
    REQUIRE_FALSE(f.hart.mret());
    CHECK(f.hart.priv == Priv::kSupervisor);
    CHECK((f.csr.mstatus & mstatus::kMprv) == 0);
  }
  SECTION("to M-mode") {
    f.csr.mstatus |= mstatus::kMpp;
    REQUIRE_FALSE(f.hart.mret());
    CHECK(f.hart.priv == Priv::kMachine);
    CHECK((f.csr.mstatus & mstatus::kMprv) != 0);
  }
  CHECK(f.hart.next_pc == 0x80003000);
  CHECK(f.hart.leave);
  CHECK((f.csr.mstatus & (mstatus::kMie | mstatus::kMpie | mstatus::kMpp)) == (mstatus::kMie | mstatus::kMpie));
}

TEST_CASE("trap: sret pops the supervisor's stack and always clears MPRV", "[trap]") {
  Fixture f;
  f.csr.sepc = 0x4000;
  f.csr.mstatus |= mstatus::kSpp | mstatus::kSie | mstatus::kMprv;
  REQUIRE_FALSE(f.hart.sret());
  CHECK(f.hart.priv == Priv::kSupervisor);
  CHECK(f.hart.next_pc == 0x4000);
  CHECK((f.csr.mstatus & (mstatus::kSpp | mstatus::kSie | mstatus::kSpie | mstatus::kMprv)) == mstatus::kSpie);
  REQUIRE_FALSE(f.hart.sret());
  CHECK(f.hart.priv == Priv::kUser);
  CHECK((f.csr.mstatus & mstatus::kSie) != 0);
}

TEST_CASE("trap: returns, WFI and SFENCE.VMA need privilege, and TSR, TW and TVM take it", "[trap]") {
  Fixture f;
  f.set_privilege(Priv::kUser);
  CHECK(is_illegal(f.hart.mret()));
  CHECK(is_illegal(f.hart.sret()));
  CHECK(is_illegal(f.hart.wfi()));
  CHECK(is_illegal(f.hart.sfence_vma()));
  CHECK(f.hart.next_pc == kPc + 4);
  CHECK_FALSE(f.hart.waiting);
  f.set_privilege(Priv::kSupervisor);
  CHECK(is_illegal(f.hart.mret()));
  CHECK_FALSE(f.hart.sfence_vma());
  f.csr.mstatus |= mstatus::kTsr | mstatus::kTw | mstatus::kTvm;
  CHECK(is_illegal(f.hart.sret()));
  CHECK(is_illegal(f.hart.wfi()));
  CHECK(is_illegal(f.hart.sfence_vma()));
  f.set_privilege(Priv::kMachine);
  CHECK_FALSE(f.hart.sfence_vma());
  CHECK_FALSE(f.hart.wfi());
  CHECK_FALSE(f.hart.sret());
}

TEST_CASE("trap: ecall's cause tells the mode", "[trap]") {
  Fixture f;
  CHECK(f.hart.ecall().cause == Cause::kEcallFromMachine);
  f.set_privilege(Priv::kSupervisor);
  CHECK(f.hart.ecall().cause == Cause::kEcallFromSupervisor);
  f.set_privilege(Priv::kUser);
  CHECK(f.hart.ecall().cause == Cause::kEcallFromUser);
}

TEST_CASE("trap: WFI waits only if nothing enabled is pending, whatever the global enables say", "[trap]") {
  Fixture f;
  f.lines->level = irq::kMtip;
  REQUIRE_FALSE(f.hart.wfi());
  CHECK(f.hart.waiting);
  CHECK(f.hart.turn_over);
  CHECK(f.hart.leave);
  CHECK_FALSE(f.hart.wakes());
  f.hart.waiting = f.hart.turn_over = f.hart.leave = false;
  f.enable(irq::kMtip);
  CHECK(f.hart.wakes());
  REQUIRE_FALSE(f.hart.wfi());
  CHECK_FALSE(f.hart.waiting);
  CHECK_FALSE(f.hart.turn_over);
}

TEST_CASE("trap: the next timer is the earliest enabled one still to come", "[trap]") {
  Fixture f;
  f.lines->next_change = Ticks{700};
  f.csr.stimecmp = 500;
  f.csr.menvcfg = menvcfg::kStce;
  CHECK(f.hart.next_timer(Ticks{10}) == kNever);
  f.enable(irq::kMtip);
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{700});
  f.enable(irq::kMtip | irq::kStip);
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{500});
  CHECK(f.hart.next_timer(Ticks{499}) == Ticks{500});
  CHECK(f.hart.next_timer(Ticks{500}) == Ticks{700});
  f.time.mtime_offset = 100;
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{400});
  f.time.mtime_offset = u64{0} - 5;
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{505});
  f.csr.stimecmp = ~u64{0};
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{700});
  f.csr.stimecmp = 500;
  f.csr.menvcfg = 0;
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{700});
}

TEST_CASE("trap: time that wraps ends a timer's interrupt, and all ones is no time", "[trap]") {
  Fixture f;
  f.csr.menvcfg = menvcfg::kStce;
  f.enable(irq::kStip);
  f.csr.stimecmp = 5;
  f.time.mtime_offset = u64{0} - 20;
  f.hart.position = Position{10 * f.time.steps_per_tick};
  CHECK(f.hart.wakes());
  CHECK(f.hart.next_timer(Ticks{10}) == Ticks{20});
  f.hart.position = Position{20 * f.time.steps_per_tick};
  CHECK_FALSE(f.hart.wakes());
  CHECK(f.hart.next_timer(Ticks{20}) == Ticks{25});
  f.csr.stimecmp = ~u64{0};
  f.time.mtime_offset = ~u64{0} - 20;
  CHECK_FALSE(f.hart.wakes());
  for (const u64 offset : {u64{0}, u64{1000}, ~u64{0} - 20}) {
    f.time.mtime_offset = offset;
    CHECK(f.hart.next_timer(Ticks{10}) == kNever);
  }
}

TEST_CASE("trap: a return closes the interrupt that it returns from", "[trap]") {
  Fixture f;
  f.enable(irq::kStip, irq::kStip);
  f.set_privilege(Priv::kSupervisor);
  f.interrupt(5, 100);
  REQUIRE(f.hart.stepping.open_irqs.size() == 1);
  const InterruptFrame& frame = f.hart.stepping.open_irqs[0];
  CHECK(frame.taken_at == Position{100});
  CHECK(frame.pc == kPc);
  CHECK(frame.sp == 0x1000);
  CHECK(frame.privilege == 1);
  f.hart.position = {150};
  SECTION("to the same place") {
    REQUIRE_FALSE(f.hart.sret());
    CHECK(f.hart.stepping.open_irqs.empty());
    CHECK(f.hart.stepping.returned_at == Position{151});
    CHECK(f.hart.stepping.returned_irq_taken_at == Position{100});
  }
  SECTION("not to another pc") { f.csr.sepc += 4; }
  SECTION("not with another stack") { f.hart.x[2] -= 16; }
  SECTION("not to another mode") { f.csr.mstatus &= ~mstatus::kSpp; }
  if (!f.hart.stepping.open_irqs.empty()) {
    REQUIRE_FALSE(f.hart.sret());
    CHECK(f.hart.stepping.open_irqs.size() == 1);
    CHECK_FALSE(f.hart.stepping.returned_at.has_value());
  }
}

TEST_CASE("trap: a return closes the handlers above, which were left without one", "[trap]") {
  Fixture f;
  f.enable(irq::kStip, irq::kStip);
  f.set_privilege(Priv::kSupervisor);
  f.interrupt(5, 100);
  f.hart.pc = kHandlerS + 8;
  f.hart.x[2] = 0x800;
  f.interrupt(5, 200);
  CHECK(f.hart.stepping.open_irqs.size() == 2);
  f.csr.sepc = kPc;
  f.hart.x[2] = 0x1000;
  REQUIRE_FALSE(f.hart.sret());
  CHECK(f.hart.stepping.open_irqs.empty());
  CHECK(f.hart.stepping.returned_irq_taken_at == Position{100});
}

TEST_CASE("trap: sixteen open interrupts are kept, the newest", "[trap]") {
  Fixture f;
  for (u64 i = 0; i < 20; ++i) f.interrupt(7, i);
  REQUIRE(f.hart.stepping.open_irqs.size() == 16);
  CHECK(f.hart.stepping.open_irqs.front().taken_at == Position{4});
  CHECK(f.hart.stepping.open_irqs.back().taken_at == Position{19});
}

}  // namespace
}  // namespace retrov
