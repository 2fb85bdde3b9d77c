// The list of the board's devices. To add one: its include and its line in board_devices.cpp, and its index in
// memory_map.hpp; device tree, snapshot, hash and the contract test then have it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/device.hpp"
#include "core/memory.hpp"
#include "core/time_base.hpp"
#include "devices/board.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

/// What devices are connected to. All of it must outlive them.
struct Wiring {
  Memory& memory;
  TimeBase& time;
  PowerControl& power;
  OutputSink& output;
  std::function<Position()> position;     ///< Of the step that is being made.
  std::span<DiskBase* const> disk_bases;  ///< One per config.disks.
};

struct PlacedDevice {
  Region region;  ///< Empty: no registers.
  std::unique_ptr<Device> device;
};

/// In the order of their indices.
[[nodiscard]] std::vector<PlacedDevice> make_devices(const BoardConfig& config, const Wiring& wiring);

/// Every device's node, in ascending index.
void describe_devices(const BoardConfig& config, FdtNode& soc);

}  // namespace retrov
