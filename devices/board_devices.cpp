#include "devices/board_devices.hpp"

#include "devices/clint.hpp"
#include "devices/flash.hpp"
#include "devices/htif.hpp"
#include "devices/plic.hpp"
#include "devices/rom.hpp"
#include "devices/rtc.hpp"
#include "devices/test_finisher.hpp"
#include "devices/uart.hpp"
#include "devices/virtio.hpp"
#include "devices/virtio_blk.hpp"

namespace retrov {

namespace {

class NoPower final : public PowerControl {
 public:
  void power_off(int, const std::string&) override {}
  void reset() override {}
};

class NoOutput final : public OutputSink {
 public:
  void console(Position, std::span<const u8>) override {}
  void notice(Position, const std::string&) override {}
};

class NoDisk final : public DiskBase {
 public:
  bool read_block(u64, std::span<u8, kBlockBytes>) override { return false; }
};

}  // namespace

std::vector<PlacedDevice> make_devices(const BoardConfig& config, const Wiring& w) {
  std::vector<PlacedDevice> list;
  const auto add = [&](Region region, std::unique_ptr<Device> device) { list.push_back({region, std::move(device)}); };
  const unsigned harts = config.machine.harts;
  add(kClintRegion, std::make_unique<Clint>(harts, w.time));
  add(kPlicRegion, std::make_unique<Plic>(harts));
  add(kUartRegion, std::make_unique<Uart>(w.output, w.position));
  add(kRtcRegion, std::make_unique<Rtc>());
  add(kTestFinisherRegion, std::make_unique<TestFinisher>(w.power));
  add(kRomRegion, std::make_unique<Rom>(config.rom));
  const VirtioVersion version = config.virtio_legacy ? VirtioVersion::kLegacy : VirtioVersion::kModern;
  for (unsigned slot = 0; slot < kVirtioSlots; ++slot) {
    const Region region{PhysAddr{kVirtioBase.value + slot * kVirtioSlotBytes}, kVirtioSlotBytes};
    std::unique_ptr<Device> device = std::make_unique<VirtioEmpty>(slot, version);
    for (std::size_t i = 0; i < config.disks.size(); ++i) {
      if (config.disks[i].slot != slot) continue;
      const VirtioBlk::Connection connection{w.memory, *w.disk_bases[i], w.output, w.position};
      device = std::make_unique<VirtioBlk>(config.disks[i], config.disk_latency, version, connection);
    }
    add(region, std::move(device));
  }
  for (unsigned unit = 0; unit < kFlashUnits; ++unit) {
    const FlashConfig* flash = find_flash(config, unit);
    add({flash_at(unit), kFlashUnitBytes}, std::make_unique<Flash>(unit, flash, w.output, w.position));
  }
  if (config.tohost) {
    add(Region{}, std::make_unique<Htif>(*config.tohost, w.memory, w.power, w.output, w.position));
  }
  return list;
}

// Devices describe themselves, and what they say follows from the config: connected to nothing they say it too.
void describe_devices(const BoardConfig& config, FdtNode& soc) {
  BoardConfig bare;  // Without the blobs, which may be large, and without HTIF, which looks at RAM.
  bare.machine.harts = config.machine.harts;
  bare.virtio_legacy = config.virtio_legacy;
  bare.disks = config.disks;
  Memory memory(kRamBase, kPageBytes);
  TimeBase time;
  NoPower power;
  NoOutput output;
  NoDisk disk;
  const std::vector<DiskBase*> disks(config.disks.size(), &disk);
  for (const PlacedDevice& placed :
       make_devices(bare, {memory, time, power, output, [] { return Position{}; }, disks})) {
    placed.device->describe(soc);
  }
}

}  // namespace retrov
