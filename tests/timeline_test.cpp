// Covers replay/snapshots as well.
#include "replay/timeline.hpp"

#include <set>

#include "replay/branch.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A timeline over a recorded history, on a machine of its own.
struct Bench {
  Bench(const History& history, const SnapshotOptions& options)
      : machine(build_board(history.board(), EngineKind::kFast, output, {})),
        timeline(history, *machine, output, options) {}
  Screen screen;
  OutputLog output{screen};
  std::unique_ptr<Machine> machine;
  Timeline timeline;
  std::atomic<bool> interrupted{false};
};

const SnapshotOptions kPolicies[] = {
    {SnapshotPolicy::kAuto},
    {SnapshotPolicy::kNone},
    {SnapshotPolicy::kEvery, u64{512} << 20, 500},
    {SnapshotPolicy::kRandom, u64{512} << 20, 2000, 7},
    {SnapshotPolicy::kEvery, u64{1} << 16, 300},  // A budget that keeps almost none of them.
};

}  // namespace

TEST_CASE("timeline: seeking back and forth gives one hash per position, whatever the snapshots", "[timeline]") {
  for (const auto& [guest, harts] : {std::pair{"echo", 1u}, std::pair{"two_harts", 2u}}) {
    const Recorded recorded = record_guest(guest, harts, 5);
    std::vector<std::pair<Position, u64>> seen(recorded.hashes.begin(), recorded.hashes.end());
    REQUIRE(seen.size() > 10);
    for (const SnapshotOptions& options : kPolicies) {
      CAPTURE(guest, static_cast<int>(options.policy), options.budget_bytes);
      Bench bench(*recorded.history, options);
      Random random(3);
      for (int i = 0; i < 60; ++i) {
        const auto& [at, hash] = seen[random.below(seen.size())];
        REQUIRE(bench.timeline.seek(at, bench.interrupted));
        CHECK(bench.timeline.now() == at);
        CHECK(bench.machine->hash() == hash);
      }
      REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
      CHECK(bench.machine->hash() == recorded.end_hash);
      CHECK(bench.screen.text == recorded.text);  // Shown once, however often it was said.
      CHECK(bench.output.tally().bytes == recorded.text.size());
    }
  }
}

TEST_CASE("timeline: the budget bounds the snapshots, and the first stays", "[timeline]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, u64{4} << 20, 50});
  REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  const SnapshotStore& store = bench.timeline.snapshots();
  CHECK(store.totals().bytes <= u64{4} << 20);
  CHECK(store.totals().count > 10);
  CHECK(store.at_or_before(Position{0})->machine.at == Position{0});
}

TEST_CASE("timeline: a budget too small for more keeps the first alone, and every place is reached", "[timeline]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, 1, 50});
  REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  CHECK(bench.timeline.snapshots().positions() == std::vector{Position{0}});
  REQUIRE(bench.timeline.seek(Position{recorded.hashes.begin()->first}, bench.interrupted));
  CHECK(bench.machine->hash() == recorded.hashes.begin()->second);
}

TEST_CASE("timeline: room is made before a snapshot, and not for what somebody holds", "[timeline]") {
  constexpr u64 kBudget = u64{2} << 20;
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, kBudget, 100});
  REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  SnapshotStore store(kBudget);
  std::vector<KeptPointer> all;
  for (const Position at : bench.timeline.snapshots().positions()) {
    all.push_back(bench.timeline.snapshots().at_or_before(at));
    store.keep(std::make_shared<KeptSnapshot>(*all.back()));
  }
  const SnapshotStore::Totals before = store.totals();
  REQUIRE(before.count > 10);
  const KeptPointer held = store.at_or_before(Position{all[all.size() / 2]->machine.at});
  constexpr std::size_t kPages = 300;
  store.make_room(kPages, recorded.history->end());
  CHECK(store.totals().bytes + kPages * sizeof(Page) <= kBudget);
  CHECK(store.totals().count < before.count);
  store.make_room(kBudget / sizeof(Page), Position{0});
  // It, and the one before, which it would have to stand for.
  CHECK(store.positions().size() == 3);
  CHECK(store.at_or_before(held->machine.at) == held);
}

