// Covers replay/snapshots as well.
#include "replay/timeline.hpp"

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
  CHECK(store.bytes() <= u64{4} << 20);
  CHECK(store.count() > 10);
  CHECK(store.at_or_before(Position{0})->machine.at == Position{0});
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
  REQUIRE(kept.size() == store.count());
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
