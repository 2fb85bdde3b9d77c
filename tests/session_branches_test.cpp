// Changing the past: throw-away copies that leave no trace, and branches that are lived while what came later is kept.
// Covers replay/session_branches, replay/branch and replay/chain.
#include <unistd.h>

#include "replay/session.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A guest at a pipe, run until it has echoed what was typed.
struct Live {
  explicit Live(const std::string& guest, HistoryListener* listener = nullptr) {
    REQUIRE(pipe(console.data()) == 0);
    LiveSetup setup;
    setup.board = guest_board(guest);
    setup.inputs.console_fd = console[0];
    setup.inputs.clock = ClockMode::kVirtual;
    setup.listener = listener;
    session = Session::live(std::move(setup), screen);
  }
  ~Live() {
    for (const int end : console) close(end);
  }
  void type(const std::string& text) {
    REQUIRE(write(console[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Types byte by byte, each when the one before has been echoed.
  void converse(const std::string& text) {
    for (const char c : text) {
      type({c});
      const std::string before = screen.text;
      while (screen.text == before) session->run_to(Position{session->position().steps + 1000});
    }
  }
  std::array<int, 2> console{-1, -1};
  Screen screen;
  std::unique_ptr<Session> session;
};

constexpr RegisterId kA0 = integer_register(10);

u64 a0_of(const Session& session) { return session.machine().read_register(0, kA0).value(); }

const BranchInfo& branch_named(const std::vector<BranchInfo>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& branch) { return branch.name == name; });
  REQUIRE(found != all.end());
  return *found;
}

}  // namespace

TEST_CASE("chain: an heir keeps what it inherited while both grow", "[chain]") {
  Chain<int> first;
  for (int i = 0; i < 5; ++i) first.push_back(i);
  Chain<int> second(first, 3);
  Chain<int> third(second, 2);
  second.push_back(20);
  first.push_back(5);
  third.push_back(30);
  CHECK(std::vector<int>(second.begin(), second.end()) == std::vector<int>{0, 1, 2, 20});
  CHECK(std::vector<int>(third.begin(), third.end()) == std::vector<int>{0, 1, 30});
  CHECK(first.size() == 6);
  CHECK(third.back() == 30);
  CHECK(Chain<int>(first, 0).empty());
}

TEST_CASE("scratch: what is written in the past is gone with the next move backwards", "[scratch]") {
  Live live("echo");
  Session& session = *live.session;
  live.converse("ab");
  const Position end = session.end();
  const u64 end_hash = session.hash();
  const std::size_t events = session.history().events().size();
  const Position here{end.steps / 2};
  session.seek(here);
  const u64 hash = session.hash();
  const u64 a0 = a0_of(session);
  REQUIRE_THROWS_WITH(session.write_register(0, kA0, 1),
                      has_substring("monitor fork") && has_substring("monitor scratch on"));
  CHECK_FALSE(session.forked());

  session.set_scratch(Scratch::kOn);
  CHECK_FALSE(session.forked());
  const auto change = [&] {
    session.write_register(0, kA0, a0 + 5);
    CHECK(a0_of(session) == a0 + 5);
    const std::array<u8, 8> bytes{1, 2, 3};
    session.write_memory(0, AddressSpace::kVirtual, symbol("echo", "total"), bytes);
    for (int i = 0; i < 300; ++i) REQUIRE(session.step(0, Direction::kForward).reason == StopReason::kStep);
    const auto fork = session.forked();
    REQUIRE(fork);
    CHECK(fork->is_scratch);
    CHECK(fork->at == here);
    CHECK(session.position().steps >= here.steps + 302);
    CHECK(session.hash() != hash);
    CHECK(session.end() == end);
  };
  change();
  session.set_scratch(Scratch::kOff);
  CHECK(session.position() == here);
  CHECK(session.hash() == hash);

  session.seek(Position{here.steps - 1});
  const u64 hash_before = session.hash();
  session.seek(here);
  session.set_scratch(Scratch::kOn);
  change();
  session.set_step_irq(StepIrq::kEnter);
  const Stop stop = session.step(0, Direction::kBackward);
  CHECK_FALSE(session.forked());
  CHECK(stop.at < here);
  if (stop.at.steps + 1 == here.steps) CHECK(session.hash() == hash_before);
  session.seek(here);
  CHECK(session.hash() == hash);
  change();
  session.seek(here);
  CHECK_FALSE(session.forked());
  CHECK(session.hash() == hash);
  change();
  CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
  session.seek(here);
  CHECK(session.hash() == hash);
  // The mode stays: at the live end, too, nothing of it is recorded.
  session.seek(end);
  session.write_register(0, kA0, 99);
  CHECK(session.forked());
  session.seek(end);
  CHECK(session.hash() == end_hash);
  CHECK(session.end() == end);
  CHECK(session.history().events().size() == events);
  session.set_scratch(Scratch::kOff);
  live.type("q");
  CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "abq");
  CHECK(verify(session.history()).identical());
}

