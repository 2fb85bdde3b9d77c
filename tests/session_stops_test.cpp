// Stops where lines of history, throw-away copies and the live end meet: what was said in one is not said in another,
// and nothing looks beyond an end. Covers replay/session_live and replay/session_branches together.
#include <unistd.h>

#include <algorithm>

#include "replay/session.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u16 kMstatus = 0x300, kMie = 0x304;

std::unique_ptr<Session> live(const std::string& guest, OutputSink& screen, unsigned harts = 1,
                              Recording recording = Recording::kOn) {
  LiveSetup setup;
  setup.board = guest_board(guest, harts);
  setup.inputs.clock = ClockMode::kVirtual;
  setup.recording = recording;
  return Session::live(std::move(setup), screen);
}

StopRequest csr_stops(std::vector<u16> csrs) {
  StopRequest request;
  request.csr_writes = std::move(csrs);
  return request;
}

StopRequest watch(u64 address, u64 length) { return {{}, {WatchRange{VirtAddr{address}, length}}}; }

/// Stands before the store to `flags` that changes nothing.
void go_to_silent_store(Session& session) {
  session.set_stops({{VirtAddr{symbol("echo", "work_next")}}, {}});
  REQUIRE(session.resume(Direction::kForward).reason == StopReason::kBreakpoint);
  session.set_stops({});
  for (int i = 0; i < 5; ++i) REQUIRE(session.step(0, Direction::kForward).reason == StopReason::kStep);
}

/// Of a breakpoint that is met all the time: never a stop. Interrupts the session, as a thread would, at a chosen one.
class InterruptingRules final : public StopRules {
 public:
  explicit InterruptingRules(Session& session) : session_(session) {}
  [[nodiscard]] bool counts(const HartView&, VirtAddr) const override {
    if (++asked == interrupt_at) session_.interrupt();
    return false;
  }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return false; }
  bool handle(const HartView&, VirtAddr) override { return false; }

  mutable u64 asked = 0;
  u64 interrupt_at = 0;

 private:
  Session& session_;
};

void write_flags(Session& session, u8 value) {
  session.write_memory(0, AddressSpace::kVirtual, symbol("echo", "flags"), std::array<u8, 1>{value});
}

}  // namespace

TEST_CASE("session: what stopped in a throw-away copy still stops in history", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  session->set_stops(csr_stops({kMie}));
  const Position at_mie = session->resume(Direction::kForward).at;
  session->set_stops({});
  session->run_to(Position{at_mie.steps + 100});
  session->seek(Position{at_mie.steps - 5});
  session->set_scratch(Scratch::kOn);
  // The write by hand is a step, so the copy writes mie where history writes mstatus.
  write_flags(*session, 7);
  session->set_stops(csr_stops({kMie}));
  const Stop in_copy = session->resume(Direction::kForward);
  REQUIRE(in_copy.reason == StopReason::kCsrWrite);
  REQUIRE(in_copy.at.steps == at_mie.steps + 1);
  session->set_scratch(Scratch::kOff);
  session->set_stops(csr_stops({kMstatus}));
  const Stop stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kCsrWrite);
  CHECK(stop.at.steps == at_mie.steps + 1);
}

TEST_CASE("session: what stopped in one branch still stops in another", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  session->set_stops(csr_stops({kMie}));
  const Position at_mie = session->resume(Direction::kForward).at;
  session->set_stops({});
  session->run_to(Position{at_mie.steps + 100});
  session->seek(Position{at_mie.steps - 5});
  session->fork("other");
  session->set_stops(csr_stops({kMie}));
  REQUIRE(session->resume(Direction::kForward).at == at_mie);
  CHECK(session->switch_to("main"));
  const Stop stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kCsrWrite);
  CHECK(stop.at == at_mie);
}

TEST_CASE("session: an access just reported is reported again in another branch", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  session->run_to(Position{2000});
  session->set_stops(watch(symbol("echo", "total"), 8));
  const Stop found = session->resume(Direction::kBackward);
  REQUIRE(found.reason == StopReason::kWatchpoint);
  session->fork("other");
  // Still the same stop.
  CHECK(session->resume(Direction::kBackward).at < found.at);
  session->seek(found.at);
  REQUIRE(session->resume(Direction::kBackward).at == found.at);
  CHECK(session->switch_to("main"));
  REQUIRE(session->position() == found.at);
  const Stop again = session->resume(Direction::kBackward);
  CHECK(again.reason == StopReason::kWatchpoint);
  CHECK(again.at == found.at);
}

TEST_CASE("session: no step is made beyond an end to see what it would do", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  go_to_silent_store(*session);
  const Position end = session->position();
  const u64 hash = session->hash();
  REQUIRE(session->end() == end);

  // Of a recording that ends there.
  const auto replay =
      Session::replay(std::make_unique<History>(session->history(), end), EngineKind::kFast, screen);
  replay->set_stops(watch(symbol("echo", "flags"), 4));
  Stop stop = replay->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kHistoryEnd);
  CHECK(stop.at == end);
  CHECK(replay->position() == end);
  CHECK(replay->hash() == hash);

  // Of a live session, whose edge it is.
  session->seek(Position{end.steps - 3});
  session->set_stops(watch(symbol("echo", "flags"), 4));
  stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kHistoryEnd);
  CHECK(stop.at == end);
  CHECK(session->position() == session->end());
  CHECK(session->hash() == hash);
}

