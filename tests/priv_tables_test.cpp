// Entries of page tables, bit by bit and level by level, in Sv39, Sv48 and Sv57 (privileged manual, 4.3 to 4.6, and the
// chapters on Svnapot, Svpbmt and Svadu): core/mmu.
#include <vector>

#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"
#include "tests/support/rule_bench.hpp"

namespace retrov {
namespace {

using namespace test;

constexpr u64 kData = kTestRam + 0x20000;

/// A mode with one table per level; the address has index 1 in each of them but the last one, where it has 3.
struct Paging {
  unsigned levels;
  BareHart bare;

  explicit Paging(unsigned count) : levels(count) {
    bare.open_pmp();
    for (unsigned level = levels; level-- > 1;) bare.put(entry_at(level), pte::entry(table(level - 1), pte::kV));
    bare.put(entry_at(0), pte::entry(kData, pte::kAll));
    bare.hart.csr.satp = u64{levels + 5} << 60 | table(levels - 1) >> 12;
    bare.set_privilege(Priv::kSupervisor);
    bare.walks.start_epoch();
  }
  [[nodiscard]] static u64 table(unsigned level) { return kTestRam + 0x10000 + level * kPageBytes; }
  [[nodiscard]] static u64 index(unsigned level) { return level == 0 ? 3 : 1; }
  [[nodiscard]] static u64 entry_at(unsigned level) { return table(level) + 8 * index(level); }
  [[nodiscard]] static u64 page_bytes(unsigned level) { return kPageBytes << (9 * level); }
  [[nodiscard]] u64 address() const {
    u64 result = 0x123;
    for (unsigned level = 0; level < levels; ++level) result |= index(level) << (12 + 9 * level);
    return result;
  }
  Hart::Translation at(u64 va, AccessKind kind = AccessKind::kLoad) {
    return bare.hart.translate(VirtAddr{va}, 1, kind, Hart::Walk::kProbe);
  }
  [[nodiscard]] bool faults() {
    const Hart::Translation result = at(address());
    if (result.trap) CHECK(result.trap.cause == Cause::kLoadPageFault);
    return bool{result.trap};
  }
};

}  // namespace

TEST_CASE("priv_tables: every bit that is reserved in a leaf is a page fault, the others are not", "[priv_tables]") {
  for (unsigned levels = 3; levels <= 5; ++levels) {
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (bit >= 10 && bit < 54) continue;  // The page's number.
      INFO("levels " << levels << " bit " << bit);
      Paging paging(levels);
      paging.bare.put(Paging::entry_at(0), pte::entry(kData, pte::kAll) ^ u64{1} << bit);
      // Off: V; R, since W remains. On: U, since S-mode looks; 54 to 60; N with a size that is none. PBMT is on.
      const bool expected = bit == 0 || bit == 1 || bit == 4 || (bit >= 54 && bit <= 60) || bit == 63;
      CHECK(paging.faults() == expected);
      paging.bare.hart.csr.menvcfg = menvcfg::kAdue;
      CHECK(paging.faults() == (expected || bit == 61 || bit == 62));
    }
  }
}

TEST_CASE("priv_tables: every bit that is reserved on the way is a page fault at every level", "[priv_tables]") {
  for (unsigned levels = 3; levels <= 5; ++levels) {
    for (unsigned level = 1; level < levels; ++level) {
      for (unsigned bit = 0; bit < 64; ++bit) {
        if (bit >= 10 && bit < 54) continue;
        INFO("levels " << levels << " level " << level << " bit " << bit);
        Paging paging(levels);
        paging.bare.put(Paging::entry_at(level), pte::entry(Paging::table(level - 1), pte::kV) ^ u64{1} << bit);
        // R and X make it a leaf, misaligned as a superpage. G, and 8 and 9, which are software's, mean nothing.
        const bool ignored = bit == 5 || bit == 8 || bit == 9;
        CHECK(paging.faults() == !ignored);
      }
    }
  }
}

TEST_CASE("priv_tables: a superpage of every level translates, and one that is not aligned does not", "[priv_tables]") {
  for (unsigned levels = 3; levels <= 5; ++levels) {
    for (unsigned level = 1; level < levels; ++level) {
      INFO("levels " << levels << " level " << level);
      Paging paging(levels);
      const u64 bytes = Paging::page_bytes(level), base = bytes * 2;
      paging.bare.put(Paging::entry_at(level), pte::entry(base, pte::kAll));
      CHECK(paging.at(paging.address()).address == PhysAddr{base + (paging.address() & (bytes - 1))});
      for (u64 page = kPageBytes; page < bytes; page <<= 1) {
        paging.bare.put(Paging::entry_at(level), pte::entry(base + page, pte::kAll));
        CHECK(paging.faults());
      }
      // Also without the marks, and for those who may not: never an update, always a page fault.
      paging.bare.put(Paging::entry_at(level), pte::entry(base + kPageBytes, pte::kV | pte::kR));
      CHECK(paging.faults());
    }
  }
}

