// A driver of a virtio disk that keeps no rule: rings, descriptors and headers of any content, registers written at any
// moment, addresses outside RAM.
#include "core/check.hpp"
#include "devices/virtio_blk.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::fuzz {

namespace {

constexpr u64 kRing = kRamBase.value + 0x10000;  ///< Descriptors, available and used ring, a page each.
constexpr u64 kEntries = 8;
constexpr std::size_t kMostActions = 500;

struct Driver {
  test::Bench bench;
  bool is_legacy;
  VirtioBlk device;
  Ticks now{1000};

  explicit Driver(bool legacy)
      : is_legacy(legacy),
        device({2, 20 * kBlockBytes + 512, false, true, "serial"}, {},
               legacy ? VirtioVersion::kLegacy : VirtioVersion::kModern,
               {bench.memory, bench.disk, bench.output, bench.asks_position()}) {
    start();
  }
  void write(u64 offset, u64 value) { RV_CHECK(device.write(offset, 4, value, now)); }
  void start() {
    write(0x70, 0);
    write(0x70, 3);
    write(0x30, 0);
    write(0x38, kEntries);
    if (is_legacy) {
      write(0x28, kPageBytes);
      write(0x3c, kPageBytes);
      write(0x40, kRing / kPageBytes);
    } else {
      for (u64 part = 0; part < 3; ++part) write(0x80 + 0x10 * part, static_cast<u32>(kRing + part * kPageBytes));
      write(0x44, 1);
    }
    write(0x70, is_legacy ? 7 : 15);
  }
  /// In one of the pages that the driver uses, or, with a high `page`, of anything.
  void poke(u8 page, u64 offset, u64 value, unsigned width) {
    const u64 at = kRing + page * u64{256} + offset;
    if (bench.memory.contains(PhysAddr{at}, width)) bench.poke(at, value, width);
  }
  /// One descriptor; an address that is small is that of a buffer in RAM.
  void describe(Input& input) {
    const u64 index = input.byte() % (2 * kEntries);
    const u8 kind = input.byte();
    const u64 address = (kind & 1) != 0 ? input.number(8) : kRing + input.number(3) % 0x20000;
    const u64 at = kRing + 16 * index + ((kind & 2) != 0 ? 2 * kPageBytes : 0);
    bench.poke(at, address, 8);
    bench.poke(at + 8, (kind & 4) != 0 ? input.number(4) : input.number(1), 4);
    bench.poke(at + 12, input.byte(), 2);
    bench.poke(at + 14, input.byte(), 2);
  }
  void submit(Input& input) {
    const u64 available = is_legacy ? kRing + 16 * kEntries : kRing + kPageBytes;
    const u8 count = input.byte();
    for (u64 i = 0; i < count % kEntries; ++i) bench.poke(available + 4 + 2 * i, input.byte(), 2);
    bench.poke(available + 2, count, 2);
    write(0x50, 0);
  }
  void pass(u64 ticks) {
    now.value += ticks;
    const Ticks due = device.advance_to(now);
    RV_CHECK(due > now);
  }
};

}  // namespace

void virtio(std::span<const u8> bytes) {
  Input input(bytes);
  Driver driver((input.byte() & 1) != 0);
  for (std::size_t i = 0; i < kMostActions && !input.empty(); ++i) {
    switch (input.byte() % 8) {
      case 0:
      case 1:
        driver.describe(input);
        break;
      case 2:
        driver.submit(input);
        break;
      case 3:
        driver.pass(input.number(2));
        break;
      case 4:
        driver.write(input.byte() & 0xfcu, input.number(4));
        break;
      case 5:
        driver.start();
        break;
      default: {
        const u8 page = input.byte();
        const u8 offset = input.byte();
        const unsigned width = input.width();
        driver.poke(page, offset, input.number(width), width);
      }
    }
  }
  driver.pass(u64{1} << 40);
  for (const u64 block : driver.bench.disk.reads) RV_CHECK(block <= 20);
}

}  // namespace retrov::fuzz