TEST_CASE("timeline: a newest snapshot that does not fit beside an older one takes its place", "[timeline]") {
  constexpr u64 kPages = 200;
  SnapshotStore store(kPages * sizeof(Page) * 3 / 2);
  for (u64 i = 0; i < 10; ++i) {
    auto kept = std::make_shared<KeptSnapshot>();
    kept->machine.at = Position{100 * i};
    kept->machine.trees.emplace_back();
    PageBytes bytes;
    bytes.fill(static_cast<u8>(i + 1));
    for (u64 page = 0; page < (i == 0 ? 1 : kPages); ++page) kept->machine.trees[0].set(page, bytes);
    // No room was made for all of it.
    const KeptPointer held = kept;
    store.keep(held);
    CHECK(store.at_or_before(Position{100 * i})->machine.at == Position{100 * i});
  }
}

TEST_CASE("timeline: the nearest snapshot gives way like others to the one that is taken", "[timeline]") {
  // All of 192 pages is written again and again, each time with other words.
  constexpr u32 kCode[] = {0x00100297,   // 0:  auipc t0, 0x100
                           0x001c0317,   //     auipc t1, 0x1c0
                           0x0072b023,   // 1:  sd    t2, (t0)
                           0x04028293,   //     addi  t0, t0, 64
                           0x00138393,   //     addi  t2, t2, 1
                           0xfe62eae3,   //     bltu  t0, t1, 1b
                           0xfe9ff06f};  //     j     0b
  constexpr u64 kPages = 192;
  BoardConfig board = guest_board("stuck");
  Blob code{PhysAddr{0x80000000}, {}};
  for (const u32 word : kCode) {
    for (unsigned i = 0; i < 4; ++i) code.bytes.push_back(static_cast<u8>(word >> (8 * i)));
  }
  board.machine.initial_memory = {code};
  History history(board);
  // Long enough for a few snapshots on any host.
  constexpr u64 kRunSteps = 40'000'000;
  history.progress(Position{5 * kRunSteps});
  Bench bench(history, {SnapshotPolicy::kAuto, kPages * sizeof(Page) * 5 / 2});
  for (Position from; from < history.end(); from = bench.timeline.now()) {
    REQUIRE(bench.timeline.run_history(Position{from.steps + kRunSteps}, nullptr, bench.interrupted) == Halt::kLimit);
    CHECK(bench.timeline.snapshots().positions().back().steps > from.steps);
  }
}

TEST_CASE("timeline: where there is room for two, those are the last two", "[timeline]") {
  // Each writes 60 of 100 pages, as one who goes round and round in memory: two that are far apart share none.
  constexpr u64 kPages = 100;
  constexpr u64 kWritten = 60;
  SnapshotStore store(kPages * sizeof(Page) * 19 / 10);
  PageTree tree;
  u64 written = 0;
  for (u64 i = 0; i < 30; ++i) {
    const Position at{1000 * i};
    if (i > 0) store.make_room(kWritten, at);
    for (u64 left = i == 0 ? 1 : kWritten; left > 0; --left, ++written) {
      PageBytes bytes;
      bytes.fill(static_cast<u8>(i + 1));
      tree.set(written % kPages, bytes);
    }
    auto kept = std::make_shared<KeptSnapshot>();
    kept->machine.at = at;
    kept->machine.trees.push_back(tree);
    store.keep(std::move(kept));
    if (i > 2) CHECK(store.at_or_before(Position{at.steps - 1})->machine.at.steps == at.steps - 1000);
  }
}

