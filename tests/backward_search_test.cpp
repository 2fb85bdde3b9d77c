// One search by one thread and by two: replay/backward_search, replay/stretch_scan, replay/side_cursor.
#include <atomic>

#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Case {
  const char* guest;
  unsigned harts;
  const char* code;
  const char* data;
};
const Case kCases[] = {{"echo", 1, "work", "total"}, {"two_harts", 2, "loop", "counter"}};

const SnapshotOptions kPolicies[] = {
    {SnapshotPolicy::kAuto},
    {SnapshotPolicy::kNone},
    {SnapshotPolicy::kEvery, u64{512} << 20, 300},
    {SnapshotPolicy::kRandom, u64{512} << 20, 1000, 7},
};

std::unique_ptr<Session> session_on(const Case& which, OutputSink& screen, const SnapshotOptions& options,
                                    unsigned jobs) {
  auto session = Session::replay(record_guest(which.guest, which.harts, 5).history, EngineKind::kFast, screen, options);
  session->set_jobs(jobs, 0);
  session->seek(session->end());
  return session;
}

struct Found {
  Position at;
  StopReason reason = StopReason::kStep;
  unsigned hart = 0;
  u64 hash = 0;
  bool operator==(const Found&) const = default;
};

/// All stops from the end to the beginning.
std::vector<Found> all_back(Session& session, const StopRequest& request) {
  session.set_stops(request);
  std::vector<Found> found;
  do {
    const Stop stop = session.resume(Direction::kBackward);
    found.push_back({stop.at, stop.reason, stop.hart, session.hash()});
  } while (found.back().reason != StopReason::kHistoryBegin && found.size() < 60);
  return found;
}

u64 word_at(const HartView& hart, u64 address) {
  std::array<u8, 8> bytes{};
  (void)hart.read_memory(VirtAddr{address}, bytes);
  u64 value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

/// No breakpoint counts, but something may happen when one is asked about. Of watched accesses those count that leave
/// `ticks` at 3 or less.
class CountingRules final : public StopRules {
 public:
  explicit CountingRules(std::function<void(u64 asked, const HartView&)> at) : at_(std::move(at)) {}
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr) const override {
    at_(++asked_, hart);
    return false;
  }
  [[nodiscard]] bool counts(const HartView& hart, const WatchRange&) const override {
    return word_at(hart, symbol_) <= 3;
  }
  bool handle(const HartView&, VirtAddr) override { return false; }

 private:
  u64 symbol_ = symbol("echo", "ticks");
  mutable std::atomic<u64> asked_{0};
  std::function<void(u64, const HartView&)> at_;
};

}  // namespace

TEST_CASE("backward_search: two threads find what one finds, whatever the snapshots", "[backward_search]") {
  for (const Case& which : kCases) {
    const VirtAddr code{symbol(which.guest, which.code)};
    const WatchRange data{VirtAddr{symbol(which.guest, which.data)}, 8};
    for (const StopRequest& request : {StopRequest{{code}, {}}, StopRequest{{}, {data}}, StopRequest{{code}, {data}}}) {
      std::optional<std::vector<Found>> expected;
      for (const SnapshotOptions& options : kPolicies) {
        for (const unsigned jobs : {1u, 2u}) {
          CAPTURE(which.guest, static_cast<int>(options.policy), jobs);
          Screen screen;
          const auto session = session_on(which, screen, options, jobs);
          const std::string said = screen.text;
          const std::vector<Found> found = all_back(*session, request);
          if (!expected) expected = found;
          CHECK(found.size() > 3);
          CHECK(found == *expected);
          session->seek(session->end());
          CHECK(screen.text == said);
        }
      }
    }
  }
}

TEST_CASE("backward_search: what a search runs through is shown when one comes there", "[backward_search]") {
  for (const unsigned jobs : {1u, 2u}) {
    Recorded recorded = record_guest("echo", 1, 5);
    const std::string text = recorded.text;
    Screen screen;
    const auto session = Session::replay(std::move(recorded.history), EngineKind::kFast, screen,
                                         {SnapshotPolicy::kEvery, u64{512} << 20, 300});
    session->set_jobs(jobs, 0);
    session->seek(session->end());
    CHECK(screen.text == text);
    session->set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
    while (session->resume(Direction::kBackward).reason == StopReason::kBreakpoint) continue;
    CHECK(screen.text == text);
  }
}

TEST_CASE("backward_search: interrupted, it goes on from where it was to the same stop", "[backward_search]") {
  for (const SnapshotPolicy policy : {SnapshotPolicy::kEvery, SnapshotPolicy::kRandom}) {
    const SnapshotOptions options{policy, u64{512} << 20, 400};
    Screen screen;
    std::optional<Found> expected;
    unsigned interrupted = 0;
    for (const u64 interrupt_at : {0u, 1u, 30u, 100u, 250u, 400u}) {
      CAPTURE(static_cast<int>(policy), interrupt_at);
      const auto session = session_on(kCases[0], screen, options, interrupt_at == 0 ? 1 : 2);
      CountingRules rules([&](u64 asked, const HartView&) {
        if (asked == interrupt_at) session->interrupt();
      });
      StopRequest request{{VirtAddr{symbol("echo", "work_next")}}, {WatchRange{VirtAddr{symbol("echo", "ticks")}, 8}}};
      request.rules = &rules;
      session->set_stops(request);
      Stop stop = session->resume(Direction::kBackward);
      if (stop.reason == StopReason::kInterrupted) {
        ++interrupted;
        CHECK(stop.at == session->position());
        stop = session->resume(Direction::kBackward);
      }
      const Found found{stop.at, stop.reason, stop.hart, session->hash()};
      if (!expected) expected = found;
      CHECK(found == *expected);
    }
    CHECK(expected->reason == StopReason::kWatchpoint);
    CHECK(interrupted > 2);
  }
}

TEST_CASE("backward_search: what fails behind a hit is nobody's business", "[backward_search]") {
  const u64 ticks = symbol("echo", "ticks");
  Screen screen;
  const auto session = session_on(kCases[0], screen, {SnapshotPolicy::kEvery, u64{512} << 20, 300}, 2);
  CountingRules rules([&](u64, const HartView& hart) {
    if (word_at(hart, ticks) < 1) throw Error(Exit::kIo, "a stretch that cannot be run");
  });
  StopRequest request{{VirtAddr{symbol("echo", "work_next")}}, {WatchRange{VirtAddr{ticks}, 8}}};
  request.rules = &rules;
  std::optional<Position> expected;
  for (int i = 0; i < 20; ++i) {
    session->seek(session->end());
    session->set_stops(request);
    const Stop stop = session->resume(Direction::kBackward);
    CHECK(stop.reason == StopReason::kWatchpoint);
    if (!expected) expected = stop.at;
    CHECK(stop.at == *expected);
  }
  request.watches.clear();
  session->set_stops(request);
  CHECK_THROWS_AS(session->resume(Direction::kBackward), Error);
  session->set_stops({});
  CHECK(session->resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
}
