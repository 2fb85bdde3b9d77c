// Covers replay/skippable, and core/touched with what the machine notes in it.
#include "replay/skippable.hpp"

#include <cstring>

#include "core/hart.hpp"
#include "replay/watched_access.hpp"
#include "tests/catch.hpp"
#include "tests/support/storm.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kRam = 0x80000000;
constexpr u64 kUpper = ~u64{0} << 38;
constexpr u64 kLower = 0x40001000;
constexpr u64 kData = 0x20;  // Page numbers within RAM.
constexpr u64 kRoot = 0x10, kMiddle = 0x11, kLeaf = 0x12, kOtherRoot = 0x13;

constexpr u64 satp_of(u64 page) { return u64{8} << 60 | ((kRam >> kPageShift) + page); }

/// A stretch over tables that lead from `kUpper` and from kLower to the page kData.
struct Stretch {
  Screen screen;
  std::unique_ptr<Machine> machine = build_board(guest_board("hello"), EngineKind::kFast, screen, {});
  Snapshot from, to;

  Stretch() {
    from.at = Position{100};
    to.at = Position{200};
    to.touched.since = Position{100};
    from.trees.emplace_back();
    pages_[kRoot].at(256) = pages_[kRoot].at(1) = pointer_to(kMiddle);
    pages_[kMiddle].at(0) = pointer_to(kLeaf);
    pages_[kLeaf].at(1) = pages_[kLeaf].at(0) = pointer_to(kData) | 0xcf;
    for (const auto& [page, words] : pages_) put(page, words);
    to.touched.satps = {0, satp_of(kRoot)};
  }
  void put(u64 page, const std::array<u64, 512>& words) {
    PageBytes bytes;
    std::memcpy(bytes.data(), words.data(), bytes.size());
    from.trees.front().set(page, bytes);
  }
  void set_entry(u64 page, unsigned slot, u64 entry) {
    pages_[page].at(slot) = entry;
    put(page, pages_[page]);
  }
  static u64 pointer_to(u64 page) { return ((kRam >> kPageShift) + page) << 10 | 1; }

  [[nodiscard]] bool passes(u64 address, u64 length = 8, u64 satp = 0, bool physical = false) const {
    StopSet wanted;
    wanted.watches = {{VirtAddr{address}, length, WatchKind::kWrite, satp, physical}};
    return skippable(*machine, from, to, wanted);
  }

 private:
  std::map<u64, std::array<u64, 512>> pages_;
};

}  // namespace

TEST_CASE("skippable: a physical watch rests on its pages alone", "[skippable]") {
  Stretch stretch;
  stretch.to.touched.pages = {kData};
  CHECK(stretch.passes(kRam + 0x21000, 8, 0, true));
  CHECK_FALSE(stretch.passes(kRam + 0x20ff0, 8, 0, true));
  CHECK_FALSE(stretch.passes(kRam + 0x1fffc, 8, 0, true));
  CHECK_FALSE(stretch.passes(kRam + 0x1f000, 0x2000, 0, true));
}

TEST_CASE("skippable: a virtual watch rests on its page and on every table on the way there", "[skippable]") {
  Stretch stretch;
  CHECK(stretch.passes(kUpper));
  CHECK(stretch.passes(kLower, 8, satp_of(kRoot)));
  for (const u64 page : {kRoot, kMiddle, kLeaf, kData}) {
    stretch.to.touched.pages = {static_cast<u32>(page)};
    CHECK_FALSE(stretch.passes(kUpper));
    CHECK_FALSE(stretch.passes(kLower, 8, satp_of(kRoot)));
  }
  stretch.to.touched.pages = {kOtherRoot, kData + 1};
  CHECK(stretch.passes(kUpper));
}

TEST_CASE("skippable: in bare mode a virtual address is a physical one", "[skippable]") {
  Stretch stretch;
  stretch.to.touched.satps = {0};
  stretch.to.touched.pages = {kData};
  CHECK_FALSE(stretch.passes(kRam + (kData << kPageShift)));
  CHECK(stretch.passes(kRam + ((kData + 1) << kPageShift)));
}

TEST_CASE("skippable: every root in use counts, in the lower half only the one watched", "[skippable]") {
  Stretch stretch;
  stretch.to.touched.satps = {satp_of(kRoot), satp_of(kOtherRoot)};
  stretch.to.touched.pages = {kOtherRoot};
  CHECK_FALSE(stretch.passes(kUpper));
  CHECK(stretch.passes(kLower, 8, satp_of(kRoot)));
  CHECK_FALSE(stretch.passes(kLower, 8, satp_of(kOtherRoot)));
  CHECK_FALSE(stretch.passes(kLower, 8, 0));
  stretch.to.touched.pages = {kData + 1};
  CHECK(stretch.passes(kUpper));  // The other root leads nowhere, and nobody changed that.
}

