// Switching a live guest off and on: replay/session_power.
#include "core/check.hpp"
#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::unique_ptr<Session> live(OutputSink& screen, HistoryListener* listener = nullptr,
                              Recording recording = Recording::kOn, const std::string& guest = "echo") {
  LiveSetup setup;
  setup.board = guest_board(guest, 1);
  setup.inputs.clock = ClockMode::kVirtual;
  setup.inputs.rtc_unix_ns = 1000;
  setup.inputs.renew = [](LiveOptions& inputs) { ++inputs.rtc_unix_ns; };
  setup.recording = recording;
  setup.listener = listener;
  return Session::live(std::move(setup), screen);
}

u64 told_time(const Session& session) {
  const Chain<Event>& events = session.history().events();
  REQUIRE_FALSE(events.empty());
  CHECK(events[0].at == Position{0});
  return std::get<RtcStart>(events[0].batch.inputs.at(0).what).unix_ns;
}

}  // namespace

TEST_CASE("session_power: a line begins again, and the one before is kept as it was", "[session_power]") {
  Screen screen;
  const auto session = live(screen);
  const u64 first_hash = session->hash();
  session->run_to(Position{5000});
  const u64 hash = session->hash();
  CHECK(told_time(*session) == 1000);
  for (const u64 round : {1, 2}) {
    // From the live end and from the past alike.
    if (round == 2) session->seek(Position{100});
    CHECK(session->power_cycle() == "restart-" + std::to_string(round));
    CHECK(session->position() == Position{0});
    CHECK(session->end() == Position{0});
    CHECK(session->live());
    CHECK(session->hash() == first_hash);
    CHECK(session->run_to(Position{3000 * round}).at == Position{3000 * round});
    CHECK(told_time(*session) == 1000 + round);
    CHECK(session->step(0, Direction::kBackward).reason == StopReason::kStep);
    session->seek(session->end());
  }
  const std::vector<BranchInfo> all = session->branches();
  REQUIRE(all.size() == 3);
  CHECK(all[2].parent == "main");
  CHECK(all[2].from == Position{0});
  CHECK(session->switch_to("main"));
  CHECK(session->position() == Position{5000});
  CHECK(session->hash() == hash);
  CHECK(told_time(*session) == 1000);
  CHECK(session->switch_to("restart-1"));
  CHECK(session->position() == Position{100});
  CHECK(told_time(*session) == 1001);
  session->seek(session->end());
  CHECK(session->run_to(Position{4000}).at == Position{4000});
  CHECK(verify(session->history()).identical());
}

TEST_CASE("session_power: where nothing has happened there is nothing to put aside", "[session_power]") {
  Screen screen;
  const auto session = live(screen);
  CHECK(session->power_cycle() == "main");
  CHECK(session->branches().size() == 1);
  session->run_to(Position{1});
  CHECK(session->power_cycle() == "restart-1");
  CHECK(session->power_cycle() == "restart-1");
  CHECK(session->branches().size() == 2);
}

TEST_CASE("session_power: a guest that has powered off runs again, and says it all again", "[session_power]") {
  Screen screen;
  const auto session = live(screen, nullptr, Recording::kOn, "hello");
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  const Position end = session->end();
  session->set_scratch(Scratch::kOn);
  session->power_cycle();
  session->set_scratch(Scratch::kOff);
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(session->end() == end);
  CHECK(screen.text == "hello\nhello\n");
}

TEST_CASE("session_power: all runs of a recording are in its trace", "[session_power]") {
  const TemporaryFolder folder;
  Screen screen;
  {
    TraceWriter writer(folder.file("x.rvt"), guest_board("echo"), sample_identity());
    const auto session = live(screen, &writer);
    session->run_to(Position{2000});
    session->power_cycle();
    session->run_to(Position{3000});
    session->power_cycle();
    session->run_to(Position{1000});
    session->finish(Outcome::Kind::kStopped);
    writer.flush();
  }
  const TraceReader trace(folder.file("x.rvt"));
  CHECK(trace.branches()[trace.last_branch()].name == "restart-2");
  const auto told = trace.read_branches();
  REQUIRE(told.size() == 3);
  CHECK(told[0].history->end() == Position{2000});
  CHECK(told[1].history->end() == Position{3000});
  CHECK(told[2].history->end() == Position{1000});
  for (const BranchHistory& one : told) {
    CHECK(one.history->events().size() == 1);
    const Verdict verdict = verify(*one.history);
    CHECK(verdict.identical());
    CHECK(verdict.marks > 0);
  }
}

TEST_CASE("session_power: a branch of a recording that is lived is switched off and on, and the recording stays",
          "[session_power]") {
  struct Heard final : HistoryListener {
    void on_event(const Event& event) override { events.push_back(event.at); }
    void on_block(Position, const CapturedBlock&) override {}
    void on_mark(const HashMark&) override {}
    void on_progress(Position) override {}
    void on_branch(const BranchPoint& branch) override { branches.push_back(branch); }
    void on_finish(Position, const Outcome&) override {}
    std::vector<Position> events;
    std::vector<BranchPoint> branches;
  } heard;
  Screen screen;
  Recorded recorded = record_guest("echo", 1, 5);
  const auto session = Session::replay(std::move(recorded.history), EngineKind::kFast, screen);
  const Position end = session->end();
  ForkWorld world;
  world.inputs.clock = ClockMode::kVirtual;
  world.listen = [&](const std::string&, const std::optional<TraceStart>&) { return &heard; };
  session->allow_forks(std::move(world));
  session->run_to(Position{1500});
  session->fork("fix");
  session->run_to(Position{2500});
  CHECK(session->power_cycle() == "restart-2");
  heard.events.clear();
  CHECK(session->run_to(Position{3000}).at == Position{3000});
  // Of what the recording was told at power-on nothing is left: it is told anew.
  CHECK(heard.events == std::vector<Position>{Position{0}});
  REQUIRE(heard.branches.size() == 1);
  CHECK(heard.branches[0].at == Position{0});
  CHECK(heard.branches[0].parent == 0);
  CHECK(verify(session->history()).identical());
  CHECK(session->switch_to("main"));
  CHECK(session->end() == end);
  CHECK_THROWS_WITH(session->power_cycle(), has_substring("a recording"));
}

TEST_CASE("session_power: without history the machine begins again, and that is all", "[session_power]") {
  Screen screen;
  const auto session = live(screen, nullptr, Recording::kOff, "hello");
  const u64 first_hash = session->hash();
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(session->power_cycle() == "main");
  CHECK(session->position() == Position{0});
  CHECK(session->hash() == first_hash);
  CHECK(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(screen.text == "hello\nhello\n");
}

TEST_CASE("session_power: a recording, and one that has ended, are not switched on", "[session_power]") {
  Screen screen;
  const auto session = Session::replay(record_guest("echo", 1, 5).history, EngineKind::kFast, screen);
  CHECK_THROWS_WITH(session->power_cycle(), has_substring("a recording"));
  const auto ended = live(screen);
  ended->run_to(Position{100});
  ended->finish(Outcome::Kind::kStopped);
  CHECK_THROWS_WITH(ended->power_cycle(), has_substring("has ended"));
}
