#include "core/bus.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "core/check.hpp"

namespace retrov {

namespace {

bool starts_after(u64 address, const Bus::Slot& slot) { return address < slot.base.value; }

}  // namespace

// Slots are kept in the order of their addresses, so that finding one is a binary search and holds no state.
void Bus::attach(PhysAddr base, u64 size_bytes, Device& device) {
  RV_CHECK(size_bytes <= ~u64{0} - base.value);
  if (size_bytes == 0) return;  // It watches RAM and has no registers.
  const auto after = std::upper_bound(slots_.begin(), slots_.end(), base.value, starts_after);
  const bool hits_next = after != slots_.end() && after->base.value - base.value < size_bytes;
  const bool hits_previous =
      after != slots_.begin() && base.value - std::prev(after)->base.value < std::prev(after)->size_bytes;
  if (hits_next || hits_previous) {
    const Slot& other = hits_next ? *after : *std::prev(after);
    char sentence[160];
    std::snprintf(sentence, sizeof sentence, "%s at 0x%llx overlaps %s at 0x%llx", std::string(device.name()).c_str(),
                  static_cast<unsigned long long>(base.value), std::string(other.device->name()).c_str(),
                  static_cast<unsigned long long>(other.base.value));
    throw Error(Exit::kUsage, sentence);
  }
  slots_.insert(after, Slot{base, size_bytes, &device});
}

const Bus::Slot* Bus::find(PhysAddr address, unsigned size_bytes) const {
  const auto after = std::upper_bound(slots_.begin(), slots_.end(), address.value, starts_after);
  if (after == slots_.begin()) return nullptr;
  const Slot& slot = *std::prev(after);
  const u64 offset = address.value - slot.base.value;
  return offset < slot.size_bytes && size_bytes <= slot.size_bytes - offset ? &slot : nullptr;
}

}  // namespace retrov
