#include "devices/plic.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kPending = 0x1000;
constexpr u64 kMeip = 1u << 11, kSeip = 1u << 9;

u64 enable(unsigned context) { return 0x2000 + 0x80 * u64{context}; }
u64 threshold(unsigned context) { return 0x200000 + 0x1000 * u64{context}; }
u64 claim(unsigned context) { return threshold(context) + 4; }

u64 line(unsigned source) { return u64{1} << source; }

u64 read(Plic& plic, u64 offset) { return plic.read(offset, 4, Ticks{}).value(); }
void write(Plic& plic, u64 offset, u64 value) { REQUIRE(plic.write(offset, 4, value, Ticks{})); }

}  // namespace

TEST_CASE("plic: a line interrupts the contexts that enabled it", "[plic]") {
  Plic plic(2);
  write(plic, 4 * 10, 1);
  write(plic, enable(3), 1u << 10);  // S-mode of hart 1.
  plic.lines_changed(line(10), ~u64{0});
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  CHECK(plic.mip_bits(1, Ticks{}) == kSeip);
  CHECK(read(plic, kPending) == 1u << 10);
  write(plic, enable(2), 1u << 10);  // M-mode too.
  CHECK(plic.mip_bits(1, Ticks{}) == (kMeip | kSeip));
}

TEST_CASE("plic: a claimed source interrupts nobody until it is completed, then again while its line is high",
          "[plic]") {
  Plic plic(1);
  write(plic, 4 * 10, 1);
  write(plic, enable(1), 1u << 10);
  plic.lines_changed(line(10), ~u64{0});
  CHECK(read(plic, claim(1)) == 10);
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  CHECK(read(plic, claim(1)) == 0);
  plic.lines_changed(line(10), ~u64{0});  // Still high: the gateway holds it back.
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  write(plic, claim(1), 10);
  CHECK(plic.mip_bits(0, Ticks{}) == kSeip);
  CHECK(read(plic, claim(1)) == 10);
  plic.lines_changed(0, ~u64{0});
  write(plic, claim(1), 10);
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
}

TEST_CASE("plic: a line that stays high after its claim is served again only if it asks again", "[plic]") {
  Plic plic(1);
  write(plic, 4 * 10, 1);
  write(plic, enable(1), 1u << 10);
  plic.lines_changed(line(10), line(10));
  CHECK(read(plic, claim(1)) == 10);
  plic.lines_changed(line(10), 0);
  write(plic, claim(1), 10);
  plic.lines_changed(line(10), 0);
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  plic.lines_changed(line(10), line(10));
  CHECK(plic.mip_bits(0, Ticks{}) == kSeip);
  CHECK(read(plic, claim(1)) == 10);
  plic.lines_changed(line(10), line(10));  // While it is served: remembered.
  plic.lines_changed(line(10), 0);
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  write(plic, claim(1), 10);
  CHECK(plic.mip_bits(0, Ticks{}) == kSeip);
  CHECK(read(plic, claim(1)) == 10);
  plic.lines_changed(0, line(10));  // Who asks with a low line has not asked.
  write(plic, claim(1), 10);
  plic.lines_changed(line(10), 0);
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
}

TEST_CASE("plic: a pending source stays pending when its line falls", "[plic]") {
  Plic plic(1);
  write(plic, 4 * 3, 1);
  write(plic, enable(0), 1u << 3);
  plic.lines_changed(line(3), ~u64{0});
  plic.lines_changed(0, ~u64{0});
  CHECK(plic.mip_bits(0, Ticks{}) == kMeip);
  CHECK(read(plic, claim(0)) == 3);
}

TEST_CASE("plic: the highest priority is claimed first, and of equals the lowest number", "[plic]") {
  Plic plic(1);
  write(plic, 4 * 5, 2);
  write(plic, 4 * 6, 7);
  write(plic, 4 * 9, 7);
  write(plic, 4 * 40, 3);
  write(plic, enable(0), 1u << 5 | 1u << 6 | 1u << 9);
  write(plic, enable(0) + 4, 1u << (40 - 32));
  plic.lines_changed(line(5) | line(6) | line(9) | line(40), ~u64{0});
  CHECK(read(plic, kPending + 4) == 1u << 8);
  for (const u64 expected : {6, 9, 40, 5, 0}) CHECK(read(plic, claim(0)) == expected);
}

