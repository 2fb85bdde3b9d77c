#include "tests/difftest/rules.hpp"

#include <algorithm>
#include <cstring>

#include "core/csr.hpp"
#include "tests/difftest/arena.hpp"
#include "tests/difftest/csr_roles.hpp"

namespace retrov::difftest {
namespace {

enum RuleId : unsigned {
  kStaleCode,
  kStaleTranslation,
  kReservation,
  kHidden,
  kTimer,
  kDevice,
  kWaits,
  kPriority,
  kBlockAddress,
  kSvinval,
  kFailedStore,
  kRole,
  kBlockNowhere,
  kTimerInSip,
  kFlags,
  kMarks,
  kWaitTraps,
  kMisalignedSc,
  kCrossing,
  kAmo,
  kWfi,
  kNoTables,
  kNoEntry,
  kForeign,
  kEntryInside,
};

constexpr Rule kRules[] = {
    {"stale code", "a store to code is sure to be seen only behind FENCE.I (chapter Zifencei)"},
    {"stale translation", "a change of a page table is sure to be seen only behind SFENCE.VMA (4.2.1)"},
    {"reservation",
     "whether SC succeeds after other stores, traps, or at another address or size, is open (chapter A)"},
    {"counter", "a register that follows from speed is read by code that nobody made"},
    {"timer", "stimecmp is near the host's clock; or QEMU's STIP follows it without STCE (Sstc, chapter 2)"},
    {"device", "the machine here has no devices for what QEMU's has"},
    {"waits", "WFI waits for an interrupt that does not come"},
    {"priority", "QEMU takes the pending interrupt with the lowest number first; the order is another (3.1.9)"},
    {"block address", "QEMU gives the address of the block, not rs1, when CBO faults (chapter CMO, \"Traps\")"},
    {"svinval", "QEMU executes SFENCE.W.INVAL and SFENCE.INVAL.IR in U-mode (chapter Svinval)"},
    {"failed SC", "as to memory protection, and D, an SC that fails may be treated as a store (chapter A)"},
    {"role", "code that nobody made writes to a CSR what it must not (see the CSRs)"},
    {"block of nothing", "QEMU lets CBO pass where nothing answers (chapter CMO, \"Traps\")"},
    {"sip.STIP", "QEMU reads it as 0 with STCE; sip is a view of mip (4.1.3)"},
    {"flags", "QEMU leaves FS as it is if an integer result raises a flag, or CSRRS changes no bit of fcsr (3.1.6.6)"},
    {"marks", "QEMU has set A or D before PMP, misalignment or a bad NAPOT size stops the access (4.3.1)"},
    {"WRS.NTO", "with TW it may trap below M-mode; here it never does (docs/machine.md, \"Turns\")"},
    {"misaligned SC", "QEMU calls it a misaligned load (3.1.15: SC is a store)"},
    {"crossing", "of an access across a page of which neither half can be made, either may be named"},
    {"AMO", "QEMU tries the load first: its page fault or access fault hides the store's, and D (3.1.15, 3.7)"},
    {"WFI", "at the end of a page and illegal, QEMU leaves an mepc that is a page too high (3.1.14)"},
    {"no tables", "a page table where no memory is gives a page fault on QEMU, not an access fault (4.3.2)"},
    {"no PMP entry", "on QEMU the MRET that leaves M-mode faults, not the fetch behind it (3.7.1: accesses fail)"},
    {"reads what other programs have left", "that depends on the batch"},
    {"PMP entry inside", "QEMU looks at the first and the last byte; an entry between them matches, too (3.7.1)"},
};

constexpr u64 kSurelyPast = u64{1} << 20, kSurelyFuture = u64{1} << 40;

bool is_named(const InsnRow* row, std::initializer_list<std::string_view> names) {
  return row != nullptr && std::find(names.begin(), names.end(), row->name) != names.end();
}

bool is_csr(const InsnRow* row) {
  return row != nullptr && (row->format == Format::kCsr || row->format == Format::kCsrImm);
}

/// A read of sip, or what is set or cleared in it, goes wrong on QEMU.
bool hides_timer(const Csrs& csr, u64 mip) {
  return (csr.menvcfg & menvcfg::kStce) != 0 && (mip & csr.mideleg & irq::kStip) != 0;
}

bool is_access_fault(u64 cause) {
  return cause == static_cast<u64>(Cause::kInstructionAccessFault) ||
         cause == static_cast<u64>(Cause::kLoadAccessFault) || cause == static_cast<u64>(Cause::kStoreAccessFault);
}

bool is_misaligned(u64 cause) {
  return cause == static_cast<u64>(Cause::kLoadMisaligned) || cause == static_cast<u64>(Cause::kStoreMisaligned);
}

bool is_page_fault(u64 cause) {
  return cause == static_cast<u64>(Cause::kInstructionPageFault) || cause == static_cast<u64>(Cause::kLoadPageFault) ||
         cause == static_cast<u64>(Cause::kStorePageFault);
}

bool is_of_store(u64 cause) {
  return cause == static_cast<u64>(Cause::kStoreMisaligned) || cause == static_cast<u64>(Cause::kStoreAccessFault) ||
         cause == static_cast<u64>(Cause::kStorePageFault);
}

/// Sets or clears no bit of fcsr, and yet writes it.
bool changes_no_flag(const StepSeen& step) {
  const bool floating = step.raw >> 20 >= 1 && step.raw >> 20 <= 3, swaps = (step.raw >> 12 & 3) == 1;
  return floating && !swaps && step.operands.rs1 != 0 && step.row->format == Format::kCsr && step.address == 0;
}

/// The board of QEMU has something there, of which the machine here need not have been asked.
bool is_device(u64 address) {
  return (address >= kPageBytes && address < DT_RAM) || (address >= 0x400000000 && address < 0x800000000);
}

/// Records and logs, also of programs that run elsewhere in a batch. The page before belongs to whoever crosses it.
bool is_foreign(u64 physical) { return physical >= DT_RECORDS - kPageBytes && physical < DT_RAM + DT_RAM_BYTES; }

/// A load or store that has faulted in one of two pages.
bool may_cross(const StepSeen& step) {
  if (step.row == nullptr || (step.row->kind != Kind::kLoad && step.row->kind != Kind::kStore)) return false;
  const u64 address = step.address + static_cast<u64>(i64{step.operands.imm});
  return address % kPageBytes > kPageBytes - 8;
}

/// FP instructions whose only traces of floating point are flags.
bool has_integer_result(const InsnRow* row) {
  return row != nullptr && (row->format == Format::kFToInt || row->format == Format::kFCompare);
}

bool takes_in_machine(const Hart& hart, unsigned interrupt) { return (hart.csr.mideleg >> interrupt & 1) == 0; }

bool invalidates(const InsnRow* row) { return is_named(row, {"sfence.vma", "sinval.vma"}); }

}  // namespace

std::span<const Rule> rules() { return kRules; }

Referee::Referee(Machine& machine, const Program&)
    : machine_(machine), hart_(machine.hart(0)), code_(kArenaBytes), menvcfg_(hart_.csr.menvcfg) {
  synchronised();
  (void)tables_changed();
}

const u8* Referee::arena() const {
  Memory& memory = machine_.memory();
  return memory.host(memory.offset_of(PhysAddr{DT_ARENA}));
}

std::optional<unsigned> Referee::runner_returns() {
  synchronised();
  return leaves_without_entry() ? std::optional<unsigned>(kNoEntry) : std::nullopt;
}

/// Of an MRET: to a mode that must not access anything, for all entries are off.
bool Referee::leaves_without_entry() const {
  const auto is_off = [](u8 config) { return (config & 0x18) == 0; };
  const bool leaves = hart_.priv == Priv::kMachine && (hart_.csr.mstatus & mstatus::kMpp) != mstatus::kMpp;
  return leaves && std::all_of(hart_.csr.pmpcfg.begin(), hart_.csr.pmpcfg.end(), is_off);
}

void Referee::synchronised() { std::memcpy(code_.data(), arena(), kArenaBytes); }

/// By software: what the hardware does is to set A and D. A program that sets them itself does no harm.
bool Referee::tables_changed() {
  const u8* now = arena() + kFirstTablePage * kPageBytes;
  const std::size_t size_bytes = kArenaBytes - kFirstTablePage * kPageBytes;
  if (tables_.size() == size_bytes && std::memcmp(tables_.data(), now, size_bytes) == 0) return false;
  bool changed = false;
  for (std::size_t i = 0; i < tables_.size(); i += 8) {
    u64 before = 0, after = 0;
    std::memcpy(&before, tables_.data() + i, 8);
    std::memcpy(&after, now + i, 8);
    constexpr u64 kMarkBits = 64 | 128, kLeaf = 2 | 4 | 8;
    const u64 may_appear = (before & kLeaf) != 0 ? kMarkBits : 0;
    if ((before & ~after) != 0 || (after & ~before & ~may_appear) != 0) changed = true;
  }
  tables_.assign(now, now + size_bytes);
  return changed;
}

/// QEMU's STIP is one bit, which a write of stimecmp sets or clears even without STCE.
bool Referee::timer_differs(const StepSeen& step) const {
  const Csrs& csr = hart_.csr;
  const bool enabled = (csr.menvcfg & menvcfg::kStce) != 0, was_enabled = (menvcfg_ & menvcfg::kStce) != 0;
  if (csr.stimecmp >= kSurelyPast && csr.stimecmp < kSurelyFuture) return true;
  const bool past = csr.stimecmp < kSurelyPast, software = (csr.mip & irq::kStip) != 0;
  if (enabled != was_enabled && (past || software)) return true;
  return is_csr(step.row) && step.raw >> 20 == 0x14d && !step.trapped && !enabled && (past || software);
}

bool Referee::breaks_role(const StepSeen& step) const {
  const u16 number = static_cast<u16>(step.raw >> 20);
  const CsrRole& role = role_of(number);
  const u64 bits = step.row->format == Format::kCsrImm ? step.operands.rs1 : step.address;
  const bool swaps = (step.raw >> 12 & 3) == 1;
  if (!swaps && step.operands.rs1 == 0) return false;
  if (number == 0x30a && (bits >> 60 & 1) != 0) return true;
  if ((bits & ~role.mask) != 0) return true;
  if (number == 0x10a || number == 0x30a) {
    const u64 old = number == 0x10a ? hart_.csr.senvcfg : hart_.csr.menvcfg;
    const bool sets = (step.raw >> 12 & 3) == 2;
    return ((swaps ? bits : sets ? old | bits : old & ~bits) & menvcfg::kCbie) == 0x20;
  }
  if (number < 0x3a0 || number > 0x3a3) return false;
  for (unsigned i = 0; i < 64; i += 8) {
    if ((bits >> i & 0x60) != 0 || (bits >> i & 3) == 2) return true;
  }
  return !swaps;
}

/// The entry that ends a walk of the tables from the address on, by its form alone.
std::optional<u64> Referee::leaf_of(u64 address) const {
  const Memory& memory = machine_.memory();
  u64 table = hart_.csr.satp & ((u64{1} << 44) - 1);
  for (unsigned level = static_cast<unsigned>(hart_.csr.satp >> 60) - 5; level-- > 0;) {
    const PhysAddr at{(table << kPageShift) + (address >> (12 + 9 * level) & 511) * 8};
    if (!memory.contains(at, 8)) return std::nullopt;
    u64 entry = 0;
    std::memcpy(&entry, memory.host(memory.offset_of(at)), sizeof entry);
    constexpr u64 kLeaf = 2 | 4 | 8;
    if ((entry & kLeaf) != 0) return entry;
    table = entry >> 10 & ((u64{1} << 44) - 1);
  }
  return std::nullopt;
}

/// The access was refused for something that QEMU looks at only when it has set A and D.
bool Referee::marks_too_early(const StepSeen& step) const {
  if (!step.paged || !step.trapped || (hart_.csr.menvcfg & menvcfg::kAdue) == 0) return false;
  const bool late = is_access_fault(step.cause) || is_misaligned(step.cause), page = is_page_fault(step.cause);
  if (!late && !page) return false;
  const auto leaf = leaf_of(step.trap_value);
  constexpr u64 kAccessed = 64, kDirty = 128, kNapot = u64{1} << 63;
  if (!leaf || (page && (*leaf & kNapot) == 0)) return false;
  return (*leaf & kAccessed) == 0 || (is_of_store(step.cause) && (*leaf & kDirty) == 0);
}

/// Of an atomic operation, if the load has another fate than the store.
std::optional<unsigned> Referee::halves_differ(const StepSeen& step) const {
  Hart& hart = const_cast<Hart&>(hart_);
  const unsigned whole_bytes = 1u << (step.raw >> 12 & 7);
  const unsigned size_bytes = step.address % whole_bytes == 0 ? whole_bytes : 1;
  const auto probe = [&](AccessKind kind) {
    return hart.translate(VirtAddr{step.address}, size_bytes, kind, Hart::Walk::kProbe);
  };
  const Hart::Translation load = probe(AccessKind::kLoad), store = probe(AccessKind::kStore);
  const bool nothing_there = !load.trap && !machine_.memory().contains(load.address, size_bytes);
  if (nothing_there && is_device(load.address.value)) return kDevice;
  if (nothing_there && (store.trap || store.needs_update)) return kAmo;
  if (!store.trap) return std::nullopt;
  if (!load.trap) return load.needs_update ? std::optional<unsigned>(kMarks) : std::nullopt;
  return is_access_fault(u64(load.trap.cause)) != is_access_fault(u64(store.trap.cause)) ? std::optional<unsigned>(kAmo)
                                                                                         : std::nullopt;
}

/// Of a load or store of 8 bytes, the only ones that have room for an entry that reaches neither end.
bool Referee::has_entry_inside(const StepSeen& step) const {
  if (step.row == nullptr || (step.row->kind != Kind::kLoad && step.row->kind != Kind::kStore)) return false;
  constexpr u64 kLongest = 8;
  Hart& hart = const_cast<Hart&>(hart_);
  const VirtAddr address{step.address + static_cast<u64>(i64{step.operands.imm})};
  const Hart::Translation to = hart.translate(address, 1, AccessKind::kLoad, Hart::Walk::kProbe);
  if (to.trap || to.address.value % kLongest == 0) return false;
  u64 below = 0;
  for (std::size_t i = 0; i < hart.csr.pmpcfg.size(); ++i) {
    constexpr u8 kTopOfRange = 1, kFourBytes = 2;
    const u64 at = hart.csr.pmpaddr[i] << 2;
    const u8 mode = hart.csr.pmpcfg[i] >> 3 & 3;
    const u64 first = mode == kFourBytes ? at : below, end = mode == kFourBytes ? at + 4 : at;
    const bool is_inside = first > to.address.value && end < to.address.value + kLongest && first < end;
    if ((mode == kTopOfRange || mode == kFourBytes) && is_inside) return true;
    below = at;
  }
  return false;
}

bool Referee::reads_foreign(const StepSeen& step) const {
  if (step.row == nullptr) return false;
  const bool load = step.row->kind == Kind::kLoad;
  if (!load && step.row->format != Format::kAmo && step.row->format != Format::kLr) return false;
  const u64 address = step.address + (load ? static_cast<u64>(i64{step.operands.imm}) : 0);
  Hart& hart = const_cast<Hart&>(hart_);
  const Hart::Translation to = hart.translate(VirtAddr{address}, 1, AccessKind::kLoad, Hart::Walk::kProbe);
  return !to.trap && is_foreign(to.address.value);
}

/// A store there would fault or set a bit in a page table. Asking changes nothing.
bool Referee::store_is_felt(u64 address, unsigned size_bytes) const {
  if (address % size_bytes != 0) return false;
  Hart& hart = const_cast<Hart&>(hart_);
  const Hart::Translation to = hart.translate(VirtAddr{address}, size_bytes, AccessKind::kStore, Hart::Walk::kProbe);
  return to.trap || to.needs_update || !machine_.memory().contains(to.address, size_bytes);
}

std::optional<unsigned> Referee::before(StepSeen& step) {
  const Hart& hart = hart_;
  if (const auto interrupt = hart.pending_interrupt()) {
    reserved_ = false;
    const u64 pending = hart.mip() & hart.csr.mie;
    const u64 of_target = pending & (takes_in_machine(hart, *interrupt) ? ~hart.csr.mideleg : hart.csr.mideleg);
    return (of_target & ((u64{1} << *interrupt) - 1)) != 0 ? std::optional<unsigned>(kPriority) : std::nullopt;
  }
  step.fp_dirty = (hart.csr.mstatus & mstatus::kFs) == mstatus::kFs;
  const bool paged =
      (hart.csr.satp >> 60) != 0 && (hart.priv != Priv::kMachine || hart.data_privilege() != Priv::kMachine);
  step.paged = paged;
  const auto physical_of = [&](u64 address) -> std::optional<u64> {
    if (hart.priv == Priv::kMachine) return address;
    const auto found = machine_.translate_for_debugger(0, VirtAddr{address});
    return found ? std::optional<u64>(found->value) : std::nullopt;
  };
  const auto first = physical_of(hart.pc), second = physical_of(hart.pc + 2);
  Memory& memory = machine_.memory();
  if (first && *first >= kPageBytes && *first < DT_RAM) return kDevice;
  if (first && is_foreign(*first)) return kForeign;
  if (first && memory.contains(PhysAddr{*first}, 2)) {
    std::array<u8, 4> bytes{};
    memory.read(PhysAddr{*first}, std::span(bytes).first(2));
    if ((bytes[0] & 3) == 3 && second && memory.contains(PhysAddr{*second}, 2)) {
      memory.read(PhysAddr{*second}, std::span(bytes).last(2));
    }
    std::memcpy(&step.raw, bytes.data(), 4);
    step.fetched_at = *first;
    step.row = find_insn(step.raw, hart.platform().extensions);
    if (step.row != nullptr) step.operands = decode_operands(step.row->format, step.raw);
    if (step.row != nullptr && step.operands.rs1 < 32) step.address = hart.x[step.operands.rs1];
    const unsigned length = insn_length_bytes(step.raw);
    for (unsigned i = 0; i < length; ++i) {
      const u64 at = (i < 2 ? *first : *second - 2) + i - DT_ARENA;
      if (at < kArenaBytes && code_[at] != arena()[at]) return kStaleCode;
    }
  }
  if (stale_ && paged && !invalidates(step.row) && !is_named(step.row, {"sfence.w.inval"})) return kStaleTranslation;
  const bool waits_trap = hart.priv != Priv::kMachine && (hart.csr.mstatus & mstatus::kTw) != 0;
  if (is_named(step.row, {"wfi"}) && hart.pc % kPageBytes >= kPageBytes - 4) return kWfi;
  if (waits_trap && is_named(step.row, {"wrs.nto"})) return kWaitTraps;
  if (is_named(step.row, {"mret"}) && leaves_without_entry()) return kNoEntry;
  if (hart.priv == Priv::kUser && is_named(step.row, {"sfence.w.inval", "sfence.inval.ir"})) return kSvinval;
  if (is_csr(step.row) && role_of(static_cast<u16>(step.raw >> 20)).hidden && (step.raw & 0xf80) != 0) return kHidden;
  if (is_csr(step.row) && breaks_role(step)) return kRole;
  if (is_csr(step.row) && !step.fp_dirty && changes_no_flag(step)) return kFlags;
  if (is_csr(step.row) && step.raw >> 20 == 0x144 && hides_timer(hart.csr, hart.mip())) return kTimerInSip;
  if (is_named(step.row, {"sc.w", "sc.d"})) {
    const unsigned size_bytes = step.row->name == "sc.w" ? 4 : 8;
    if (step.address % size_bytes != 0) return kMisalignedSc;
    if (hart.reservation.valid && (!reserved_ || hart.reservation.size_bytes != size_bytes)) return kReservation;
    if (!hart.reservation.valid && store_is_felt(step.address, size_bytes)) return kFailedStore;
  }
  if (reads_foreign(step)) return kForeign;
  if (has_entry_inside(step)) return kEntryInside;
  if (paged && step.row != nullptr && step.row->format == Format::kAmo) return halves_differ(step);
  return std::nullopt;
}

std::optional<unsigned> Referee::after(const StepSeen& step) {
  if (machine_.idle()) return kWaits;
  const bool block = step.row != nullptr && step.row->format == Format::kBlock;
  if (block && step.trapped && !step.illegal() && step.address % 64 != 0) return kBlockAddress;
  if (is_access_fault(step.cause)) {
    if (block) return kBlockNowhere;
  }
  if (is_access_fault(step.cause) && !step.paged && is_device(step.trap_value)) return kDevice;
  if (is_access_fault(step.cause) && may_cross(step)) return kCrossing;
  if (is_access_fault(step.cause) && step.paged && !leaf_of(step.trap_value)) return kNoTables;
  if (marks_too_early(step)) return kMarks;
  if (has_integer_result(step.row) && !step.fp_dirty && (hart_.csr.mstatus & mstatus::kFs) == mstatus::kFs)
    return kFlags;
  if (timer_differs(step)) return kTimer;
  if (invalidates(step.row) && !step.trapped) stale_ = false;
  if (tables_changed()) stale_ = true;
  if (((menvcfg_ ^ hart_.csr.menvcfg) & menvcfg::kPbmte) != 0) stale_ = true;
  menvcfg_ = hart_.csr.menvcfg;
  if (step.trapped || is_named(step.row, {"fence.i"})) synchronised();
  if (is_named(step.row, {"lr.w", "lr.d"}) && !step.trapped)
    reserved_ = true;
  else if (step.trapped || step.row == nullptr || step.row->kind != Kind::kAlu)
    reserved_ = false;
  return std::nullopt;
}

}  // namespace retrov::difftest
