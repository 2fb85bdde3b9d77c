// The slow path of data accesses (core/access): atomics, accesses that cross pages, watches, on one bare hart.
#include <algorithm>
#include <cstring>

#include "core/hart.hpp"
#include "core/stops.hpp"
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

using namespace retrov;

namespace {

constexpr u64 kPage = kTestRam + 0x3000;

u64 word_at(const BareHart& bare, u64 address) {
  u64 value = 0;
  std::memcpy(&value, bare.memory.host(address - kTestRam), sizeof value);
  return value;
}

}  // namespace

TEST_CASE("access: misaligned and page-crossing accesses reach every byte", "[access]") {
  BareHart bare;
  for (u64 offset = 0xff0; offset < 0x1008; ++offset) {
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
      const u64 mask = size == 8 ? ~u64{0} : (u64{1} << (8 * size)) - 1;
      const u64 value = 0x8182838485868788 * (offset + 1);
      REQUIRE_FALSE(bare.hart.store(kPage + offset, size, value));
      u64 loaded = 0;
      REQUIRE_FALSE(bare.hart.load(kPage + offset, size, loaded));
      REQUIRE(loaded == (value & mask));
    }
  }
}

TEST_CASE("access: a store whose second page is not RAM writes nothing of the first", "[access]") {
  BareHart bare;
  const u64 last = kTestRam + kTestRamBytes - 4;
  const Trap trap = bare.hart.store(last, 8, ~u64{0});
  CHECK(trap.cause == Cause::kStoreAccessFault);
  CHECK(trap.value == kTestRam + kTestRamBytes);
  CHECK(word_at(bare, last - 4) == 0);
  u64 out = 0;
  CHECK(bare.hart.load(last, 8, out).cause == Cause::kLoadAccessFault);
}

TEST_CASE("access: an access whose first page is not RAM faults at its first byte and makes none", "[access]") {
  BareHart bare;
  for (const unsigned before : {1u, 3u, 7u}) {
    const u64 first = kTestRam - before;
    const u64 word = word_at(bare, kTestRam);
    const Trap store = bare.hart.store(first, 8, ~word);
    CHECK(store.cause == Cause::kStoreAccessFault);
    CHECK(store.value == first);
    CHECK(word_at(bare, kTestRam) == word);
    u64 out = 0;
    const Trap load = bare.hart.load(first, 8, out);
    CHECK(load.cause == Cause::kLoadAccessFault);
    CHECK(load.value == first);
    CHECK(out == 0);
  }
}

TEST_CASE("access: SC succeeds once, at the reserved address and size only", "[access]") {
  BareHart bare;
  u64 out = 0, failed = 0;
  REQUIRE_FALSE(bare.hart.load_reserved(kPage, 8, out));
  REQUIRE_FALSE(bare.hart.store_conditional(kPage, 8, 5, failed));
  CHECK(failed == 0);
  CHECK(word_at(bare, kPage) == 5);
  REQUIRE_FALSE(bare.hart.store_conditional(kPage, 8, 6, failed));
  CHECK(failed == 1);
  REQUIRE_FALSE(bare.hart.load_reserved(kPage, 8, out));
  REQUIRE_FALSE(bare.hart.store_conditional(kPage, 4, 6, failed));
  CHECK(failed == 1);
  REQUIRE_FALSE(bare.hart.load_reserved(kPage, 8, out));
  REQUIRE_FALSE(bare.hart.store_conditional(kPage + 8, 8, 6, failed));
  CHECK(failed == 1);
  CHECK(word_at(bare, kPage) == 5);
  CHECK(word_at(bare, kPage + 8) == 0);
}

TEST_CASE("access: the hart's own stores keep a reservation, any SC ends it, a trapping one too", "[access]") {
  BareHart bare;
  u64 out = 0, failed = 0;
  REQUIRE_FALSE(bare.hart.load_reserved(kPage, 8, out));
  REQUIRE_FALSE(bare.hart.store(kPage, 8, 1));
  CHECK(bare.hart.reservation.valid);
  CHECK(bare.hart.store_conditional(0x1000, 8, 1, failed).cause == Cause::kStoreAccessFault);
  CHECK_FALSE(bare.hart.reservation.valid);
}

