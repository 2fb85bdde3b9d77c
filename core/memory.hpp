// RAM: one flat host allocation, and what must happen whenever a byte of it changes. `written` is the only way a write
// becomes known: it keeps dirty marks, decoded code, cached page-table walks, reservations and observers true. A path
// beside it is a divergence or a lost writer.
//
// The page flags decide what may enter a write TLB: only a page that is dirty in this epoch and has no other flag.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/page_tree.hpp"
#include "core/types.hpp"
#include "core/writer.hpp"

namespace retrov {

/// What a write touched beside plain data; the writing instruction must then end its block.
enum class WriteEffect : u8 { kNone = 0, kCode = 1, kPageTable = 2, kObserved = 4 };
constexpr WriteEffect operator|(WriteEffect a, WriteEffect b) { return WriteEffect(u8(a) | u8(b)); }

/// Caches over RAM (decoded code, translations) and reservations that a write can make stale.
class WriteListener {
 public:
  virtual ~WriteListener() = default;
  /// A byte of a page flagged kCode was written. True if decoded code was hit.
  virtual bool code_written(u64 ram_offset, u64 size_bytes) = 0;
  /// A byte of a page flagged kPageTable was written. True if a slot used by a cached walk was hit (and flushed).
  virtual bool page_table_written(u64 ram_offset, u64 size_bytes, Writer who) = 0;
  /// A device or the debugger wrote: overlapping reservations end.
  virtual void foreign_write(PhysAddr address, u64 size_bytes, Writer who) = 0;
  /// Pages may no longer be written without asking: drop all write translations.
  virtual void flush_write_translations() = 0;
};

/// Told after a write to an observed range (HTIF's tohost).
class RamObserver {
 public:
  virtual ~RamObserver() = default;
  virtual void ram_written(PhysAddr address, u64 size_bytes) = 0;
};

class Memory {
 public:
  enum PageFlag : u8 { kDirty = 1, kCode = 2, kPageTable = 4, kObserved = 8 };

  Memory(PhysAddr base, u64 size_bytes);

  [[nodiscard]] PhysAddr base() const { return base_; }
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }
  /// All of [address, address + size) is RAM.
  [[nodiscard]] bool contains(PhysAddr address, u64 size_bytes) const {
    const u64 offset = address.value - base_.value;
    return offset < size_bytes_ && size_bytes <= size_bytes_ - offset;
  }
  [[nodiscard]] u64 offset_of(PhysAddr address) const { return address.value - base_.value; }
  /// Host address of a RAM offset; valid as long as the Memory is. Writers must call `written` afterwards.
  [[nodiscard]] u8* host(u64 ram_offset) { return bytes_.get() + ram_offset; }
  [[nodiscard]] const u8* host(u64 ram_offset) const { return bytes_.get() + ram_offset; }

  void read(PhysAddr address, std::span<u8> out) const;
  /// Copies and reports; the range must be RAM.
  WriteEffect write(PhysAddr address, std::span<const u8> bytes, Writer who);
  /// The one function: [address, address + size) has just changed, or is about to within the same step.
  WriteEffect written(PhysAddr address, u64 size_bytes, Writer who);

  [[nodiscard]] u8 page_flags(u64 page) const { return flags_[page]; }
  /// Sets kCode or kPageTable; write translations of the page are dropped.
  void flag_page(u64 page, PageFlag flag);
  void unflag_page(u64 page, PageFlag flag) { flags_[page] = u8(flags_[page] & ~flag); }
  /// For the store path, before a write translation is installed.
  void mark_dirty(u64 page);

  void set_listener(WriteListener* listener) { listener_ = listener; }
  /// One observer, told of writes that touch [address, address + size).
  void observe(PhysAddr address, u64 size_bytes, RamObserver* observer);

  /// Moves the pages dirtied since the last call into the tree, starts a new epoch and returns the tree: O(dirty
  /// pages).
  const PageTree& commit();
  /// The pages dirtied in the current epoch, in no particular order.
  [[nodiscard]] std::span<const u32> dirty_pages() const { return dirty_; }
  /// The pages written and committed since the last forget_written or restore, ascending, without doubles.
  [[nodiscard]] const std::vector<u32>& written_pages();
  void forget_written() { written_.clear(); }
  /// Makes RAM equal to `tree`, touching only pages that differ. Decoded code of replaced pages is retired.
  void restore(const PageTree& tree);

 private:
  struct Free {
    void operator()(u8* bytes) const;
  };
  PhysAddr base_;
  u64 size_bytes_;
  std::unique_ptr<u8, Free> bytes_;
  std::vector<u8> flags_;
  std::vector<u32> dirty_;
  std::vector<u32> written_;  ///< For written_pages; may hold doubles.
  PageTree tree_;  ///< RAM as of the last commit or restore.
  WriteListener* listener_ = nullptr;
  RamObserver* observer_ = nullptr;
  PhysAddr observed_at_;
  u64 observed_bytes_ = 0;

  void replace_page(u64 page, const Page* content);
};

}  // namespace retrov
