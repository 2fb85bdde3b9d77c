#include "devices/virtio_blk.hpp"

#include "tests/catch.hpp"
#include "tests/support/virtio_driver.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

enum : u32 { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8 };
enum : u64 { kOk = 0, kIoError = 1, kUnsupported = 2 };

/// Writes `value` over `sectors` sectors and waits.
void fill(BlockDriver& driver, u64 sector, u64 sectors, u8 value) {
  const std::vector<u8> bytes(sectors * 512, value);
  driver.bench.memory.write(PhysAddr{kBuffer}, bytes, Writer::kHart);
  driver.request(kOut, sector, static_cast<u32>(bytes.size()), false);
  driver.wait();
  REQUIRE(driver.status() == kOk);
}

std::vector<u8> read_back(BlockDriver& driver, u64 sector, u64 sectors) {
  driver.request(kIn, sector, static_cast<u32>(sectors * 512), true);
  driver.wait();
  REQUIRE(driver.status() == kOk);
  return driver.ram(kBuffer, sectors * 512);
}

bool is_base(const std::vector<u8>& bytes, u64 offset) {
  for (u64 i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != PatternDisk::byte_at(offset + i)) return false;
  }
  return true;
}

bool is_all(std::span<const u8> bytes, u8 value) {
  return std::all_of(bytes.begin(), bytes.end(), [&](u8 byte) { return byte == value; });
}

}  // namespace

TEST_CASE("virtio blk: reads give the base, across blocks, in both versions", "[virtio_blk]") {
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    BlockDriver driver(version);
    CHECK(is_base(read_back(driver, 0, 1), 0));
    CHECK(is_base(read_back(driver, 5, 30), 5 * 512));
    CHECK(driver.used_index() == 2);
    CHECK(driver.used_length(0) == 512 + 1);
    CHECK(driver.used_length(1) == 30 * 512 + 1);
    CHECK(driver.bench.disk.reads == std::vector<u64>{0, 0, 1, 2, 3, 4});
    CHECK(driver.bench.output.notices.empty());
  }
}

TEST_CASE("virtio blk: a block that nobody has is an I/O error, until it is written", "[virtio_blk]") {
  BlockDriver driver;
  driver.bench.disk.missing = {1};
  driver.bench.poke(kBuffer, 0x77, 1);
  driver.request(kIn, 0, 16 * 512, true);
  driver.wait();
  CHECK(driver.status() == kIoError);
  CHECK(driver.used_length(0) == 1);
  CHECK(driver.ram(kBuffer, 1)[0] == 0x77);
  CHECK(is_base(read_back(driver, 0, 8), 0));
  // A part of it needs the rest.
  driver.request(kOut, 9, 512, false);
  driver.wait();
  CHECK(driver.status() == kIoError);
  fill(driver, 8, 8, 0x5a);
  CHECK(is_all(read_back(driver, 8, 8), 0x5a));
}

TEST_CASE("virtio blk: nothing moves before the completion, and then everything does", "[virtio_blk]") {
  BlockDriver driver;
  driver.request(kIn, 0, 4096, true);
  const Ticks due = driver.device.advance_to(driver.now);
  CHECK(due == Ticks{1000 + 1000 + 4096 / 20});
  CHECK(driver.device.advance_to(Ticks{due.value - 1}) == due);
  CHECK(driver.status() == 0xee);
  CHECK(driver.used_index() == 0);
  CHECK(driver.bench.disk.reads.empty());
  CHECK(driver.device.advance_to(due) == kNever);
  CHECK(driver.status() == kOk);
  CHECK(driver.used_index() == 1);
  CHECK(driver.device.irq_level());
}

TEST_CASE("virtio blk: the data of a write is taken at its completion", "[virtio_blk]") {
  BlockDriver driver;
  driver.bench.poke(kBuffer, 0x1111, 8);
  driver.request(kOut, 0, 512, false);
  driver.bench.poke(kBuffer, 0x2222, 8);
  driver.wait();
  CHECK(read_back(driver, 0, 1)[0] == 0x22);
}

TEST_CASE("virtio blk: a small request overtakes a large one, equals keep their order", "[virtio_blk]") {
  BlockDriver driver;
  driver.set_header(kIn, 0);
  driver.set_descriptor(kRing, 0, {kHeader, 16, kNext, 1});
  driver.set_descriptor(kRing, 1, {kBuffer, 65536, kNext | kWritable, 2});
  driver.set_descriptor(kRing, 2, {kStatusByte, 1, kWritable, 0});
  for (const u16 head : {u16{3}, u16{5}}) {
    driver.set_descriptor(kRing, head, {kHeader, 16, kNext, static_cast<u16>(head + 1)});
    driver.set_descriptor(kRing, head + 1u, {kBuffer + 65536, 513, kWritable, 0});
  }
  driver.submit(0);
  driver.submit(5);
  driver.submit(3);
  driver.wait();
  REQUIRE(driver.used_index() == 3);
  CHECK(driver.bench.peek(driver.used + 4, 4) == 5);
  CHECK(driver.bench.peek(driver.used + 12, 4) == 3);
  CHECK(driver.bench.peek(driver.used + 20, 4) == 0);
}