TEST_CASE("access: misaligned atomics trap, LR as a load and the others as stores", "[access]") {
  BareHart bare;
  u64 out = 0;
  CHECK(bare.hart.load_reserved(kPage + 4, 8, out).cause == Cause::kLoadMisaligned);
  CHECK(bare.hart.store_conditional(kPage + 2, 4, 0, out).cause == Cause::kStoreMisaligned);
  const Trap trap = bare.hart.amo(kPage + 1, 4, out, [](u64 old) { return old; });
  CHECK(trap.cause == Cause::kStoreMisaligned);
  CHECK(trap.value == kPage + 1);
}

TEST_CASE("access: a watch stops before the access and names the first watched byte", "[access]") {
  BareHart bare;
  StopSet stops;
  stops.watches = {{VirtAddr{kPage + 2}, 2, WatchKind::kWrite, 0, false}};
  bare.platform.stops = &stops;
  bare.hart.position = Position{7};
  u64 out = 0;
  CHECK_FALSE(bare.hart.load(kPage, 8, out));
  CHECK_FALSE(bare.hart.store(kPage + 4, 4, 1));
  CHECK_FALSE(bare.hart.store(kPage, 2, 1));
  CHECK(bare.hart.store(kPage, 4, 0x01020304).cause == Cause::kDebugStop);
  REQUIRE(stops.hit);
  CHECK(stops.hit->address == VirtAddr{kPage + 2});
  CHECK(stops.hit->is_write);
  CHECK((word_at(bare, kPage) & 0xffffffff) == 1);
  // Leaving the place where one stands.
  stops.ignore_at = Position{7};
  CHECK_FALSE(bare.hart.store(kPage, 4, 0x01020304));
  CHECK((word_at(bare, kPage) & 0xffffffff) == 0x01020304);
}

TEST_CASE("access: a watch may end where the address space does", "[access]") {
  BareHart bare;
  StopSet stops;
  stops.watches = {{VirtAddr{~u64{0} - 7}, 8, WatchKind::kWrite, 0, false}};
  bare.platform.stops = &stops;
  bare.hart.position = Position{7};
  for (const u64 address : {~u64{0} - 7, ~u64{0}, ~u64{0} - 10}) {
    stops.hit.reset();
    CHECK(bare.hart.store(address, 8, 1).cause == Cause::kDebugStop);
    REQUIRE(stops.hit);
    CHECK(stops.hit->address == VirtAddr{std::max(address, ~u64{0} - 7)});
  }
  CHECK(bare.hart.store(~u64{0} - 15, 8, 1).cause == Cause::kStoreAccessFault);
}

TEST_CASE("access: an atomic is one access that reads and writes", "[access]") {
  for (const WatchKind kind : {WatchKind::kRead, WatchKind::kWrite, WatchKind::kAccess}) {
    BareHart bare;
    StopSet stops;
    stops.watches = {{VirtAddr{kPage}, 1, kind, 0, false}};
    bare.platform.stops = &stops;
    u64 out = 0;
    CHECK(bare.hart.amo(kPage, 4, out, [](u64 old) { return old + 1; }).cause == Cause::kDebugStop);
    CHECK(word_at(bare, kPage) == 0);
  }
}

TEST_CASE("access: a physical watch is found in either page of a crossing access", "[access]") {
  for (const u64 watched : {kPage + 0xfff, kPage + 0x1000}) {
    BareHart bare;
    StopSet stops;
    stops.watches = {{VirtAddr{watched}, 1, WatchKind::kWrite, 0, true}};
    bare.platform.stops = &stops;
    CHECK(bare.hart.store(kPage + 0xffe, 4, 1).cause == Cause::kDebugStop);
    REQUIRE(stops.hit);
    CHECK(stops.hit->address == VirtAddr{watched});
    CHECK_FALSE(bare.hart.store(watched + 1, 4, 1));
  }
}
