// Live sessions: a guest that runs with a real pipe for a console, is stopped, walked backwards, written to, and goes
// on. Covers replay/session_live, replay/guest_memory and replay/recorder.
#include <unistd.h>

#include <thread>

#include "replay/session.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Live {
  explicit Live(const std::string& guest, unsigned harts = 1, Recording recording = Recording::kOn,
                ClockMode clock = ClockMode::kVirtual, ConsoleFilter filter = {}) {
    REQUIRE(pipe(console.data()) == 0);
    LiveSetup setup;
    setup.board = guest_board(guest, harts);
    setup.inputs.console_fd = console[0];
    setup.inputs.clock = clock;
    setup.filter = std::move(filter);
    setup.recording = recording;
    session = Session::live(std::move(setup), screen);
  }
  ~Live() {
    close(console[0]);
    hang_up();
  }
  void type(const std::string& text) {
    REQUIRE(write(console[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (console[1] >= 0) close(console[1]);
    console[1] = -1;
  }
  /// Runs on until somebody interrupts, which is soon.
  Stop run_a_while() {
    std::thread interrupter([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      session->interrupt();
    });
    const Stop stop = session->resume(Direction::kForward);
    interrupter.join();
    return stop;
  }
  std::array<int, 2> console{-1, -1};
  Screen screen;
  std::unique_ptr<Session> session;
};

}  // namespace

TEST_CASE("session_live: what is typed is echoed, recorded, and replays", "[session_live]") {
  Live live("echo");
  live.type("hello");
  live.run_a_while();
  live.type("worldq");
  const Stop stop = live.session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "helloworldq");
  CHECK(live.session->end() == stop.at);
  const u64 hash = live.session->hash();
  live.session->finish(Outcome::Kind::kStopped);
  CHECK(live.session->history().outcome().kind == Outcome::Kind::kPoweredOff);
  const Verdict verdict = verify(live.session->history());
  CHECK(verdict.identical());
  CHECK(verdict.marks >= 1);
  CHECK(verdict.hash == hash);
  CHECK(verdict.console.bytes == 11);
}

TEST_CASE("session_live: back, forward over the end, and on, with keys typed meanwhile", "[session_live]") {
  Live live("echo");
  Session& session = *live.session;
  live.type("abc");
  REQUIRE(live.run_a_while().reason == StopReason::kInterrupted);
  const Position first_end = session.end();
  const u64 first_hash = session.hash();
  CHECK(session.position() == first_end);

  session.seek(Position{first_end.steps / 2});
  live.type("def");
  CHECK(session.end() == first_end);
  // Out of the past: once to the edge, then live.
  Stop stop = session.resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kHistoryEnd);
  CHECK(stop.at == first_end);
  CHECK(session.hash() == first_hash);
  CHECK(live.screen.text == "abc");
  live.run_a_while();
  CHECK(session.end() > first_end);
  CHECK(live.screen.text == "abcdef");

  // With the edge open a resume goes through it at once.
  session.set_edge(Edge::kGo);
  session.seek(Position{10});
  live.type("q");
  stop = session.resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "abcdefq");
  CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(verify(session.history()).identical());
}

