#include "replay/history.hpp"

#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

Event key_at(u64 steps) { return {{steps}, {{{3, ConsoleBytes{{'k'}}}}, {}}}; }

}  // namespace

TEST_CASE("history: the first event at or after a position is found", "[history]") {
  History history(sample_board());
  CHECK(history.first_event_at({0}) == 0);
  for (const u64 steps : {0, 10, 11, 50}) history.add_event(key_at(steps));
  CHECK(history.first_event_at({0}) == 0);
  CHECK(history.first_event_at({1}) == 1);
  CHECK(history.first_event_at({10}) == 1);
  CHECK(history.first_event_at({11}) == 2);
  CHECK(history.first_event_at({12}) == 3);
  CHECK(history.first_event_at({51}) == 4);
}

TEST_CASE("history: the end grows with all that is told and never moves back", "[history]") {
  History history(sample_board());
  CHECK(history.end() == Position{0});
  history.add_event(key_at(7));
  CHECK(history.end() == Position{7});
  history.progress({100});
  history.progress({50});
  CHECK(history.end() == Position{100});
  history.add_block({90}, {0, 1, page_of(1)});
  CHECK(history.end() == Position{100});
  history.add_block({120}, {0, 2, page_of(1)});
  CHECK(history.end() == Position{120});
  history.add_mark({{130}, {}, 0, 0});
  CHECK(history.end() == Position{130});
  CHECK(history.outcome().kind == Outcome::Kind::kUnknown);
  history.finish({Outcome::Kind::kStopped, 4, "told to stop"});
  CHECK(history.outcome().status == 4);
}

TEST_CASE("history: a listener is told of everything once and in order", "[history]") {
  History history(sample_board());
  ToldLines told;
  history.add_event(key_at(1));
  history.set_listener(&told);
  history.add_event(key_at(2));
  history.add_block({3}, {0, 1, page_of(1)});
  history.add_block({3}, {0, 1, page_of(2)});
  history.add_mark({{4}, {{"machine", 5}}, 6, 7});
  history.progress({8});
  history.finish({Outcome::Kind::kPoweredOff, 0, "off"});
  REQUIRE(told.lines.size() == 5);
  CHECK_THAT(told.lines[0], has_substring("event 2:"));
  CHECK_THAT(told.lines[1], has_substring("block 3: 0 1 " + std::to_string(hash_bytes(*page_of(1)))));
  CHECK(told.lines[2] == "mark 4: 6 7 machine=5");
  CHECK(told.lines[3] == "progress 8");
  CHECK(told.lines[4] == "end 8: 1 0 off");
  // A branch that another is told of needs a block that is there, and one after the other branch does.
  History branch(history, {8});
  ToldLines other;
  branch.record_from_here(other);
  CHECK(other.lines.empty());
  branch.add_block({9}, {0, 1, page_of(1)});
  branch.add_block({10}, {0, 1, page_of(1)});
  REQUIRE(other.lines.size() == 1);
  CHECK_THAT(other.lines[0], has_substring("block 9: 0 1 "));
  history.add_block({10}, {0, 2, nullptr});
  CHECK(told.lines.size() == 6);
  branch.add_block({11}, {0, 2, nullptr});
  REQUIRE(other.lines.size() == 2);
  CHECK_THAT(other.lines.back(), has_substring("block 11: 0 2 "));
  CHECK(branch.end() == Position{11});
  // One of the same recording does not.
  History same(history, {10});
  same.set_listener(&told);
  same.add_block({12}, {0, 2, nullptr});
  CHECK(told.lines.size() == 6);
  history.set_listener(nullptr);
  history.progress({12});
  CHECK(told.lines.size() == 6);
}

TEST_CASE("history: captured blocks survive their budget of memory", "[history]") {
  History history(sample_board(), 2 * 4096);
  for (u8 i = 0; i < 16; ++i) history.add_block({i}, {0, i, page_of(i)});
  CHECK(history.block_count() == 16);
  for (u8 i = 0; i < 16; ++i) CHECK(*history.block(0, i) == *page_of(i));
  CHECK(history.block(0, 16) == nullptr);
  CHECK(history.block(1, 0) == nullptr);
}
