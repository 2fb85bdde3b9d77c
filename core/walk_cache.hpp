// Which page-table entries cached translations rest on. Meaning: every access translates by a fresh walk of memory
// (docs/machine.md, "Memory"); caches are allowed because a store to an entry that a cached walk used is noticed here,
// and then everything cached is dropped. Stores to other entries of the same page cost one bit test.
//
// The maps of one epoch only ever grow: which hart's cached walk used a slot is not kept, so any hit ends the epoch for
// all. Never state: dropping an epoch at any time, with the caches, changes nothing that a guest could see.
#pragma once

#include <array>
#include <vector>

#include "core/memory.hpp"
#include "core/types.hpp"

namespace retrov {

class WalkCache {
 public:
  /// The memory must outlive it.
  explicit WalkCache(Memory& memory);

  /// A walk whose result is about to be cached read the entry at this offset. Flags its page as a page table.
  void use(u64 ram_offset);
  /// [ram_offset, ram_offset + size) was written. True if a used slot was hit: the epoch is then over, and the caller
  /// must drop all cached translations of all harts before another access is made. The walker's own updates of A and D
  /// never hit: they take no permission away and make no entry invalid.
  bool written(u64 ram_offset, u64 size_bytes, Writer who);
  /// Ends the epoch. The caller drops all cached translations.
  void start_epoch();

  /// How many epochs a write to a used slot has ended (--stats).
  [[nodiscard]] u64 hits() const { return hits_; }

 private:
  static constexpr unsigned kSlotBytes = 8;
  static constexpr unsigned kSlots = kPageBytes / kSlotBytes;
  struct PageMap {
    u32 page = 0;
    std::array<u64, kSlots / 64> used{};
  };
  [[nodiscard]] bool uses(const PageMap& map, u64 first_slot, u64 last_slot) const;

  Memory& memory_;
  std::vector<u32> places_;    ///< By RAM page: index in maps_ plus one, 0 for none.
  std::vector<PageMap> maps_;  ///< The page tables of this epoch.
  u64 hits_ = 0;
};

}  // namespace retrov
