// Random page tables and random protection against the manual's algorithm, written down a second time: the steps of
// "Virtual Address Translation Process" (privileged manual, 4.3.2) in their order, and PMP (3.7) byte by byte. Covers
// core/mmu and core/pmp.
#include <algorithm>
#include <random>

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

using Dice = std::mt19937_64;

bool one_in(Dice& dice, unsigned chance) { return dice() % chance == 0; }

// --- protection ------------------------------------------------------------------------------------------------------

bool entry_matches(const Csrs& csr, unsigned index, u64 byte) {
  const u64 word = byte / 4, address = csr.pmpaddr.at(index);
  switch (csr.pmpcfg.at(index) / 8 % 4) {
    case 1:
      return word < address && (index == 0 || word >= csr.pmpaddr.at(index - 1));
    case 2:
      return word == address;
    case 3: {
      // Behind the lowest zero of the address nothing is compared.
      unsigned free_bits = 0;
      while (free_bits < 54 && (address >> free_bits & 1) != 0) ++free_bits;
      return word >> (free_bits + 1) == address >> (free_bits + 1);
    }
    default:
      return false;
  }
}

bool protection_allows(const Csrs& csr, u64 first, u64 bytes, AccessKind kind, Priv privilege) {
  for (unsigned i = 0; i < 16; ++i) {
    u64 matching = 0;
    for (u64 byte = first; byte != first + bytes; ++byte) matching += entry_matches(csr, i, byte);
    if (matching == 0) continue;
    if (matching != bytes) return false;
    const u8 config = csr.pmpcfg.at(i);
    const u8 wanted = kind == AccessKind::kLoad ? 1 : kind == AccessKind::kStore ? 2 : 4;
    return (privilege == Priv::kMachine && config < 0x80) || (config & wanted) != 0;
  }
  return privilege == Priv::kMachine;
}

/// Entries around `center`, so that they cut what lies there.
void protect_at_random(BareHart& bare, Dice& dice, u64 center) {
  for (unsigned i = 0; i < 16; ++i) {
    const u8 config = one_in(dice, 3) ? static_cast<u8>(dice() & 0x9f) : u8{0};
    const u64 near = (center / 4 + dice() % 32 - 16) & ((u64{1} << 54) - 1);
    bare.protect(i, config, near | ((u64{1} << dice() % 14) - 1));
  }
}

// --- translation -----------------------------------------------------------------------------------------------------

constexpr AccessKind kKinds[] = {AccessKind::kLoad, AccessKind::kStore, AccessKind::kFetch};

struct Expected {
  Cause cause = Cause::kNone;
  u64 physical = 0;
  u64 entry_at = 0, entry = 0;  ///< What is written, if entry_at is not 0.
};

Expected page_fault(AccessKind kind) {
  constexpr Cause kCauses[] = {Cause::kLoadPageFault, Cause::kStorePageFault, Cause::kInstructionPageFault};
  return {kCauses[std::find(kKinds, kKinds + 3, kind) - kKinds]};
}
Expected access_fault(AccessKind kind) {
  constexpr Cause kCauses[] = {Cause::kLoadAccessFault, Cause::kStoreAccessFault, Cause::kInstructionAccessFault};
  return {kCauses[std::find(kKinds, kKinds + 3, kind) - kKinds]};
}

struct Entry {
  u64 bits;
  [[nodiscard]] bool has(unsigned bit) const { return (bits >> bit & 1) != 0; }
  [[nodiscard]] bool v() const { return has(0); }
  [[nodiscard]] bool r() const { return has(1); }
  [[nodiscard]] bool w() const { return has(2); }
  [[nodiscard]] bool x() const { return has(3); }
  [[nodiscard]] bool u() const { return has(4); }
  [[nodiscard]] bool a() const { return has(6); }
  [[nodiscard]] bool d() const { return has(7); }
  [[nodiscard]] u64 ppn() const { return bits << 10 >> 20; }
  [[nodiscard]] u64 reserved() const { return bits << 3 >> 57; }
  [[nodiscard]] u64 pbmt() const { return bits << 1 >> 62; }
  [[nodiscard]] bool n() const { return has(63); }
};

bool permits(const Entry& leaf, const Csrs& csr, AccessKind kind, Priv privilege) {
  const bool sum = (csr.mstatus >> 18 & 1) != 0, mxr = (csr.mstatus >> 19 & 1) != 0;
  if (leaf.u() && privilege == Priv::kSupervisor && (!sum || kind == AccessKind::kFetch)) return false;
  if (!leaf.u() && privilege == Priv::kUser) return false;
  if (kind == AccessKind::kLoad) return leaf.r() || (mxr && leaf.x());
  return kind == AccessKind::kStore ? leaf.w() : leaf.x();
}

