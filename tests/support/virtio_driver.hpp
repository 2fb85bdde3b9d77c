// A virtio driver by hand: rings in the bench's RAM, registers written as a guest would.
#pragma once

#include "devices/virtio_blk.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::test {

struct Descriptor {
  u64 address = 0;
  u32 size_bytes = 0;
  u16 flags = 0;
  u16 next = 0;
};

inline constexpr u16 kNext = 1, kWritable = 2, kIndirect = 4;

/// Where the driver keeps things in RAM.
inline constexpr u64 kRing = kRamBase.value + 0x10000;
inline constexpr u64 kHeader = kRamBase.value + 0x20000;
inline constexpr u64 kStatusByte = kRamBase.value + 0x20100;
inline constexpr u64 kTable = kRamBase.value + 0x21000;
inline constexpr u64 kBuffer = kRamBase.value + 0x30000;

struct BlockDriver {
  static constexpr u64 kDiskBytes = 20 * kBlockBytes + 512;
  static constexpr u64 kEntries = 8;
  enum : u64 { kVersion = 4, kFeatures = 0x10, kFeaturesSelect = 0x14, kDriverFeatures = 0x20, kDriverSelect = 0x24 };
  enum : u64 { kPageSize = 0x28, kQueueSelect = 0x30, kQueueMax = 0x34, kQueueNum = 0x38, kQueueAlign = 0x3c };
  enum : u64 {
    kQueuePfn = 0x40,
    kQueueReady = 0x44,
    kNotify = 0x50,
    kIrqStatus = 0x60,
    kIrqAck = 0x64,
    kStatus = 0x70
  };

  Bench bench;
  VirtioVersion version;
  VirtioBlk device;
  u64 descriptors = kRing, available = kRing + 0x1000, used = kRing + 0x2000;
  u16 made = 0;
  Ticks now{1000};

  explicit BlockDriver(VirtioVersion v = VirtioVersion::kModern, bool read_only = false)
      : version(v),
        device({2, kDiskBytes, read_only, true, "serial-number-that-is-long"}, {}, v,
               {bench.memory, bench.disk, bench.output, bench.asks_position()}) {
    start();
  }
  u32 read(u64 offset) { return static_cast<u32>(device.read(offset, 4, now).value()); }
  void write(u64 offset, u64 value) { REQUIRE(device.write(offset, 4, value, now)); }
  [[nodiscard]] bool is_legacy() const { return version == VirtioVersion::kLegacy; }

  void start() {
    made = 0;
    write(kStatus, 0);
    write(kStatus, 3);
    write(kQueueSelect, 0);
    write(kQueueNum, kEntries);
    if (is_legacy()) {
      write(kPageSize, 4096);
      write(kQueueAlign, 4096);
      write(kQueuePfn, kRing / 4096);
      available = descriptors + 16 * kEntries;
      used = kRing + 0x1000;
    } else {
      for (const auto& [offset, address] : {std::pair<u64, u64>{0x80, descriptors}, {0x90, available}, {0xa0, used}}) {
        write(offset, address & 0xffffffff);
        write(offset + 4, address >> 32);
      }
      write(kQueueReady, 1);
    }
    write(kStatus, is_legacy() ? 7 : 15);
    const std::vector<u8> zeros(0x4000);
    bench.memory.write(PhysAddr{kRing}, zeros, Writer::kHart);
  }
  void set_descriptor(u64 table, u64 index, const Descriptor& d) {
    const u64 at = table + 16 * index;
    bench.poke(at, d.address, 8);
    bench.poke(at + 8, d.size_bytes, 4);
    bench.poke(at + 12, d.flags, 2);
    bench.poke(at + 14, d.next, 2);
  }
  void set_header(u32 type, u64 sector) {
    bench.poke(kHeader, type, 4);
    bench.poke(kHeader + 4, 0, 4);
    bench.poke(kHeader + 8, sector, 8);
    bench.poke(kStatusByte, 0xee, 1);
  }
  /// Makes the chain that begins at `head` available and notifies.
  void submit(u16 head) {
    bench.poke(available + 4 + 2 * (made % kEntries), head, 2);
    ++made;
    bench.poke(available + 2, made, 2);
    write(kNotify, 0);
  }
  /// The usual three descriptors: header, data, status.
  void request(u32 type, u64 sector, u32 data_bytes, bool device_writes, u64 buffer = kBuffer) {
    set_header(type, sector);
    set_descriptor(descriptors, 0, {kHeader, 16, kNext, 1});
    set_descriptor(descriptors, 1, {buffer, data_bytes, static_cast<u16>(kNext | (device_writes ? kWritable : 0)), 2});
    set_descriptor(descriptors, 2, {kStatusByte, 1, kWritable, 0});
    submit(0);
  }
  /// Lets all requests complete.
  void wait() {
    Ticks due = device.advance_to(now);
    while (due != kNever) {
      now = due;
      due = device.advance_to(now);
    }
  }
  [[nodiscard]] u64 status() const { return bench.peek(kStatusByte, 1); }
  [[nodiscard]] u64 used_index() const { return bench.peek(used + 2, 2); }
  [[nodiscard]] u64 used_length(u64 entry) const { return bench.peek(used + 4 + 8 * (entry % kEntries) + 4, 4); }
  [[nodiscard]] std::vector<u8> ram(u64 address, u64 size_bytes) const {
    std::vector<u8> bytes(size_bytes);
    bench.memory.read(PhysAddr{address}, bytes);
    return bytes;
  }
  /// The device has given up: it must have said so, do nothing more, and work again after a reset.
  void require_broken() {
    const u64 given_back = used_index();
    if (!is_legacy()) CHECK((read(kStatus) & 0x40) != 0);
    CHECK(device.irq_level() == !is_legacy());
    CHECK(device.advance_to(Ticks{~u64{0} - 1}) == kNever);
    CHECK(used_index() == given_back);
    start();
    request(0, 1, 512, true);
    wait();
    CHECK(status() == 0);
    CHECK(bench.peek(kBuffer, 1) == PatternDisk::byte_at(512));
  }
};

}  // namespace retrov::test