TEST_CASE("session_live: whatever one does on the way, what is typed arrives once and in order", "[session_live]") {
  for (u64 seed = 1; seed <= 4; ++seed) {
    Live live("echo", seed % 2 == 0 ? 2 : 1);
    Session& session = *live.session;
    Random random(seed);
    std::string typed;
    std::map<Position, u64> hashes;
    for (int i = 0; i < 120; ++i) {
      if (random.below(3) == 0) {
        typed += static_cast<char>('a' + random.below(15));
        live.type(typed.substr(typed.size() - 1));
      }
      session.set_edge(random.below(2) == 0 ? Edge::kGo : Edge::kStop);
      switch (random.below(5)) {
        case 0:
          session.seek(Position{random.below(session.end().steps + 1)});
          break;
        case 1:
          session.seek(session.end());
          break;
        case 2:
          session.step(0, random.below(2) == 0 ? Direction::kForward : Direction::kBackward);
          break;
        default:
          // Perhaps over the end, into what has not been yet.
          session.run_to(Position{session.position().steps + random.below(30'000)});
      }
      const auto [known, is_new] = hashes.try_emplace(session.position(), session.hash());
      REQUIRE(known->second == session.hash());
      REQUIRE(typed.starts_with(live.screen.text));
    }
    session.set_edge(Edge::kGo);
    live.type("q");
    REQUIRE(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
    CHECK(live.screen.text == typed + "q");
    session.seek(Position{0});
    session.seek(session.end());
    CHECK(live.screen.text == typed + "q");
    CHECK(verify(session.history()).identical());
  }
}

TEST_CASE("session_live: steps at the live end are undone and made again", "[session_live]") {
  for (const StepIrq irq : {StepIrq::kEnter, StepIrq::kSkip}) {
    Live live("echo");
    Session& session = *live.session;
    session.set_step_irq(irq);
    session.set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
    live.type("xyz");
    REQUIRE(session.resume(Direction::kForward).reason == StopReason::kBreakpoint);
    session.set_stops({});
    std::vector<std::pair<Position, u64>> seen;
    for (int i = 0; i < 600; ++i) {
      const Stop stop = session.step(0, Direction::kForward);
      REQUIRE(stop.reason == StopReason::kStep);
      CHECK(session.end() == stop.at);
      seen.emplace_back(stop.at, session.hash());
    }
    for (std::size_t i = seen.size() - 1; i-- > 0;) {
      REQUIRE(session.step(0, Direction::kBackward).at == seen[i].first);
      if (i % 7 == 0) REQUIRE(session.hash() == seen[i].second);
    }
    for (std::size_t i = 1; i < seen.size(); ++i) {
      const Stop stop = session.step(0, Direction::kForward);
      REQUIRE(stop.reason == StopReason::kStep);
      REQUIRE(stop.at == seen[i].first);
    }
    CHECK(session.hash() == seen.back().second);
  }
}

TEST_CASE("session_live: a key typed at a breakpoint does not bring it up again", "[session_live]") {
  for (const StepIrq irq : {StepIrq::kEnter, StepIrq::kSkip}) {
    // In `work` the key interrupts; in the handler, where interrupts are off, it does not.
    for (const char* place : {"work", "handler"}) {
      Live live("echo");
      Session& session = *live.session;
      session.set_step_irq(irq);
      session.set_stops({{VirtAddr{symbol("echo", place)}}, {}});
      for (int i = 0; i < 3; ++i) {
        REQUIRE(session.resume(Direction::kForward).reason == StopReason::kBreakpoint);
        const Position stopped = session.position();
        const VirtAddr pc = session.machine().hart_summary(0).pc;
        live.type("k");
        // The console is not looked at more often than once in a millisecond.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        // The client leaves the breakpoint where it is.
        CHECK(session.step(0, Direction::kForward).reason == StopReason::kStep);
        CHECK(session.machine().hart_summary(0).pc != pc);
        REQUIRE(session.history().events().back().at == stopped);
      }
      session.set_stops({});
      live.type("q");
      CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
      CHECK(live.screen.text == "kkkq");
      CHECK(verify(session.history()).identical());
    }
  }
}

TEST_CASE("session_live: a step made for trial says nothing before it is made", "[session_live]") {
  Live live("hello");
  Session& session = *live.session;
  const StopRequest watch{{}, {WatchRange{VirtAddr{0x1000'0000}, 1, WatchKind::kAccess}}};
  std::string said;
  for (const char c : {'h', 'e'}) {
    session.set_stops(watch);
    Stop stop = session.resume(Direction::kForward);
    while (stop.reason == StopReason::kWatchpoint && live.screen.text == said) {
      session.set_stops({});
      REQUIRE(session.step(0, Direction::kForward).reason == StopReason::kStep);
      session.set_stops(watch);
      if (live.screen.text == said) stop = session.resume(Direction::kForward);
    }
    said += c;
    CHECK(live.screen.text == said);
    CHECK(stop.reason == StopReason::kWatchpoint);
    // It was the step after the stop that said it.
    CHECK(session.position().steps == stop.at.steps + 1);
  }
}

TEST_CASE("session_live: the last writer is found from the live end", "[session_live]") {
  Live live("two_harts", 2);
  Session& session = *live.session;
  const u64 counter = symbol("two_harts", "counter");
  const Stop end = session.resume(Direction::kForward);
  REQUIRE(end.reason == StopReason::kPoweredOff);
  session.set_stops({{}, {WatchRange{VirtAddr{counter}, 8}}});
  const Stop stop = session.resume(Direction::kBackward);
  REQUIRE(stop.reason == StopReason::kWatchpoint);
  std::array<u8, 8> after{}, before{};
  CHECK(session.read_memory(0, AddressSpace::kVirtual, counter, after) == 8);
  session.set_stops({});
  session.step(stop.hart, Direction::kBackward);
  CHECK(session.position().steps == stop.at.steps - 1);
  CHECK(session.read_memory(0, AddressSpace::kPhysical, counter, before) == 8);
  CHECK(before != after);
}

TEST_CASE("session_live: stops at the edge are met again when history is replayed to it", "[session_live]") {
  Live live("echo");
  Session& session = *live.session;
  const StopRequest stops{{VirtAddr{symbol("echo", "work")}}, {}};
  const StopRequest watch{{}, {WatchRange{VirtAddr{symbol("echo", "total")}, 8}}};
  session.set_stops(stops);
  const Stop first = session.resume(Direction::kForward);
  REQUIRE(first.reason == StopReason::kBreakpoint);
  session.seek(Position{0});
  Stop again = session.resume(Direction::kForward);
  CHECK(again.reason == StopReason::kBreakpoint);
  CHECK(again.at == first.at);
  session.set_stops(watch);
  const Stop store = session.resume(Direction::kForward);
  REQUIRE(store.reason == StopReason::kWatchpoint);
  session.seek(Position{1});
  again = session.resume(Direction::kForward);
  CHECK(again.reason == StopReason::kWatchpoint);
  CHECK(again.at == store.at);
  CHECK(session.position() == session.end());
}

TEST_CASE("session_live: writes by hand are part of history, and the past is read-only", "[session_live]") {
  Live live("echo");
  Session& session = *live.session;
  session.set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
  REQUIRE(session.resume(Direction::kForward).reason == StopReason::kBreakpoint);
  const Position stopped = session.position();
  const std::array<u8, 8> written{1, 2, 3, 4, 5, 6, 7, 8};
  const u64 total = symbol("echo", "total");
  session.write_memory(0, AddressSpace::kVirtual, total, written);
  session.write_register(0, integer_register(10), 77);
  CHECK(session.position().steps == stopped.steps + 2);
  CHECK(session.machine().read_register(0, integer_register(10)) == 77u);
  CHECK_THROWS_AS(session.write_memory(0, AddressSpace::kVirtual, 0x7fff'fffe, written), Error);
  CHECK_THROWS_AS(session.write_register(0, integer_register(0), 1), Error);
  session.set_stops({});
  for (int i = 0; i < 20; ++i) session.step(0, Direction::kForward);
  const u64 hash = session.hash();
  const Position end = session.position();

  session.seek(Position{0});
  CHECK_THROWS_WITH(session.write_register(0, integer_register(10), 1),
                    has_substring("the past is read-only"));
  // Landing where the writes were made, one sees what was left behind.
  session.set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
  const Stop stop = session.resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kBreakpoint);
  CHECK(stop.at.steps == stopped.steps + 2);
  std::array<u8, 8> seen{};
  CHECK(session.read_memory(0, AddressSpace::kVirtual, total, seen) == 8);
  CHECK(seen == written);
  session.seek(end);
  CHECK(session.hash() == hash);
  live.type("q");
  session.set_stops({});
  CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(verify(session.history()).identical());
}

TEST_CASE("session_live: a run that is not recorded cannot go back and says so", "[session_live]") {
  Live live("echo", 1, Recording::kOff);
  Session& session = *live.session;
  live.type("ok");
  live.run_a_while();
  CHECK(live.screen.text == "ok");
  CHECK(session.end() == session.position());
  CHECK_THROWS_AS(session.resume(Direction::kBackward), Error);
  CHECK_THROWS_AS(session.step(0, Direction::kBackward), Error);
  CHECK_THROWS_AS(session.seek(Position{1}), Error);
  CHECK(session.step(0, Direction::kForward).reason == StopReason::kStep);
  session.write_register(0, integer_register(5), 1);
  CHECK(session.history().events().empty());
  live.type("q");
  CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
}

TEST_CASE("session_live: a quiet guest whose console has ended stops the run", "[session_live]") {
  Live live("hello");
  const Stop stop = live.session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "hello\n");

  Live parked("two_harts", 3);
  parked.session->set_stops({{VirtAddr{symbol("two_harts", "loop")}}, {}});
  REQUIRE(parked.session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  // Let hart 0 wait for ever, like the others at the end.
  parked.session->set_stops({});
  for (unsigned hart = 0; hart < 2; ++hart) {
    parked.session->write_register(hart, csr_register(0x304), 0);
    parked.session->write_register(hart, kRegisterPc, symbol("two_harts", "park"));
  }
  parked.hang_up();
  const Stop quiet = parked.session->resume(Direction::kForward);
  CHECK(quiet.reason == StopReason::kHistoryEnd);
  CHECK_FALSE(quiet.note.empty());
  CHECK(verify(parked.session->history()).identical());
}

TEST_CASE("session_live: the filter sees typed bytes first and may interrupt", "[session_live]") {
  Session* session = nullptr;
  const auto filter = [&session](std::vector<u8>& bytes) {
    const auto escape = std::find(bytes.begin(), bytes.end(), u8{1});
    if (escape == bytes.end()) return;
    bytes.erase(escape);
    session->interrupt();
  };
  Live live("echo", 1, Recording::kOn, ClockMode::kReal, filter);
  session = live.session.get();
  live.type("a\1b");
  CHECK(session->resume(Direction::kForward).reason == StopReason::kInterrupted);
  live.type("q");
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "abq");
}

TEST_CASE("session_live: a large paste loses nothing", "[session_live]") {
  Live live("echo");
  std::string paste;
  for (int i = 0; i < 100'000; ++i) paste += static_cast<char>('a' + i % 15);
  std::thread typist([&] {
    live.type(paste);
    live.type("q");
  });
  CHECK(live.session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  typist.join();
  CHECK(live.screen.text == paste + "q");
}

TEST_CASE("session_live: a step gives up on a handler that does not return, and finds the way back", "[session_live]") {
  Live live("stuck");
  Session& session = *live.session;
  session.set_stops({{VirtAddr{symbol("stuck", "spin")}}, {}});
  REQUIRE(session.resume(Direction::kForward).reason == StopReason::kBreakpoint);
  session.set_stops({});
  const std::vector<InterruptFrame> open = session.machine().stepping(0).open_irqs;
  REQUIRE(open.size() == 1);
  const Position taken = open[0].taken_at;
  session.seek(taken);
  const u64 hash = session.hash();
  session.set_edge(Edge::kGo);
  const Stop stop = session.step(0, Direction::kForward);
  CHECK(stop.reason == StopReason::kStep);
  CHECK(stop.at.steps == taken.steps + 50'000'000);
  CHECK(session.step(0, Direction::kBackward).at == taken);
  CHECK(session.hash() == hash);
  // A breakpoint in the handler ends the step there.
  session.set_stops({{VirtAddr{symbol("stuck", "spin")}}, {}});
  CHECK(session.step(0, Direction::kForward).reason == StopReason::kBreakpoint);
  CHECK(session.position().steps < taken.steps + 10);
  // The next step is inside, where one stands now.
  session.set_stops({});
  const Position inside = session.position();
  CHECK(session.step(0, Direction::kForward).at.steps == inside.steps + 1);
}