TEST_CASE("virtio blk: what is written is read back, and the rest of the block stays", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 9, 1, 0xab);
  const std::vector<u8> block = read_back(driver, 8, 8);
  CHECK(is_base({block.begin(), block.begin() + 512}, 8 * 512));
  CHECK(is_all(std::span(block).subspan(512, 512), 0xab));
  CHECK(is_base({block.begin() + 1024, block.end()}, 10 * 512));
  // The old block was needed once; from then on the overlay has it.
  CHECK(driver.bench.disk.reads == std::vector<u64>{1});
}

TEST_CASE("virtio blk: a whole block is written without reading the base", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 16, 16, 0x5a);
  CHECK(is_all(read_back(driver, 16, 16), 0x5a));
  CHECK(driver.bench.disk.reads.empty());
}

TEST_CASE("virtio blk: a block written with zeros does not fall back to the base", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 8, 8, 0);
  CHECK(is_all(read_back(driver, 8, 8), 0));
  CHECK(is_base(read_back(driver, 0, 8), 0));
  CHECK(driver.bench.disk.reads == std::vector<u64>{0});
}

TEST_CASE("virtio blk: written blocks are known, zeros among them", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 8, 8, 0);
  fill(driver, 40, 1, 7);
  std::vector<u64> blocks;
  driver.device.for_each_written([&](u64 block, std::span<const u8, kBlockBytes> bytes) {
    blocks.push_back(block);
    CHECK(bytes[0] == (block == 5 ? 7 : 0));
    if (block == 5) CHECK(bytes[512] == PatternDisk::byte_at(41 * 512));
  });
  CHECK(blocks == std::vector<u64>{1, 5});
}

TEST_CASE("virtio blk: the overlay goes back with a snapshot and forward again", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 0, 8, 1);
  const SavedDevice saved = save(driver.device);
  const u64 hash = whole_hash(driver.device);
  fill(driver, 0, 8, 0);
  CHECK(whole_hash(driver.device) != hash);
  restore(driver.device, saved);
  CHECK(whole_hash(driver.device) == hash);
}

TEST_CASE("virtio blk: a request under way survives a snapshot", "[virtio_blk]") {
  BlockDriver driver;
  driver.request(kIn, 3, 1024, true);
  const SavedDevice saved = save(driver.device);
  driver.write(BlockDriver::kStatus, 0);
  restore(driver.device, saved);
  driver.wait();
  CHECK(driver.status() == kOk);
  CHECK(is_base(driver.ram(kBuffer, 1024), 3 * 512));
}

TEST_CASE("virtio blk: the first write is announced once", "[virtio_blk]") {
  BlockDriver driver;
  fill(driver, 0, 1, 1);
  fill(driver, 1, 1, 1);
  REQUIRE(driver.bench.output.notices.size() == 1);
  CHECK_THAT(driver.bench.output.notices[0], has_substring("the image stays unchanged"));
}

TEST_CASE("virtio blk: flush and get-id", "[virtio_blk]") {
  BlockDriver driver;
  driver.request(kFlush, 0, 0, false);
  driver.wait();
  CHECK(driver.status() == kOk);
  driver.request(kGetId, 0, 20, true);
  driver.wait();
  CHECK(driver.status() == kOk);
  const std::vector<u8> id = driver.ram(kBuffer, 20);
  CHECK(std::string(id.begin(), id.end()) == "serial-number-that-i");
  driver.request(kGetId, 0, 6, true);
  driver.wait();
  CHECK(driver.used_length(2) == 7);
}

TEST_CASE("virtio blk: requests past the end, odd sizes, unknown types and writes to a read-only disk fail",
          "[virtio_blk]") {
  BlockDriver driver;
  const auto status_of = [&](u32 type, u64 sector, u32 size_bytes) {
    driver.request(type, sector, size_bytes, type != kOut);
    driver.wait();
    CHECK(driver.used_length(driver.made - 1u) == (driver.status() == kOk && type == kIn ? size_bytes + 1 : 1));
    return driver.status();
  };
  const u64 last = BlockDriver::kDiskBytes / 512 - 1;
  CHECK(status_of(kIn, last, 512) == kOk);
  CHECK(status_of(kIn, last, 1024) == kIoError);
  CHECK(status_of(kOut, last, 1024) == kIoError);
  CHECK(status_of(kIn, last + 1, 512) == kIoError);
  CHECK(status_of(kIn, ~u64{0}, 512) == kIoError);
  CHECK(status_of(kIn, ~u64{0} / 512, 512) == kIoError);
  CHECK(status_of(kIn, 0, 511) == kIoError);
  CHECK(status_of(99, 0, 512) == kUnsupported);
  BlockDriver fixed(VirtioVersion::kModern, true);
  CHECK((fixed.read(BlockDriver::kFeatures) & 1u << 5) != 0);
  fixed.request(kOut, 0, 512, false);
  fixed.wait();
  CHECK(fixed.status() == kIoError);
}