TEST_CASE("timeline: what snapshots are said to take is not less than their pages", "[timeline]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, u64{64} << 20, 200});
  REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  const SnapshotStore& store = bench.timeline.snapshots();
  std::set<const Page*> pages;
  for (const Position at : store.positions()) {
    for (const PageTree& tree : store.at_or_before(at)->machine.trees) {
      tree.for_each([&](u64, const Page& page) { pages.insert(&page); });
    }
  }
  CHECK(pages.size() > store.totals().count);
  CHECK(store.totals().bytes >= pages.size() * sizeof(Page));
}

TEST_CASE("timeline: lines of history share snapshots and one budget", "[timeline]") {
  constexpr u64 kBudget = u64{4} << 20;
  const Recorded recorded = record_guest("echo", 1, 5);
  const Position end = recorded.history->end();
  const Position fork{end.steps / 2};
  // The branch has nothing of its own: it ends where it leaves. What it passes is that of the line it left.
  History other(*recorded.history, fork);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, kBudget, 50});
  const SnapshotStore& store = bench.timeline.snapshots();
  REQUIRE(bench.timeline.seek(end, bench.interrupted));
  const SnapshotStore::Totals alone = store.totals();
  {
    Timeline branch(other, bench.timeline, fork);
    REQUIRE(branch.return_to(fork, bench.interrupted));
    CHECK(branch.snapshots().totals().lines == 2);
    CHECK(branch.snapshots().totals().bytes <= kBudget);
    for (const Position at : branch.snapshots().positions()) CHECK(at <= fork);
    CHECK(branch.snapshots().at_or_before(fork) == store.at_or_before(fork));
    // On with no more input.
    NoInputs nothing;
    other.progress(Position{end.steps});
    for (u64 i = 1; i < 20; ++i) {
      branch.run(nothing, Position{fork.steps + 100 * i}, nullptr, bench.interrupted);
      branch.take_snapshot();
    }
    CHECK(branch.snapshots().positions().size() > 10);
    CHECK(branch.snapshots().totals().bytes <= kBudget);
    CHECK(branch.snapshots().totals().bytes > alone.bytes / 2);
    const u64 hash = bench.machine->hash();
    const Position there = branch.now();
    REQUIRE(bench.timeline.return_to(end, bench.interrupted));
    CHECK(bench.machine->hash() == recorded.end_hash);
    REQUIRE(branch.return_to(there, bench.interrupted));
    CHECK(bench.machine->hash() == hash);
  }
  CHECK(store.totals().lines == 1);
  CHECK(store.totals().bytes <= kBudget);
  CHECK(store.totals().count == store.positions().size());
}

TEST_CASE("timeline: an interrupted seek stands at a valid position", "[timeline]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {});
  bench.interrupted = true;
  CHECK_FALSE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  bench.interrupted = false;
  CHECK(bench.timeline.now() < recorded.history->end());
  REQUIRE(bench.timeline.seek(recorded.history->end(), bench.interrupted));
  CHECK(bench.machine->hash() == recorded.end_hash);
}

TEST_CASE("timeline: snapshots thin out with distance", "[timeline]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  Bench bench(*recorded.history, {SnapshotPolicy::kEvery, u64{2} << 20, 20});
  const Position end = recorded.history->end();
  REQUIRE(bench.timeline.seek(end, bench.interrupted));
  const SnapshotStore& store = bench.timeline.snapshots();
  std::vector<Position> kept;
  for (Position at = end; at.steps > 0;) {
    at = store.at_or_before(at)->machine.at;
    kept.push_back(at);
    if (at.steps > 0) --at.steps;
  }
  REQUIRE(kept.size() == store.positions().size());
  const auto gap_around = [&](u64 distance) {
    u64 widest = 0;
    for (std::size_t i = 0; i + 1 < kept.size(); ++i) {
      if (end.steps - kept[i].steps > distance) break;
      widest = std::max(widest, kept[i].steps - kept[i + 1].steps);
    }
    return widest;
  };
  CHECK(gap_around(200) < gap_around(end.steps / 2));
  CHECK(gap_around(100) <= 200);
}
