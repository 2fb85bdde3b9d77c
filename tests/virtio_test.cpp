#include "devices/virtio.hpp"

#include "tests/catch.hpp"
#include "tests/support/virtio_driver.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kConfig = 0x100;

}  // namespace

TEST_CASE("virtio: the registers say what the device is, in both versions", "[virtio]") {
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    BlockDriver driver(version);
    CHECK(driver.read(0) == 0x74726976);
    CHECK(driver.read(4) == static_cast<u32>(version));
    CHECK(driver.read(8) == 2);
    CHECK(driver.read(0xc) == 0x554d4551);
    CHECK(driver.read(BlockDriver::kQueueMax) == 256);
    driver.write(BlockDriver::kQueueSelect, 1);
    CHECK(driver.read(BlockDriver::kQueueMax) == 0);
    driver.write(BlockDriver::kQueueSelect, ~u32{0});
    CHECK(driver.read(BlockDriver::kQueueMax) == 0);
    driver.write(BlockDriver::kQueueNum, 4);
  }
}

TEST_CASE("virtio: an empty slot is a transport without a device", "[virtio]") {
  VirtioEmpty empty(3, VirtioVersion::kLegacy);
  CHECK(empty.name() == "virtio-mmio3");
  CHECK(empty.read(0, 4, Ticks{}) == 0x74726976u);
  CHECK(empty.read(4, 4, Ticks{}) == 1u);
  CHECK(empty.read(8, 4, Ticks{}) == 0u);
  CHECK(empty.read(12, 4, Ticks{}) == 0x554d4551u);
  CHECK(empty.read(0x70, 4, Ticks{}) == 0u);
  CHECK(empty.write(0x70, 4, 0xff, Ticks{}));
  CHECK(empty.read(0x70, 4, Ticks{}) == 0u);
}

TEST_CASE("virtio: version 1 is offered on version 2 only, and only what was offered is accepted", "[virtio]") {
  BlockDriver modern(VirtioVersion::kModern);
  modern.write(BlockDriver::kFeaturesSelect, 1);
  CHECK(modern.read(BlockDriver::kFeatures) == 1);
  modern.write(BlockDriver::kFeaturesSelect, 2);
  CHECK(modern.read(BlockDriver::kFeatures) == 0);
  modern.write(BlockDriver::kStatus, 0);
  modern.write(BlockDriver::kDriverSelect, 1);
  modern.write(BlockDriver::kDriverFeatures, 1);
  modern.write(BlockDriver::kStatus, 3 | 8);
  CHECK(modern.read(BlockDriver::kStatus) == (3 | 8));
  modern.write(BlockDriver::kDriverFeatures, 3);
  modern.write(BlockDriver::kStatus, 3 | 8);
  CHECK(modern.read(BlockDriver::kStatus) == 3);

  BlockDriver legacy(VirtioVersion::kLegacy);
  legacy.write(BlockDriver::kFeaturesSelect, 1);
  CHECK(legacy.read(BlockDriver::kFeatures) == 0);
}

TEST_CASE("virtio: the config space is read in any width, other registers in words", "[virtio]") {
  BlockDriver driver;
  const u64 sectors = BlockDriver::kDiskBytes / 512;
  CHECK(driver.device.read(kConfig, 8, Ticks{}) == sectors);
  CHECK(driver.device.read(kConfig, 2, Ticks{}) == (sectors & 0xffff));
  CHECK(driver.device.read(kConfig + 1, 1, Ticks{}) == (sectors >> 8 & 0xff));
  CHECK(driver.device.read(kConfig + 12, 4, Ticks{}) == 254u);
  CHECK(driver.device.read(kConfig + 20, 4, Ticks{}) == 512u);
  CHECK(driver.device.read(0xff8, 8, Ticks{}) == 0u);
  CHECK(driver.device.read(0, 1, Ticks{}) == 0u);
  CHECK(driver.device.read(0, 8, Ticks{}) == 0x0000000274726976u);
  CHECK_FALSE(driver.device.read(2, 4, Ticks{}).has_value());
}

TEST_CASE("virtio: interrupts stay until they are acknowledged", "[virtio]") {
  BlockDriver driver;
  driver.request(0, 0, 512, true);
  CHECK_FALSE(driver.device.irq_level());
  driver.wait();
  CHECK(driver.device.irq_level());
  CHECK(driver.read(BlockDriver::kIrqStatus) == 1);
  driver.write(BlockDriver::kIrqAck, 2);
  CHECK(driver.device.irq_level());
  driver.write(BlockDriver::kIrqAck, 1);
  CHECK_FALSE(driver.device.irq_level());
}

