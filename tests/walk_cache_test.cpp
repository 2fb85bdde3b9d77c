#include "core/walk_cache.hpp"

#include "tests/catch.hpp"

namespace retrov {
namespace {

struct Fixture {
  Memory memory{PhysAddr{0x80000000}, 16 * kPageBytes};
  WalkCache walks{memory};
  bool flagged(u64 page) const { return (memory.page_flags(page) & Memory::kPageTable) != 0; }
};

TEST_CASE("walk cache: only a write to a used slot is a hit", "[walk_cache]") {
  Fixture f;
  f.walks.use(2 * kPageBytes + 8 * 100);
  CHECK(f.flagged(2));
  CHECK_FALSE(f.walks.written(2 * kPageBytes + 8 * 99, 8, Writer::kHart));
  CHECK_FALSE(f.walks.written(2 * kPageBytes + 8 * 101, 8, Writer::kHart));
  CHECK_FALSE(f.walks.written(3 * kPageBytes + 8 * 100, 8, Writer::kHart));
  CHECK(f.flagged(2));
  CHECK(f.walks.hits() == 0);
  CHECK(f.walks.written(2 * kPageBytes + 8 * 100, 8, Writer::kHart));
  CHECK(f.walks.hits() == 1);
}

TEST_CASE("walk cache: any overlapped byte counts, whoever writes but the walker", "[walk_cache]") {
  const u64 slot = 4 * kPageBytes + 8 * 63;
  const auto hit = [&](u64 offset, u64 size_bytes, Writer who) {
    Fixture f;
    f.walks.use(slot);
    return f.walks.written(offset, size_bytes, who);
  };
  CHECK(hit(slot + 7, 1, Writer::kHart));
  CHECK(hit(slot - 1, 2, Writer::kDevice));
  CHECK(hit(slot + 3, 2, Writer::kDebugger));
  CHECK(hit(0, 16 * kPageBytes, Writer::kDevice));
  CHECK(hit(4 * kPageBytes - 8, 16 + 8 * 63, Writer::kDevice));
  CHECK_FALSE(hit(slot - 8, 8, Writer::kDevice));
  CHECK_FALSE(hit(slot + 8, 5 * kPageBytes, Writer::kDevice));
  CHECK_FALSE(hit(0, slot, Writer::kDevice));
  CHECK_FALSE(hit(slot, 0, Writer::kHart));
  CHECK_FALSE(hit(slot, 8, Writer::kWalker));
}

TEST_CASE("walk cache: the last slot of the last page is a slot like any other", "[walk_cache]") {
  Fixture f;
  f.walks.use(16 * kPageBytes - 8);
  CHECK_FALSE(f.walks.written(16 * kPageBytes - 16, 8, Writer::kHart));
  CHECK(f.walks.written(16 * kPageBytes - 1, 1, Writer::kHart));
}

TEST_CASE("walk cache: a hit ends the epoch: no slot is used and no page flagged", "[walk_cache]") {
  Fixture f;
  f.walks.use(0);
  f.walks.use(kPageBytes);
  f.walks.use(kPageBytes + 8);
  CHECK(f.walks.written(0, 1, Writer::kHart));
  CHECK_FALSE(f.flagged(0));
  CHECK_FALSE(f.flagged(1));
  CHECK_FALSE(f.walks.written(0, 8, Writer::kHart));
  CHECK_FALSE(f.walks.written(kPageBytes, 16, Writer::kHart));
  f.walks.use(kPageBytes + 8);
  CHECK(f.flagged(1));
  CHECK_FALSE(f.walks.written(kPageBytes, 8, Writer::kHart));
  CHECK(f.walks.written(kPageBytes + 8, 8, Writer::kHart));
}

TEST_CASE("walk cache: an epoch ended by hand counts no hit and leaves other flags alone", "[walk_cache]") {
  Fixture f;
  f.memory.flag_page(1, Memory::kCode);
  f.walks.use(kPageBytes);
  f.walks.start_epoch();
  CHECK(f.walks.hits() == 0);
  CHECK(f.memory.page_flags(1) == Memory::kCode);
  CHECK_FALSE(f.walks.written(kPageBytes, 8, Writer::kHart));
}

}  // namespace
}  // namespace retrov