TEST_CASE("virtio blk: header, data and status may be cut anywhere", "[virtio_blk]") {
  BlockDriver driver;
  driver.set_header(kIn, 2);
  driver.set_descriptor(kRing, 0, {kHeader, 5, kNext, 1});
  driver.set_descriptor(kRing, 1, {kHeader + 5, 11, kNext, 2});
  driver.set_descriptor(kRing, 2, {kBuffer, 100, kNext | kWritable, 3});
  driver.set_descriptor(kRing, 3, {kBuffer + 100, 413, kWritable, 0});
  driver.submit(0);
  driver.wait();
  CHECK(driver.bench.peek(kBuffer + 512, 1) == kOk);
  CHECK(is_base(driver.ram(kBuffer, 512), 2 * 512));
  // The same for a write whose data begins in the header's descriptor.
  driver.set_header(kOut, 2);
  driver.bench.poke(kHeader + 16, 0x77, 1);
  driver.set_descriptor(kRing, 0, {kHeader, 17, kNext, 1});
  driver.set_descriptor(kRing, 1, {kBuffer, 511, kNext, 2});
  driver.set_descriptor(kRing, 2, {kStatusByte, 1, kWritable, 0});
  driver.submit(0);
  driver.wait();
  CHECK(driver.status() == kOk);
  CHECK(read_back(driver, 2, 1)[0] == 0x77);
}

TEST_CASE("virtio blk: through an indirect table", "[virtio_blk]") {
  BlockDriver driver;
  driver.set_header(kIn, 1);
  driver.set_descriptor(kTable, 0, {kHeader, 16, kNext, 1});
  driver.set_descriptor(kTable, 1, {kBuffer, 512, kNext | kWritable, 2});
  driver.set_descriptor(kTable, 2, {kStatusByte, 1, kWritable, 0});
  driver.set_descriptor(kRing, 0, {kTable, 48, kIndirect, 0});
  driver.submit(0);
  driver.wait();
  CHECK(driver.status() == kOk);
  CHECK(is_base(driver.ram(kBuffer, 512), 512));
}

TEST_CASE("virtio blk: malformed requests break the device until it is reset", "[virtio_blk]") {
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    {
      BlockDriver driver(version);  // A header that is too short.
      driver.set_descriptor(kRing, 0, {kHeader, 15, kNext, 1});
      driver.set_descriptor(kRing, 1, {kStatusByte, 1, kWritable, 0});
      driver.submit(0);
      driver.require_broken();
    }
    {
      BlockDriver driver(version);  // Nowhere to put the status.
      driver.set_descriptor(kRing, 0, {kHeader, 16, kNext, 1});
      driver.set_descriptor(kRing, 1, {kStatusByte, 0, kWritable, 0});
      driver.submit(0);
      driver.require_broken();
    }
    {
      BlockDriver driver(version);  // A chain that never ends.
      driver.set_descriptor(kRing, 0, {kHeader, 16, kNext, 0});
      driver.submit(0);
      driver.require_broken();
    }
    {
      BlockDriver driver(version);  // More requests than the ring can hold.
      for (int i = 0; i < 12; ++i) driver.request(kIn, 0, 512, true);
      driver.require_broken();
    }
  }
}

TEST_CASE("virtio blk: DMA over the ring itself is the guest's own problem", "[virtio_blk]") {
  BlockDriver driver;
  driver.request(kIn, 0, 16384, true, kRing);
  driver.wait();
  SUCCEED("no crash");
  driver.start();
  driver.request(kIn, 0, 512, true);
  driver.wait();
  CHECK(driver.status() == kOk);
}

TEST_CASE("virtio blk: random drivers do not crash it", "[virtio_blk]") {
  Random random(5);
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    BlockDriver driver(version);
    for (int round = 0; round < 5000; ++round) {
      driver.set_header(static_cast<u32>(random.below(10)), random.below(200));
      for (u64 index = 0; index < 6; ++index) {
        driver.set_descriptor(kRing, index,
                              {kRing + random.below(0x40000), static_cast<u32>(random.below(2000)),
                               static_cast<u16>(random.below(4)), static_cast<u16>(index + 1)});
      }
      driver.set_descriptor(kRing, 0, {kHeader, 16, kNext, 1});
      driver.set_descriptor(kRing, 6, {kStatusByte, 1, kWritable, 0});
      driver.submit(0);
      if (random.below(3) == 0) driver.wait();
      if (random.below(20) == 0) driver.start();
    }
  }
}
