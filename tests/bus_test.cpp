#include "core/bus.hpp"

#include "devices/rom.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;

TEST_CASE("bus: finds the device that covers the whole access", "[bus]") {
  Rom a({}), b({}), c({});
  Bus bus;
  bus.attach(PhysAddr{0x3000}, 0x1000, c);
  bus.attach(PhysAddr{0x1000}, 0x1000, a);
  bus.attach(PhysAddr{0x2000}, 0x800, b);
  REQUIRE(bus.find(PhysAddr{0x1000}, 8) != nullptr);
  CHECK(bus.find(PhysAddr{0x1000}, 8)->device == &a);
  CHECK(bus.find(PhysAddr{0x1ff8}, 8)->device == &a);
  CHECK(bus.find(PhysAddr{0x2000}, 1)->device == &b);
  CHECK(bus.find(PhysAddr{0x3fff}, 1)->device == &c);
  CHECK(bus.find(PhysAddr{0xfff}, 1) == nullptr);
  CHECK(bus.find(PhysAddr{0x1ffc}, 8) == nullptr);
  CHECK(bus.find(PhysAddr{0x27fe}, 4) == nullptr);
  CHECK(bus.find(PhysAddr{0x2800}, 1) == nullptr);
  CHECK(bus.find(PhysAddr{0x4000}, 1) == nullptr);
  CHECK(bus.find(PhysAddr{~u64{0}}, 8) == nullptr);
  CHECK(Bus().find(PhysAddr{}, 1) == nullptr);
}

TEST_CASE("bus: devices that overlap are refused, neighbours are not", "[bus]") {
  Rom rom({});
  Bus bus;
  bus.attach(PhysAddr{0x2000}, 0x1000, rom);
  for (const auto& [base, size_bytes] :
       {std::pair<u64, u64>{0x2000, 0x1000}, {0x1000, 0x1001}, {0x2fff, 1}, {0x2800, 0x10}, {0x1000, 0x4000}}) {
    CHECK_THROWS_AS(bus.attach(PhysAddr{base}, size_bytes, rom), Error);
  }
  bus.attach(PhysAddr{0x1000}, 0x1000, rom);
  bus.attach(PhysAddr{0x3000}, 0x1000, rom);
  CHECK(bus.slots().size() == 3);
}

TEST_CASE("bus: a device without registers has no place", "[bus]") {
  Rom rom({});
  Bus bus;
  bus.attach(PhysAddr{}, 0, rom);
  bus.attach(PhysAddr{}, 0, rom);
  CHECK(bus.slots().empty());
  CHECK(bus.find(PhysAddr{}, 1) == nullptr);
}
