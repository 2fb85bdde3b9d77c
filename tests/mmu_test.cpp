// Sv39, Sv48 and Sv57, Svnapot and Svpbmt: core/mmu.cpp.
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128;
constexpr u64 kAll = kV | kR | kW | kX | kA | kD;

constexpr u64 kRoot = kTestRam + 0x10000, kMiddle = kTestRam + 0x11000, kLast = kTestRam + 0x12000;
constexpr u64 kTop48 = kTestRam + 0x13000;
constexpr u64 kData = kTestRam + 0x20000;
constexpr u64 kVa = 0x40201000;  // Indices 1, 1, 1; below Sv48's root index 0.

constexpr u64 entry(u64 physical, u64 bits) { return physical >> 12 << 10 | bits; }

struct Fixture : BareHart {
  u64 leaf_at = kLast + 8;

  Fixture() {
    open_pmp();
    put(kTop48, entry(kRoot, kV));
    put(kRoot + 8, entry(kMiddle, kV));
    put(kMiddle + 8, entry(kLast, kV));
    leaf(kAll);
    sv39();
    set_privilege(Priv::kSupervisor);
    walks.start_epoch();
  }
  void sv39() { hart.csr.satp = u64{8} << 60 | kRoot >> 12; }
  void sv48() { hart.csr.satp = u64{9} << 60 | kTop48 >> 12; }
  void leaf(u64 bits, u64 physical = kData) { put(leaf_at, entry(physical, bits)); }
  Hart::Translation at(u64 va, AccessKind kind = AccessKind::kLoad, Hart::Walk walk = Hart::Walk::kProbe) {
    return hart.translate(VirtAddr{va}, 4, kind, walk);
  }
  Cause cause(u64 va, AccessKind kind = AccessKind::kLoad) { return at(va, kind).trap.cause; }
  bool readable() { return !at(kVa, AccessKind::kLoad).trap; }
  bool writable() { return !at(kVa, AccessKind::kStore).trap; }
  bool executable() { return !at(kVa, AccessKind::kFetch).trap; }
};

TEST_CASE("mmu: M-mode and Bare mode translate nothing", "[mmu]") {
  Fixture f;
  f.set_privilege(Priv::kMachine);
  CHECK(f.at(0x1234).address == PhysAddr{0x1234});
  f.set_privilege(Priv::kSupervisor);
  f.hart.csr.satp = 0;
  CHECK(f.at(kVa + 4).address == PhysAddr{kVa + 4});
}

TEST_CASE("mmu: three levels of Sv39, four of Sv48", "[mmu]") {
  Fixture f;
  CHECK(f.at(kVa + 0x123).address == PhysAddr{kData + 0x123});
  f.sv48();
  CHECK(f.at(kVa + 0x123).address == PhysAddr{kData + 0x123});
  CHECK(f.hart.translate_for_debugger(VirtAddr{kVa + 1}) == PhysAddr{kData + 1});
  f.put(kTop48, 0);
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
  CHECK_FALSE(f.hart.translate_for_debugger(VirtAddr{kVa}).has_value());
}

TEST_CASE("mmu: the unused upper bits repeat the sign bit", "[mmu]") {
  Fixture f;
  constexpr u64 kUpper = ~u64{0} << 39;
  f.put(kRoot + 8 * 257, f.get(kRoot + 8));
  CHECK_FALSE(f.at((kVa | u64{1} << 38) | kUpper).trap);
  CHECK(f.cause(kVa | u64{1} << 38) == Cause::kLoadPageFault);
  CHECK(f.cause(kVa | u64{1} << 39) == Cause::kLoadPageFault);
  CHECK(f.cause(kVa | u64{1} << 63) == Cause::kLoadPageFault);
  f.sv48();
  f.put(kTop48 + 8, f.get(kTop48));
  CHECK_FALSE(f.at(kVa | u64{1} << 39).trap);
  CHECK(f.cause(kVa | u64{1} << 47) == Cause::kLoadPageFault);
}

