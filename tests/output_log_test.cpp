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
  log.rewind(after_a, Position{2});
  say(log, 5, "b");
  say(log, 5, "c");
  CHECK(log.tally() == after_c);
  say(log, 6, "d");
  CHECK(screen.text == "abcd");
  log.rewind(ConsoleTally{}, Position{0});
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

TEST_CASE("output_log: what is said out of sight is shown when the machine comes there", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  say(log, 1, "a");
  const ConsoleTally after_a = log.tally();
  log.hide(true);
  log.rewind(ConsoleTally{}, Position{0});
  say(log, 1, "a");
  say(log, 2, "b");
  log.notice(Position{3}, "odd");
  CHECK(log.tally().bytes == 2);
  log.rewind(after_a, Position{2});
  log.hide(false);
  CHECK(screen.text == "a");
  CHECK(screen.notices.empty());
  say(log, 2, "b");
  log.notice(Position{3}, "odd");
  CHECK(screen.text == "ab");
  CHECK(screen.notices.size() == 1);
}

TEST_CASE("output_log: what is said out of sight is shown when the machine is put beyond it, once", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  say(log, 1, "a");
  const ConsoleTally after_a = log.tally();
  ConsoleTally after_d;
  for (int round = 0; round < 2; ++round) {
    log.hide(true);
    log.rewind(after_a, Position{2});
    say(log, 2, "b");
    say(log, 2, "c");
    log.notice(Position{3}, "odd");
    say(log, 4, "d");
    after_d = log.tally();
    say(log, 5, "e");
    log.rewind(after_a, Position{2});
    log.hide(false);
    CHECK(screen.text == "a");
  }
  log.rewind(after_d, Position{5});
  CHECK(screen.text == "abcd");
  CHECK(screen.notices.size() == 1);
  say(log, 5, "e");
  log.rewind(after_d, Position{5});
  say(log, 5, "e");
  log.rewind(after_d, Position{6});
  CHECK(screen.text == "abcde");
  CHECK(log.shown().ahead.empty());
}

TEST_CASE("output_log: a branch has what was said out of sight below it", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  log.hide(true);
  say(log, 1, "a");
  say(log, 2, "b");
  log.rewind(ConsoleTally{}, Position{0});
  log.hide(false);
  const OutputLog::Shown branch = log.shown().below(Position{2});
  log.show_branch(branch);
  log.rewind(ConsoleTally{}, Position{2});
  CHECK(screen.text == "a");
  say(log, 2, "c");
  CHECK(screen.text == "ac");
}

TEST_CASE("output_log: steps made for trial show nothing", "[output_log]") {
  Screen screen;
  OutputLog log(screen);
  log.hold();
  say(log, 1, "a");
  log.notice(Position{1}, "odd");
  log.drop_held();
  log.rewind(ConsoleTally{}, Position{0});
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
  log.rewind(ConsoleTally{}, Position{0});
  log.hold();
  say(log, 1, "a");
  say(log, 1, "b");
  say(log, 2, "c");
  log.show_held();
  CHECK(screen.text == "abc");
}
