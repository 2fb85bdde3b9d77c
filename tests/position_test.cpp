#include "replay/position.hpp"

#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

using Kind = PositionText::Kind;

PositionText text(Kind kind, u64 value, const std::string& name = {}) { return {kind, value, name}; }

std::string refusal(std::string_view written) {
  try {
    static_cast<void>(parse_position(written));
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return "accepted";
}

std::unique_ptr<Session> echo_session(OutputSink& screen) {
  return Session::replay(record_guest("echo", 1, 5).history, EngineKind::kFast, screen);
}

}  // namespace

TEST_CASE("position: each form of the grammar is read exactly", "[position]") {
  CHECK(parse_position("412,883,190") == text(Kind::kStep, 412883190));
  CHECK(parse_position("0") == text(Kind::kStep, 0));
  CHECK(parse_position("+1_000") == text(Kind::kForward, 1000));
  CHECK(parse_position("-7") == text(Kind::kBackward, 7));
  CHECK(parse_position("begin") == text(Kind::kBegin, 0));
  CHECK(parse_position("start") == text(Kind::kBegin, 0));
  CHECK(parse_position("end") == text(Kind::kEnd, 0));
  CHECK(parse_position("#1203") == text(Kind::kEvent, 1203));
  CHECK(parse_position("50%") == text(Kind::kFraction, 500'000'000));
  CHECK(parse_position("97.25%") == text(Kind::kFraction, 972'500'000));
  CHECK(parse_position("100%") == text(Kind::kFraction, 1'000'000'000));
  CHECK(parse_position("t=3.1s") == text(Kind::kTime, 31'000'000));
  CHECK(parse_position("t=3") == text(Kind::kTime, 30'000'000));
  CHECK(parse_position("t=250ms") == text(Kind::kTime, 2'500'000));
  CHECK(parse_position("t=7us") == text(Kind::kTime, 70));
  // A tick is 100 ns, and the first position that has reached the time is meant.
  CHECK(parse_position("t=101ns") == text(Kind::kTime, 2));
  CHECK(parse_position("t=0.00000001s") == text(Kind::kTime, 1));
  CHECK(parse_position("smash") == text(Kind::kBookmark, 0, "smash"));
  CHECK(parse_position("@smash-2") == text(Kind::kBookmark, 0, "smash-2"));
  CHECK(parse_position("main@3") == text(Kind::kExecution, 3, "main"));
  CHECK(parse_position("0x80000010@1,000") == text(Kind::kExecution, 1000, "0x80000010"));
  CHECK(parse_position("@12") == text(Kind::kBookmark, 0, "12"));
}

TEST_CASE("position: what is none is refused with its text", "[position]") {
  for (const char* bad : {"",
                          "1,",
                          ",1",
                          "0x10",
                          "1 2",
                          "+",
                          "-",
                          "+-1",
                          "#",
                          "#0",
                          "#x",
                          "%",
                          "101%",
                          "5.%",
                          "t=",
                          "t=s",
                          "t=-1s",
                          "t=1h",
                          "99999999999999999999",
                          "t=9999999999999999999s",
                          "sym@",
                          "sym@0",
                          "sym@x",
                          "@",
                          "@9x",
                          "@a b",
                          "_x"}) {
    INFO(bad);
    CHECK_THAT(refusal(bad), has_substring("position '" + std::string(bad) + "'"));
  }
}

TEST_CASE("position: digits are grouped by threes", "[position]") {
  CHECK(group_digits(0) == "0");
  CHECK(group_digits(999) == "999");
  CHECK(group_digits(1000) == "1,000");
  CHECK(group_digits(401220118) == "401,220,118");
  CHECK(group_digits(~u64{0}) == "18,446,744,073,709,551,615");
  CHECK(seconds_text(Ticks{31149999}) == "3.114 s");
  CHECK(seconds_text(Ticks{70000}) == "0.007 s");
}

TEST_CASE("position: every form leads somewhere in a history, and leaves the session where it was", "[position]") {
  Screen screen;
  const auto session = echo_session(screen);
  const u64 end = session->end().steps;
  REQUIRE(end > 10'000);
  session->seek(Position{5000});
  const Bookmarks none;
  const auto resolve = [&](const char* written) { return resolve_position(written, *session, {none}).steps; };
  CHECK(resolve("1,234") == 1234);
  CHECK(resolve("+10") == 5010);
  CHECK(resolve("-10") == 4990);
  CHECK(resolve("-5000") == 0);
  CHECK(resolve("begin") == 0);
  CHECK(resolve("end") == end);
  CHECK(resolve("50%") == end / 2);
  CHECK(resolve("100%") == end);
  CHECK(resolve("#1") == 0);
  CHECK(resolve("#2") == session->history().events()[1].at.steps);
  CHECK(session->position().steps == 5000);
  CHECK_THROWS_AS(resolve("-5001"), Error);
  CHECK_THROWS_AS(resolve("999,999,999,999"), Error);
  CHECK_THROWS_AS(resolve("+999999999999"), Error);
  CHECK_THROWS_AS(resolve("#100000"), Error);
}

TEST_CASE("position: a guest time is the first position that has reached it", "[position]") {
  const Bookmarks none;
  Screen screen;
  const auto session = echo_session(screen);
  session->seek(session->end());
  const u64 last_tick = session->machine().now().value;
  session->seek(Position{77});
  for (const u64 tick : {u64{0}, u64{1}, u64{500}, u64{1234}, last_tick / 2, last_tick}) {
    const Position found = resolve_position(PositionText{Kind::kTime, tick, {}}, *session, {none});
    CHECK(session->position().steps == 77);
    session->seek(found);
    CHECK(session->machine().now().value >= tick);
    if (found.steps > 0) {
      session->seek(Position{found.steps - 1});
      CHECK(session->machine().now().value < tick);
    }
    session->seek(Position{77});
  }
  // Short histories end at no millisecond.
  CHECK_THROWS_WITH(resolve_position(PositionText{Kind::kTime, last_tick + 1, {}}, *session, {none}),
                    has_substring(", step " + group_digits(session->end().steps)));
  CHECK(session->position().steps == 77);
}

TEST_CASE("position: an execution is counted over all of history, from wherever one stands", "[position]") {
  Screen screen;
  const auto session = echo_session(screen);
  const Bookmarks none;
  const u64 loop = symbol("echo", "main_loop");
  const PositionNames names{none, [&](std::string_view name) {
                              if (name == "main_loop") return loop;
                              throw Error(Exit::kUsage, "no symbol");
                            }};
  // As a breakpoint would find them.
  std::vector<Position> expected;
  StopRequest request;
  request.breakpoints = {VirtAddr{loop}};
  session->set_stops(request);
  while (session->resume(Direction::kForward).reason == StopReason::kBreakpoint) {
    expected.push_back(session->position());
    session->set_stops({});
    session->step(0, Direction::kForward);
    session->set_stops(request);
  }
  REQUIRE(expected.size() > 5);
  session->seek(Position{5000});
  const u64 hash = session->hash();
  for (const std::size_t number : {std::size_t{1}, std::size_t{2}, std::size_t{5}, expected.size()}) {
    CHECK(resolve_position("main_loop@" + std::to_string(number), *session, names) == expected[number - 1]);
  }
  const std::string beyond = "main_loop@" + std::to_string(expected.size() + 1);
  CHECK_THROWS_WITH(resolve_position(beyond, *session, names), has_substring("times in this history"));
  CHECK_THROWS_WITH(resolve_position("nowhere@1", *session, names), "no symbol");
  CHECK_THROWS_WITH(resolve_position("main_loop@1", *session, {none}), has_substring("--symbols"));
  CHECK(session->position() == Position{5000});
  CHECK(session->hash() == hash);
  // What stands at the end counts, too, although nobody has made that step.
  session->allow_forks({});
  session->seek(expected[2]);
  session->fork("here");
  CHECK(resolve_position("main_loop@3", *session, names) == expected[2]);
  session->interrupt();
  CHECK_THROWS_WITH(resolve_position("main_loop@3", *session, names), "interrupted");
  CHECK(session->position() == expected[2]);
}

TEST_CASE("position: where one stands is said in one line", "[position]") {
  Screen screen;
  const auto session = echo_session(screen);
  CHECK(describe_position(*session) == "step 0  hart 0  event 1  t=0.000 s  0.0%");
  session->seek(session->end());
  const std::string line = describe_position(*session);
  CHECK_THAT(line, has_substring("step " + group_digits(session->end().steps) + "  hart 0  event "));
  CHECK_THAT(line, has_substring("  100.0%"));
}
