#include "replay/drive.hpp"

#include "replay/replayer.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Bench {
  explicit Bench(const History& history)
      : machine(build_board(history.board(), EngineKind::kFast, screen, {})), replayer(history) {}
  Halt to(Position limit, StopSet* stops = nullptr) { return drive(*machine, replayer, limit, stops, interrupted); }
  Screen screen;
  std::unique_ptr<Machine> machine;
  Replayer replayer;
  std::atomic<bool> interrupted{false};
};

/// Says the same whatever it is asked.
class Stubborn final : public InputSource {
 public:
  explicit Stubborn(Took answer) : answer_(answer) {}
  Position next_pause(Position, Position limit) override { return limit; }
  Took take(Position, Idle idle, Ticks, Ticks, Batch&) override {
    ++asked;
    return idle == Idle::kYes ? answer_ : Took::kReachedDeadline;
  }
  unsigned asked = 0;

 private:
  Took answer_;
};

}  // namespace

TEST_CASE("drive: an input due at the limit is left for the next call", "[drive]") {
  const Recorded recorded = record_guest("echo", 1, 1);
  Bench bench(*recorded.history);
  for (const Event& event : recorded.history->events()) {
    REQUIRE(bench.to(event.at) == Halt::kLimit);
    REQUIRE(bench.machine->position() == event.at);
    REQUIRE(bench.to(Position{event.at.steps + 1}) == Halt::kLimit);
    REQUIRE(bench.machine->position().steps == event.at.steps + 1);
  }
  CHECK(bench.to(kEndOfTime) == Halt::kPoweredOff);
  CHECK(bench.machine->hash() == recorded.end_hash);
}

// Inferring idleness from why a run paused made every third recording of a model replay wrongly: where the limit fell
// on the very step that goes idle.
TEST_CASE("drive: pausing on any step, those that go idle among them, changes nothing", "[drive]") {
  const Recorded recorded = record_guest("echo", 1, 2);
  std::vector<Position> idle;
  Bench walker(*recorded.history);
  while (walker.to(Position{walker.machine->position().steps + 1}) == Halt::kLimit) {
    if (walker.machine->idle()) idle.push_back(walker.machine->position());
  }
  REQUIRE(idle.size() > 10);
  for (std::size_t first = 0; first < 3; ++first) {
    Bench bench(*recorded.history);
    for (std::size_t i = first; i < idle.size(); i += 3) {
      REQUIRE(bench.to(idle[i]) == Halt::kLimit);
      REQUIRE(bench.machine->idle());
    }
    CHECK(bench.to(kEndOfTime) == Halt::kPoweredOff);
    CHECK(bench.machine->hash() == recorded.end_hash);
  }
}

// Counting instructions instead of steps gave two states one number wherever a step retires nothing.
TEST_CASE("drive: neighbouring positions are different states", "[drive]") {
  const Recorded recorded = record_guest("echo", 1, 3);
  Bench bench(*recorded.history);
  u64 before = bench.machine->hash();
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(bench.to(Position{bench.machine->position().steps + 1}) == Halt::kLimit);
    const u64 after = bench.machine->hash();
    REQUIRE(after != before);
    before = after;
  }
}

TEST_CASE("drive: the end of a source is a position too", "[drive]") {
  RandomWorld world(1, 30, 300);
  const Recorded recorded = record(guest_board("echo"), world, Position{5000});
  Bench bench(*recorded.history);
  REQUIRE(bench.to(recorded.history->end()) == Halt::kLimit);
  CHECK(bench.machine->hash() == recorded.end_hash);

  // A guest that only waits, and a world that has ended.
  const auto machine = build_board(guest_board("two_harts", 1), EngineKind::kFast, bench.screen, {});
  const u64 park = symbol("two_harts", "park");
  std::vector<u8> bytes;
  for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<u8>(park >> (8 * i)));
  machine->apply(Batch{{Input{kMachineItself, DebuggerWrite{DebuggerWrite::Space::kRegister, 0,
                                                            static_cast<u64>(kRegisterPc), bytes}}},
                       Ticks{}});
  Stubborn ended(Took::kEnded);
  CHECK(drive(*machine, ended, kEndOfTime, nullptr, bench.interrupted) == Halt::kEnded);
  CHECK(machine->idle());
}

TEST_CASE("drive: an interrupt is seen before anything is done", "[drive]") {
  const Recorded recorded = record_guest("echo", 1, 1);
  Bench bench(*recorded.history);
  bench.interrupted = true;
  CHECK(bench.to(kEndOfTime) == Halt::kInterrupted);
  CHECK(bench.machine->position() == Position{0});
}

TEST_CASE("drive: the beginning of a wait is a stop, also where an input follows at once", "[drive]") {
  const Recorded recorded = record_guest("echo", 1, 4);
  Bench walker(*recorded.history);
  std::vector<Position> begins;
  unsigned with_input = 0;
  while (walker.to(Position{walker.machine->position().steps + 1}) == Halt::kLimit) {
    const Position at = walker.machine->position();
    if (!begins_to_wait(*walker.machine, 0)) continue;
    begins.push_back(at);
    const auto& events = recorded.history->events();
    const std::size_t next = recorded.history->first_event_at(at);
    if (next < events.size() && events[next].at == at) ++with_input;
  }
  REQUIRE(begins.size() > 10);
  CHECK(with_input > 0);
  Bench bench(*recorded.history);
  StopSet stops;
  stops.before_hart = 0;
  std::vector<Position> met;
  while (bench.to(kEndOfTime, &stops) == Halt::kStop) {
    REQUIRE(stops.hit->kind == StopHit::Kind::kBeforeHart);
    if (begins_to_wait(*bench.machine, 0)) met.push_back(bench.machine->position());
    stops.ignore_at = bench.machine->position();
  }
  CHECK(met == begins);
}
