// Random states of the interrupt and trap registers against the manual's rules, bit by bit from its numbers: which
// interrupt is taken (3.1.6.1, 3.1.9), where a trap goes and what it stacks (3.1.6.1, 3.1.7, 3.1.8), what a return
// takes off the stack. Covers core/trap.
#include "core/trap.hpp"

#include <random>

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

using Dice = std::mt19937_64;

bool bit(u64 value, u64 index) { return (value >> index & 1) != 0; }
u64 with_bit(u64 value, unsigned index, bool set) { return (value & ~(u64{1} << index)) | u64{set} << index; }

constexpr unsigned kSieBit = 1, kMieBit = 3, kSpieBit = 5, kMpieBit = 7, kSppBit = 8, kMprvBit = 17, kTsrBit = 22;
constexpr Priv kPrivileges[] = {Priv::kUser, Priv::kSupervisor, Priv::kMachine};

u64 mpp_of(u64 status) { return status >> 11 & 3; }
u64 with_mpp(u64 status, u64 mpp) { return (status & ~(u64{3} << 11)) | mpp << 11; }

struct Fixture : BareHart {
  Dice dice{7};
  Csrs& csr = hart.csr;

  void disturb() {
    constexpr u64 kLevels[] = {0, 1, 3};
    csr.mstatus = with_mpp(dice() & 0x7e19aa, kLevels[dice() % 3]);
    csr.mie = dice() & 0xaaa;
    csr.mip = dice() & dice() & 0x222;
    lines->level = dice() & dice() & 0xa88;
    csr.mideleg = dice() & 0x222;
    csr.medeleg = dice() & 0xb3ff;
    csr.mtvec = kTestRam + 0x1000 + dice() % 64 * 4 + dice() % 2;
    csr.stvec = kTestRam + 0x2000 + dice() % 64 * 4 + dice() % 2;
    csr.mepc = kTestRam + dice() % 0x1000 * 2;
    csr.sepc = kTestRam + dice() % 0x1000 * 2;
    csr.mcause = csr.scause = csr.mtval = csr.stval = 0x5555;
    hart.pc = kTestRam + dice() % 0x1000 * 2;
    set_privilege(kPrivileges[dice() % 3]);
  }
};

std::optional<unsigned> expected_interrupt(const Fixture& f) {
  const u64 pending = (f.csr.mip | f.lines->level) & f.csr.mie;
  for (const bool delegated : {false, true}) {
    for (const unsigned number : {11u, 3u, 7u, 9u, 1u, 5u}) {
      if (!bit(pending, number) || bit(f.csr.mideleg, number) != delegated) continue;
      const Priv handler = delegated ? Priv::kSupervisor : Priv::kMachine;
      const bool own_enable = bit(f.csr.mstatus, delegated ? kSieBit : kMieBit);
      if (f.hart.priv < handler || (f.hart.priv == handler && own_enable)) return number;
    }
  }
  return std::nullopt;
}

/// Checks that the hart, which was as `before`, has entered the handler of `cause`.
bool has_entered(const Fixture& f, const Csrs& before, Priv from, u64 pc, u64 cause, u64 value) {
  const bool is_interrupt = bit(cause, 63);
  const u64 delegation = is_interrupt ? before.mideleg : before.medeleg;
  const bool to_supervisor = from != Priv::kMachine && bit(delegation, cause & 63);
  Csrs expected = before;
  const u64 vector = to_supervisor ? before.stvec : before.mtvec;
  u64 status = before.mstatus;
  if (to_supervisor) {
    expected.sepc = pc;
    expected.scause = cause;
    expected.stval = value;
    status = with_bit(status, kSppBit, from == Priv::kSupervisor);
    status = with_bit(status, kSpieBit, bit(before.mstatus, kSieBit));
    status = with_bit(status, kSieBit, false);
  } else {
    expected.mepc = pc;
    expected.mcause = cause;
    expected.mtval = value;
    status = with_mpp(status, static_cast<u64>(from));
    status = with_bit(status, kMpieBit, bit(before.mstatus, kMieBit));
    status = with_bit(status, kMieBit, false);
  }
  const u64 base = vector / 4 * 4;
  const u64 handler = is_interrupt && vector % 4 == 1 ? base + 4 * (cause & 63) : base;
  const Csrs& csr = f.csr;
  return csr.mstatus == status && f.hart.pc == handler &&
         f.hart.priv == (to_supervisor ? Priv::kSupervisor : Priv::kMachine) && csr.sepc == expected.sepc &&
         csr.scause == expected.scause && csr.stval == expected.stval && csr.mepc == expected.mepc &&
         csr.mcause == expected.mcause && csr.mtval == expected.mtval;
}