Expected translate(const BareHart& bare, u64 va, unsigned bytes, AccessKind kind) {
  const Csrs& csr = bare.hart.csr;
  const bool mprv = (csr.mstatus >> 17 & 1) != 0 && kind != AccessKind::kFetch;
  const Priv privilege = mprv ? static_cast<Priv>(csr.mstatus >> 11 & 3) : bare.hart.priv;
  const unsigned mode = static_cast<unsigned>(csr.satp >> 60);
  const bool adue = csr.menvcfg >> 61 & 1, pbmte = csr.menvcfg >> 62 & 1;
  if (privilege == Priv::kMachine || mode == 0) {
    if (!protection_allows(csr, va, bytes, kind, privilege)) return access_fault(kind);
    return {Cause::kNone, va};
  }
  const unsigned levels = mode - 5, va_bits = 12 + 9 * levels;
  const u64 upper = va >> (va_bits - 1), all_upper = ~u64{0} >> (va_bits - 1);
  if (upper != 0 && upper != all_upper) return page_fault(kind);
  u64 table = csr.satp << 20 >> 20;
  for (unsigned i = levels; i-- > 0;) {
    const u64 at = table * 4096 + (va >> (12 + 9 * i)) % 512 * 8;
    if (!bare.memory.contains(PhysAddr{at}, 8)) return access_fault(kind);
    if (!protection_allows(csr, at, 8, AccessKind::kLoad, Priv::kSupervisor)) return access_fault(kind);
    const Entry entry{bare.get(at)};
    if (!entry.v() || (entry.w() && !entry.r()) || entry.reserved() != 0) return page_fault(kind);
    if (entry.pbmt() != 0 && !pbmte) return page_fault(kind);
    if (!entry.r() && !entry.x()) {
      if (entry.a() || entry.d() || entry.u() || entry.n() || entry.pbmt() != 0) return page_fault(kind);
      table = entry.ppn();
      continue;
    }
    if (entry.pbmt() == 3 || (entry.n() && (i != 0 || entry.ppn() % 16 != 8))) return page_fault(kind);
    if (!permits(entry, csr, kind, privilege)) return page_fault(kind);
    const u64 pages = entry.n() ? 16 : u64{1} << 9 * i;
    if (!entry.n() && entry.ppn() % pages != 0) return page_fault(kind);
    Expected result{Cause::kNone, (entry.ppn() / pages * pages + va / 4096 % pages) * 4096 + va % 4096};
    const bool needs_d = kind == AccessKind::kStore && !entry.d();
    if (!entry.a() || needs_d) {
      if (!adue) return page_fault(kind);
      if (!protection_allows(csr, at, 8, AccessKind::kStore, Priv::kSupervisor)) return access_fault(kind);
      result.entry_at = at;
      result.entry = entry.bits | 0x40 | (needs_d ? 0x80 : 0);
    }
    if (!protection_allows(csr, result.physical, bytes, kind, privilege)) return access_fault(kind);
    return result;
  }
  return page_fault(kind);
}

constexpr u64 kTables = kTestRam + 0x10000;  ///< One page per level.

/// Entries on the way of `va`, most of them well-formed.
void map_at_random(BareHart& bare, Dice& dice, u64 va, unsigned levels) {
  for (unsigned i = levels; i-- > 0;) {
    const u64 at = kTables + u64{4096} * i + (va >> (12 + 9 * i)) % 512 * 8;
    u64 entry = 1;
    if (i != 0 && !one_in(dice, 5)) {
      entry |= (kTables / 4096 + i - 1) << 10;
      if (one_in(dice, 40)) entry = (entry & 1) | u64{0x10000} << 10;  // No RAM there.
    } else {
      u64 page = (kTestRam + dice() % kTestRamBytes) / 4096;
      if (i != 0 && !one_in(dice, 6)) page = kTestRam / 4096 >> 9 * i << 9 * i;
      entry |= page << 10 | (dice() & 0xe);
      for (const u64 usual : {u64{2}, u64{4}, u64{8}, u64{0x40}, u64{0x80}}) entry |= one_in(dice, 2) ? usual : 0;
      if (one_in(dice, 2)) entry |= 0x10;
      if (i == 0 && one_in(dice, 4)) entry = (entry & ~(u64{0xf} << 10)) | u64{8} << 10 | u64{1} << 63;
      if (one_in(dice, 6)) entry |= u64{1} << 61;
    }
    // One bit more or less is what makes an encoding reserved.
    if (one_in(dice, 8)) entry ^= u64{1} << dice() % 64;
    bare.put(at, entry);
  }
}

}  // namespace

TEST_CASE("mmu_table: protection allows what a look at each byte allows", "[mmu_table]") {
  Dice dice(1);
  BareHart bare;
  unsigned allowed = 0;
  constexpr unsigned kTries = 100'000;
  for (unsigned i = 0; i < kTries; ++i) {
    const u64 center = one_in(dice, 8) ? 64 : kTestRam + 0x2000;
    if (i % 4 == 0) protect_at_random(bare, dice, center);
    const u64 bytes = u64{1} << dice() % 4, first = center + dice() % 128 - 64;
    const AccessKind kind = kKinds[dice() % 3];
    constexpr Priv kPrivileges[] = {Priv::kUser, Priv::kSupervisor, Priv::kMachine};
    const Priv privilege = kPrivileges[dice() % 3];
    const bool expected = protection_allows(bare.hart.csr, first, bytes, kind, privilege);
    allowed += expected;
    if (bare.hart.pmp_allows(PhysAddr{first}, bytes, kind, privilege) != expected) {
      FAIL("try " << i << ": " << std::hex << first << ", " << bytes << " bytes");
    }
  }
  CHECK(allowed > kTries / 8);
  CHECK(allowed < kTries * 7 / 8);
}

