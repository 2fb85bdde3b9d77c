// The files a machine is made of: read, checked for what only the host can know, and put together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "core/elf.hpp"
#include "devices/board.hpp"
#include "devices/loader.hpp"

namespace retrov {

/// `role` is for messages: "kernel". Throws Error: kNoInput if it is missing, kNoPermission, kIo.
[[nodiscard]] Image read_image(const std::string& role, const std::string& path);

/// Where `-bios default` is found. Throws Error(kNoInput) that names the package.
[[nodiscard]] std::string find_firmware();

/// A board ready to be switched on.
struct LoadedMachine {
  BoardConfig board;
  std::vector<std::string> disk_images;  ///< One per board.disks.
  std::vector<bool> writes_image;        ///< snapshot=off, one per board.disks.
  BootImages images;
};

/// Reads the images and places them. Throws Error.
[[nodiscard]] LoadedMachine load_machine(const MachineWords& words);

/// What a recording is called: the file name of the kernel, else of what is in flash, else of the firmware.
[[nodiscard]] std::string guest_name(const MachineWords& words);

}  // namespace retrov