TEST_CASE("scratch: a copy runs without the world, says what it says, and may power off", "[scratch]") {
  const Recorded recorded = record_guest("echo", 1, 3);
  auto history = std::make_unique<History>(recorded.history->board());
  recorded.history->retell(*std::make_unique<Filler>(*history));
  Screen screen;
  const auto session = Session::replay(std::move(history), EngineKind::kFast, screen);
  session->set_stops({{VirtAddr{symbol("echo", "work")}}, {}});
  for (int i = 0; i < 3; ++i) REQUIRE(session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  session->set_stops({});
  const Position here = session->position();
  const u64 hash = session->hash();
  const std::string said = screen.text;
  session->set_scratch(Scratch::kOn);
  // The recorded keys do not come: it runs on and on.
  session->write_register(0, kA0, 3);
  session->run_to(Position{session->end().steps + 50'000});
  CHECK(session->position().steps == session->end().steps + 50'000);
  CHECK(screen.text == said);
  session->set_scratch(Scratch::kOff);
  CHECK(session->hash() == hash);

  // Through the finisher, after a byte on the console.
  session->set_scratch(Scratch::kOn);
  const u64 sp = session->machine().read_register(0, integer_register(2)).value();
  const std::array<u8, 24> code{
      0xb7, 0x02, 0x00, 0x10,  // lui t0, 0x10000 (the UART)
      0x13, 0x03, 0x10, 0x02,  // li t1, '!'
      0x23, 0x80, 0x62, 0x00,  // sb t1, 0(t0)
      0xb7, 0x02, 0x10, 0x00,  // lui t0, 0x100 (the finisher)
      0x37, 0x53, 0x00, 0x00,  // lui t1, 5
      0x1b, 0x03, 0x53, 0x55,  // addiw t1, t1, 0x555
  };
  const std::array<u8, 4> off{0x23, 0xa0, 0x62, 0x00};  // sw t1, 0(t0)
  const u64 at = (sp - 512) & ~u64{3};
  session->write_memory(0, AddressSpace::kVirtual, at, code);
  session->write_memory(0, AddressSpace::kVirtual, at + code.size(), off);
  session->write_register(0, csr_register(0x304), 0);
  session->write_register(0, kRegisterPc, at);
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(screen.text == said + "!");
  session->seek(here);
  CHECK(session->hash() == hash);
  CHECK_FALSE(session->machine().power().off);
  // What is said later in history is said then, and once.
  session->seek(session->end());
  CHECK(session->hash() == recorded.end_hash);
  CHECK(screen.text == said + "!" + recorded.text.substr(said.size()));
}

TEST_CASE("branches: the past is lived again, and what came later is kept", "[branches]") {
  Live live("echo");
  Session& session = *live.session;
  live.converse("abc");
  const Position end = session.end();
  const u64 end_hash = session.hash();
  CHECK_THROWS_WITH(session.fork(""), has_substring("live end"));
  // The first event is that of power-on; b has been echoed when c comes.
  const Position here{session.event(4).at.steps - 1};
  session.seek(here);
  const u64 here_hash = session.hash();
  CHECK_THROWS_AS(session.fork("no blanks"), Error);
  CHECK_THROWS_AS(session.fork("main"), Error);
  CHECK(session.fork("fix") == "fix");
  CHECK(session.position() == here);
  CHECK(session.hash() == here_hash);
  CHECK(session.end() == here);
  REQUIRE(session.forked());
  CHECK(session.forked()->name == "fix");
  CHECK(session.forked()->at == here);
  session.write_register(0, kA0, 7);
  live.converse("xy");
  CHECK(live.screen.text == "abcxy");
  const Position fix_end = session.end();
  const u64 fix_hash = session.hash();
  CHECK(session.event_number() > 2);

  // Backwards through the branch, over the place where it left, to power-on.
  CHECK(session.resume(Direction::kBackward).reason == StopReason::kHistoryBegin);
  session.seek(here);
  CHECK(session.hash() == here_hash);
  session.seek(fix_end);
  CHECK(session.hash() == fix_hash);

  CHECK(session.switch_to("main"));
  CHECK_FALSE(session.forked());
  CHECK(session.position() == here);
  CHECK(session.hash() == here_hash);
  CHECK(session.end() == end);
  session.seek(end);
  CHECK(session.hash() == end_hash);
  live.converse("d");
  const u64 main_hash = session.hash();
  CHECK_THROWS_AS(session.switch_to("nowhere"), Error);
  CHECK(session.switch_to("fix"));
  CHECK(session.position() == fix_end);
  CHECK(session.hash() == fix_hash);

  // A branch of a branch, and one that leaves below where its own had left.
  session.seek(Position{(here.steps + fix_end.steps) / 2});
  const std::string made_up = session.fork("");
  CHECK(made_up == "branch-2");
  live.converse("z");
  session.seek(Position{here.steps / 2});
  session.fork("early");
  live.converse("e");
  const auto all = session.branches();
  REQUIRE(all.size() == 4);
  CHECK(branch_named(all, "fix").parent == "main");
  CHECK(branch_named(all, "branch-2").parent == "fix");
  CHECK(branch_named(all, "early").parent == "main");
  CHECK(branch_named(all, "early").current);
  CHECK(branch_named(all, "fix").end == fix_end);
  CHECK(live.screen.text == "abcxydze");
  for (const char* name : {"main", "fix", "branch-2", "early"}) {
    CHECK(session.switch_to(name));
    session.seek(session.end());
    const Verdict verdict = verify(session.history());
    CHECK(verdict.identical());
    CHECK(verdict.hash == session.hash());
  }
  CHECK(session.switch_to("main"));
  CHECK(session.hash() == main_hash);
  CHECK(live.screen.text == "abcxydze");
  live.type("q");
  CHECK(session.resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(live.screen.text == "abcxydzeq");
}

TEST_CASE("branches: one that leaves at the first step hears again what is said at power-on", "[branches]") {
  Live live("echo");
  Session& session = *live.session;
  live.converse("a");
  session.seek(Position{0});
  session.fork("");
  live.converse("b");
  const Event& first = session.history().events()[0];
  CHECK(first.at == Position{0});
  CHECK(std::holds_alternative<RtcStart>(first.batch.inputs[0].what));
  CHECK(live.screen.text == "ab");
  CHECK(verify(session.history()).identical());
  // Between the two batches at the very beginning: it was said already.
  session.seek(Position{1});
  session.fork("");
  live.converse("c");
  CHECK(std::holds_alternative<ConsoleBytes>(session.history().events()[1].batch.inputs[0].what));
  CHECK(verify(session.history()).identical());
}

TEST_CASE("branches: a recording goes on in a branch, and itself stays as it is", "[branches]") {
  const Recorded recorded = record_guest("echo", 1, 5);
  auto history = std::make_unique<History>(recorded.history->board());
  recorded.history->retell(*std::make_unique<Filler>(*history));
  Screen screen;
  const auto session = Session::replay(std::move(history), EngineKind::kFast, screen);
  const Position end = session->end();
  CHECK_FALSE(session->live());
  session->seek(Position{end.steps / 2});
  CHECK_THROWS_AS(session->fork(""), Error);
  std::array<int, 2> console{};
  REQUIRE(pipe(console.data()) == 0);
  ForkWorld world;
  world.inputs.console_fd = console[0];
  world.inputs.clock = ClockMode::kVirtual;
  std::unique_ptr<History> heard;
  std::unique_ptr<Filler> filler;
  world.listen = [&](const std::string&, const std::optional<TraceStart>& start) {
    heard = std::make_unique<History>(recorded.history->board(), begin_of(start));
    filler = std::make_unique<Filler>(*heard);
    return filler.get();
  };
  session->allow_forks(std::move(world));
  const std::string said = screen.text;
  session->fork("on");
  CHECK(session->live());
  REQUIRE(write(console[1], "AZq", 3) == 3);
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(screen.text == said + "AZq");
  const u64 hash = session->hash();
  session->finish(Outcome::Kind::kStopped);
  // What was told is a recording of its own, which begins where it left.
  CHECK(heard->begin().at == Position{end.steps / 2});
  const Verdict verdict = verify(*heard);
  CHECK(verdict.identical());
  CHECK(verdict.hash == hash);
  CHECK(heard->outcome().kind == Outcome::Kind::kPoweredOff);
  CHECK(session->switch_to("main"));
  CHECK_FALSE(session->live());
  session->seek(end);
  CHECK(session->hash() == recorded.end_hash);
  CHECK_THROWS_WITH(session->write_register(0, kA0, 1), has_substring("powered off"));
  close(console[0]);
  close(console[1]);
}
