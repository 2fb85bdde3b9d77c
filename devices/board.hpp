// The board: QEMU's `virt` as a list of devices. The only place that names concrete devices. BoardConfig is all that a
// machine is made from; it is what the header of a trace holds, so replay needs no image, no option and no loader.
//
// Must stay true: what build_board makes is a function of the config alone, and a config from a trace is checked before
// it is used.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/door.hpp"
#include "core/machine.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class VirtioBlk;

inline constexpr u64 kDiskSectorBytes = 512;

/// A disk in a virtio-mmio slot.
struct DiskConfig {
  u8 slot = 0;
  u64 size_bytes = 0;  ///< A multiple of a sector.
  bool read_only = false;
  bool keeps_image = true;  ///< Writes stay in the session (`snapshot=on`), which is said at the first one.
  std::string id;           ///< What GET_ID answers; at most 20 bytes of it reach the guest.
  template <class A>
  void serialize(A& a) {
    a(field("slot", slot), field("size_bytes", size_bytes), field("read_only", read_only));
    a(field("keeps_image", keeps_image), field("id", id));
  }
};

/// A unit of flash that starts with an image.
struct FlashConfig {
  u8 unit = 0;
  bool read_only = false;
  std::string id;  ///< For messages.
  Blob image;      ///< From the unit's address on; zeros behind it.
  template <class A>
  void serialize(A& a) {
    a(field("unit", unit), field("read_only", read_only), field("id", id), field("image", image));
  }
};

/// A request of n bytes completes base_ticks + n / bytes_per_tick after it was made.
struct DiskLatency {
  u64 base_ticks = 1000;    ///< 100 microseconds.
  u64 bytes_per_tick = 20;  ///< 200 MB/s.
  template <class A>
  void serialize(A& a) {
    a(field("base_ticks", base_ticks), field("bytes_per_tick", bytes_per_tick));
  }
};

struct BoardConfig {
  MachineConfig machine;
  bool virtio_legacy = true;  ///< virtio-mmio version 1, QEMU's default, instead of 2.
  std::vector<DiskConfig> disks;
  DiskLatency disk_latency;
  std::vector<FlashConfig> flash;
  std::optional<PhysAddr> tohost;  ///< Physical address of the ELF symbol; present: the board has HTIF.
  std::vector<u8> rom;             ///< Content of the boot ROM at 0x1000: reset vector and fw_dynamic_info.
  std::string bootargs;            ///< For people; the guest reads its device tree.
  template <class A>
  void serialize(A& a) {
    bool has_tohost = tohost.has_value();
    u64 tohost_at = has_tohost ? tohost->value : 0;
    a(field("machine", machine), field("virtio_legacy", virtio_legacy), field("disks", disks));
    a(field("disk_latency", disk_latency), field("flash", flash));
    a(field("has_tohost", has_tohost), field("tohost", tohost_at));
    a(field("rom", rom), field("bootargs", bootargs));
    tohost = has_tohost ? std::optional<PhysAddr>(PhysAddr{tohost_at}) : std::nullopt;
  }
};

/// Null: that unit has no image.
[[nodiscard]] const FlashConfig* find_flash(const BoardConfig& config, unsigned unit);

/// All that guest memory is filled with at power-on: RAM first, then flash.
[[nodiscard]] std::vector<Blob*> initial_blobs(BoardConfig& config);
[[nodiscard]] std::vector<const Blob*> initial_blobs(const BoardConfig& config);

/// Throws Error(exit_code) naming the first thing that is out of range: kUsage for options, kBadTrace for a trace.
void validate(const BoardConfig& config, Exit exit_code);

/// Builds the machine and powers it on. `disk_bases` has one entry per config.disks, in that order; they and `output`
/// must outlive the machine. Throws as validate does (kBadTrace).
std::unique_ptr<Machine> build_board(const BoardConfig& config, EngineKind engine, OutputSink& output,
                                     std::span<DiskBase* const> disk_bases);

/// The device tree blob that describes this board. `initrd_bytes` 0: no initrd. rng-seed is 32 zero bytes, to be filled
/// at run time.
std::vector<u8> make_device_tree(const BoardConfig& config, const std::string& bootargs, PhysAddr initrd_at,
                                 u64 initrd_bytes);

/// How many bytes typed at the console the UART still takes; a live source holds back the rest.
std::size_t console_room_bytes(Machine& machine);

/// The device made for config.disks[index].
VirtioBlk& board_disk(Machine& machine, const BoardConfig& config, std::size_t index);

}  // namespace retrov
