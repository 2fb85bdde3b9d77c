#include "core/walk_cache.hpp"

namespace retrov {

WalkCache::WalkCache(Memory& memory) : memory_(memory), places_(memory.size_bytes() >> kPageShift) {}

void WalkCache::use(u64 ram_offset) {
  const u64 page = ram_offset >> kPageShift;
  if (places_[page] == 0) {
    maps_.push_back({static_cast<u32>(page), {}});
    places_[page] = static_cast<u32>(maps_.size());
    memory_.flag_page(page, Memory::kPageTable);
  }
  const u64 slot = (ram_offset & (kPageBytes - 1)) / kSlotBytes;
  maps_[places_[page] - 1].used[slot / 64] |= u64{1} << (slot % 64);
}

bool WalkCache::uses(const PageMap& map, u64 first_slot, u64 last_slot) const {
  for (u64 slot = first_slot; slot <= last_slot; ++slot) {
    if ((map.used[slot / 64] >> (slot % 64) & 1) != 0) return true;
  }
  return false;
}

bool WalkCache::written(u64 ram_offset, u64 size_bytes, Writer who) {
  if (who == Writer::kWalker || size_bytes == 0) return false;
  const u64 last = ram_offset + (size_bytes - 1);
  for (u64 page = ram_offset >> kPageShift; page <= last >> kPageShift; ++page) {
    if (places_[page] == 0) continue;
    const u64 start = page << kPageShift;
    const u64 first_slot = ram_offset > start ? (ram_offset - start) / kSlotBytes : 0;
    const u64 last_slot = last - start < kPageBytes ? (last - start) / kSlotBytes : kSlots - 1;
    if (uses(maps_[places_[page] - 1], first_slot, last_slot)) {
      ++hits_;
      start_epoch();
      return true;
    }
  }
  return false;
}

void WalkCache::start_epoch() {
  for (const PageMap& map : maps_) {
    places_[map.page] = 0;
    memory_.unflag_page(map.page, Memory::kPageTable);
  }
  maps_.clear();
}

}  // namespace retrov
