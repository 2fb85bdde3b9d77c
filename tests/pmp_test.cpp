// Physical memory protection: core/pmp.cpp.
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

constexpr u8 kR = 1, kW = 2, kX = 4, kTor = 1 << 3, kNa4 = 2 << 3, kNapot = 3 << 3, kLocked = 0x80;

struct Fixture : BareHart {
  [[nodiscard]] bool allows(u64 address, u64 size_bytes, AccessKind kind = AccessKind::kLoad,
                            Priv privilege = Priv::kSupervisor) const {
    return hart.pmp_allows(PhysAddr{address}, size_bytes, kind, privilege);
  }
  [[nodiscard]] bool uniform(u64 page) const { return hart.pmp_uniform_in_page(PhysAddr{page}); }
};

TEST_CASE("pmp: without a match M is allowed, S and U are not", "[pmp]") {
  Fixture f;
  CHECK(f.allows(0x1000, 8, AccessKind::kStore, Priv::kMachine));
  CHECK_FALSE(f.allows(0x1000, 8, AccessKind::kLoad, Priv::kSupervisor));
  CHECK_FALSE(f.allows(0x1000, 8, AccessKind::kFetch, Priv::kUser));
  CHECK(f.uniform(0x1000));
}

TEST_CASE("pmp: permissions are those of the access", "[pmp]") {
  Fixture f;
  f.protect(0, kNa4 | kR, 0x1000 >> 2);
  CHECK(f.allows(0x1000, 4, AccessKind::kLoad));
  CHECK_FALSE(f.allows(0x1000, 4, AccessKind::kStore));
  CHECK_FALSE(f.allows(0x1000, 4, AccessKind::kFetch));
  f.protect(0, kNa4 | kR | kW, 0x1000 >> 2);
  CHECK(f.allows(0x1000, 2, AccessKind::kStore));
  f.protect(0, kNa4 | kX, 0x1000 >> 2);
  CHECK(f.allows(0x1002, 2, AccessKind::kFetch));
  CHECK_FALSE(f.allows(0x1000, 4, AccessKind::kLoad));
}

TEST_CASE("pmp: NA4 covers four bytes; an access that is partly inside fails, in M-mode, too", "[pmp]") {
  Fixture f;
  f.protect(0, kNa4 | kR, 0x1000 >> 2);
  f.protect(1, kNapot | kR, (u64{1} << 54) - 1);
  CHECK(f.allows(0x0ffc, 4));
  CHECK(f.allows(0x1004, 8));
  CHECK_FALSE(f.allows(0x0ffe, 4));
  CHECK_FALSE(f.allows(0x1000, 8));
  CHECK_FALSE(f.allows(0x1003, 2, AccessKind::kLoad, Priv::kMachine));
}

TEST_CASE("pmp: NAPOT's size is in its trailing ones", "[pmp]") {
  Fixture f;
  f.protect(0, kNapot | kR, 0x2000 >> 2);  // Eight bytes.
  CHECK(f.allows(0x2000, 8));
  CHECK_FALSE(f.allows(0x2008, 1));
  CHECK_FALSE(f.allows(0x1fff, 1));
  f.protect(0, kNapot | kR, 0x2000 >> 2 | 0x1ff);  // 4 KiB.
  CHECK(f.allows(0x2000, 4096));
  CHECK_FALSE(f.allows(0x3000, 1));
  CHECK_FALSE(f.allows(0x1ffc, 8));
  f.protect(0, kNapot | kR, (u64{1} << 54) - 1);
  CHECK(f.allows(0, 8));
  CHECK(f.allows((u64{1} << 56) - 8, 8));
  CHECK_FALSE(f.allows(~u64{0} - 7, 8));
}

TEST_CASE("pmp: TOR reaches from the address below, or from 0, up to its own", "[pmp]") {
  Fixture f;
  f.protect(0, kTor | kR, 0x1000 >> 2);
  f.protect(2, kTor | kR, 0x3000 >> 2);
  f.protect(1, 0, 0x2000 >> 2);  // An entry that is off still gives the next one its base.
  CHECK(f.allows(0, 8));
  CHECK(f.allows(0xff8, 8));
  CHECK_FALSE(f.allows(0xffc, 8));
  CHECK_FALSE(f.allows(0x1000, 4));
  CHECK(f.allows(0x2000, 4));
  CHECK(f.allows(0x2ffc, 4));
  CHECK_FALSE(f.allows(0x3000, 4));
  SECTION("empty if the address below is not lower") {
    f.protect(1, 0, 0x3000 >> 2);
    CHECK_FALSE(f.allows(0x2ffc, 4));
    CHECK_FALSE(f.allows(0x3000, 4));
  }
}

TEST_CASE("pmp: the entry with the lowest number decides", "[pmp]") {
  Fixture f;
  f.protect(3, kNapot | kR | kW, 0x2000 >> 2 | 0x1ff);
  f.protect(2, kNapot, 0x2000 >> 2);
  CHECK_FALSE(f.allows(0x2000, 8));
  CHECK(f.allows(0x2008, 8));
  CHECK(f.allows(0x2000, 8, AccessKind::kLoad, Priv::kMachine));
}

TEST_CASE("pmp: a locked entry binds M-mode", "[pmp]") {
  Fixture f;
  f.protect(0, kNapot | kR | kLocked, 0x2000 >> 2 | 0x1ff);
  CHECK(f.allows(0x2000, 8, AccessKind::kLoad, Priv::kMachine));
  CHECK_FALSE(f.allows(0x2000, 8, AccessKind::kStore, Priv::kMachine));
  CHECK(f.allows(0x4000, 8, AccessKind::kStore, Priv::kMachine));
}

TEST_CASE("pmp: a page is uniform unless an entry that decides covers a part of it", "[pmp]") {
  Fixture f;
  f.protect(1, kNa4, 0x2010 >> 2);
  CHECK_FALSE(f.uniform(0x2000));
  CHECK(f.uniform(0x1000));
  CHECK(f.uniform(0x3000));
  f.protect(0, kNapot | kR, 0x2000 >> 2 | 0x1ff);
  CHECK(f.uniform(0x2000));
  f.protect(0, kTor | kR, 0x2ffc >> 2);
  CHECK_FALSE(f.uniform(0x2000));
  CHECK(f.uniform(0x1000));
}

}  // namespace
}  // namespace retrov