TEST_CASE("mmu: a fault has the cause of the access and its address", "[mmu]") {
  Fixture f;
  f.leaf(0);
  CHECK(f.cause(kVa, AccessKind::kLoad) == Cause::kLoadPageFault);
  CHECK(f.cause(kVa, AccessKind::kStore) == Cause::kStorePageFault);
  CHECK(f.cause(kVa, AccessKind::kFetch) == Cause::kInstructionPageFault);
  CHECK(f.at(kVa + 0x12).trap.value == kVa + 0x12);
  f.put(kMiddle + 8, entry(0x10000000, kV));  // No RAM: the walk itself cannot read.
  CHECK(f.cause(kVa, AccessKind::kLoad) == Cause::kLoadAccessFault);
  CHECK(f.cause(kVa, AccessKind::kStore) == Cause::kStoreAccessFault);
  CHECK(f.cause(kVa, AccessKind::kFetch) == Cause::kInstructionAccessFault);
}

TEST_CASE("mmu: permissions of a supervisor page", "[mmu]") {
  Fixture f;
  f.leaf(kV | kR | kA | kD);
  CHECK((f.readable() && !f.writable() && !f.executable()));
  f.leaf(kV | kX | kA | kD);
  CHECK((!f.readable() && !f.writable() && f.executable()));
  f.hart.csr.mstatus |= mstatus::kMxr;
  CHECK((f.readable() && !f.writable()));
  f.leaf(kV | kR | kW | kA | kD);
  CHECK((f.readable() && f.writable() && !f.executable()));
  f.set_privilege(Priv::kUser);
  CHECK((!f.readable() && !f.writable() && !f.executable()));
}

TEST_CASE("mmu: S-mode reads user pages with SUM and never executes them", "[mmu]") {
  Fixture f;
  f.leaf(kAll | kU | kG);
  CHECK((!f.readable() && !f.writable() && !f.executable()));
  f.hart.csr.mstatus |= mstatus::kSum;
  CHECK((f.readable() && f.writable() && !f.executable()));
  f.hart.csr.mstatus &= ~mstatus::kSum;
  f.set_privilege(Priv::kUser);
  CHECK((f.readable() && f.writable() && f.executable()));
}

TEST_CASE("mmu: MPRV gives data accesses the privilege of MPP, not fetches", "[mmu]") {
  Fixture f;
  f.set_privilege(Priv::kMachine);
  f.hart.csr.mstatus |= mstatus::kMprv;
  CHECK(f.hart.data_privilege() == Priv::kUser);
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
  f.hart.csr.mstatus |= u64{1} << 11;
  CHECK(f.hart.data_privilege() == Priv::kSupervisor);
  CHECK(f.at(kVa).address == PhysAddr{kData});
  CHECK(f.at(kTestRam, AccessKind::kFetch).address == PhysAddr{kTestRam});
  f.hart.csr.mstatus |= mstatus::kMpp;
  CHECK(f.at(kVa).address == PhysAddr{kVa});
}

TEST_CASE("mmu: reserved encodings are page faults", "[mmu]") {
  Fixture f;
  SECTION("W without R") { f.leaf(kV | kW | kA | kD); }
  SECTION("W and X without R") { f.leaf(kV | kW | kX | kA | kD); }
  SECTION("Svnapot's bit with another size") { f.leaf(kAll | u64{1} << 63, kData + 0x4000); }
  SECTION("Svnapot's bit in a superpage") { f.put(kMiddle + 8, entry(kTestRam + 0x8000, kAll) | u64{1} << 63); }
  SECTION("Svnapot's bit on the way") { f.put(kMiddle + 8, entry(kLast, kV) | u64{1} << 63); }
  SECTION("Svpbmt's bits, of no type") { f.leaf(kAll | u64{3} << 61); }
  SECTION("Svpbmt's bits on the way") { f.put(kMiddle + 8, entry(kLast, kV) | u64{1} << 61); }
  SECTION("a reserved bit") { f.leaf(kAll | u64{1} << 54); }
  SECTION("a reserved bit on the way") { f.put(kMiddle + 8, entry(kLast, kV) | u64{1} << 60); }
  SECTION("A on the way") { f.put(kMiddle + 8, entry(kLast, kV | kA)); }
  SECTION("D on the way") { f.put(kRoot + 8, entry(kMiddle, kV | kD)); }
  SECTION("U on the way") { f.put(kRoot + 8, entry(kMiddle, kV | kU)); }
  SECTION("a pointer in the last level") { f.leaf(kV); }
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
}

