// What every device must keep, whatever it is. A device joins by standing in make_devices().
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr std::array<unsigned, 4> kWidths = {1, 2, 4, 8};
constexpr std::array<u64, 6> kValues = {0, 1, 0x55, 0x80, 0xffffffff, ~u64{0}};

/// Accesses anywhere in the device, of any width, with any value; guest time goes on meanwhile.
void exercise(Device& device, u64 size_bytes, Random& random, Ticks& now, unsigned accesses) {
  for (unsigned i = 0; i < accesses; ++i) {
    now.value += random.below(500);
    if (random.below(16) == 0) device.accept(typed("abc"), now);
    if (random.below(64) == 0) device.accept(RtcStart{random.next()}, now);
    if (random.below(4) == 0) device.lines_changed(random.next(), random.next());
    if (size_bytes != 0) {
      const unsigned width = kWidths[random.below(kWidths.size())];
      // Mostly where registers are, sometimes anywhere.
      const u64 span = random.below(4) == 0 ? size_bytes : std::min<u64>(size_bytes, 0x120);
      const u64 offset = random.below(span / width) * width;
      const u64 value = random.below(2) == 0 ? kValues[random.below(kValues.size())] : random.next();
      if (random.below(2) == 0) {
        (void)device.read(offset, width, now);
      } else {
        (void)device.write(offset, width, value, now);
      }
    }
    device.advance_to(now);
  }
}

template <class Check>
void for_each_device(Check check) {
  for (const bool legacy : {true, false}) {
    const std::size_t count = Bench().full_board(legacy).size();
    for (std::size_t index = 0; index < count; ++index) {
      Bench bench;
      std::vector<PlacedDevice> devices = bench.full_board(legacy);
      INFO(devices[index].device->name() << (legacy ? ", legacy" : ", modern"));
      check(bench, *devices[index].device, devices[index].region.size_bytes);
    }
  }
}

}  // namespace

TEST_CASE("device contract: names are unique and indices are where the memory map says", "[device_contract]") {
  Bench bench;
  const std::vector<PlacedDevice> devices = bench.full_board(true);
  std::vector<std::string> names;
  for (const PlacedDevice& placed : devices) names.emplace_back(placed.device->name());
  REQUIRE(names.size() == kHtifIndex + 1u);
  CHECK(names[kClintIndex] == "clint");
  CHECK(names[kPlicIndex] == "plic");
  CHECK(names[kUartIndex] == "uart0");
  CHECK(names[kRtcIndex] == "rtc");
  CHECK(names[kTestFinisherIndex] == "test-finisher");
  CHECK(names[kRomIndex] == "rom");
  CHECK(names[kFirstVirtioIndex] == "virtio-blk0");
  CHECK(names[kFirstVirtioIndex + 1] == "virtio-mmio1");
  CHECK(names[kFirstVirtioIndex + 7] == "virtio-blk7");
  CHECK(names[kFirstFlashIndex] == "flash0");
  CHECK(names[kFirstFlashIndex + 1] == "flash1");
  CHECK(names[kHtifIndex] == "htif");
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("device contract: saved, disturbed and restored, a device has the same hash", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Random random(7);
    Ticks now;
    exercise(device, size_bytes, random, now, 2000);
    const SavedDevice saved = save(device);
    const u64 hash = whole_hash(device);
    const std::string text = dump(device);
    exercise(device, size_bytes, random, now, 2000);
    restore(device, saved);
    CHECK(whole_hash(device) == hash);
    CHECK(dump(device) == text);
    CHECK(save(device).state == saved.state);
  });
}

TEST_CASE("device contract: what is restored goes on as the original did", "[device_contract]") {
  for_each_device([](Bench& bench, Device& device, u64 size_bytes) {
    Random random(8);
    Ticks now;
    exercise(device, size_bytes, random, now, 1000);
    const SavedDevice saved = save(device);
    const TimeBase time = bench.time;
    const Ticks then = now;
    Random first = random, second = random;
    device.lines_changed(0, ~u64{0});
    exercise(device, size_bytes, first, now, 500);
    const u64 hash = whole_hash(device);
    restore(device, saved);
    bench.time = time;
    now = then;
    device.lines_changed(0, ~u64{0});
    exercise(device, size_bytes, second, now, 500);
    CHECK(whole_hash(device) == hash);
  });
}

