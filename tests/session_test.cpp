// Stepping, stopping and searching in a recorded session, compared with a step-by-step walk: replay/session,
// replay/session_step, replay/session_search, replay/backward_search and replay/watched_access.
#include "replay/session.hpp"

#include "tests/catch.hpp"
#include "tests/support/oracle.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Case {
  const char* guest;
  unsigned harts;
  const char* symbol;
};
const Case kCases[] = {{"echo", 1, "total"}, {"two_harts", 2, "counter"}, {"two_harts", 3, "guarded"}};

/// A history, the truth about it, and a session on it.
struct Bench {
  explicit Bench(const Case& which, u64 seed = 2, const SnapshotOptions& options = {}, unsigned letters = 8)
      : watched(symbol(which.guest, which.symbol)) {
    RandomWorld world(seed, letters, 200);
    Recorded recorded = record(guest_board(which.guest, which.harts), world);
    truth = walk(*recorded.history, PhysAddr{watched});
    session = Session::replay(std::move(recorded.history), EngineKind::kFast, screen, options);
  }
  u64 watched;
  Screen screen;
  Walked truth;
  std::unique_ptr<Session> session;
};

std::vector<Position> stops_by_stepping(Session& session, unsigned hart, Direction direction, std::size_t at_most) {
  std::vector<Position> result;
  while (result.size() < at_most) {
    const Stop stop = session.step(hart, direction);
    if (stop.reason != StopReason::kStep) break;
    REQUIRE(stop.at == session.position());
    result.push_back(stop.at);
  }
  return result;
}

template <class T>
std::vector<T> slice(const std::vector<T>& all, std::size_t from, std::size_t count) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(std::min(count, all.size() - from))};
}

