// Time as a function of position, at the edges where an off-by-one or an overflow would hide.
#include "core/time_base.hpp"

#include "tests/catch.hpp"

using namespace retrov;

TEST_CASE("time_base: time counts whole ticks of steps, plus what idle steps jumped", "[time_base]") {
  TimeBase time;
  time.steps_per_tick = 100;
  CHECK(time.at(Position{0}) == Ticks{0});
  CHECK(time.at(Position{99}) == Ticks{0});
  CHECK(time.at(Position{100}) == Ticks{1});
  time.idle_offset = 50;
  CHECK(time.at(Position{100}) == Ticks{51});
  time.mtime_offset = ~u64{0};
  CHECK(time.mtime(Ticks{1}) == 0);
}

TEST_CASE("time_base: a deadline is the first later position that has reached the tick", "[time_base]") {
  TimeBase time;
  time.steps_per_tick = 100;
  time.idle_offset = 7;
  for (u64 now = 0; now < 1000; now += 13) {
    for (u64 tick = 0; tick < 20; ++tick) {
      u64 expected = now + 1;
      while (time.at(Position{expected}) < Ticks{tick}) ++expected;
      REQUIRE(time.deadline(Ticks{tick}, Position{now}) == Position{expected});
    }
  }
}

TEST_CASE("time_base: a deadline that never comes does not overflow", "[time_base]") {
  TimeBase time;
  CHECK(time.deadline(kNever, Position{5}) == kEndOfTime);
  CHECK(time.deadline(Ticks{~u64{0} - 1}, Position{5}) == kEndOfTime);
}