TEST_CASE("skippable: superpages lead to the page within them, and what is odd is not passed over", "[skippable]") {
  Stretch stretch;
  stretch.set_entry(kMiddle, 0, (kRam >> kPageShift) << 10 | 0xcf);
  stretch.to.touched.pages = {5};
  CHECK(stretch.passes(kUpper + 0x4000));
  CHECK_FALSE(stretch.passes(kUpper + 0x5000));
  CHECK_FALSE(stretch.passes(kUpper + 0x4ffc));
  stretch.set_entry(kMiddle, 0, u64{1} << 63 | (kRam >> kPageShift) << 10 | 0xcf);
  CHECK_FALSE(stretch.passes(kUpper + 0x4000));
}

TEST_CASE("skippable: breakpoints, reads, devices, resets and holes in what is known are run through", "[skippable]") {
  Stretch stretch;
  StopSet wanted;
  CHECK_FALSE(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  wanted.watches = {{VirtAddr{kUpper}, 8, WatchKind::kWrite, 0, false}};
  CHECK(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  wanted.watches.push_back({VirtAddr{kUpper + 64}, 8, WatchKind::kRead, 0, false});
  CHECK_FALSE(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  wanted.watches.pop_back();
  wanted.breakpoints = {VirtAddr{kUpper}};
  CHECK_FALSE(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  wanted.breakpoints.clear();
  stretch.to.touched.since = Position{101};
  CHECK_FALSE(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  stretch.to.touched.since = Position{99};
  CHECK(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  stretch.to.touched.everything = true;
  CHECK_FALSE(skippable(*stretch.machine, stretch.from, stretch.to, wanted));
  stretch.to.touched.everything = false;
  CHECK_FALSE(stretch.passes(0x10000000));
  CHECK_FALSE(stretch.passes(0x10000000, 1, 0, true));
  CHECK(stretch.passes(0x50000000, 1, 0, true));
}

TEST_CASE("skippable: a longer way has touched what its parts have", "[skippable]") {
  Touched later{Position{20}, false, false, {1, 5}, {7}};
  later.absorb(Touched{Position{10}, true, false, {2, 5}, {7, 8}});
  CHECK(later.ebreaks);
  CHECK(later.since == Position{10});
  CHECK(later.pages == std::vector<u32>{1, 2, 5});
  CHECK(later.satps == std::vector<u64>{7, 8});
  later.absorb(Touched{Position{15}, false, true, {9}, {}});  // A part of what it knows already.
  CHECK_FALSE(later.everything);
  later.absorb(Touched{Position{5}, false, true, {}, {}});
  CHECK(later.wrote(77));
}

TEST_CASE("skippable: in a storm nothing is written in what is passed over", "[skippable][chaos]") {
  unsigned passed = 0, refused = 0, hits = 0;
  for (u64 seed = 51; seed <= 58; ++seed) {
    INFO("seed " << seed);
    const Storm storm = record_storm(seed, 1 + static_cast<unsigned>(seed % 3), 60'000);
    StormWalker walker(*storm.history, EngineKind::kFast);
    std::mt19937_64 random(seed);
    const auto watch = [&random] {
      static constexpr u64 kPlaces[] = {kStormCode, kStormTables, kStormData, kStormData + 0x2000, kUpper, 0};
      static constexpr u64 kRoots[] = {0, u64{8} << 60 | kStormTables >> 12, u64{9} << 60 | kStormTables >> 12};
      const u64 at = kPlaces[random() % 6] + random() % 0x4000;
      const u64 satp = kRoots[random() % 3];
      return WatchRange{VirtAddr{at}, 1 + random() % 0x1000, WatchKind::kWrite, satp, random() % 4 == 0};
    };
    while (walker.now() < storm.history->end() && !walker.machine->power().off) {
      const Snapshot from = walker.machine->snapshot();
      walker.machine->begin_stretch();
      if (walker.to(Position{walker.now().steps + 1 + random() % 300}) != Halt::kLimit) break;
      const Snapshot to = walker.machine->snapshot();
      for (int i = 0; i < 6; ++i) {
        StopSet wanted;
        wanted.watches = {watch()};
        const bool passes = skippable(*walker.machine, from, to, wanted);
        ++(passes ? passed : refused);
        walker.restore(from);
        while (walker.to(to.at, &wanted) == Halt::kStop) {
          const WatchedAccess access(*walker.machine, wanted.watches, *wanted.hit);
          wanted.ignore_at = walker.now();
          walker.to(Position{walker.now().steps + 1}, &wanted);
          const bool written = access.after(*walker.machine, nullptr).has_value();
          hits += written;
          REQUIRE_FALSE((passes && written));
        }
        walker.restore(to);
      }
    }
  }
  CHECK(passed > 200);
  CHECK(refused > 200);
  CHECK(hits > 100);
}