TEST_CASE("device contract: telling the time or the lines again changes nothing", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Random random(9);
    Ticks now;
    for (int round = 0; round < 200; ++round) {
      exercise(device, size_bytes, random, now, 10);
      device.lines_changed(0x5a, ~u64{0});
      const Ticks next = device.advance_to(now);
      const u64 hash = whole_hash(device);
      CHECK(device.advance_to(now) == next);
      device.lines_changed(0x5a, ~u64{0});
      CHECK(whole_hash(device) == hash);
      // Anywhere before the deadline there is nothing to do either.
      if (next != kNever && next.value > now.value + 1) {
        device.advance_to(Ticks{now.value + random.below(next.value - now.value)});
        CHECK(whole_hash(device) == hash);
      }
    }
  });
}

TEST_CASE("device contract: peeking gives what reading gives and changes nothing", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Random random(10);
    Ticks now;
    exercise(device, size_bytes, random, now, 300);
    for (u64 offset = 0; offset < std::min<u64>(size_bytes, 0x200); ++offset) {
      for (const unsigned width : kWidths) {
        if (offset + width > size_bytes) continue;
        const u64 hash = whole_hash(device);
        const std::optional<u64> seen = device.peek(offset, width, now);
        CHECK(whole_hash(device) == hash);
        CHECK(device.read(offset, width, now) == seen);
      }
    }
  });
}

TEST_CASE("device contract: no access at any offset, width or value is too much", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Ticks now{1};
    std::vector<u64> offsets;
    for (u64 offset = 0; offset < std::min<u64>(size_bytes, 0x240); ++offset) offsets.push_back(offset);
    for (u64 base = 0x1000; base < size_bytes; base = base * 2) {
      for (const u64 near : {u64{0}, u64{4}, u64{0x7c}, u64{0xff8}}) offsets.push_back(base + near);
    }
    for (u64 back = 1; back <= std::min<u64>(size_bytes, 16); ++back) offsets.push_back(size_bytes - back);
    for (const u64 offset : offsets) {
      for (const unsigned width : kWidths) {
        if (offset > size_bytes || width > size_bytes - offset) continue;
        const std::optional<u64> value = device.read(offset, width, now);
        // Nothing above the width that was asked for.
        if (value && width < 8) CHECK(*value >> (8 * width) == 0);
        for (const u64 stored : kValues) {
          (void)device.write(offset, width, stored, now);
          now.value += 3;
          device.advance_to(now);
        }
      }
    }
    for (unsigned hart = 0; hart < 3; ++hart) {
      (void)device.mip_bits(hart, now);
      (void)device.next_mip_change(hart, now);
    }
    device.reset();
  });
}

TEST_CASE("device contract: mip bits change when next_mip_change says and not before", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Random random(11);
    Ticks now;
    for (int round = 0; round < 100; ++round) {
      exercise(device, size_bytes, random, now, 5);
      for (unsigned hart = 0; hart < 3; ++hart) {
        const u64 bits = device.mip_bits(hart, now);
        const Ticks change = device.next_mip_change(hart, now);
        CHECK(change > now);
        if (change == kNever) {
          CHECK(device.mip_bits(hart, Ticks{now.value + random.below(1u << 30)}) == bits);
        } else {
          CHECK(device.mip_bits(hart, Ticks{change.value - 1}) == bits);
          CHECK(device.mip_bits(hart, change) != bits);
        }
      }
    }
  });
}

TEST_CASE("device contract: reset leads to one state, from wherever", "[device_contract]") {
  for_each_device([](Bench&, Device& device, u64 size_bytes) {
    Random random(12);
    Ticks now;
    const bool keeps_something = device.name() == "rtc" || device.name() == "uart0" || device.pages() != nullptr;
    device.reset();
    device.lines_changed(0, ~u64{0});
    const u64 fresh = whole_hash(device);
    exercise(device, size_bytes, random, now, 1000);
    device.lines_changed(0, ~u64{0});
    device.reset();
    const u64 once = whole_hash(device);
    device.reset();
    CHECK(whole_hash(device) == once);
    CHECK_FALSE((device.irq_level() && device.name() != "uart0"));
    if (!keeps_something) CHECK(once == fresh);
  });
}
