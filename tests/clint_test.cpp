#include "devices/clint.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kMtimecmp = 0x4000, kMtime = 0xbff8;
constexpr u64 kMsip = 1u << 3, kMtip = 1u << 7;

}  // namespace

TEST_CASE("clint: msip of a hart interrupts that hart only", "[clint]") {
  TimeBase time;
  Clint clint(2, time);
  CHECK(clint.write(4, 4, 0xffffffff, Ticks{}));
  CHECK(clint.read(4, 4, Ticks{}) == 1u);
  CHECK(clint.mip_bits(1, Ticks{}) == kMsip);
  CHECK(clint.mip_bits(0, Ticks{}) == 0);
  CHECK(clint.write(4, 4, 0, Ticks{}));
  CHECK(clint.mip_bits(1, Ticks{}) == 0);
}

TEST_CASE("clint: the timer interrupts from mtimecmp on and says when", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK(clint.next_mip_change(0, Ticks{5}) == kNever);
  CHECK(clint.write(kMtimecmp, 8, 1000, Ticks{}));
  CHECK(clint.next_mip_change(0, Ticks{5}) == Ticks{1000});
  CHECK(clint.mip_bits(0, Ticks{999}) == 0);
  CHECK(clint.mip_bits(0, Ticks{1000}) == kMtip);
  // From there only the wrap of mtime ends it.
  CHECK(clint.next_mip_change(0, Ticks{1000}) == kNever);
}

TEST_CASE("clint: both halves of mtimecmp can be written alone", "[clint]") {
  TimeBase time;
  Clint clint(2, time);
  CHECK(clint.write(kMtimecmp + 8, 4, 0x11223344, Ticks{}));
  CHECK(clint.write(kMtimecmp + 12, 4, 0x55667788, Ticks{}));
  CHECK(clint.read(kMtimecmp + 8, 8, Ticks{}) == 0x5566778811223344u);
  CHECK(clint.read(kMtimecmp + 12, 4, Ticks{}) == 0x55667788u);
  CHECK(clint.read(kMtimecmp, 8, Ticks{}) == ~u64{0});
}

TEST_CASE("clint: mtime runs with guest time and can be set", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK(clint.read(kMtime, 8, Ticks{77}) == 77u);
  CHECK(clint.write(kMtime, 8, 5'000'000'000, Ticks{100}));
  CHECK(clint.read(kMtime, 8, Ticks{101}) == 5'000'000'001u);
  CHECK(clint.write(kMtime + 4, 4, 0, Ticks{101}));
  CHECK(clint.read(kMtime, 8, Ticks{101}) == (5'000'000'001u & 0xffffffffu));
  // The deadline is in guest time, whatever mtime is.
  CHECK(clint.write(kMtime, 8, 0, Ticks{1000}));
  CHECK(clint.write(kMtimecmp, 8, 50, Ticks{1000}));
  CHECK(clint.next_mip_change(0, Ticks{1000}) == Ticks{1050});
}

TEST_CASE("clint: mtime set close to its end wraps, and the interrupt with it", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK(clint.write(kMtime, 8, ~u64{0} - 9, Ticks{1000}));
  CHECK(clint.write(kMtimecmp, 8, ~u64{0} - 4, Ticks{1000}));
  CHECK(clint.next_mip_change(0, Ticks{1000}) == Ticks{1005});
  CHECK(clint.mip_bits(0, Ticks{1005}) == kMtip);
  CHECK(clint.next_mip_change(0, Ticks{1005}) == Ticks{1010});
  CHECK(clint.mip_bits(0, Ticks{1009}) == kMtip);
  CHECK(clint.mip_bits(0, Ticks{1010}) == 0);
}

TEST_CASE("clint: a comparand of all ones never comes", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK(clint.write(kMtime, 8, ~u64{0}, Ticks{10}));
  CHECK(clint.mip_bits(0, Ticks{10}) == 0);
  CHECK(clint.next_mip_change(0, Ticks{10}) == kNever);
}

TEST_CASE("clint: accesses of the wrong width or alignment fault, empty places read as zero", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK_FALSE(clint.read(0, 1, Ticks{}).has_value());
  CHECK_FALSE(clint.read(0, 8, Ticks{}).has_value());
  CHECK_FALSE(clint.read(kMtime + 4, 8, Ticks{}).has_value());
  CHECK_FALSE(clint.write(kMtimecmp + 2, 4, 0, Ticks{}));
  CHECK(clint.read(4, 4, Ticks{}) == 0u);
  CHECK(clint.write(4, 4, 1, Ticks{}));
  CHECK(clint.read(4, 4, Ticks{}) == 0u);
  CHECK(clint.read(0xc000, 8, Ticks{5}) == 0u);
  CHECK(clint.write(0xc000, 8, 99, Ticks{5}));
  CHECK(time.mtime_offset == 0);
}

TEST_CASE("clint: reset clears the timers and lets mtime follow guest time again", "[clint]") {
  TimeBase time;
  Clint clint(1, time);
  CHECK(clint.write(0, 4, 1, Ticks{}));
  CHECK(clint.write(kMtime, 8, 12345, Ticks{}));
  CHECK(clint.write(kMtimecmp, 8, 1, Ticks{}));
  clint.reset();
  CHECK(clint.mip_bits(0, Ticks{1000}) == 0);
  CHECK(clint.read(kMtime, 8, Ticks{1000}) == 1000u);
}
