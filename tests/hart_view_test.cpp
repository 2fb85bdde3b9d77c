// Conditions and commands of stops in a recorded session, compared with a step-by-step walk: replay/hart_view and
// replay/stop_filter.
#include "replay/hart_view.hpp"

#include <array>

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
  Bench(const Case& which, EngineKind engine) : watched(symbol(which.guest, which.symbol)) {
    RandomWorld world(4, 8, 200);
    Recorded recorded = record(guest_board(which.guest, which.harts), world);
    truth = walk(*recorded.history, PhysAddr{watched});
    session = Session::replay(std::move(recorded.history), engine, screen);
  }
  u64 watched;
  Screen screen;
  Walked truth;
  std::unique_ptr<Session> session;
};

template <class T>
std::vector<T> reversed(std::vector<T> all) {
  std::reverse(all.begin(), all.end());
  return all;
}

/// Counts where register `id` of the hart holds an even number; commands go on and note it.
class EvenOnly final : public StopRules {
 public:
  explicit EvenOnly(RegisterId id) : id_(id) {}
  bool counts(const HartView& hart, VirtAddr) const override { return *hart.read_register(id_) % 2 == 0; }
  bool counts(const HartView& hart, const WatchRange& range) const override {
    std::array<u8, 1> byte{};
    return hart.read_memory(range.address, byte) == 1 && byte[0] % 2 == 0;
  }
  bool handle(const HartView& hart, VirtAddr) override {
    seen.push_back(*hart.read_register(csr_register(0xb00)));
    return goes_on;
  }
  bool goes_on = false;
  std::vector<u64> seen;

 private:
  RegisterId id_;
};

}  // namespace

TEST_CASE("hart_view: conditions hold at the same positions forwards, backwards and for both engines", "[hart_view]") {
  for (unsigned i = 0; i < 2 * std::size(kCases); ++i) {
    const Case& which = kCases[i / 2];
    const u64 pc = symbol(which.guest, which.guest == std::string("echo") ? "work" : "loop");
    Bench bench(which, i % 2 == 0 ? EngineKind::kFast : EngineKind::kReference);
    Session& session = *bench.session;
    // mcycle is the position: a register that is exact only if the hart in the middle of a run is.
    const RegisterId cycle = csr_register(0xb00);
    std::vector<Position> expected;
    for (const Position at : bench.truth.executions(pc)) {
      if (at.steps % 2 == 0) expected.push_back(at);
    }
    REQUIRE(expected.size() > 1);
    EvenOnly rules(cycle);
    session.set_stops({{VirtAddr{pc}}, {}, false, {}, 0, &rules});
    std::vector<Position> found;
    for (;;) {
      const Stop stop = session.resume(Direction::kForward);
      if (stop.reason != StopReason::kBreakpoint) break;
      found.push_back(stop.at);
      session.step(stop.hart, Direction::kForward);
    }
    CHECK(found == expected);
    std::vector<Position> back;
    for (;;) {
      const Stop stop = session.resume(Direction::kBackward);
      if (stop.reason != StopReason::kBreakpoint) break;
      back.push_back(stop.at);
    }
    CHECK(back == reversed(expected));
    // Rules that have done what is to be done let the move go on, each place once.
    rules.goes_on = true;
    rules.seen.clear();
    session.resume(Direction::kForward);
    CHECK(session.position() == session.end());
    std::vector<u64> numbers;
    for (const Position at : expected) numbers.push_back(at.steps);
    CHECK(rules.seen == numbers);
    rules.seen.clear();
    CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
    CHECK(rules.seen == reversed(numbers));
  }
}

TEST_CASE("hart_view: a watch's condition is asked right behind the access, both ways", "[hart_view]") {
  for (const Case& which : kCases) {
    Bench bench(which, EngineKind::kFast);
    Session& session = *bench.session;
    std::vector<Position> expected;
    for (const Position at : bench.truth.changes()) {
      if (bench.truth.at[at.steps + 1].watched % 2 == 0) expected.push_back(at);
    }
    REQUIRE(expected.size() > 1);
    EvenOnly rules(integer_register(0));
    const StopRequest request{{}, {WatchRange{VirtAddr{bench.watched}, 8, WatchKind::kWrite, 0, false}}, false, {}, 0,
                              &rules};
    session.set_stops(request);
    for (const Position at : expected) {
      const Stop stop = session.resume(Direction::kForward);
      REQUIRE(stop.reason == StopReason::kWatchpoint);
      CHECK(stop.at == at);
      session.set_stops({});
      session.step(stop.hart, Direction::kForward);
      session.set_stops(request);
    }
    session.resume(Direction::kForward);
    CHECK(session.position() == session.end());
    for (const Position at : reversed(expected)) {
      CHECK(session.resume(Direction::kBackward).at == Position{at.steps + 1});
    }
  }
}
