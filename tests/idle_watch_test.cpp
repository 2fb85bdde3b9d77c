#include "replay/idle_watch.hpp"

#include "tests/catch.hpp"

using namespace retrov;

TEST_CASE("idle_watch: waits add up as long as there is next to nothing between them", "[idle_watch]") {
  IdleWatch watch(1000, 10);
  CHECK(watch.wanted());
  CHECK(watch.enough(Position{500}, Ticks{70}) == Ticks{1070});
  // 109 steps are ten ticks, a hundredth of what is asked for.
  CHECK(watch.enough(Position{609}, Ticks{400}) == Ticks{1070});
  CHECK(watch.enough(Position{610}, Ticks{500}) == Ticks{1500});
  watch.restart();
  CHECK(watch.enough(Position{611}, Ticks{900}) == Ticks{1900});
  // Somebody has gone back.
  CHECK(watch.enough(Position{100}, Ticks{10}) == Ticks{1010});
  CHECK_FALSE(IdleWatch(0, 10).wanted());
}