TEST_CASE("mmu: Sv57 has five levels", "[mmu]") {
  Fixture f;
  constexpr u64 kTop57 = kTestRam + 0x14000;
  f.put(kTop57, entry(kTop48, kV));
  f.put(kTop57 + 8 * 511, entry(kTop48, kV));
  f.hart.csr.satp = u64{10} << 60 | kTop57 >> 12;
  CHECK(f.at(kVa + 0x123).address == PhysAddr{kData + 0x123});
  CHECK(f.at((kVa + 0x123) | ~u64{0} << 48).address == PhysAddr{kData + 0x123});
  CHECK(f.cause(kVa | u64{1} << 56) == Cause::kLoadPageFault);
  CHECK(f.cause(kVa | u64{1} << 57) == Cause::kLoadPageFault);
  CHECK(f.cause(kVa | u64{1} << 48) == Cause::kLoadPageFault);
  f.at(kVa, AccessKind::kLoad, Hart::Walk::kCommit);
  CHECK(f.walks.written(kTop57 - kTestRam, 8, Writer::kHart));
  f.put(kTop57, entry(0, kAll));
  CHECK(f.at(kVa).address == PhysAddr{kVa});
}

TEST_CASE("mmu: Svnapot joins sixteen pages", "[mmu]") {
  Fixture f;
  constexpr u64 kSize64k = 0x8000;
  for (unsigned i = 0; i < 16; ++i) f.put(kLast + 8 * i, entry(kData + kSize64k, kAll) | u64{1} << 63);
  for (u64 page = 0; page < 16; ++page) {
    CHECK(f.at((kVa & ~u64{0xffff}) + page * 0x1000 + 0x10).address == PhysAddr{kData + page * 0x1000 + 0x10});
  }
  f.platform.extensions = without_extension(default_extensions(), Extension::kSvnapot);
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
}

TEST_CASE("mmu: Svnapot marks the entry that was used", "[mmu]") {
  Fixture f;
  f.leaf(kV | kR | kW, kData + 0x8000);
  f.put(f.leaf_at, f.get(f.leaf_at) | u64{1} << 63);
  const u64 before = f.get(f.leaf_at);
  f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit);
  CHECK(f.get(f.leaf_at) == (before | kA | kD));
}

TEST_CASE("mmu: Svpbmt's types change nothing, and are there while PBMTE is set", "[mmu]") {
  Fixture f;
  for (const u64 type : {u64{1}, u64{2}}) {
    f.leaf(kAll | type << 61);
    CHECK(f.at(kVa + 4).address == PhysAddr{kData + 4});
    f.hart.csr.menvcfg &= ~menvcfg::kPbmte;
    CHECK(f.cause(kVa) == Cause::kLoadPageFault);
    f.hart.csr.menvcfg |= menvcfg::kPbmte;
  }
}

TEST_CASE("mmu: a superpage must be aligned", "[mmu]") {
  Fixture f;
  f.put(kMiddle + 8, entry(kTestRam, kAll));
  CHECK(f.at(kVa + 0x123).address == PhysAddr{kTestRam + (kVa & 0x1fffff) + 0x123});
  f.put(kMiddle + 8, entry(kTestRam + 0x1000, kAll));
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
  f.put(kRoot + 8, entry(0x80000000, kAll));
  CHECK(f.at(kVa).address == PhysAddr{0x80000000 + (kVa & 0x3fffffff)});
  f.put(kRoot + 8, entry(0x80200000, kAll));
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
  f.sv48();
  f.put(kTop48, entry(0, kAll));
  CHECK(f.at(kVa).address == PhysAddr{kVa});
}