TEST_CASE("session: what is done by hand where an instruction stopped does not bring it up again", "[session_stops]") {
  Screen screen;
  const auto session = live("two_harts", screen, 2);
  session->set_stops(csr_stops({kMie}));
  const Stop first = session->resume(Direction::kForward);
  REQUIRE(first.reason == StopReason::kCsrWrite);
  // Which harts may run is an input of its own, as are writes.
  session->set_only_hart(first.hart);
  Stop stop = session->run_to(Position{first.at.steps + 50});
  CHECK(stop.reason == StopReason::kStep);
  session->set_only_hart(std::nullopt);
  const Stop second = session->resume(Direction::kForward);
  REQUIRE(second.reason == StopReason::kCsrWrite);
  REQUIRE(second.hart != first.hart);
  session->write_register(second.hart, integer_register(31), 1);
  stop = session->run_to(Position{second.at.steps + 50});
  CHECK(stop.reason == StopReason::kStep);
  // In history the stop is behind what was done by hand.
  session->seek(Position{0});
  CHECK(session->resume(Direction::kForward).at.steps == first.at.steps + 1);
  CHECK(session->resume(Direction::kForward).at > second.at);
  CHECK(verify(session->history()).identical());
}

TEST_CASE("session: an instruction chosen by hand stops, though another one did just before", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  session->set_stops(csr_stops({kMie, kMstatus}));
  const Stop first = session->resume(Direction::kForward);
  REQUIRE(first.reason == StopReason::kCsrWrite);
  const u64 pc = session->machine().hart_summary(0).pc.value;
  session->write_register(0, kRegisterPc, pc + 4);
  const Stop stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kCsrWrite);
  CHECK(stop.at.steps == first.at.steps + 1);
}

TEST_CASE("session: a copy judges watched accesses without history", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen);
  session->run_to(Position{3000});
  session->seek(Position{1000});
  const u64 hash = session->hash();
  session->set_stops(watch(symbol("echo", "flags"), 4));
  // Many stores that change nothing: from here on they are judged inside the run.
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kHistoryEnd);
  session->seek(Position{1000});
  session->set_scratch(Scratch::kOn);
  write_flags(*session, 9);
  const Stop stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  REQUIRE(session->forked());
  std::array<u8, 1> seen{};
  REQUIRE(session->read_memory(0, AddressSpace::kVirtual, symbol("echo", "flags"), seen) == 1);
  CHECK(seen[0] == 9);
  session->set_scratch(Scratch::kOff);
  CHECK(session->position() == Position{1000});
  CHECK(session->hash() == hash);
}

TEST_CASE("session: a hart alone makes no copy, and is alone in one", "[session_stops]") {
  Screen screen;
  const auto session = live("two_harts", screen, 2);
  session->run_to(Position{1500});
  session->set_scratch(Scratch::kOn);
  session->set_only_hart(1u);
  CHECK(session->step(1, Direction::kForward).reason == StopReason::kStep);
  CHECK_FALSE(session->forked());
  const u64 hash = session->hash();
  const u64 pc = session->machine().hart_summary(0).pc.value;
  const Position here = session->position();
  session->set_only_hart(0u);
  session->write_register(0, integer_register(31), 1);
  CHECK(session->step(0, Direction::kForward).reason == StopReason::kStep);
  CHECK(session->machine().hart_summary(0).pc.value != pc);
  CHECK(session->machine().sched_mask() == 1);
  session->set_scratch(Scratch::kOff);
  CHECK(session->position() == here);
  CHECK(session->hash() == hash);
  // What comes next is not alone any more, in a branch neither.
  session->set_only_hart(std::nullopt);
  session->step(0, Direction::kBackward);
  session->fork("all");
  session->run_to(Position{session->position().steps + 10});
  CHECK(session->machine().sched_mask() == ~u64{0});
  CHECK(verify(session->history()).identical());
}

TEST_CASE("session: a copy has heard no event that came after it was made", "[session_stops]") {
  const Recorded recorded = record_guest("echo", 1, 3);
  Screen screen;
  const auto session = Session::replay(std::make_unique<History>(*recorded.history, recorded.history->end()),
                                       EngineKind::kFast, screen);
  session->seek(Position{session->end().steps / 2});
  const u64 heard = session->event_number();
  REQUIRE(heard < recorded.history->events().size());
  session->set_scratch(Scratch::kOn);
  write_flags(*session, 9);
  session->run_to(Position{session->end().steps + 10});
  CHECK(session->event_number() == heard);
}

