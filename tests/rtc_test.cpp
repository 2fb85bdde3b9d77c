#include "devices/rtc.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

enum : u64 { kTimeLow = 0, kTimeHigh = 4, kAlarmLow = 8, kAlarmHigh = 12, kIrqEnabled = 16, kClearAlarm = 20 };
enum : u64 { kAlarmStatus = 24, kClearInterrupt = 28 };
constexpr u64 kStart = 1'700'000'000'123'456'789;

struct Fixture {
  Rtc rtc;
  Fixture() { rtc.accept(RtcStart{kStart}, Ticks{}); }
  u64 read(u64 offset, Ticks now) { return rtc.read(offset, 4, now).value(); }
  u64 time(Ticks now) {
    const u64 low = read(kTimeLow, now);
    return low | read(kTimeHigh, now) << 32;
  }
  void write(u64 offset, u64 value, Ticks now) { REQUIRE(rtc.write(offset, 4, value, now)); }
  void set_alarm(u64 at_ns, Ticks now) {
    write(kAlarmHigh, at_ns >> 32, now);
    write(kAlarmLow, at_ns & 0xffffffff, now);
  }
};

}  // namespace

TEST_CASE("rtc: the time is the recorded start plus guest time", "[rtc]") {
  Fixture f;
  CHECK(f.time(Ticks{}) == kStart);
  CHECK(f.time(Ticks{10'000'000}) == kStart + 1'000'000'000);
  // A start that arrives late still is the time at which it arrives.
  f.rtc.accept(RtcStart{5000}, Ticks{20});
  CHECK(f.time(Ticks{21}) == 5100);
}

TEST_CASE("rtc: the high half belongs to the low half that was read", "[rtc]") {
  Fixture f;
  f.rtc.accept(RtcStart{0xffffffff}, Ticks{});
  CHECK(f.read(kTimeLow, Ticks{}) == 0xffffffff);
  CHECK(f.read(kTimeHigh, Ticks{1'000'000}) == 0);
  CHECK(f.read(kTimeLow, Ticks{1'000'000}) == 99'999'999);
  CHECK(f.read(kTimeHigh, Ticks{1'000'000}) == 1);
}

TEST_CASE("rtc: the guest can set the clock, and it goes on from there", "[rtc]") {
  Fixture f;
  const u64 wanted = 0x1122334455667788;
  f.write(kTimeHigh, wanted >> 32, Ticks{50});
  f.write(kTimeLow, wanted & 0xffffffff, Ticks{50});
  CHECK(f.time(Ticks{50}) == wanted);
  CHECK(f.time(Ticks{60}) == wanted + 1000);
  f.rtc.reset();
  CHECK(f.time(Ticks{60}) == wanted + 1000);
}

TEST_CASE("rtc: an alarm interrupts at the first tick that reaches it", "[rtc]") {
  Fixture f;
  f.write(kIrqEnabled, 1, Ticks{});
  f.set_alarm(kStart + 1001, Ticks{});
  CHECK(f.read(kAlarmStatus, Ticks{}) == 1);
  CHECK(f.rtc.advance_to(Ticks{}) == Ticks{11});
  f.rtc.advance_to(Ticks{10});
  CHECK_FALSE(f.rtc.irq_level());
  CHECK(f.rtc.advance_to(Ticks{11}) == kNever);
  CHECK(f.rtc.irq_level());
  CHECK(f.read(kAlarmStatus, Ticks{11}) == 0);
  f.write(kClearInterrupt, 1, Ticks{12});
  CHECK_FALSE(f.rtc.irq_level());
}

TEST_CASE("rtc: an alarm in the past is due at once, a cleared or a masked one is silent", "[rtc]") {
  Fixture f;
  f.set_alarm(kStart - 1, Ticks{});
  CHECK(f.rtc.advance_to(Ticks{}) == kNever);
  CHECK_FALSE(f.rtc.irq_level());
  f.write(kIrqEnabled, 1, Ticks{});
  CHECK(f.rtc.irq_level());
  f.write(kClearInterrupt, 1, Ticks{});
  f.set_alarm(kStart + 1'000'000, Ticks{});
  f.write(kClearAlarm, 1, Ticks{});
  CHECK(f.rtc.advance_to(Ticks{20'000}) == kNever);
  CHECK_FALSE(f.rtc.irq_level());
}

TEST_CASE("rtc: the farthest alarm does not overflow", "[rtc]") {
  Fixture f;
  f.set_alarm(~u64{0}, Ticks{});
  const Ticks due = f.rtc.advance_to(Ticks{});
  CHECK(due > Ticks{1'000'000'000});
  CHECK(due < kNever);
}

TEST_CASE("rtc: registers are words", "[rtc]") {
  Fixture f;
  CHECK_FALSE(f.rtc.read(0, 8, Ticks{}).has_value());
  CHECK_FALSE(f.rtc.read(0, 1, Ticks{}).has_value());
  CHECK_FALSE(f.rtc.write(2, 4, 0, Ticks{}));
  CHECK(f.read(0x100, Ticks{}) == 0);
}
