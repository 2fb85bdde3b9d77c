#include "devices/rom.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;

TEST_CASE("rom: reads its bytes little-endian and zeros after them", "[rom]") {
  Rom rom({1, 2, 3, 4, 5});
  CHECK(rom.read(0, 4, Ticks{}) == 0x04030201u);
  CHECK(rom.read(1, 2, Ticks{}) == 0x0302u);
  CHECK(rom.read(0, 8, Ticks{}) == 0x0504030201u);
  CHECK(rom.read(4, 4, Ticks{}) == 5u);
  CHECK(rom.read(0x8000, 8, Ticks{}) == 0u);
}

TEST_CASE("rom: ignores writes", "[rom]") {
  Rom rom({1});
  CHECK(rom.write(0, 1, 0xff, Ticks{}));
  CHECK(rom.read(0, 1, Ticks{}) == 1u);
}