TEST_CASE("session: of a copy of a run that is not recorded one goes back to where it was made", "[session_stops]") {
  Screen screen;
  const auto session = live("echo", screen, 1, Recording::kOff);
  session->run_to(Position{1000});
  const u64 hash = session->hash();
  session->set_scratch(Scratch::kOn);
  write_flags(*session, 9);
  session->run_to(Position{2000});
  CHECK_THROWS_AS(session->seek(Position{2000}), Error);
  CHECK(session->forked());
  session->seek(Position{1000});
  CHECK_FALSE(session->forked());
  CHECK(session->hash() == hash);
}

TEST_CASE("session: an interrupt stops a move within a million steps, wherever it goes", "[session_stops]") {
  constexpr u64 kMostSteps = 1'000'000, kHistory = 8'000'000;
  Screen screen;
  const auto session = live("debuggee", screen);
  session->set_stops({{VirtAddr{symbol("debuggee", "main")}}, {}});
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  session->write_memory(0, AddressSpace::kVirtual, symbol("debuggee", "mode"), std::array<u8, 1>{2});
  session->set_stops({{VirtAddr{symbol("debuggee", "spin")}}, {}});
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  // Into the loop.
  session->set_stops({});
  for (int i = 0; i < 10; ++i) REQUIRE(session->step(0, Direction::kForward).reason == StopReason::kStep);
  const Position begin = session->position();

  InterruptingRules rules(*session);
  StopRequest request{{session->machine().hart_summary(0).pc}, {}};
  request.rules = &rules;
  session->set_stops(request);
  session->run_to(Position{begin.steps + kHistory});
  const u64 steps_per_round = kHistory / rules.asked + 1;
  REQUIRE(steps_per_round < 100);

  const auto check = [&](Direction direction, u64 interrupt_at) {
    rules.asked = 0;
    rules.interrupt_at = interrupt_at;
    CHECK(session->resume(direction).reason == StopReason::kInterrupted);
    CHECK((rules.asked - interrupt_at) * steps_per_round <= kMostSteps);
  };
  for (const u64 interrupt_at : {u64{1}, u64{777}, u64{100'000}}) {
    check(Direction::kForward, interrupt_at);
    session->seek(session->end());
    check(Direction::kBackward, interrupt_at);
    session->seek(begin);
    check(Direction::kForward, interrupt_at);
    session->seek(session->end());
  }
}

TEST_CASE("session: steps back in a row make some thousand steps each, however far they go", "[session_stops]") {
  constexpr u64 kHistory = 8'000'000, kMostSteps = 10'000;
  constexpr unsigned kInARow = 200;
  Screen screen;
  const auto session = live("debuggee", screen);
  session->set_stops({{VirtAddr{symbol("debuggee", "main")}}, {}});
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  session->write_memory(0, AddressSpace::kVirtual, symbol("debuggee", "mode"), std::array<u8, 1>{2});
  session->set_stops({});
  session->run_to(Position{session->position().steps + kHistory});
  for (const u64 back : {u64{0}, u64{1'000'000}, u64{6'000'000}}) {
    session->seek(Position{session->end().steps - back});
    REQUIRE(session->step(0, Direction::kBackward).reason == StopReason::kStep);
    const u64 before = session->effort().steps;
    for (unsigned i = 0; i < kInARow; ++i) {
      REQUIRE(session->step(0, Direction::kBackward).reason == StopReason::kStep);
    }
    CHECK(session->effort().steps - before < kInARow * kMostSteps);
  }
}

TEST_CASE("session_stops: a CSR write that comes behind other harts' steps stops a step of its hart",
          "[session_stops]") {
  // Both harts, in turns that begin anywhere in it: 0: addi, addi, csrw mscratch, addi, j 0b
  constexpr u32 kCode[] = {0x00128293, 0x00128293, 0x34029073, 0x00128293, 0xff1ff06f};
  constexpr u16 kMscratch = 0x340;
  BoardConfig board = guest_board("stuck", 2);
  board.machine.turn_steps = 64;
  Blob code{PhysAddr{0x80000000}, {}};
  for (const u32 word : kCode) {
    for (unsigned i = 0; i < 4; ++i) code.bytes.push_back(static_cast<u8>(word >> (8 * i)));
  }
  board.machine.initial_memory = {code};
  auto history = std::make_unique<History>(board);
  history->progress(Position{1500});
  Screen screen;
  const auto session = Session::replay(std::move(history), EngineKind::kFast, screen);
  session->set_stops(csr_stops({kMscratch}));
  std::vector<Position> writes;
  for (Stop stop = session->resume(Direction::kForward); stop.reason == StopReason::kCsrWrite;
       stop = session->resume(Direction::kForward)) {
    writes.push_back(stop.at);
  }
  REQUIRE(writes.size() > 100);
  unsigned stopped = 0;
  for (Position from{100}; from < Position{1000}; ++from.steps) {
    session->seek(from);
    const unsigned other = 1 - session->machine().current_hart();
    const Stop stop = session->step(other, Direction::kForward);
    const auto next = std::upper_bound(writes.begin(), writes.end(), from);
    CAPTURE(from.steps);
    CHECK(stop.at.steps <= next->steps);
    stopped += stop.reason == StopReason::kCsrWrite && stop.hart == other;
  }
  CHECK(stopped > 0);
}
