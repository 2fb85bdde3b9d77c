#include "devices/board.hpp"

#include "devices/board_devices.hpp"
#include "devices/uart.hpp"
#include "devices/virtio_blk.hpp"

namespace retrov {

std::unique_ptr<Machine> build_board(const BoardConfig& config, EngineKind engine, OutputSink& output,
                                     std::span<DiskBase* const> disk_bases) {
  validate(config, Exit::kBadTrace);
  RV_CHECK(disk_bases.size() == config.disks.size());
  auto machine = std::make_unique<Machine>(config.machine, engine);
  const Machine* const self = machine.get();
  Wiring wiring{machine->memory(), machine->time_base(), *machine, output, [self] { return self->step_in_hand(); },
                disk_bases};
  u8 expected = 0;
  for (PlacedDevice& placed : make_devices(config, wiring)) {
    RV_CHECK(machine->attach(placed.region.base, placed.region.size_bytes, std::move(placed.device)) == expected++);
  }
  machine->power_on();
  return machine;
}

std::size_t console_room_bytes(Machine& machine) {
  return dynamic_cast<Uart&>(*machine.device(kUartIndex)).room_bytes();
}

VirtioBlk& board_disk(Machine& machine, const BoardConfig& config, std::size_t index) {
  RV_CHECK(index < config.disks.size());
  return dynamic_cast<VirtioBlk&>(*machine.device(static_cast<u8>(kFirstVirtioIndex + config.disks[index].slot)));
}

}  // namespace retrov