TEST_CASE("mmu: a committing walk sets A, and D for a store", "[mmu]") {
  Fixture f;
  f.leaf(kV | kR | kW);
  const u64 before = f.get(f.leaf_at);
  const Hart::Translation load = f.at(kVa, AccessKind::kLoad, Hart::Walk::kCommit);
  CHECK(load.needs_update);
  CHECK(f.get(f.leaf_at) == (before | kA));
  CHECK_FALSE(f.at(kVa).needs_update);
  CHECK(f.at(kVa, AccessKind::kStore).needs_update);
  f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit);
  CHECK(f.get(f.leaf_at) == (before | kA | kD));
  CHECK_FALSE(f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit).needs_update);
}

TEST_CASE("mmu: without ADUE a missing A or D is a page fault", "[mmu]") {
  Fixture f;
  f.hart.csr.menvcfg = 0;
  f.leaf(kV | kR | kW);
  CHECK(f.cause(kVa) == Cause::kLoadPageFault);
  f.leaf(kV | kR | kW | kA);
  CHECK_FALSE(f.at(kVa).trap);
  CHECK(f.cause(kVa, AccessKind::kStore) == Cause::kStorePageFault);
  CHECK(f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit).trap.cause == Cause::kStorePageFault);
  CHECK((f.get(f.leaf_at) & kD) == 0);
}

TEST_CASE("mmu: a probe and a failing walk write nothing and mark no slot", "[mmu]") {
  Fixture f;
  f.leaf(kV | kR);
  f.memory.commit();
  const auto untouched = [&] {
    return f.memory.dirty_pages().empty() && f.get(f.leaf_at) == entry(kData, kV | kR) &&
           !f.walks.written(0, kTestRamBytes, Writer::kHart);
  };
  CHECK(f.at(kVa).needs_update);
  CHECK(untouched());
  CHECK(f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit).trap.cause == Cause::kStorePageFault);
  CHECK(untouched());
  f.protect(0, 0x18, kData >> 2 | 0x1ff);  // NAPOT without permissions, over the data page.
  CHECK(f.at(kVa, AccessKind::kLoad, Hart::Walk::kCommit).trap.cause == Cause::kLoadAccessFault);
  CHECK(untouched());
  f.protect(0, 0, 0);
  CHECK_FALSE(f.at(kVa, AccessKind::kLoad, Hart::Walk::kCommit).trap);
  CHECK_FALSE(untouched());
}

TEST_CASE("mmu: a committing walk marks every slot it used, and its own update is no hit", "[mmu]") {
  for (const u64 slot : {kTop48, kRoot + 8, kMiddle + 8, kLast + 8}) {
    Fixture f;
    f.sv48();
    f.leaf(kV | kR | kW);
    f.at(kVa, AccessKind::kStore, Hart::Walk::kCommit);
    CHECK(f.walks.hits() == 0);
    const u64 offset = slot - kTestRam;
    CHECK_FALSE(f.walks.written(offset + 8, 8, Writer::kHart));
    CHECK(f.walks.written(offset, 8, Writer::kHart));
  }
}

TEST_CASE("mmu: page tables and the page itself are under physical protection", "[mmu]") {
  Fixture f;
  f.hart.csr.pmpcfg[0] = 0x18;
  SECTION("an unreadable table") {
    f.hart.csr.pmpaddr[0] = kMiddle >> 2 | 0x1ff;
    CHECK(f.cause(kVa, AccessKind::kStore) == Cause::kStoreAccessFault);
    CHECK(f.hart.translate_for_debugger(VirtAddr{kVa}) == PhysAddr{kData});
  }
  SECTION("a table that cannot be updated") {
    f.hart.csr.pmpcfg[0] = 0x19;
    f.hart.csr.pmpaddr[0] = kLast >> 2 | 0x1ff;
    CHECK_FALSE(f.at(kVa).trap);
    f.leaf(kV | kR | kW);
    CHECK(f.cause(kVa) == Cause::kLoadAccessFault);
  }
  SECTION("the page, with the permissions of the access") {
    f.hart.csr.pmpcfg[0] = 0x19;
    f.hart.csr.pmpaddr[0] = kData >> 2 | 0x1ff;
    CHECK_FALSE(f.at(kVa).trap);
    CHECK(f.cause(kVa, AccessKind::kStore) == Cause::kStoreAccessFault);
    CHECK(f.cause(kVa, AccessKind::kFetch) == Cause::kInstructionAccessFault);
  }
}

