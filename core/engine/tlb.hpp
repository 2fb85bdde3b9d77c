// A direct-mapped translation cache. Entries are positive only and carry the host address of the page as an addend, so
// that the common access is one compare. `tag` is the virtual page; an access that leaves the page, or misses, compares
// unequal. Never state: dropping any entry at any time changes nothing (determinism tests shrink it to prove that).
#pragma once

#include <array>
#include <vector>

#include "core/types.hpp"

namespace retrov {

struct TlbEntry {
  u64 tag = ~u64{0};  ///< Page address; ~0 matches nothing.
  u64 addend = 0;     ///< Host address minus virtual address, mod 2^64; or what the owner wants.
};

template <unsigned kEntries>
class Tlb {
 public:
  [[nodiscard]] static constexpr unsigned slot(u64 address) { return unsigned(address >> kPageShift) & (kEntries - 1); }
  /// The host address for an access that lies within one cached page, or null.
  [[nodiscard]] u8* probe(u64 address, unsigned size_bytes) const {
    const TlbEntry& entry = entries_[slot(address)];
    if (((address + size_bytes - 1) & ~(kPageBytes - 1)) != entry.tag) [[unlikely]] return nullptr;
    return reinterpret_cast<u8*>(address + entry.addend);
  }
  [[nodiscard]] const TlbEntry& at(u64 address) const { return entries_[slot(address)]; }
  void fill(u64 page_address, u64 addend) {
    if (filled_count_ >= most_) flush();
    const unsigned index = slot(page_address);
    if (entries_[index].tag == ~u64{0}) filled_[filled_count_++] = static_cast<u16>(index);
    entries_[index] = {page_address, addend};
  }
  /// Costs what was filled since the last flush.
  void flush() {
    for (unsigned i = 0; i < filled_count_; ++i) entries_[filled_[i]] = {};
    filled_count_ = 0;
  }
  /// At most so many entries at a time, at least 1.
  void limit(unsigned entries) {
    flush();
    most_ = entries;
  }

 private:
  std::array<TlbEntry, kEntries> entries_{};
  std::array<u16, kEntries> filled_{};
  unsigned filled_count_ = 0;
  unsigned most_ = ~0u;
};

}  // namespace retrov