TEST_CASE("virtio: a driver that asks for no interrupt gets none", "[virtio]") {
  BlockDriver driver;
  driver.bench.poke(driver.available, 1, 2);
  driver.request(0, 0, 512, true);
  driver.wait();
  CHECK(driver.used_index() == 1);
  CHECK_FALSE(driver.device.irq_level());
}

TEST_CASE("virtio: resetting the device forgets queues and requests", "[virtio]") {
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    BlockDriver driver(version);
    driver.request(0, 0, 512, true);
    driver.write(BlockDriver::kStatus, 0);
    CHECK(driver.device.advance_to(Ticks{1'000'000}) == kNever);
    CHECK(driver.status() == 0xee);
    CHECK(driver.read(BlockDriver::kStatus) == 0);
    driver.write(BlockDriver::kNotify, 0);
    CHECK(driver.device.advance_to(Ticks{2'000'000}) == kNever);
    CHECK(driver.read(BlockDriver::kQueuePfn) == 0);
    CHECK(driver.read(BlockDriver::kQueueReady) == 0);
  }
}

TEST_CASE("virtio: legacy rings lie where page number, size and alignment put them", "[virtio]") {
  BlockDriver driver(VirtioVersion::kLegacy);
  CHECK(driver.read(BlockDriver::kQueuePfn) == kRing / 4096);
  driver.request(0, 2, 512, true);
  driver.wait();
  CHECK(driver.bench.peek(kRing + 0x1000 + 2, 2) == 1);
  driver.write(BlockDriver::kQueuePfn, 0);
  CHECK(driver.read(BlockDriver::kQueuePfn) == 0);
}

TEST_CASE("virtio: a legacy guest's page size outlives a reset by the driver", "[virtio]") {
  BlockDriver driver(VirtioVersion::kLegacy);
  driver.write(BlockDriver::kPageSize, 4096);
  driver.write(BlockDriver::kStatus, 0);  // Linux does it in this order.
  driver.write(BlockDriver::kQueueNum, BlockDriver::kEntries);
  driver.write(BlockDriver::kQueuePfn, kRing / 4096);
  CHECK(driver.read(BlockDriver::kQueuePfn) == kRing / 4096);
  driver.request(0, 0, 512, true);
  driver.wait();
  CHECK(driver.status() == 0);
}

TEST_CASE("virtio: impossible sizes and alignments are not taken", "[virtio]") {
  for (const VirtioVersion version : {VirtioVersion::kLegacy, VirtioVersion::kModern}) {
    BlockDriver driver(version);
    driver.write(BlockDriver::kStatus, 0);
    driver.write(BlockDriver::kQueueNum, BlockDriver::kEntries);
    for (const u32 size : {0u, 3u, 512u, ~0u}) driver.write(BlockDriver::kQueueNum, size);
    for (const u32 odd : {0u, 3u, ~0u}) {
      driver.write(BlockDriver::kQueueAlign, odd);
      driver.write(BlockDriver::kPageSize, odd);
    }
    driver.start();
    driver.request(0, 1, 512, true);
    driver.wait();
    CHECK(driver.status() == 0);
  }
}

TEST_CASE("virtio: rings outside RAM break the device and nothing else", "[virtio]") {
  for (const u64 nowhere : {u64{0}, kRamBase.value + Bench::kRamBytes - 2, u64{0x10000000}, ~u64{0} - 15}) {
    for (const u64 part : {0x80, 0x90, 0xa0}) {
      BlockDriver driver;
      driver.write(BlockDriver::kQueueReady, 0);
      driver.write(part, nowhere & 0xffffffff);
      driver.write(part + 4, nowhere >> 32);
      driver.write(BlockDriver::kQueueReady, 1);
      driver.request(0, 0, 512, true);
      driver.wait();
      CHECK((driver.read(BlockDriver::kStatus) & 0x40) != 0);
      CHECK(driver.read(BlockDriver::kIrqStatus) == 2);
    }
  }
}

TEST_CASE("virtio: a page number outside RAM breaks a legacy device", "[virtio]") {
  BlockDriver driver(VirtioVersion::kLegacy);
  driver.write(BlockDriver::kQueuePfn, ~u32{0});
  driver.write(BlockDriver::kNotify, 0);
  CHECK(driver.device.advance_to(Ticks{1'000'000}) == kNever);
  driver.require_broken();
}
