#include "replay/output_log.hpp"

#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {
void say(OutputLog& log, u64 at, const std::string& text) {
  log.console(Position{at}, std::vector<u8>(text.begin(), text.end()));
}
}  // namespace

TEST_CASE("output_log: what is said again is not shown again", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  say(log, 1, "a");
  const ConsoleTally after_a = log.tally();
  say(log, 5, "b");
  say(log, 5, "c");  // Two pieces of one step.
  const ConsoleTally after_c = log.tally();
  log.rewind(after_a);
  say(log, 5, "b");
  say(log, 5, "c");
  CHECK(log.tally() == after_c);
  say(log, 6, "d");
  CHECK(screen.text == "abcd");
  log.rewind(ConsoleTally{});
  say(log, 1, "a");
  CHECK(log.tally() == after_a);
  CHECK(screen.text == "abcd");
}

TEST_CASE("output_log: the tally does not depend on how output was cut", "[output_log]") {
  Screen screen;
  OutputLog whole(screen), pieces(screen);
  say(whole, 1, "hello");
  say(pieces, 1, "he");
  say(pieces, 2, "llo");
  CHECK(whole.tally() == pieces.tally());
  say(pieces, 3, "!");
  CHECK_FALSE(whole.tally() == pieces.tally());
}

TEST_CASE("output_log: steps made for trial show nothing", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  log.hold();
  say(log, 1, "a");
  log.notice(Position{1}, "odd");
  log.drop_held();
  log.rewind(ConsoleTally{});
  CHECK(screen.text.empty());
  say(log, 1, "a");
  log.notice(Position{1}, "odd");
  log.notice(Position{1}, "odder");
  CHECK(screen.text == "a");
  CHECK(screen.notices.size() == 2);
}

TEST_CASE("output_log: a trial that stays made shows what it said, once and in order", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  log.hold();
  say(log, 1, "a");
  say(log, 1, "b");
  log.notice(Position{1}, "odd");
  CHECK(screen.text.empty());
  log.show_held();
  CHECK(screen.text == "ab");
  CHECK(screen.notices.size() == 1);
  CHECK(log.tally().bytes == 2);
  log.rewind(ConsoleTally{});
  log.hold();
  say(log, 1, "a");
  say(log, 1, "b");
  say(log, 2, "c");
  log.show_held();
  CHECK(screen.text == "abc");
}
