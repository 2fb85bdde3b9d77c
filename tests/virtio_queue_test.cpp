#include "devices/virtio_queue.hpp"

#include "tests/catch.hpp"
#include "tests/support/virtio_driver.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Ring {
  BlockDriver driver;  // For its helpers; the queue under test is ours.
  VirtQueue queue;
  DescriptorChain chain;
  Ring() {
    queue.size = BlockDriver::kEntries;
    queue.descriptors = kRing;
    queue.available = kRing + 0x1000;
    queue.used = kRing + 0x2000;
  }
  void put(u64 index, const Descriptor& d) { driver.set_descriptor(kRing, index, d); }
  void put_indirect(u64 index, const Descriptor& d) { driver.set_descriptor(kTable, index, d); }
  Popped pop(u16 head) {
    driver.bench.poke(queue.available + 4 + 2 * (queue.next_available % queue.size), head, 2);
    driver.bench.poke(queue.available + 2, static_cast<u16>(queue.next_available + 1), 2);
    return queue.pop(driver.bench.memory, chain);
  }
};

}  // namespace

TEST_CASE("virtio queue: a chain is read in order, readable and writable apart", "[virtio_queue]") {
  Ring ring;
  ring.put(3, {kBuffer, 10, kNext, 1});
  ring.put(1, {kBuffer + 100, 20, kNext, 7});
  ring.put(7, {kBuffer + 200, 30, kWritable, 0});
  REQUIRE(ring.pop(3) == Popped::kChain);
  CHECK(ring.chain.head == 3);
  REQUIRE(ring.chain.readable.size() == 2);
  CHECK(ring.chain.readable[1].address == kBuffer + 100);
  CHECK(ring.chain.readable[1].size_bytes == 20);
  REQUIRE(ring.chain.writable.size() == 1);
  CHECK(ring.queue.pop(ring.driver.bench.memory, ring.chain) == Popped::kEmpty);
}

TEST_CASE("virtio queue: indices wrap at 65536 and at the size of the ring", "[virtio_queue]") {
  Ring ring;
  ring.put(0, {kBuffer, 10, 0, 0});
  ring.queue.next_available = 0xfffe;
  ring.queue.used_index = 0xfffe;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(ring.pop(0) == Popped::kChain);
    REQUIRE(ring.queue.push(ring.driver.bench.memory, 0, 1));
  }
  CHECK(ring.queue.next_available == 18);
  CHECK(ring.driver.bench.peek(ring.queue.used + 2, 2) == 18);
}

TEST_CASE("virtio queue: a loop of descriptors is found", "[virtio_queue]") {
  Ring ring;
  ring.put(0, {kBuffer, 10, kNext, 1});
  ring.put(1, {kBuffer, 10, kNext, 0});
  CHECK(ring.pop(0) == Popped::kBroken);
  ring.put(2, {kBuffer, 10, kNext, 2});
  CHECK(ring.pop(2) == Popped::kBroken);
}

TEST_CASE("virtio queue: heads, links and buffers outside are refused", "[virtio_queue]") {
  Ring ring;
  CHECK(ring.pop(BlockDriver::kEntries) == Popped::kBroken);
  CHECK(ring.pop(0xffff) == Popped::kBroken);
  ring.put(0, {kBuffer, 10, kNext, BlockDriver::kEntries});
  CHECK(ring.pop(0) == Popped::kBroken);
  const u64 end = kRamBase.value + Bench::kRamBytes;
  for (const Descriptor& d : {Descriptor{end, 1, 0, 0}, Descriptor{end - 1, 2, 0, 0}, Descriptor{0, 1, 0, 0},
                              Descriptor{~u64{0}, 0xffffffff, kWritable, 0}, Descriptor{kBuffer, 0xffffffff, 0, 0}}) {
    ring.put(0, d);
    CHECK(ring.pop(0) == Popped::kBroken);
  }
  ring.put(0, {end - 2, 2, 0, 0});
  CHECK(ring.pop(0) == Popped::kChain);
}

