#include "cli/trace_places.hpp"

#include "core/check.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

TEST_CASE("trace_places: the grammar of positions holds in a trace that nobody replays", "[trace_places]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  TracePlaces places(trace, {});
  CHECK(places.at("start") == Position{0});
  CHECK(places.at("end") == traced.end);
  CHECK(places.at("99,999,999") == Position{99'999'999});
  CHECK_THROWS_AS(places.reached("99,999,999"), Error);
  CHECK(places.at("50%") == Position{traced.end.steps / 2});
  CHECK(places.at("t=1us") == Position{1000});
  CHECK(places.at("#1") == trace.read_history()->events()[0].at);
  CHECK_THROWS_WITH(places.at("main@3"), has_substring("no symbols here"));
  CHECK_THROWS_AS(places.at("smash"), Error);
  CHECK_THROWS_AS(TracePlaces(trace, "none"), Error);
}

TEST_CASE("trace_places: bookmarks that are in the trace are positions, and have a minus if they like",
          "[trace_places]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const std::vector<Bookmark> told = {{1, "here-it-is", kMainBranch, Position{500}, {}},
                                      {2, "end-of-it", kMainBranch, Position{900}, {}}};
  (void)pack_trace(TraceReader("x.rvt", traced.bytes), folder.file("p.rvt"), {true, write_bookmarks(told)});
  const TraceReader trace(folder.file("p.rvt"));
  TracePlaces places(trace, {});
  CHECK(places.at("here-it-is") == Position{500});
  CHECK(places.bookmarks_on_line().size() == 2);
  const auto words = [&](const char* text) {
    const auto range = range_words(text, places.bookmarks());
    return range ? std::string(range->first) + " to " + std::string(range->second) : "none";
  };
  // Notes are optional, and may say anything.
  (void)pack_trace(TraceReader("x.rvt", traced.bytes), folder.file("n.rvt"), {true, "nonsense\n"});
  const TraceReader noted(folder.file("n.rvt"));
  CHECK_THROWS_AS(parse_bookmarks(noted.notes()), Error);
  CHECK(TracePlaces(noted, {}).bookmarks().list().empty());
  CHECK(words("here-it-is-end-of-it") == "here-it-is to end-of-it");
  CHECK(words("start-end-of-it") == "start to end-of-it");
  CHECK(words("5-here-it-is") == "5 to here-it-is");
  CHECK(words("-5--3") == "-5 to -3");
  CHECK(words("5") == "none");
  CHECK(words("here-it-is") == "none");
  CHECK(words("start-nowhere") == "start to nowhere");
  CHECK_THROWS_AS(words("5-!"), Error);
}