TEST_CASE("plic: priorities up to the threshold do not interrupt but can be claimed", "[plic]") {
  Plic plic(1);
  write(plic, 4 * 5, 3);
  write(plic, enable(0), 1u << 5);
  write(plic, threshold(0), 3);
  plic.lines_changed(line(5), ~u64{0});
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  write(plic, threshold(0), 2);
  CHECK(plic.mip_bits(0, Ticks{}) == kMeip);
  write(plic, threshold(0), 7);
  CHECK(read(plic, claim(0)) == 5);
}

TEST_CASE("plic: priority zero never interrupts and cannot be claimed", "[plic]") {
  Plic plic(1);
  write(plic, enable(0), ~u32{0});
  plic.lines_changed(line(5), ~u64{0});
  CHECK(plic.mip_bits(0, Ticks{}) == 0);
  CHECK(read(plic, claim(0)) == 0);
}

TEST_CASE("plic: source 0 and sources beyond the last do not exist", "[plic]") {
  Plic plic(1);
  write(plic, 0, 7);
  CHECK(read(plic, 0) == 0);
  write(plic, 4 * 95, 7);
  CHECK(read(plic, 4 * 95) == 7);
  write(plic, 4 * 96, 7);
  CHECK(read(plic, 4 * 96) == 0);
  write(plic, enable(0), ~u32{0});
  CHECK(read(plic, enable(0)) == 0xfffffffeu);
  plic.lines_changed(1, ~u64{0});
  CHECK(read(plic, kPending) == 0);
  write(plic, claim(0), 0xffffffff);
  write(plic, claim(0), 96);
  write(plic, kPending, ~u32{0});
  CHECK(read(plic, kPending) == 0);
}

TEST_CASE("plic: registers are words and keep only the bits they have", "[plic]") {
  Plic plic(1);
  for (const unsigned width : {1u, 2u, 8u}) CHECK_FALSE(plic.read(4, width, Ticks{}).has_value());
  CHECK_FALSE(plic.write(6, 4, 0, Ticks{}));
  write(plic, 4, 0xff);
  CHECK(read(plic, 4) == 7);
  write(plic, threshold(1), 0xff);
  CHECK(read(plic, threshold(1)) == 7);
  write(plic, threshold(2), 5);  // A hart this board does not have.
  CHECK(read(plic, threshold(2)) == 0);
}

TEST_CASE("plic: the lines may be told again after a restore without a second interrupt", "[plic]") {
  Plic plic(1);
  write(plic, 4 * 10, 1);
  write(plic, enable(0), 1u << 10);
  plic.lines_changed(line(10), ~u64{0});
  CHECK(read(plic, claim(0)) == 10);
  plic.lines_changed(line(10), ~u64{0});  // The machine tells them at the end of every step that touches a device.
  const SavedDevice saved = save(plic);
  Plic other(1);
  restore(other, saved);
  other.lines_changed(line(10), ~u64{0});
  CHECK(hash_state(other) == hash_state(plic));
  write(other, claim(0), 10);
  CHECK(other.mip_bits(0, Ticks{}) == kMeip);
}

TEST_CASE("plic: a line that a reset lowers is not pending behind it", "[plic]") {
  Plic plic(1);
  plic.lines_changed(line(10), ~u64{0});
  REQUIRE(read(plic, kPending) == 1u << 10);
  plic.reset();
  plic.lines_changed(0, ~u64{0});
  CHECK(read(plic, kPending) == 0);
  plic.lines_changed(line(10), ~u64{0});
  plic.reset();
  plic.lines_changed(line(10), ~u64{0});
  CHECK(read(plic, kPending) == 1u << 10);
}
