#include "core/trap.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/device.hpp"
#include "core/hart.hpp"

namespace retrov {
namespace {

constexpr u64 kInterruptBit = u64{1} << 63;
constexpr unsigned kSp = 2;

/// The manual's order (3.1.9): external, software, timer; the machine's before the supervisor's.
constexpr unsigned kPriorities[] = {11, 3, 7, 9, 1, 5};

std::optional<unsigned> first_by_priority(u64 bits) {
  for (unsigned number : kPriorities) {
    if ((bits >> number & 1) != 0) return number;
  }
  return std::nullopt;
}

u64 vector_of(u64 tvec, u64 cause) {
  const u64 base = tvec & ~u64{3};
  const bool vectored = (tvec & 1) != 0 && (cause & kInterruptBit) != 0;
  return vectored ? base + 4 * (cause & ~kInterruptBit) : base;
}

/// As with mtimecmp, and what guests write for "no timer".
constexpr u64 kNoTimer = ~u64{0};

/// Delegation never takes a trap to less privilege than it came from (3.1.8).
Priv handled_by(const Hart& hart, u64 delegated, u64 cause) {
  const bool passed_down = hart.priv != Priv::kMachine && (delegated >> cause & 1) != 0;
  return passed_down ? Priv::kSupervisor : Priv::kMachine;
}

/// Pushes the privilege stack of mstatus (3.1.6.1) and moves the hart to its handler.
void enter_handler(Hart& hart, u64 cause, u64 value, Priv target) {
  Csrs& csr = hart.csr;
  const u64 privilege = static_cast<u64>(hart.priv);
  u64 status = csr.mstatus;
  if (target == Priv::kSupervisor) {
    csr.sepc = hart.pc;
    csr.scause = cause;
    csr.stval = value;
    status &= ~(mstatus::kSpp | mstatus::kSpie);
    status |= privilege << 8 | (status & mstatus::kSie) << 4;
    status &= ~mstatus::kSie;
    hart.pc = vector_of(csr.stvec, cause);
  } else {
    csr.mepc = hart.pc;
    csr.mcause = cause;
    csr.mtval = value;
    status &= ~(mstatus::kMpp | mstatus::kMpie);
    status |= privilege << 11 | (status & mstatus::kMie) << 4;
    status &= ~mstatus::kMie;
    hart.pc = vector_of(csr.mtvec, cause);
  }
  csr.mstatus = status;
  hart.priv = target;
  hart.select_context();
}

/// Stepping backwards over an interrupt needs to know which return ended which interrupt (docs/gdb.md): the return that
/// leads to where the hart was interrupted, with the stack as it was. Handlers above it were left without returning.
void note_return(Hart& hart) {
  std::vector<InterruptFrame>& frames = hart.stepping.open_irqs;
  const auto match = std::find_if(frames.rbegin(), frames.rend(), [&](const InterruptFrame& frame) {
    return frame.privilege == static_cast<u8>(hart.priv) && frame.pc == hart.next_pc && frame.sp == hart.x[kSp];
  });
  if (match == frames.rend()) return;
  hart.stepping.returned_irq_taken_at = match->taken_at;
  hart.stepping.returned_at = Position{hart.position.steps + 1};
  frames.erase(match.base() - 1, frames.end());
}

}  // namespace

u64 Hart::mip() const {
  const bool has_stimecmp = (csr.menvcfg & menvcfg::kStce) != 0;
  const Ticks at = now();
  u64 bits = csr.mip;
  if (has_stimecmp) {
    bits &= ~irq::kStip;
    if (csr.stimecmp != kNoTimer && platform_.time.mtime(at) >= csr.stimecmp) bits |= irq::kStip;
  }
  for (const std::unique_ptr<Device>& device : platform_.devices) bits |= device->mip_bits(index_, at);
  return bits;
}

std::optional<unsigned> Hart::pending_interrupt() const {
  if (csr.mie == 0) return std::nullopt;
  const u64 pending = mip() & csr.mie;
  if (pending == 0) return std::nullopt;
  if (priv != Priv::kMachine || (csr.mstatus & mstatus::kMie) != 0) {
    if (const u64 bits = pending & ~csr.mideleg) return first_by_priority(bits);
  }
  if (priv == Priv::kUser || (priv == Priv::kSupervisor && (csr.mstatus & mstatus::kSie) != 0)) {
    return first_by_priority(pending & csr.mideleg);
  }
  return std::nullopt;
}

Ticks Hart::next_timer(Ticks now) const {
  Ticks next = kNever;
  if ((csr.mie & irq::kMtip) != 0) {
    for (const std::unique_ptr<Device>& device : platform_.devices) {
      next = std::min(next, device->next_mip_change(index_, now));
    }
  }
  if ((csr.mie & irq::kStip) != 0 && (csr.menvcfg & menvcfg::kStce) != 0 && csr.stimecmp != kNoTimer) {
    // STIP rises when time reaches stimecmp and falls when time wraps to 0, to rise again.
    const u64 mtime = platform_.time.mtime(now);
    const u64 distance = mtime < csr.stimecmp ? csr.stimecmp - mtime : u64{0} - mtime;
    if (csr.stimecmp != 0 && distance < kNever.value - now.value) next = std::min(next, Ticks{now.value + distance});
  }
  return next;
}

void Hart::take_trap(Trap trap) {
  const u64 cause = static_cast<u64>(trap.cause);
  RV_CHECK(cause < 64);
  enter_handler(*this, cause, trap.value, handled_by(*this, csr.medeleg, cause));
}

void Hart::take_interrupt(unsigned number) {
  std::vector<InterruptFrame>& frames = stepping.open_irqs;
  if (frames.size() == kMaxOpenIrqs) frames.erase(frames.begin());
  frames.push_back({position, pc, x[kSp], static_cast<u8>(priv)});
  waiting = false;
  enter_handler(*this, kInterruptBit | number, 0, handled_by(*this, csr.mideleg, number));
}

Trap Hart::mret() {
  if (priv != Priv::kMachine) return illegal();
  u64 status = csr.mstatus;
  priv = static_cast<Priv>((status & mstatus::kMpp) >> 11);
  status &= ~(mstatus::kMie | mstatus::kMpp);
  status |= (status & mstatus::kMpie) >> 4 | mstatus::kMpie;
  if (priv != Priv::kMachine) status &= ~mstatus::kMprv;
  csr.mstatus = status;
  next_pc = csr.mepc;
  select_context();
  note_return(*this);
  leave = true;
  return {};
}

Trap Hart::sret() {
  if (priv == Priv::kUser) return illegal();
  if (priv == Priv::kSupervisor && (csr.mstatus & mstatus::kTsr) != 0) return illegal();
  u64 status = csr.mstatus;
  priv = (status & mstatus::kSpp) != 0 ? Priv::kSupervisor : Priv::kUser;
  status &= ~(mstatus::kSie | mstatus::kSpp | mstatus::kMprv);
  status |= (status & mstatus::kSpie) >> 4 | mstatus::kSpie;
  csr.mstatus = status;
  next_pc = csr.sepc;
  select_context();
  note_return(*this);
  leave = true;
  return {};
}

/// With TW the manual lets WFI trap after a time of the implementation's choice (3.1.6.5): at once. In U-mode it always
/// does, as on QEMU.
Trap Hart::wfi() {
  if (priv == Priv::kUser) return illegal();
  if (priv == Priv::kSupervisor && (csr.mstatus & mstatus::kTw) != 0) return illegal();
  if (wakes()) return {};
  waiting = true;
  turn_over = true;
  leave = true;
  return {};
}

/// The manual allows xtval to hold the address of the ebreak (3.1.16).
Trap Hart::ebreak() {
  platform_.touched.ebreaks = true;
  StopSet* stops = platform_.stops;
  const bool wanted = stops != nullptr && (stops->ebreak_privileges >> static_cast<u8>(priv) & 1) != 0;
  if (!wanted || stops->passes_instruction(position)) return {Cause::kBreakpoint, pc};
  stops->hit = StopHit{StopHit::Kind::kEbreak, index_, VirtAddr{pc}, 0, false, 0};
  return {Cause::kDebugStop, pc};
}

Trap Hart::ecall() {
  switch (priv) {
    case Priv::kUser: return {Cause::kEcallFromUser, 0};
    case Priv::kSupervisor: return {Cause::kEcallFromSupervisor, 0};
    case Priv::kMachine: break;
  }
  return {Cause::kEcallFromMachine, 0};
}

/// Translations are always those of memory as it is (docs/machine.md, "Memory"), so there is nothing to do.
Trap Hart::sfence_vma() {
  if (priv == Priv::kUser) return illegal();
  if (priv == Priv::kSupervisor && (csr.mstatus & mstatus::kTvm) != 0) return illegal();
  return {};
}

}  // namespace retrov