TEST_CASE("virtio queue: readable after writable is refused", "[virtio_queue]") {
  Ring ring;
  ring.put(0, {kBuffer, 10, kNext | kWritable, 1});
  ring.put(1, {kBuffer, 10, 0, 0});
  CHECK(ring.pop(0) == Popped::kBroken);
}

TEST_CASE("virtio queue: more entries than the ring has are refused", "[virtio_queue]") {
  Ring ring;
  ring.put(0, {kBuffer, 10, 0, 0});
  ring.driver.bench.poke(ring.queue.available + 2, BlockDriver::kEntries + 1, 2);
  CHECK(ring.queue.pop(ring.driver.bench.memory, ring.chain) == Popped::kBroken);
}

TEST_CASE("virtio queue: an indirect table is followed", "[virtio_queue]") {
  Ring ring;
  ring.put_indirect(0, {kBuffer, 16, kNext, 2});
  ring.put_indirect(2, {kBuffer + 64, 8, kWritable, 0});
  ring.put(0, {kHeader, 4, kNext, 1});
  ring.put(1, {kTable, 3 * 16, kIndirect, 0});
  REQUIRE(ring.pop(0) == Popped::kChain);
  REQUIRE(ring.chain.readable.size() == 2);
  CHECK(ring.chain.readable[0].address == kHeader);
  CHECK(ring.chain.readable[1].address == kBuffer);
  REQUIRE(ring.chain.writable.size() == 1);
}

TEST_CASE("virtio queue: indirect tables that loop, nest, or have no size are refused", "[virtio_queue]") {
  Ring ring;
  ring.put_indirect(0, {kBuffer, 16, kNext, 0});
  ring.put(0, {kTable, 16, kIndirect, 0});
  CHECK(ring.pop(0) == Popped::kBroken);
  ring.put_indirect(0, {kTable, 16, kIndirect, 0});
  CHECK(ring.pop(0) == Popped::kBroken);
  ring.put_indirect(0, {kBuffer, 16, 0, 0});
  for (const u32 size_bytes : {0u, 8u, 17u, 0xfffffff0u}) {
    ring.put(0, {kTable, size_bytes, kIndirect, 0});
    CHECK(ring.pop(0) == Popped::kBroken);
  }
  ring.put(0, {kTable, 16, kIndirect | kNext, 1});
  CHECK(ring.pop(0) == Popped::kBroken);
  ring.put(0, {kRamBase.value + Bench::kRamBytes, 16, kIndirect, 0});
  CHECK(ring.pop(0) == Popped::kBroken);
  ring.put(0, {kRing, 16, kIndirect, 0});  // The ring itself as a table.
  CHECK(ring.pop(0) == Popped::kBroken);
}

TEST_CASE("virtio queue: random rings neither crash nor take memory beyond bounds", "[virtio_queue]") {
  Random random(3);
  Ring ring;
  for (int round = 0; round < 20'000; ++round) {
    for (u64 index = 0; index < BlockDriver::kEntries; ++index) {
      const u64 near = kRing + random.below(0x4000);
      const Descriptor d{random.below(3) == 0 ? random.next() : near, static_cast<u32>(random.below(64)),
                         static_cast<u16>(random.below(8)), static_cast<u16>(random.below(10))};
      ring.put(index, d);
      ring.put_indirect(index, d);
    }
    if (ring.pop(static_cast<u16>(random.below(9))) != Popped::kChain) continue;
    CHECK(ring.chain.readable.size() + ring.chain.writable.size() <= BlockDriver::kEntries + 1024);
    for (const auto* part : {&ring.chain.readable, &ring.chain.writable}) {
      for (const DmaBuffer& b : *part) REQUIRE(ring.driver.bench.memory.contains(PhysAddr{b.address}, b.size_bytes));
    }
  }
}

TEST_CASE("virtio queue: a size from a snapshot is checked", "[virtio_queue]") {
  VirtQueue queue;
  queue.size = 3;
  std::vector<u8> bytes;
  StateWriter writer(bytes);
  writer(queue);
  StateReader reader(bytes);
  VirtQueue other;
  CHECK_THROWS_AS(reader(other), Error);
}
