// Covers replay/accesses with what the machine notes of other writers: in a storm, where everything writes at once, no
// writer is missed, whatever snapshots there are.
#include "replay/accesses.hpp"

#include <cstring>

#include "replay/timeline.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"
#include "tests/support/storm.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kSteps = 12'000;
constexpr u64 kWatchedBytes = 64;

/// A timeline through a recorded storm.
struct Cursor {
  Cursor(const History& history, const SnapshotOptions& options)
      : bases(history.board().disks.size(), &disk),
        machine(machine_at_beginning(history)),
        timeline(history, *machine, output, options) {}
  std::vector<Access> list(const AccessOrder& order) {
    std::vector<Access> found;
    const Position reached = AccessWalk(timeline, *machine, order, never).run([&](const Access& access) {
      found.push_back(access);
      return true;
    });
    if (!order.last_only) CHECK(reached == order.to);
    return found;
  }
  std::unique_ptr<Machine> machine_at_beginning(const History& history) {
    auto made = build_board(history.board(), EngineKind::kFast, output, bases);
    go_to_beginning(history, *made, output);
    return made;
  }
  Screen screen;
  OutputLog output{screen};
  StormDisk disk;
  std::vector<DiskBase*> bases;
  std::unique_ptr<Machine> machine;
  Timeline timeline;
  const std::atomic<bool> never{false};
};

SnapshotOptions some_snapshots(u64 seed) {
  SnapshotOptions options;
  options.policy = seed % 2 == 0 ? SnapshotPolicy::kRandom : SnapshotPolicy::kEvery;
  options.distance_steps = 300 + 700 * (seed % 3);
  options.random_seed = seed;
  return options;
}

using Bytes = std::array<u8, kWatchedBytes>;

/// What the watched bytes are before each step.
std::vector<Bytes> contents(const History& history, PhysAddr at) {
  StormWalker walker(history, EngineKind::kFast);
  std::vector<Bytes> result;
  for (;;) {
    Bytes bytes{};
    REQUIRE(walker.machine->read_physical(at, bytes));
    result.push_back(bytes);
    if (walker.now() >= history.end() || walker.to(Position{walker.now().steps + 1}) != Halt::kLimit) return result;
  }
}

/// The bytes of an access, at the content of some moment.
std::vector<u8> part_of(const Bytes& bytes, const Access& access, PhysAddr first) {
  const u64 into = access.address.value - first.value;
  REQUIRE(into + access.before.size() <= bytes.size());
  return {bytes.begin() + static_cast<std::ptrdiff_t>(into),
          bytes.begin() + static_cast<std::ptrdiff_t>(into + access.before.size())};
}

}  // namespace

TEST_CASE("accesses: no writer is missed in a storm, and each is told with what was before and after", "[accesses]") {
  std::map<Writer, u64> seen;
  u64 silent = 0;
  for (u64 seed = 1; seed <= 12; ++seed) {
    const unsigned harts = 1 + static_cast<unsigned>(seed % 3);
    const Storm storm = record_storm(seed, harts, kSteps);
    // Data, leaves of the page tables, code into which the disk reads, and where it says that it has.
    for (const u64 place : {kStormData, kStormTables + 0x2300, kStormTables + 0x5300, kStormCode + 0x100 * seed,
                            kStormData + 0x7000, kStormData + 0x9000}) {
      const PhysAddr first{place};
      const std::vector<Bytes> before = contents(*storm.history, first);
      Cursor cursor(*storm.history, some_snapshots(seed));
      AccessOrder order;
      order.pieces = {{first, kWatchedBytes}};
      order.to = Position{before.size() - 1};
      const std::vector<Access> writes = cursor.list(order);
      INFO("seed " << seed << " place " << std::hex << place);
      std::set<u64> steps;
      for (const Access& access : writes) {
        const u64 at = access.at.steps;
        REQUIRE(at + 1 < before.size());
        CHECK(access.is_write);
        if (!steps.empty()) CHECK(at >= *steps.rbegin());
        steps.insert(at);
        CHECK(access.before == part_of(before[at], access, first));
        CHECK(access.after == part_of(before[at + 1], access, first));
        ++seen[access.who];
        silent += before[at] == before[at + 1];
      }
      for (u64 at = 0; at + 1 < before.size(); ++at) {
        if (before[at] != before[at + 1]) CHECK(steps.contains(at));
      }
      // The last one before anywhere is the last of the list.
      AccessOrder last = order;
      last.last_only = true;
      for (u64 i = 0; i <= 5; ++i) {
        last.to = Position{order.to.steps * i / 5};
        const std::vector<Access> found = cursor.list(last);
        const auto after = steps.lower_bound(last.to.steps);
        CHECK(found.empty() == (after == steps.begin()));
        if (!found.empty()) CHECK(found.front().at.steps == *std::prev(after));
      }
    }
  }
  // The storm writes in all ways there are.
  for (const Writer who : {Writer::kHart, Writer::kWalker, Writer::kDevice, Writer::kDebugger, Writer::kLoader}) {
    INFO("writer " << static_cast<int>(who));
    CHECK(seen[who] > 0);
  }
  CHECK(silent > 0);
}

