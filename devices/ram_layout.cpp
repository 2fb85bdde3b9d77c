#include "devices/ram_layout.hpp"

#include <algorithm>
#include <cstdio>

#include "core/check.hpp"

namespace retrov {

namespace {

constexpr u64 kMiB = u64{1} << 20;

std::string in_mib(u64 size_bytes) {
  if (size_bytes < kMiB) return std::to_string((size_bytes + 1023) / 1024) + " KiB";
  return std::to_string((size_bytes + kMiB - 1) / kMiB) + " MiB";
}

}  // namespace

const RamLayout::Taken* RamLayout::overlapping(u64 begin, u64 end) const {
  const auto found =
      std::find_if(taken_.begin(), taken_.end(), [&](const Taken& t) { return begin < t.end && t.begin < end; });
  return found == taken_.end() ? nullptr : &*found;
}

bool RamLayout::fits(PhysAddr at, u64 size_bytes) const {
  const u64 offset = at.value - base_.value;
  if (offset > size_bytes_ || size_bytes > size_bytes_ - offset) return false;
  return overlapping(at.value, at.value + size_bytes) == nullptr;
}

void RamLayout::require_fits(const std::string& who, PhysAddr at, u64 size_bytes) const {
  const u64 offset = at.value - base_.value;
  if (offset <= size_bytes_ && size_bytes <= size_bytes_ - offset) return;
  throw Error(Exit::kUsage, who + " (" + in_mib(size_bytes) + ") does not fit in " + in_mib(size_bytes_) + " of RAM");
}

void RamLayout::place(const std::string& who, PhysAddr at, std::span<const u8> bytes, u64 memory_bytes) {
  RV_CHECK(bytes.size() <= memory_bytes);
  require_fits(who, at, memory_bytes);
  if (const Taken* other = overlapping(at.value, at.value + memory_bytes)) {
    char where[40];
    std::snprintf(where, sizeof where, " at 0x%llx", static_cast<unsigned long long>(at.value));
    throw Error(Exit::kUsage, who + where + " overlaps " + other->who);
  }
  taken_.push_back({at.value, at.value + memory_bytes, who});
  if (!bytes.empty()) blobs_.push_back({at, {bytes.begin(), bytes.end()}});
}

PhysAddr RamLayout::place_high(const std::string& who, std::span<const u8> bytes, PhysAddr ceiling, u64 alignment) {
  const u64 end = std::min(base_.value + size_bytes_, ceiling.value);
  for (const u64 step : {alignment, kPageBytes}) {
    if (end - base_.value < bytes.size()) break;
    for (u64 at = (end - bytes.size()) / step * step; at >= base_.value;) {
      const Taken* other = overlapping(at, at + bytes.size());
      if (other == nullptr) {
        place(who, PhysAddr{at}, bytes, bytes.size());
        return PhysAddr{at};
      }
      if (other->begin < base_.value + bytes.size()) break;
      at = (other->begin - bytes.size()) / step * step;
    }
  }
  throw Error(Exit::kUsage, "no room for the " + who + " in " + in_mib(size_bytes_) + " of RAM");
}

}  // namespace retrov
