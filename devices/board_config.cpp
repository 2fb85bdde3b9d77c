#include "devices/board.hpp"

namespace retrov {

namespace {

constexpr u64 kMiB = u64{1} << 20;
constexpr u64 kMaxRamBytes = u64{64} << 30;
constexpr u64 kMaxDiskBytes = u64{4} << 40;
constexpr std::size_t kMaxBlobs = 4096;
constexpr u64 kRngSeedBytes = 32;
constexpr u64 kTohostBytes = 8;
constexpr u64 kMaxStepsPerTick = 1'000'000;
constexpr u64 kMaxLatencyTicks = 60 * kTicksPerSecond;

class Checker {
 public:
  explicit Checker(Exit exit_code) : exit_code_(exit_code) {}
  void require(bool holds, const std::string& sentence) const {
    if (!holds) throw Error(exit_code_, sentence);
  }

 private:
  Exit exit_code_;
};

bool in_ram(const MachineConfig& machine, PhysAddr at, u64 size_bytes) {
  const u64 offset = at.value - machine.ram_base.value;
  return offset <= machine.ram_bytes && size_bytes <= machine.ram_bytes - offset;
}

void validate_machine(const MachineConfig& machine, const Checker& check) {
  check.require(machine.harts >= 1 && machine.harts <= kMaxHarts,
                std::to_string(machine.harts) + " harts: 1 to 8 are possible");
  check.require(machine.ram_bytes != 0, "a machine needs RAM");
  check.require(machine.ram_bytes % kPageBytes == 0, "the RAM size is not a multiple of 4096 bytes");
  check.require(machine.ram_bytes <= kMaxRamBytes,
                std::to_string(machine.ram_bytes / kMiB) + " MiB of RAM: at most 65536 are possible");
  check.require(machine.ram_base == kRamBase, "RAM does not begin at 0x80000000");
  check.require(is_closed(machine.extensions), "an extension lacks another one that it needs");
  check.require(machine.turn_steps >= 64 && machine.turn_steps <= 1'000'000,
                "a turn of " + std::to_string(machine.turn_steps) + " steps: 64 to 1000000 are possible");
  check.require(machine.steps_per_tick >= 1 && machine.steps_per_tick <= kMaxStepsPerTick,
                std::to_string(machine.steps_per_tick) + " steps per tick: 1 to 1000000 are possible");
  check.require(machine.reset_pc.value % 2 == 0, "the reset address is odd");
  check.require(machine.initial_memory.size() <= kMaxBlobs, "too many pieces of initial memory");
  for (const Blob& blob : machine.initial_memory) {
    check.require(in_ram(machine, blob.at, blob.bytes.size()), "a piece of the initial memory lies outside RAM");
  }
  check.require(!machine.rng_seed_at || in_ram(machine, *machine.rng_seed_at, kRngSeedBytes),
                "the rng-seed lies outside RAM");
}

void validate_disks(const BoardConfig& config, const Checker& check) {
  unsigned used_slots = 0;
  for (const DiskConfig& disk : config.disks) {
    const std::string who = "disk " + disk.id;
    check.require(disk.slot < kVirtioSlots, who + ": virtio-mmio slots are 0 to 7");
    check.require((used_slots >> disk.slot & 1) == 0,
                  who + ": virtio-mmio slot " + std::to_string(disk.slot) + " is taken");
    used_slots |= 1u << disk.slot;
    check.require(disk.size_bytes % kDiskSectorBytes == 0, who + ": its size is not a multiple of 512 bytes");
    check.require(disk.size_bytes <= kMaxDiskBytes, who + ": larger than 4 TiB");
    check.require(disk.id.size() <= 4096, "the id of a disk is too long");
  }
  check.require(config.disk_latency.bytes_per_tick >= 1, "a disk that moves no bytes");
  check.require(config.disk_latency.base_ticks <= kMaxLatencyTicks, "a disk latency of more than a minute");
}

void validate_flash(const BoardConfig& config, const Checker& check) {
  unsigned used_units = 0;
  for (const FlashConfig& flash : config.flash) {
    const std::string who = "flash " + flash.id;
    check.require(flash.unit < kFlashUnits, who + ": units are 0 and 1");
    check.require((used_units >> flash.unit & 1) == 0, who + ": unit " + std::to_string(flash.unit) + " is taken");
    used_units |= 1u << flash.unit;
    check.require(flash.image.at == flash_at(flash.unit), who + ": its image is not where the unit is");
    check.require(flash.image.bytes.size() <= kFlashUnitBytes, who + ": larger than 32 MiB");
    check.require(flash.id.size() <= 4096, "the id of a flash is too long");
  }
}

template <class Config, class BlobPointer>
std::vector<BlobPointer> collect_blobs(Config& config) {
  std::vector<BlobPointer> blobs;
  for (auto& blob : config.machine.initial_memory) blobs.push_back(&blob);
  for (auto& flash : config.flash) blobs.push_back(&flash.image);
  return blobs;
}

}  // namespace

const FlashConfig* find_flash(const BoardConfig& config, unsigned unit) {
  for (const FlashConfig& flash : config.flash) {
    if (flash.unit == unit) return &flash;
  }
  return nullptr;
}

std::vector<Blob*> initial_blobs(BoardConfig& config) { return collect_blobs<BoardConfig, Blob*>(config); }

std::vector<const Blob*> initial_blobs(const BoardConfig& config) {
  return collect_blobs<const BoardConfig, const Blob*>(config);
}

void validate(const BoardConfig& config, Exit exit_code) {
  const Checker check(exit_code);
  validate_machine(config.machine, check);
  validate_disks(config, check);
  validate_flash(config, check);
  check.require(config.rom.size() <= kRomRegion.size_bytes, "the boot ROM is larger than 60 KiB");
  check.require(
      !config.tohost || (config.tohost->value % 8 == 0 && in_ram(config.machine, *config.tohost, kTohostBytes)),
      "tohost is not an aligned double word in RAM");
}

}  // namespace retrov