TEST_CASE("mmu_table: a page is said to be uniform only if every access in it has one answer", "[mmu_table]") {
  Dice dice(2);
  BareHart bare;
  unsigned uniform = 0;
  for (unsigned i = 0; i < 1'000; ++i) {
    const u64 page = kTestRam + 0x2000;
    protect_at_random(bare, dice, page + (one_in(dice, 2) ? 0 : 0x800));
    if (!bare.hart.pmp_uniform_in_page(PhysAddr{page})) continue;
    ++uniform;
    for (const AccessKind kind : kKinds) {
      const bool first = protection_allows(bare.hart.csr, page, 4, kind, Priv::kSupervisor);
      for (u64 at = page; at < page + 4096; at += 4) {
        if (protection_allows(bare.hart.csr, at, 4, kind, Priv::kSupervisor) != first) FAIL("try " << i);
      }
    }
  }
  CHECK(uniform > 100);
}

TEST_CASE("mmu_table: random tables translate as the manual's steps do, and are marked by a commit alone",
          "[mmu_table]") {
  Dice dice(3);
  BareHart bare;
  Hart& hart = bare.hart;
  bare.walks.start_epoch();
  unsigned translated = 0, marked = 0, page_faults = 0, access_faults = 0;
  constexpr unsigned kTries = 60'000;
  for (unsigned i = 0; i < kTries; ++i) {
    const unsigned levels = 3 + dice() % 3, va_bits = 12 + 9 * levels;
    u64 va = dice() % (u64{1} << va_bits);
    if ((va >> (va_bits - 1) & 1) != 0) va |= ~u64{0} << va_bits;
    map_at_random(bare, dice, va, levels);
    if (one_in(dice, 20)) va ^= u64{1} << (va_bits - 1 + dice() % (65 - va_bits));
    va &= ~u64{7};
    hart.csr.satp = u64{levels + 5} << 60 | (dice() & 0xffff) << 44 | (kTables / 4096 + levels - 1);
    if (one_in(dice, 20)) hart.csr.satp = 0;
    hart.csr.mstatus = (dice() & (mstatus::kSum | mstatus::kMxr)) | (one_in(dice, 4) ? mstatus::kMprv : 0);
    hart.csr.mstatus |= u64{one_in(dice, 3) ? 3u : one_in(dice, 2) ? 1u : 0u} << 11;
    hart.csr.menvcfg = dice() & (menvcfg::kAdue | menvcfg::kPbmte);
    if (one_in(dice, 2)) hart.csr.menvcfg |= menvcfg::kPbmte;
    hart.csr.pmpcfg = {};
    hart.csr.pmpaddr = {};
    bare.open_pmp();
    // Something forbidden: a page of tables, or eight bytes of one.
    if (one_in(dice, 4)) {
      const u64 page = (kTables + dice() % levels * 4096) / 4 | 0x1ff;
      bare.protect(0, static_cast<u8>(0x18 | (dice() & 5)), page);
    }
    bare.set_privilege(one_in(dice, 6) ? Priv::kMachine : one_in(dice, 2) ? Priv::kSupervisor : Priv::kUser);
    const AccessKind kind = kKinds[dice() % 3];
    const unsigned bytes = 1u << dice() % 4;
    const Expected expected = translate(bare, va, bytes, kind);
    const u64 before = expected.entry_at == 0 ? 0 : bare.get(expected.entry_at);
    const auto differs = [&](const Hart::Translation& ours) {
      if (ours.trap.cause != expected.cause) return true;
      return ours.trap ? ours.trap.value != va : ours.address.value != expected.physical;
    };
    if (differs(hart.translate(VirtAddr{va}, bytes, kind, Hart::Walk::kProbe))) FAIL("probe " << i);
    if (expected.entry_at != 0 && bare.get(expected.entry_at) != before) FAIL("a probe writes, try " << i);
    hart.forget_fetch_marks();
    if (differs(hart.translate(VirtAddr{va}, bytes, kind, Hart::Walk::kCommit))) FAIL("try " << i);
    if (expected.entry_at != 0 && bare.get(expected.entry_at) != expected.entry) FAIL("not marked, try " << i);
    translated += expected.cause == Cause::kNone;
    marked += expected.entry_at != 0;
    page_faults += expected.cause == page_fault(kind).cause;
    access_faults += expected.cause == access_fault(kind).cause;
  }
  CHECK(translated > kTries / 6);
  CHECK(marked > kTries / 40);
  CHECK(page_faults > kTries / 6);
  CHECK(access_faults > kTries / 40);
}

}  // namespace retrov