constexpr unsigned kTries = 20'000;

}  // namespace

TEST_CASE("trap_table: the interrupt that is taken is the manual's first", "[trap_table]") {
  Fixture f;
  unsigned taken = 0;
  for (unsigned i = 0; i < kTries; ++i) {
    f.disturb();
    const auto expected = expected_interrupt(f);
    if (f.hart.pending_interrupt() != expected) FAIL("try " << i);
    taken += expected.has_value();
  }
  CHECK(taken > kTries / 4);
  CHECK(taken < kTries * 3 / 4);
}

TEST_CASE("trap_table: traps and interrupts stack what the manual says, where it says", "[trap_table]") {
  Fixture f;
  constexpr u64 kCauses[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15};
  for (unsigned i = 0; i < kTries; ++i) {
    f.disturb();
    const Csrs before = f.csr;
    const Priv from = f.hart.priv;
    const u64 pc = f.hart.pc;
    if (i % 2 == 0) {
      const u64 cause = kCauses[f.dice() % std::size(kCauses)], value = f.dice();
      f.hart.take_trap({static_cast<Cause>(cause), value});
      if (!has_entered(f, before, from, pc, cause, value)) FAIL("try " << i << " cause " << cause);
    } else if (const auto number = f.hart.pending_interrupt()) {
      f.hart.take_interrupt(*number);
      if (!has_entered(f, before, from, pc, u64{1} << 63 | *number, 0)) FAIL("try " << i << " interrupt " << *number);
    }
  }
}

TEST_CASE("trap_table: returns take off the stack what the manual says, if they may", "[trap_table]") {
  Fixture f;
  for (unsigned i = 0; i < kTries; ++i) {
    f.disturb();
    const u64 status = f.csr.mstatus;
    const Priv from = f.hart.priv;
    const bool is_mret = i % 2 == 0;
    const bool permitted = is_mret ? from == Priv::kMachine
                                   : from == Priv::kMachine || (from == Priv::kSupervisor && !bit(status, kTsrBit));
    const Trap trap = is_mret ? f.hart.mret() : f.hart.sret();
    if (!permitted) {
      if (trap.cause != Cause::kIllegalInstruction || f.csr.mstatus != status || f.hart.priv != from) FAIL(i);
      continue;
    }
    const u64 to = is_mret ? mpp_of(status) : u64{bit(status, kSppBit)};
    u64 expected = is_mret ? with_mpp(status, 0) : with_bit(status, kSppBit, false);
    expected = with_bit(expected, is_mret ? kMieBit : kSieBit, bit(status, is_mret ? kMpieBit : kSpieBit));
    expected = with_bit(expected, is_mret ? kMpieBit : kSpieBit, true);
    if (to != 3) expected = with_bit(expected, kMprvBit, false);
    const u64 target = is_mret ? f.csr.mepc : f.csr.sepc;
    const bool right = !trap && f.csr.mstatus == expected && f.hart.next_pc == target && f.hart.leave &&
                       static_cast<u64>(f.hart.priv) == to;
    if (!right) FAIL("try " << i);
  }
}

}  // namespace retrov
