// What of a hart is state: its serialised form, apart from hart.hpp because only hart.cpp and the machine need it.
#pragma once

#include <algorithm>

#include "core/hart.hpp"

namespace retrov {

/// Of SteppingFacts::open_irqs.
inline constexpr std::size_t kMaxOpenIrqs = 16;

/// What stands above a floating-point register's own bits: with F alone it has 32 of the 64, and is always boxed.
inline u64 float_box(const Hart& hart) {
  return hart.has(Extension::kF) && !hart.has(Extension::kD) ? ~u64{0} << 32 : 0;
}

template <class A>
void Csrs::serialize(A& a) {
  a(field("mstatus", mstatus), field("medeleg", medeleg), field("mideleg", mideleg), field("mie", mie),
    field("mip", mip), field("mtvec", mtvec), field("mscratch", mscratch), field("mepc", mepc),
    field("mcause", mcause), field("mtval", mtval), field("mcounteren", mcounteren),
    field("mcountinhibit", mcountinhibit), field("menvcfg", menvcfg), field("stvec", stvec),
    field("sscratch", sscratch), field("sepc", sepc), field("scause", scause), field("stval", stval),
    field("scounteren", scounteren), field("senvcfg", senvcfg), field("satp", satp), field("stimecmp", stimecmp),
    field("pmpcfg", pmpcfg), field("pmpaddr", pmpaddr), field("mcycle_offset", mcycle_offset),
    field("minstret_offset", minstret_offset), field("fflags", fflags), field("frm", frm));
}

template <class A>
void SteppingFacts::serialize(A& a) {
  constexpr u64 kNone = ~u64{0};
  u64 last = last_step ? last_step->steps : kNone;
  u64 returned = returned_at ? returned_at->steps : kNone;
  a(field("last_step", last), field("open_irqs", open_irqs), field("returned_at", returned),
    field("returned_irq_taken_at", returned_irq_taken_at.steps));
  last_step = last == kNone ? std::nullopt : std::optional(Position{last});
  returned_at = returned == kNone ? std::nullopt : std::optional(Position{returned});
}

/// A state that comes from a file may hold what no register can.
inline void check_loaded(const Hart& hart) {
  const auto is_privilege = [](u64 value) { return value <= 1 || value == 3; };
  const bool possible = is_privilege(static_cast<u64>(hart.priv)) &&
                        is_privilege((hart.csr.mstatus & mstatus::kMpp) >> 11) && hart.csr.frm <= 7 &&
                        hart.csr.fflags <= 31 && hart.x[0] == 0 && hart.stepping.open_irqs.size() <= kMaxOpenIrqs;
  if (!possible) throw Error(Exit::kBadTrace, "the state of a hart that cannot be");
}

/// Slot 32 of x is where writes to x0 go: not state.
template <class A>
void Hart::serialize(A& a) {
  std::array<u64, 32> integers;
  std::copy_n(x.begin(), integers.size(), integers.begin());
  a(field("x", integers), field("f", f), field("pc", pc), field("priv", priv), field("waiting", waiting),
    field("retired", retired), field("csr", csr), field("reservation", reservation), field("stepping", stepping));
  std::copy(integers.begin(), integers.end(), x.begin());
  if constexpr (A::is_loading::value) check_loaded(*this);
}

}  // namespace retrov
