#include "devices/test_finisher.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Fixture {
  RecordingPower power;
  TestFinisher finisher{power};
  int status_of(u64 word) {
    REQUIRE(finisher.write(0, 4, word, Ticks{}));
    REQUIRE(power.offs.size() == 1);
    return power.offs[0].first;
  }
};

}  // namespace

TEST_CASE("test finisher: pass ends with status 0", "[test_finisher]") {
  Fixture f;
  CHECK(f.status_of(0x5555) == 0);
  CHECK(f.power.offs[0].second == "test finisher: pass");
}

TEST_CASE("test finisher: fail ends with the guest's code, at most 125, and never with 0", "[test_finisher]") {
  CHECK(Fixture().status_of(0x3333) == 1);
  CHECK(Fixture().status_of(0x0007'3333) == 7);
  CHECK(Fixture().status_of(0x007d'3333) == 125);
  CHECK(Fixture().status_of(0xffff'3333) == 125);
}

TEST_CASE("test finisher: a half-word is enough", "[test_finisher]") {
  Fixture f;
  CHECK(f.finisher.write(0, 2, 0x5555, Ticks{}));
  CHECK(f.power.offs.size() == 1);
}

TEST_CASE("test finisher: reset asks for a reset", "[test_finisher]") {
  Fixture f;
  CHECK(f.finisher.write(0, 4, 0x7777, Ticks{}));
  CHECK(f.power.resets == 1);
  CHECK(f.power.offs.empty());
}

TEST_CASE("test finisher: other values and places mean nothing", "[test_finisher]") {
  Fixture f;
  CHECK(f.finisher.write(0, 4, 0x1234, Ticks{}));
  CHECK(f.finisher.write(4, 4, 0x5555, Ticks{}));
  CHECK_FALSE(f.finisher.write(0, 8, 0x5555, Ticks{}));
  CHECK_FALSE(f.finisher.write(0, 1, 0x55, Ticks{}));
  CHECK(f.finisher.read(0, 4, Ticks{}) == 0u);
  CHECK(f.power.offs.empty());
  CHECK(f.power.resets == 0);
}