TEST_CASE("priv_tables: all bits of an address above the mode's repeat its highest", "[priv_tables]") {
  for (unsigned levels = 3; levels <= 5; ++levels) {
    Paging paging(levels);
    const unsigned top = 12 + 9 * levels - 1;
    const u64 root = Paging::table(levels - 1);
    paging.bare.put(root + 8 * (256 + Paging::index(levels - 1)), paging.bare.get(Paging::entry_at(levels - 1)));
    const u64 upper = paging.address() | ~u64{0} << top;
    CHECK(paging.at(upper).address == PhysAddr{kData + 0x123});
    for (unsigned bit = top + 1; bit < 64; ++bit) {
      INFO("levels " << levels << " bit " << bit);
      for (const u64 address : {paging.address() | u64{1} << bit, upper & ~(u64{1} << bit)}) {
        CHECK(paging.at(address).trap.cause == Cause::kLoadPageFault);
        CHECK(paging.at(address).trap.value == address);
        CHECK(paging.at(address, AccessKind::kStore).trap.cause == Cause::kStorePageFault);
        CHECK(paging.at(address, AccessKind::kFetch).trap.cause == Cause::kInstructionPageFault);
      }
    }
  }
}

TEST_CASE("priv_tables: A and D are marks with Svadu and faults before it, at every level", "[priv_tables]") {
  // The profile's processor announces both ways and begins with faults; the default one begins with marks.
  for (const bool profile : {false, true}) {
    for (unsigned level = 0; level < 3; ++level) {
      INFO("profile " << profile << " level " << level);
      Paging paging(3);
      paging.bare.platform.extensions = *cpu_extensions(profile ? "rva22s64" : "rv64");
      const u64 satp = paging.bare.hart.csr.satp;
      paging.bare.hart.reset(kTestRam);
      paging.bare.open_pmp();
      paging.bare.hart.csr.satp = satp;
      paging.bare.set_privilege(Priv::kSupervisor);
      const u64 physical = level == 0 ? kData : Paging::page_bytes(level) * 2;
      const u64 clean = pte::entry(physical, pte::kAll & ~(pte::kA | pte::kD)), at = Paging::entry_at(level);
      const auto access = [&](AccessKind kind) {
        const VirtAddr address{paging.address()};
        return paging.bare.hart.translate(address, 1, kind, Hart::Walk::kCommit).trap.cause;
      };
      const auto with_fresh_entry = [&](AccessKind kind, u64 entry) {
        paging.bare.put(at, entry);
        return access(kind);
      };
      if (profile) {
        CHECK(with_fresh_entry(AccessKind::kLoad, clean) == Cause::kLoadPageFault);
        CHECK(with_fresh_entry(AccessKind::kFetch, clean) == Cause::kInstructionPageFault);
        CHECK(with_fresh_entry(AccessKind::kStore, clean | pte::kA) == Cause::kStorePageFault);
        CHECK(with_fresh_entry(AccessKind::kStore, clean | pte::kD) == Cause::kStorePageFault);
        CHECK(paging.bare.get(at) == (clean | pte::kD));
        CHECK(with_fresh_entry(AccessKind::kLoad, clean | pte::kA) == Cause::kNone);
        paging.bare.set_privilege(Priv::kMachine);
        CHECK((*paging.bare.keep(0x30a, menvcfg::kAdue) & menvcfg::kAdue) != 0);
        paging.bare.set_privilege(Priv::kSupervisor);
      }
      CHECK(with_fresh_entry(AccessKind::kLoad, clean) == Cause::kNone);
      CHECK(paging.bare.get(at) == (clean | pte::kA));
      CHECK(with_fresh_entry(AccessKind::kFetch, clean) == Cause::kNone);
      CHECK(paging.bare.get(at) == (clean | pte::kA));
      CHECK(with_fresh_entry(AccessKind::kStore, clean) == Cause::kNone);
      CHECK(paging.bare.get(at) == (clean | pte::kA | pte::kD));
    }
  }
}

}  // namespace retrov
