// Who takes a trap or an interrupt, and what the handler finds (core/trap), as whole tables (privileged manual, 3.1.6,
// 3.1.8, 3.1.9).
#include <array>
#include <vector>

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr Priv kModes[] = {Priv::kUser, Priv::kSupervisor, Priv::kMachine};
constexpr u64 kInterrupt = u64{1} << 63;
constexpr u64 kPc = kTestRam + 0x100, kM = kTestRam + 0x1000, kS = kTestRam + 0x2000;

/// What a handler is told; there is one for M-mode and one for S-mode.
struct Registers {
  u64 epc, cause, value;
  bool operator==(const Registers&) const = default;
};
constexpr Registers kUntouched = {0x44, 0x55, 0x66};

struct Fixture : BareHart {
  Fixture() {
    hart.csr.mtvec = kM | 1;
    hart.csr.stvec = kS | 1;
    hart.csr.mepc = hart.csr.sepc = kUntouched.epc;
    hart.csr.mcause = hart.csr.scause = kUntouched.cause;
    hart.csr.mtval = hart.csr.stval = kUntouched.value;
    hart.pc = kPc;
  }
  [[nodiscard]] Registers machine() const { return {hart.csr.mepc, hart.csr.mcause, hart.csr.mtval}; }
  [[nodiscard]] Registers supervisor() const { return {hart.csr.sepc, hart.csr.scause, hart.csr.stval}; }
  [[nodiscard]] u64 status(u64 bits) const { return hart.csr.mstatus & bits; }
};

/// The stack of mstatus for the mode that took the trap has `from` and the enable that was set; the other's is as it
/// was.
void check_status(const Fixture& f, Priv by, Priv from) {
  constexpr u64 kMine = mstatus::kMie | mstatus::kMpie | mstatus::kMpp;
  constexpr u64 kTheirs = mstatus::kSie | mstatus::kSpie | mstatus::kSpp;
  const u64 mode = static_cast<u64>(from);
  if (by == Priv::kMachine) {
    CHECK(f.status(kMine) == (mstatus::kMpie | mode << 11));
    CHECK(f.status(kTheirs) == mstatus::kSie);
  } else {
    CHECK(f.status(kTheirs) == (mstatus::kSpie | mode << 8));
    CHECK(f.status(kMine) == mstatus::kMie);
  }
}

}  // namespace

TEST_CASE("priv_trap: each cause goes where medeleg says, and never down from M-mode", "[priv_trap]") {
  for (const u64 cause : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15}) {
    for (const Priv from : kModes) {
      for (const bool delegated : {true, false}) {
        INFO("cause " << cause << " from " << static_cast<int>(from) << " delegated " << delegated);
        Fixture f;
        f.write(csr::kMedeleg, delegated ? ~u64{0} : ~(u64{1} << cause));
        f.hart.csr.mstatus |= mstatus::kMie | mstatus::kSie;
        f.set_privilege(from);
        f.hart.take_trap({static_cast<Cause>(cause), 0x1234});
        const bool down = delegated && from != Priv::kMachine && cause != 11;
        CHECK(f.hart.priv == (down ? Priv::kSupervisor : Priv::kMachine));
        CHECK(f.hart.pc == (down ? kS : kM));  // Only interrupts have vectors.
        CHECK((down ? f.supervisor() : f.machine()) == Registers{kPc, cause, 0x1234});
        CHECK((down ? f.machine() : f.supervisor()) == kUntouched);
        check_status(f, f.hart.priv, from);
      }
    }
  }
}

TEST_CASE("priv_trap: each interrupt is taken by the mode that mideleg says, when that mode lets it", "[priv_trap]") {
  for (const unsigned number : {1u, 3u, 5u, 7u, 9u, 11u}) {
    for (unsigned i = 0; i < 3 * 2 * 4; ++i) {
      const Priv from = kModes[i % 3];
      const bool delegated = i / 3 % 2 != 0, mie = i / 6 % 2 != 0, sie = i / 12 != 0;
      INFO("interrupt " << number << " from " << static_cast<int>(from) << " delegated " << delegated << " MIE " << mie
                        << " SIE " << sie);
      Fixture f;
      f.write(csr::kMideleg, delegated ? ~u64{0} : 0);
      f.write(csr::kMie, ~u64{0});
      f.hart.csr.mstatus |= (mie ? mstatus::kMie : 0) | (sie ? mstatus::kSie : 0);
      f.set_privilege(from);
      f.lines->level = u64{1} << number;
      const bool down = delegated && (number == 1 || number == 5 || number == 9);
      const bool taken = down ? from == Priv::kUser || (from == Priv::kSupervisor && sie)
                              : from != Priv::kMachine || mie;
      REQUIRE(f.hart.pending_interrupt() == (taken ? std::optional<unsigned>(number) : std::nullopt));
      if (!taken) continue;
      f.hart.take_interrupt(number);
      CHECK(f.hart.priv == (down ? Priv::kSupervisor : Priv::kMachine));
      CHECK(f.hart.pc == (down ? kS : kM) + 4 * number);
      CHECK((down ? f.supervisor() : f.machine()) == Registers{kPc, kInterrupt | number, 0});
      CHECK((down ? f.machine() : f.supervisor()) == kUntouched);
      if (mie && sie) check_status(f, f.hart.priv, from);
    }
  }
}

TEST_CASE("priv_trap: of any two interrupts the manual's order decides, the delegated ones come last", "[priv_trap]") {
  constexpr unsigned kOrder[] = {11, 3, 7, 9, 1, 5};
  for (u64 mideleg = 0; mideleg < 8; ++mideleg) {
    const u64 delegated = (mideleg & 1) << 1 | (mideleg & 2) << 4 | (mideleg & 4) << 7;
    std::vector<unsigned> order;
    for (const bool down : {false, true}) {
      for (const unsigned number : kOrder) {
        if ((delegated >> number & 1) == (down ? 1u : 0u)) order.push_back(number);
      }
    }
    for (std::size_t first = 0; first < order.size(); ++first) {
      for (std::size_t second = first + 1; second < order.size(); ++second) {
        Fixture f;
        f.write(csr::kMideleg, delegated);
        f.write(csr::kMie, ~u64{0});
        f.set_privilege(Priv::kUser);
        f.lines->level = u64{1} << order[first] | u64{1} << order[second];
        CHECK(f.hart.pending_interrupt() == order[first]);
      }
    }
  }
}

}  // namespace retrov
