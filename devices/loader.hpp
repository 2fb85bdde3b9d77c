// From boot images to the initial memory of a board: where QEMU's `virt` puts firmware, kernel, initrd and device tree,
// and what its reset vector does. A pure function of bytes; files are read elsewhere. It runs once, when a machine is
// put together; a trace holds what it made, so replay never depends on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/types.hpp"
#include "devices/board.hpp"

namespace retrov {

struct Image {
  std::string name;  ///< For messages: the file as the user wrote it.
  std::vector<u8> bytes;
};

struct BootImages {
  std::optional<Image> bios;  ///< Absent: `-bios none`.
  std::optional<Image> kernel;
  std::optional<Image> initrd;
  std::optional<Image> dtb;  ///< Absent: generated.
  std::string append;
  bool htif = false;  ///< Look for the symbol `tohost`.
};

/// Fills config.machine.initial_memory, rom, reset_pc, rng_seed_at, tohost and bootargs. The rest of the config (RAM,
/// harts, disks …) must be final, because the device tree describes it. Throws Error: kNoInput for an image that is no
/// image or is cut short, kUsage for one that does not fit.
void place_images(BoardConfig& config, const BootImages& images);

/// The boot ROM goes to the kernel itself: no firmware runs below it.
[[nodiscard]] bool starts_in_kernel(const BoardConfig& config);

/// The ELF among the images that bare-metal symbols (begin_signature …) are taken from: the kernel, else the firmware.
const Image* symbol_image(const BootImages& images);

}  // namespace retrov
