// Decoded code, by physical page. A page has one entry per halfword; blocks never cross a page, and links lead only to
// blocks of the same page, so dropping a page's entries drops all ways into its code. Memory of dropped blocks is
// reclaimed when the arena is full and everything is dropped. Breakpoints are woven into the code as BREAK ops at every
// address with the same page offset, which then compare the whole pc: the code needs no knowledge of mappings.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/engine/op.hpp"
#include "core/hart.hpp"
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
  CodeCache(Memory& memory);
  ~CodeCache();
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  /// The page's code, made if need be; flags the page in memory. Valid until everything is dropped.
  CodePage& page(u64 ram_page);
  /// The block at that offset, decoded if need be. Null: the first instruction crosses the page's end, step it alone.
  const Op* block(CodePage& page, u32 page_offset);
  /// A copy of the first `steps` instructions of `first`'s block (fewer than its length) that ends in a stop. Valid until
  /// the next call.
  const Op* truncated(const Op* first, u32 steps);
  /// A write to a page flagged kCode; true if decoded bytes were hit, and dropped.
  bool written(u64 ram_offset, u64 size_bytes);
  void drop_page(u64 ram_page);
  /// Weaves in these breakpoints instead of the current ones. Cheap when `stops.version` is unchanged.
  void set_breakpoints(const StopSet* stops);
  /// Counts full drops, after which every CodePage pointer is dead: holders compare and flush.
  [[nodiscard]] u64 generation() const { return generation_; }

  static const Op* stub();

 private:
  struct Builder;
  Memory& memory_;
  std::vector<std::unique_ptr<CodePage>> pages_;
  std::unique_ptr<std::byte[]> arena_;
  std::size_t arena_used_ = 0;
  std::unique_ptr<std::byte[]> scratch_;
  std::vector<u16> break_offsets_;  ///< Page offsets of the breakpoints woven in, ascending.
  std::vector<VirtAddr> breakpoints_;
  u64 stops_version_ = 0;
  u64 generation_ = 0;

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
