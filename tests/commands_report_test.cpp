// The words that look at more than one position: replay/commands_report with replay/state_fields, and what the session
// gives them (look_at, tell_all). replay/commands_info on a guest with page tables.
#include <sstream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/session.hpp"
#include "replay/state_fields.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/echo_prompt.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Bench : EchoPrompt {
  Bench() : EchoPrompt(2) {}
};

}  // namespace

TEST_CASE("commands_report: diff names registers, fields and pages, and does not move", "[commands_report]") {
  Bench bench;
  const u64 end = bench.session->end().steps;
  bench.run("goto 50%");
  const u64 hash = bench.session->hash();
  const Position here = bench.session->position();
  const std::string text = bench.run("diff begin end");
  CHECK(text.find("step 0 -> step ") == 0);
  CHECK_THAT(text, has_substring("\nhart 0  pc         0x1000 -> 0x"));
  CHECK_THAT(text, has_substring("\nmachine\n"));
  CHECK_THAT(text, has_substring("  position  0 -> " + std::to_string(end) + "\n"));
  CHECK_THAT(text, has_substring("\nmemory: "));
  // What the guest has counted lies there.
  const u64 total = symbol("echo", "total");
  std::ostringstream page;
  page << "  0x" << std::hex << (total & ~u64{0xfff}) << "  ";
  CHECK_THAT(text, has_substring(page.str()));
  CHECK(bench.session->position() == here);
  CHECK(bench.session->hash() == hash);
  CHECK(bench.run("diff 700 700") == "step 700 -> step 700\n");
  const std::string back = bench.run("diff end begin");
  CHECK_THAT(back, has_substring(" -> 0x1000\n"));
  CHECK(bench.refusal("diff 5") == "usage: diff A B");
  CHECK_THAT(bench.refusal("diff 0 999,999,999"), has_substring("the history ends at step"));
  bench.run("scratch on");
  bench.run("set a0 5");
  CHECK_THAT(bench.refusal("diff 0 5"), has_substring("throw-away copy"));
}

TEST_CASE("commands_report: the fields of a state have names, and no hart's are among them", "[commands_report]") {
  Bench bench;
  const StateFields fields = state_fields(bench.session->machine());
  const auto has = [&](const std::string& path) {
    return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == path; });
  };
  CHECK(has("machine.position"));
  CHECK(has("machine.entropy.3"));
  CHECK(has("machine.time.idle_offset"));
  CHECK(std::any_of(fields.begin(), fields.end(), [](const auto& one) { return one.first.starts_with("uart0."); }));
  CHECK(std::none_of(fields.begin(), fields.end(), [](const auto& one) { return one.first.starts_with("hart"); }));
}

TEST_CASE("commands_report: a look elsewhere is interrupted, fails and ends where it began", "[commands_report]") {
  Bench bench;
  Session& session = *bench.session;
  session.seek(Position{3000});
  const u64 hash = session.hash();
  bool looked = false;
  session.interrupt();
  CHECK_THROWS_WITH(session.look_at(session.end(), [&](const auto&, const auto&) { looked = true; }), "interrupted");
  CHECK_FALSE(looked);
  CHECK(session.hash() == hash);
  const auto fail = [](const auto&, const auto&) { throw Error(Exit::kUsage, "no"); };
  CHECK_THROWS_WITH(session.look_at(Position{5}, fail), "no");
  CHECK(session.hash() == hash);
  session.look_at(Position{700}, [&](const Machine& machine, const Snapshot& snapshot) {
    looked = machine.position() == Position{700} && snapshot.at == Position{700};
  });
  CHECK(looked);
  CHECK(session.position() == Position{3000});
}

TEST_CASE("commands_report: events are those of a range", "[commands_report]") {
  Bench bench;
  const auto& events = bench.session->history().events();
  REQUIRE(events.size() > 4);
  const std::string all = bench.run("events");
  CHECK(all.find("#1  0  event  rtc-start") == 0);
  CHECK(std::count(all.begin(), all.end(), '\n') == static_cast<std::ptrdiff_t>(events.size()));
  const std::string second = std::to_string(events[1].at.steps);
  const std::string third = std::to_string(events[2].at.steps);
  for (const std::string& line : {"events " + second + " " + third, "events " + second + "-" + third,
                                  std::string("events #2-#3")}) {
    INFO(line);
    const std::string some = bench.run(line);
    CHECK(some.find("#2  " + second + "  event  ") == 0);
    CHECK_THAT(some, has_substring("console  device 2  bytes \""));
    CHECK(std::count(some.begin(), some.end(), '\n') == 2);
  }
  CHECK(bench.run("events 1 2") == "no events\n");
  const std::string last = bench.run("events " + std::to_string(events[events.size() - 1].at.steps));
  CHECK(last.find("#" + std::to_string(events.size())) == 0);
  CHECK_THAT(bench.refusal("events x-y"), has_substring("bookmark 'x-y'"));
}

TEST_CASE("commands_report: a session is told to another listener while it goes on", "[commands_report]") {
  Bench bench;
  History copy(bench.session->history().board());
  Filler filler(copy);
  bench.run("goto 1,000");
  bench.session->tell_all(filler);
  CHECK(copy.end() == bench.session->end());
  CHECK(copy.outcome().kind == Outcome::Kind::kPoweredOff);
  CHECK(bench.session->position() == Position{1000});
  CHECK(verify(copy).identical());
  bench.session->allow_forks({});
  bench.run("fork fix");
  bench.run("set a0 7");
  const u64 hash = bench.session->hash();
  for (int i = 0; i < 2; ++i) {
    History branch(bench.session->history().board());
    Filler of_branch(branch);
    bench.session->tell_all(of_branch);
    CHECK(branch.end() == Position{1001});
    CHECK(branch.outcome().kind == Outcome::Kind::kStopped);
    const Verdict verdict = verify(branch);
    CHECK(verdict.identical());
    CHECK(verdict.hash == hash);
  }
  bench.run("set a0 8");
  CHECK(bench.session->end() == Position{1002});
}

TEST_CASE("commands_report: a reset is pressed at the live end only, and undone by going back", "[commands_report]") {
  Bench bench;
  bench.run("goto 1,000");
  CHECK_THAT(bench.refusal("system_reset"), has_substring("past is read-only"));
  bench.session->allow_forks({});
  bench.run("fork fix");
  CHECK(bench.run("system_reset") == "the machine is reset with its next step\n");
  bench.run("step");
  CHECK(bench.session->position().steps <= 1003);
  CHECK(bench.session->machine().hart_summary(0).pc.value <= 0x1004);
  CHECK_THAT(bench.run("events"), has_substring("  1000  event  system-reset\n"));
  bench.run("goto 1,000");
  CHECK(bench.session->machine().hart_summary(0).pc.value > 0x1004);
}

TEST_CASE("commands_report: without a front end that knows, export and stats say what there is", "[commands_report]") {
  Bench bench;
  CHECK(bench.refusal("export x.rvt") == "export: not in this session");
  CHECK(bench.run("stats").find("history: ") == 0);
  bench.run("goto end");
  CHECK(bench.session->effort().steps >= bench.session->end().steps);
}
