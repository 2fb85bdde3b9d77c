#include "devices/htif.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kTohost = kRamBase.value + 0x1000;

struct Fixture {
  Bench bench;
  Htif htif{PhysAddr{kTohost}, bench.memory, bench.power, bench.output, bench.asks_position()};
  void store(u64 value, unsigned size_bytes = 8, u64 offset = 0) { bench.poke(kTohost + offset, value, size_bytes); }
  [[nodiscard]] u64 tohost() const { return bench.peek(kTohost, 8); }
};

}  // namespace

TEST_CASE("htif: bit 0 without a device ends the run with the code above it", "[htif]") {
  const auto status_of = [](u64 value) {
    Fixture f;
    f.store(value);
    REQUIRE(f.bench.power.offs.size() == 1);
    CHECK(f.tohost() == 0);
    return f.bench.power.offs[0].first;
  };
  CHECK(status_of(1) == 0);
  CHECK(status_of(3) == 1);
  CHECK(status_of(124 << 1 | 1) == 124);
  CHECK(status_of(126 << 1 | 1) == 125);
  CHECK(status_of(0x0000ffffffffffff) == 125);
}

TEST_CASE("htif: a store of any width counts", "[htif]") {
  for (const unsigned width : {1u, 2u, 4u, 8u}) {
    Fixture f;
    f.store(5, width);
    REQUIRE(f.bench.power.offs.size() == 1);
    CHECK(f.bench.power.offs[0].first == 2);
  }
}

TEST_CASE("htif: the console command prints its low byte and is acknowledged", "[htif]") {
  Fixture f;
  f.store(0x0101000000000000 | 'H');
  CHECK(f.tohost() == 0);
  f.store(0x0101000000000000 | 'i');
  CHECK(f.bench.output.text == "Hi");
  CHECK(f.bench.output.last_at == f.bench.position);
  CHECK(f.bench.power.offs.empty());
}

TEST_CASE("htif: a console command whose low byte is odd is no exit", "[htif]") {
  Fixture f;
  f.store(0x0101000000000000 | 'a');
  CHECK(f.bench.output.text == "a");
  CHECK(f.bench.power.offs.empty());
}

TEST_CASE("htif: anything else is left alone with one warning", "[htif]") {
  Fixture f;
  f.store(0x80001000);
  CHECK(f.tohost() == 0x80001000);
  f.store(0x0100000000000002);
  REQUIRE(f.bench.output.notices.size() == 1);
  CHECK(f.bench.output.notices[0] == "unknown HTIF command 0x80001000 is ignored");
  CHECK(f.bench.power.offs.empty());
  CHECK(f.bench.output.text.empty());
}

TEST_CASE("htif: zero is an empty mailbox and nothing is said", "[htif]") {
  Fixture f;
  f.store(0);
  f.store(0, 4, 4);
  CHECK(f.bench.output.notices.empty());
  CHECK(f.bench.power.offs.empty());
}

TEST_CASE("htif: stores beside tohost mean nothing", "[htif]") {
  Fixture f;
  f.store(1, 8, 8);
  f.store(1, 1, ~u64{0});
  CHECK(f.bench.power.offs.empty());
}

TEST_CASE("htif: only harts speak to it", "[htif]") {
  Fixture f;
  const std::array<u8, 8> exit_zero = {1};
  f.bench.memory.write(PhysAddr{kTohost}, exit_zero, Writer::kDevice);
  f.bench.memory.write(PhysAddr{kTohost}, exit_zero, Writer::kLoader);
  CHECK(f.bench.power.offs.empty());
}
