// Decoded code, by physical page. A page has one entry per halfword; blocks never cross a page, and links lead only to
// blocks of the same page, so dropping a page's entries drops all ways into its code. Memory of dropped blocks is
// reclaimed when the arena is full and everything is dropped. Breakpoints are woven into the code as BREAK ops at every
// address with the same page offset, which then compare the whole pc: the code needs no knowledge of mappings.
// Both blocks and pages are bounded: a page's entries take four times its size.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/engine/cache_sizes.hpp"
#include "core/engine/dispatch.hpp"
#include "core/engine/op.hpp"
#include "core/extensions.hpp"
#include "core/memory.hpp"
#include "core/stops.hpp"
#include "core/types.hpp"

namespace retrov {

struct CodePage {
  std::array<const Op*, kPageBytes / 2> entries;  ///< First op of the block that starts there, or the stub.
  u64 decoded = 0;                                ///< Bit g: bytes [64 g, 64 g + 64) of the page were decoded.
  u32 page = 0;                                   ///< RAM page index.
};

class CodeCache {
 public:
  explicit CodeCache(Memory& memory, ExtensionSet extensions = default_extensions());

  /// Drops everything, and keeps to this from now on.
  void limit(const CacheSizes& sizes);
  /// The page's code. Valid until everything is dropped.
  CodePage& page(u64 ram_page);
  /// The block at that offset, decoded (and the page flagged in memory) if need be. Null: the first instruction
  /// crosses the page's end, step it alone. May drop everything, `page` included, to make room: compare generation().
  const Op* block(CodePage& page, u32 page_offset);
  /// A copy of the first `steps` instructions of `first`'s block (at least 1, fewer than its length) that ends the run
  /// behind them. Valid until the next call.
  const Op* truncated(const Op* first, u32 steps);
  /// A write to a page flagged kCode; true if decoded bytes were hit: the page's code is dropped.
  bool written(u64 ram_offset, u64 size_bytes);
  /// Weaves in exactly these breakpoints. Cheap when nothing changed.
  void set_breakpoints(const std::vector<VirtAddr>& breakpoints);
  [[nodiscard]] bool breaks_at(VirtAddr pc) const;
  /// Counts the times everything was dropped, after which every CodePage and Op pointer is dead.
  [[nodiscard]] u64 generation() const { return generation_; }

  /// The entry of what is not decoded yet.
  [[nodiscard]] static const Op* stub();

 private:
  struct Draft;
  Memory& memory_;
  std::vector<std::unique_ptr<CodePage>> pages_;  ///< By RAM page.
  std::unique_ptr<std::byte[]> arena_;
  std::size_t arena_used_ = 0;
  ExtensionSet extensions_;
  CacheSizes sizes_;
  std::size_t page_count_ = 0;  ///< Of those in pages_ that are not null.
  std::array<std::byte, 2048> scratch_;
  std::vector<VirtAddr> breakpoints_;  ///< Ascending.
  std::vector<u32> break_offsets_;     ///< Their page offsets, ascending.
  u64 generation_ = 0;

  void draft_block(const CodePage& page, u32 page_offset, Draft& draft) const;
  const Op* place(const Draft& draft, std::byte* at) const;
  void drop_page(CodePage& page);
  void drop_all();
};

namespace engine {

inline void enter_anywhere(const Op* op, Hart* hart, i64 budget, u64 base) {
  const TlbEntry& entry = hart->fetch_tlb->at(base);
  if (entry.tag != (base & ~(kPageBytes - 1))) [[unlikely]] RV_TAIL stop_at_base(op, hart, budget, base);
  const Op* target = reinterpret_cast<const CodePage*>(entry.addend)->entries[(base & (kPageBytes - 1)) >> 1];
  const i64 left = budget - length_of(target);
  if (left < 0) [[unlikely]] RV_TAIL stop_at_base(op, hart, budget, base);
  RV_TAIL go(target, hart, left, base);
}

}  // namespace engine
}  // namespace retrov
