// Physical addresses outside RAM: which device answers where.
#pragma once

#include <memory>
#include <vector>

#include "core/device.hpp"
#include "core/trap.hpp"
#include "core/types.hpp"

namespace retrov {

class Bus {
 public:
  struct Slot {
    PhysAddr base;
    u64 size_bytes;
    Device* device;
  };
  /// Throws Error if it overlaps another device. The device must outlive the bus.
  void attach(PhysAddr base, u64 size_bytes, Device& device);
  /// The device that covers all of [address, address + size), or null.
  [[nodiscard]] const Slot* find(PhysAddr address, unsigned size_bytes) const;
  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

 private:
  std::vector<Slot> slots_;
};

}  // namespace retrov