template <class T>
std::vector<T> reversed(std::vector<T> all) {
  std::reverse(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("session: steps visit exactly the stops of a hart, forwards and backwards", "[session]") {
  for (const Case& which : kCases) {
    Bench bench(which);
    for (const StepIrq irq : {StepIrq::kEnter, StepIrq::kSkip}) {
      bench.session->set_step_irq(irq);
      for (unsigned hart = 0; hart < std::min(which.harts, 2u); ++hart) {
        const auto stops = irq == StepIrq::kEnter ? bench.truth.stops(hart) : bench.truth.stops_outside(hart);
        REQUIRE(stops.size() > 400);
        CAPTURE(which.guest, which.harts, hart, irq == StepIrq::kSkip);
        Random random(hart + 1);
        for (int round = 0; round < 12; ++round) {
          const std::size_t from = random.below(stops.size() - 200);
          CAPTURE(round, stops[from].steps);
          bench.session->seek(stops[from]);
          CHECK(stops_by_stepping(*bench.session, hart, Direction::kForward, 150) == slice(stops, from + 1, 150));
          CHECK(bench.session->position() == stops[from + 150]);
          CHECK(stops_by_stepping(*bench.session, hart, Direction::kBackward, 150) ==
                reversed(slice(stops, from, 150)));
        }
      }
    }
  }
}

TEST_CASE("session: a step back undoes a step, state and all", "[session]") {
  for (const Case& which : kCases) {
    Bench bench(which, 3);
    Session& session = *bench.session;
    Random random(11);
    for (int round = 0; round < 100; ++round) {
      session.set_step_irq(round % 2 == 0 ? StepIrq::kSkip : StepIrq::kEnter);
      const auto stops = round % 2 == 0 ? bench.truth.stops_outside(0) : bench.truth.stops(0);
      const Position start = stops[random.below(stops.size() - 1)];
      session.seek(start);
      const u64 hash = session.hash();
      session.step(0, Direction::kForward);
      REQUIRE(session.position() > start);
      session.step(0, Direction::kBackward);
      REQUIRE(session.position() == start);
      REQUIRE(session.hash() == hash);
    }
  }
}

TEST_CASE("session: a handler one stands in is stepped through", "[session]") {
  Bench bench(kCases[0]);
  const auto stops = bench.truth.stops(0);
  const auto inside = std::find_if(stops.begin(), stops.end(), [&](Position at) {
    return !bench.truth.at[at.steps].harts[0].open.empty();
  });
  REQUIRE(inside != stops.end());
  bench.session->seek(*inside);
  for (auto next = inside + 1; next != inside + 10; ++next) {
    CHECK(bench.session->step(0, Direction::kForward).at == *next);
  }
  for (auto next = inside + 8; next >= inside; --next) {
    CHECK(bench.session->step(0, Direction::kBackward).at == *next);
  }
}

TEST_CASE("session: stepping from between a hart's stops makes its step", "[session]") {
  Bench bench(kCases[1]);
  const auto stops = bench.truth.stops(1);
  const Position between{stops[300].steps + 1};
  const auto next = std::upper_bound(stops.begin(), stops.end(), between);
  bench.session->set_step_irq(StepIrq::kEnter);
  bench.session->seek(between);
  const bool is_stop = std::binary_search(stops.begin(), stops.end(), between);
  CHECK(bench.session->step(1, Direction::kForward).at == (is_stop ? *next : *(next + 1)));
}

TEST_CASE("session: breakpoints are met forwards and backwards where they are executed", "[session]") {
  for (const Case& which : kCases) {
    const u64 pc = symbol(which.guest, which.guest == std::string("echo") ? "work" : "loop");
    for (const SnapshotPolicy policy : {SnapshotPolicy::kAuto, SnapshotPolicy::kNone, SnapshotPolicy::kRandom}) {
      Bench bench(which, 4, {policy, u64{512} << 20, 3000});
      Session& session = *bench.session;
      const auto all = bench.truth.executions(pc);
      REQUIRE(all.size() > 3);
      session.set_stops({{VirtAddr{pc}}, {}});
      for (const Position expected : slice(all, 0, 40)) {
        const Stop stop = session.resume(Direction::kForward);
        REQUIRE(stop.reason == StopReason::kBreakpoint);
        REQUIRE(stop.at == expected);
        REQUIRE(stop.hart == static_cast<unsigned>(bench.truth.at[expected.steps].stepper));
        // Resuming at a breakpoint stops at once; a step passes it.
        REQUIRE(session.resume(Direction::kForward).at == expected);
        session.set_stops({});
        session.step(stop.hart, Direction::kForward);
        session.set_stops({{VirtAddr{pc}}, {}});
      }
      session.seek(session.end());
      for (const Position expected : slice(reversed(all), 0, 40)) {
        const Stop stop = session.resume(Direction::kBackward);
        REQUIRE(stop.reason == StopReason::kBreakpoint);
        REQUIRE(stop.at == expected);
      }
      // Exactly one instruction back counts, the place one stands at does not.
      session.seek(Position{all[2].steps + 1});
      CHECK(session.resume(Direction::kBackward).at == all[2]);
      CHECK(session.resume(Direction::kBackward).at == all[1]);
      session.seek(all[0]);
      CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
      CHECK(session.position() == Position{0});
      CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
    }
  }
}

TEST_CASE("session: watches stop before a change forwards, behind it backwards", "[session]") {
  for (const Case& which : kCases) {
    Bench bench(which, 5, {SnapshotPolicy::kRandom, u64{512} << 20, 4000});
    Session& session = *bench.session;
    const StopRequest watch{{}, {WatchRange{VirtAddr{bench.watched}, 8}}};
    const auto changes = bench.truth.changes();
    REQUIRE(changes.size() > 20);
    for (const Position expected : slice(changes, 0, 30)) {
      session.set_stops(watch);
      const Stop stop = session.resume(Direction::kForward);
      REQUIRE(stop.reason == StopReason::kWatchpoint);
      REQUIRE(stop.at == expected);
      REQUIRE(stop.watched == VirtAddr{bench.watched});
      REQUIRE(stop.hart == static_cast<unsigned>(bench.truth.at[expected.steps].stepper));
      // A step with the watch in place stays before the access.
      REQUIRE(session.step(stop.hart, Direction::kForward).reason == StopReason::kWatchpoint);
      REQUIRE(session.position() == expected);
      session.set_stops({});
      session.step(stop.hart, Direction::kForward);
    }
    session.set_stops(watch);
    session.seek(session.end());
    for (const Position expected : slice(reversed(changes), 0, 30)) {
      const Stop stop = session.resume(Direction::kBackward);
      REQUIRE(stop.reason == StopReason::kWatchpoint);
      REQUIRE(stop.at.steps == expected.steps + 1);
      // What a client does next: one step back undoes exactly that access.
      session.set_stops({});
      session.set_step_irq(StepIrq::kEnter);
      session.step(stop.hart, Direction::kBackward);
      REQUIRE(session.position() == expected);
      session.set_stops(watch);
    }
  }
}

TEST_CASE("session: an access just made is reported once without moving", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  const auto changes = bench.truth.changes();
  const Position behind{changes[10].steps + 1};
  session.set_stops({{}, {WatchRange{VirtAddr{bench.watched}, 8}}});
  session.seek(behind);
  const Stop first = session.resume(Direction::kBackward);
  CHECK(first.reason == StopReason::kWatchpoint);
  CHECK(first.at == behind);
  CHECK(session.resume(Direction::kBackward).at.steps == changes[9].steps + 1);
  session.seek(behind);
  CHECK(session.resume(Direction::kBackward).at == behind);
}

TEST_CASE("session: of a breakpoint and a watch at one position the breakpoint is the later", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  const auto changes = bench.truth.changes();
  const Position behind{changes[10].steps + 1};
  const VirtAddr pc{bench.truth.at[behind.steps].harts[0].pc};
  session.set_stops({{pc}, {WatchRange{VirtAddr{bench.watched}, 8}}});
  session.seek(Position{behind.steps + 1});
  Stop stop = session.resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kBreakpoint);
  CHECK(stop.at == behind);
  stop = session.resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  CHECK(stop.at == behind);
  stop = session.resume(Direction::kBackward);
  CHECK(stop.at < behind);
}

TEST_CASE("session: watches for reading and for any access", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  // `work` begins with three instructions, then reads `total`; auipc and addi make each address.
  const u64 work = symbol("echo", "work");
  const auto read_at = [&] {
    session.set_stops({{}, {WatchRange{VirtAddr{bench.watched}, 8, WatchKind::kRead}}});
    session.seek(Position{0});
    const Stop stop = session.resume(Direction::kForward);
    CHECK(stop.reason == StopReason::kWatchpoint);
    CHECK(stop.watch_kind == WatchKind::kRead);
    return session.machine().hart_summary(0).pc.value;
  }();
  CHECK(read_at > work);
  const auto reads = bench.truth.executions(read_at);
  for (const Position expected : slice(reads, 0, 20)) {
    const Stop stop = session.resume(Direction::kForward);
    REQUIRE(stop.at == expected);
    session.set_stops({});
    session.step(0, Direction::kForward);
    session.set_stops({{}, {WatchRange{VirtAddr{bench.watched}, 8, WatchKind::kRead}}});
  }
  session.seek(session.end());
  for (const Position expected : slice(reversed(reads), 0, 20)) {
    REQUIRE(session.resume(Direction::kBackward).at.steps == expected.steps + 1);
  }
  // Silent stores: no change, but accesses. One range covers `flags` and the other does not overlap it.
  const VirtAddr flags{symbol("echo", "flags")};
  session.set_stops({{}, {WatchRange{flags, 4, WatchKind::kWrite}}});
  session.seek(session.end());
  CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
  session.set_stops({{}, {WatchRange{flags, 4, WatchKind::kWrite}, WatchRange{flags, 4, WatchKind::kAccess}}});
  session.seek(session.end());
  const Stop stop = session.resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  CHECK(stop.watch_kind == WatchKind::kAccess);
}

TEST_CASE("session: of several watched ranges the first that changes is named", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  // The scrambled number changes in its low byte each time, in its highest byte rarely.
  const WatchRange high{VirtAddr{bench.watched + 7}, 1};
  const WatchRange low{VirtAddr{bench.watched}, 1};
  session.set_stops({{}, {high, low}});
  session.seek(Position{0});
  Stop stop = session.resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  CHECK(stop.watched == low.address);
  CHECK(stop.at == bench.truth.changes()[0]);
  session.seek(Position{bench.truth.changes()[0].steps + 1});
  stop = session.resume(Direction::kBackward);
  CHECK(stop.watched == low.address);
}

TEST_CASE("session: a physical watch sees the same changes", "[session]") {
  Bench bench(kCases[1]);
  Session& session = *bench.session;
  WatchRange range{VirtAddr{bench.watched}, 8};
  range.physical = true;
  session.set_stops({{}, {range}});
  session.seek(session.end());
  for (const Position expected : slice(reversed(bench.truth.changes()), 0, 10)) {
    const Stop stop = session.resume(Direction::kBackward);
    REQUIRE(stop.reason == StopReason::kWatchpoint);
    REQUIRE(stop.at.steps == expected.steps + 1);
    REQUIRE(stop.watched == VirtAddr{bench.watched});
  }
}

TEST_CASE("session: a step back over another hart's turn stops at its breakpoint", "[session]") {
  Bench bench(kCases[1]);
  Session& session = *bench.session;
  const u64 pc = symbol("two_harts", "loop");
  // A step of hart 1 that spans a turn of hart 0 with a breakpoint in it.
  const auto stops = bench.truth.stops(1);
  const auto hits = bench.truth.executions(pc);
  for (std::size_t i = 0; i + 1 < stops.size(); ++i) {
    const auto hit = std::upper_bound(hits.begin(), hits.end(), stops[i]);
    if (hit == hits.end() || *hit >= stops[i + 1]) continue;
    const auto last = std::prev(std::lower_bound(hits.begin(), hits.end(), stops[i + 1]));
    session.set_step_irq(StepIrq::kEnter);
    session.set_stops({{VirtAddr{pc}}, {}});
    session.seek(stops[i]);
    CHECK(session.step(1, Direction::kForward).at == *hit);
    session.seek(stops[i + 1]);
    const Stop stop = session.step(1, Direction::kBackward);
    CHECK(stop.reason == StopReason::kBreakpoint);
    CHECK(stop.at == *last);
    CHECK(stop.hart == 0);
    session.set_stops({});
    CHECK(session.step(1, Direction::kBackward).at == stops[i]);
    return;
  }
  FAIL("no such step");
}

TEST_CASE("session: hot breakpoints are found without visiting every hit", "[session]") {
  Bench bench(kCases[0], 6, {SnapshotPolicy::kNone}, 150);
  const u64 pc = symbol("echo", "work_next");
  const auto all = bench.truth.executions(pc);
  REQUIRE(all.size() > 1000);
  bench.session->set_stops({{VirtAddr{pc}}, {}});
  bench.session->seek(bench.session->end());
  for (const Position expected : slice(reversed(all), 0, 5)) {
    CHECK(bench.session->resume(Direction::kBackward).at == expected);
  }
}

TEST_CASE("session: stepping a stretch and running it give the same states", "[session]") {
  for (const Case& which : kCases) {
    Bench bench(which);
    Session& session = *bench.session;
    session.set_step_irq(StepIrq::kEnter);
    const auto stops = bench.truth.stops(0);
    session.seek(stops[50]);
    for (int i = 0; i < 300; ++i) session.step(0, Direction::kForward);
    const Position at = session.position();
    const u64 stepped = session.hash();
    session.seek(Position{0});
    session.seek(at);
    CHECK(session.hash() == stepped);
    session.seek(session.end());
    const u64 end = session.hash();
    Bench fresh(which);
    fresh.session->seek(fresh.session->end());
    CHECK(fresh.session->hash() == end);
  }
}

TEST_CASE("session: a range is left where the program counter leaves it", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  const u64 start = symbol("echo", "work");
  session.set_stops({{VirtAddr{start}}, {}});
  session.resume(Direction::kForward);
  session.set_stops({});
  const Stop stop = session.step_range(0, VirtAddr{start}, VirtAddr{start + 60});
  CHECK(stop.reason == StopReason::kStep);
  const u64 pc = session.machine().hart_summary(0).pc.value;
  CHECK((pc < start || pc >= start + 60));
  CHECK(session.position().steps > 100);
  session.seek(Position{session.position().steps - 20});
  const Position before = session.position();
  session.set_step_irq(StepIrq::kEnter);
  CHECK(session.step_range(0, VirtAddr{1}, VirtAddr{1}).at.steps == before.steps + 1);
}

TEST_CASE("session: a recording has two ends and cannot be written", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  CHECK_FALSE(session.live());
  const Stop stop = session.resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kPoweredOff);
  CHECK_FALSE(stop.note.empty());
  CHECK(stop.at == session.end());
  CHECK(session.step(0, Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK_THROWS_AS(session.write_register(0, kRegisterPc, 0), Error);
  CHECK_THROWS_AS(session.seek(Position{session.end().steps + 1}), Error);
  CHECK(session.event_number() == session.history().events().size());
  CHECK(session.event(1).at == Position{0});
  CHECK_THROWS_AS(session.event(0), Error);
  session.seek(Position{0});
  CHECK(session.event_number() == 1);
  CHECK(session.step(0, Direction::kBackward).reason == StopReason::kHistoryBegin);
}

TEST_CASE("session: an interrupt breaks off the next move and loses nothing", "[session]") {
  Bench bench(kCases[0]);
  Session& session = *bench.session;
  session.interrupt();
  CHECK(session.resume(Direction::kForward).reason == StopReason::kInterrupted);
  session.seek(session.end());
  session.set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
  session.interrupt();
  const Stop stop = session.resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kInterrupted);
  CHECK(stop.at == session.end());
  CHECK(session.resume(Direction::kBackward).reason == StopReason::kBreakpoint);
}