TEST_CASE("mmu: the debugger sees the entries of a walk, and all leaves", "[mmu]") {
  Fixture f;
  f.put(kRoot + 8 * 256, entry(kTestRam & ~((u64{1} << 30) - 1), kV | kR | kG));
  f.put(kMiddle + 8 * 2, entry(kTestRam & ~((u64{1} << 21) - 1), kV | kX | kU));
  f.put(kMiddle + 8 * 3, entry(kTestRam + 0x1000, kV | kX));      // A misaligned superpage.
  f.put(kRoot + 8 * 511, entry(u64{1} << 40, kV));                // A table that is not there.
  f.put(kLast + 16, entry(kData, kV | kW));                       // Reserved.
  const auto walk = f.hart.walk_for_debugger(VirtAddr{kVa + 0x10});
  REQUIRE(walk.size() == 3);
  CHECK(walk[0].at == PhysAddr{kRoot + 8});
  CHECK(walk[1].entry == entry(kLast, kV));
  CHECK_FALSE(walk[1].physical);
  CHECK(walk[2].physical == PhysAddr{kData + 0x10});
  CHECK(f.hart.walk_for_debugger(VirtAddr{kVa + 0x1000}).size() == 3);
  CHECK_FALSE(f.hart.walk_for_debugger(VirtAddr{kVa + 0x1000}).back().physical);
  const PageMappings all = f.hart.page_mappings(100);
  CHECK(all.complete);
  REQUIRE(all.leaves.size() == 3);
  CHECK(all.leaves[0].at == VirtAddr{kVa});
  CHECK(all.leaves[0].physical == PhysAddr{kData});
  CHECK(all.leaves[0].size_bytes == 4096);
  CHECK(all.leaves[0].flags == kAll);
  CHECK(all.leaves[1].at == VirtAddr{0x40400000});
  CHECK(all.leaves[1].size_bytes == u64{2} << 20);
  CHECK(all.leaves[1].flags == (kV | kX | kU));
  CHECK(all.leaves[2].at == VirtAddr{~u64{0} << 38});
  CHECK(all.leaves[2].size_bytes == u64{1} << 30);
  const PageMappings two = f.hart.page_mappings(2);
  CHECK_FALSE(two.complete);
  CHECK(two.leaves.size() == 2);
  f.hart.csr.satp = 0;
  CHECK(f.hart.page_mappings(100).leaves.empty());
  CHECK(f.hart.walk_for_debugger(VirtAddr{kVa}).empty());
}

TEST_CASE("mmu: tables that name each other in circles have no end, and the debugger's list has one", "[mmu]") {
  Fixture f;
  for (u64 i = 0; i < 512; ++i) f.put(kRoot + 8 * i, entry(kRoot, kV));
  f.hart.csr.satp = u64{10} << 60 | kRoot >> 12;
  const PageMappings mappings = f.hart.page_mappings(1000);
  CHECK_FALSE(mappings.complete);
  CHECK(mappings.leaves.empty());
}

TEST_CASE("mmu: the debugger ignores permissions and sets no bits", "[mmu]") {
  Fixture f;
  f.leaf(kV | kX | kU);
  CHECK(f.hart.translate_for_debugger(VirtAddr{kVa + 8}) == PhysAddr{kData + 8});
  CHECK(f.get(f.leaf_at) == entry(kData, kV | kX | kU));
  f.set_privilege(Priv::kMachine);
  CHECK(f.hart.translate_for_debugger(VirtAddr{kVa}) == PhysAddr{kVa});
}

}  // namespace
}  // namespace retrov