TEST_CASE("accesses: a request that is older than the history is told without who made it", "[accesses]") {
  unsigned seen = 0;
  for (u64 seed = 1; seed <= 12 && seen < 3; ++seed) {
    const Storm storm = record_storm(seed, 1, kSteps);
    AccessOrder order;
    order.pieces = {{PhysAddr{kStormCode}, 0x2000}, {PhysAddr{kStormData + 0x7000}, 0x3000}};
    order.to = storm.history->end();
    Cursor whole(*storm.history, some_snapshots(seed));
    for (const Access& access : whole.list(order)) {
      if (access.request.empty() || access.at.steps - access.queued_at.steps < 3) continue;
      CHECK(access.queuer_known);
      const Position begin{access.queued_at.steps + 2};
      REQUIRE(whole.timeline.seek(begin, whole.never));
      const auto frame = std::make_shared<HeldKeyFrame>(key_frame_of(*whole.machine, whole.output));
      History part(storm.history->board(), HistoryBegin{begin, frame});
      for (std::size_t i = storm.history->first_event_at(begin); i < storm.history->events().size(); ++i) {
        part.add_event(storm.history->events()[i]);
      }
      part.progress(order.to);
      Cursor later(part, some_snapshots(seed));
      order.from = begin;
      const std::vector<Access> found = later.list(order);
      const auto same = std::find_if(found.begin(), found.end(), [&](const Access& each) {
        return each.at == access.at && each.address == access.address;
      });
      REQUIRE(same != found.end());
      CHECK(same->queued_at == access.queued_at);
      CHECK_FALSE(same->queuer_known);
      ++seen;
      break;
    }
  }
  CHECK(seen > 0);
}

TEST_CASE("accesses: reads are told with what was there, and change nothing", "[accesses]") {
  u64 seen = 0;
  for (u64 seed = 1; seed <= 4; ++seed) {
    const Storm storm = record_storm(seed, 2, kSteps);
    const PhysAddr first{kStormData};
    const std::vector<Bytes> before = contents(*storm.history, first);
    Cursor cursor(*storm.history, some_snapshots(seed));
    AccessOrder order;
    order.kind = WatchKind::kRead;
    order.pieces = {{first, kWatchedBytes}};
    order.from = Position{100};
    order.to = Position{before.size() - 1};
    for (const Access& access : cursor.list(order)) {
      CHECK(access.at >= order.from);
      CHECK(access.before == part_of(before[access.at.steps], access, first));
      CHECK(access.who == Writer::kHart);
      ++seen;
    }
    for (const auto& [at, hash] : storm.hashes) {
      REQUIRE(cursor.timeline.seek(at, cursor.never));
      CHECK(cursor.machine->hash() == hash);
    }
  }
  CHECK(seen > 10);
}

TEST_CASE("accesses: no step is made twice on the way to where the search ends", "[accesses]") {
  const TracedGuest traced = trace_guest("two_harts", 2, 8);
  const Position to{traced.key_frames.back().state->machine.at.steps - 777};
  AccessOrder order;
  // On the page that is written all the time, and itself never.
  order.pieces = {{PhysAddr{symbol("two_harts", "counter") + 64}, 8}};
  order.to = to;
  for (const bool last_only : {true, false}) {
    CAPTURE(last_only);
    order.last_only = last_only;
    const auto history = TraceReader("x.rvt", traced.bytes).read_history();
    Cursor cursor(*history, {});
    CHECK(cursor.list(order).empty());
    CHECK(cursor.timeline.effort().steps <= to.steps);
    CHECK(cursor.timeline.effort().steps > to.steps / 2);
    REQUIRE(cursor.timeline.seek(traced.end, cursor.never));
    CHECK(cursor.machine->hash() == traced.end_hash);
  }
}
