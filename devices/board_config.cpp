#include "devices/board.hpp"

namespace retrov {

namespace {

constexpr u64 kMiB = u64{1} << 20;
constexpr u64 kMaxRamBytes = u64{64} << 30;
constexpr u64 kMaxDiskBytes = u64{4} << 40;
constexpr u64 kSectorBytes = 512;
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
    check.require(disk.size_bytes % kSectorBytes == 0, who + ": its size is not a multiple of 512 bytes");
    check.require(disk.size_bytes <= kMaxDiskBytes, who + ": larger than 4 TiB");
    check.require(disk.id.size() <= 4096, "the id of a disk is too long");
  }
  check.require(config.disk_latency.bytes_per_tick >= 1, "a disk that moves no bytes");
  check.require(config.disk_latency.base_ticks <= kMaxLatencyTicks, "a disk latency of more than a minute");
}

}  // namespace

void validate(const BoardConfig& config, Exit exit_code) {
  const Checker check(exit_code);
  validate_machine(config.machine, check);
  validate_disks(config, check);
  check.require(config.rom.size() <= kRomRegion.size_bytes, "the boot ROM is larger than 60 KiB");
  check.require(
      !config.tohost || (config.tohost->value % 8 == 0 && in_ram(config.machine, *config.tohost, kTohostBytes)),
      "tohost is not an aligned double word in RAM");
}

}  // namespace retrov
