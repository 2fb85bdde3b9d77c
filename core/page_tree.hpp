// A persistent map from page index to 4 KiB page: fan-out 256, structure shared between versions, pages immutable once
// shared. Copying a tree is a pointer copy, so a snapshot costs only the pages written since the last one; comparing
// two versions visits only what differs. Absent pages are zero, and a page of zeros is stored as absent.
//
// A copy may be read and dropped on another thread than the one that changes the tree it was copied from.
//
// Must stay true: equal content does not imply equal pointers, nor unequal pointers a write (A -> B -> A): page
// identity proves nothing about writes (docs/machine.md, "Snapshots").
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>

#include "core/types.hpp"

namespace retrov {

using PageBytes = std::array<u8, kPageBytes>;

/// A page and its share of the content hash. Immutable.
struct Page {
  PageBytes bytes;
  u64 hash = 0;  ///< hash_bytes of the content, mixed with nothing.
};

using PagePointer = std::shared_ptr<const Page>;

class PageTree {
 public:
  /// Null if the page is zero.
  [[nodiscard]] const Page* find(u64 index) const;
  [[nodiscard]] PagePointer share(u64 index) const;
  /// Stores a copy of `bytes`; zeros are stored as absence.
  void set(u64 index, std::span<const u8, kPageBytes> bytes);
  /// The same for a page that other trees may have, too; null stands for zero.
  void put(u64 index, PagePointer page);
  /// Null if all are zero.
  [[nodiscard]] static PagePointer make_page(std::span<const u8, kPageBytes> bytes);
  /// Sum mod 2^64 of h(index, content) over the non-zero pages: a function of the content alone.
  [[nodiscard]] u64 hash() const { return hash_; }
  [[nodiscard]] u64 page_count() const { return page_count_; }
  /// One more than the highest index of a page that is not zero; 0 if there is none.
  [[nodiscard]] u64 end_index() const { return end_of(root_, kLevels); }
  /// Calls `visit(index, a, b)` for every page whose pointer differs; null stands for zero. Skips shared subtrees.
  using DiffVisit = std::function<void(u64 index, const Page* a, const Page* b)>;
  static void diff(const PageTree& a, const PageTree& b, const DiffVisit& visit);
  using Visit = std::function<void(u64 index, const Page& page)>;
  void for_each(const Visit& visit) const;

 private:
  static constexpr unsigned kFanOutBits = 8;
  static constexpr unsigned kFanOut = 1u << kFanOutBits;
  static constexpr unsigned kLevels = 4;  ///< 2^32 pages: 16 TiB.
  /// A child is a Node, or a Page on the lowest level.
  using Child = std::shared_ptr<const void>;
  struct Node {
    std::array<Child, kFanOut> children;
  };
  Child root_;
  u64 hash_ = 0;
  u64 page_count_ = 0;

  static u64 end_of(const Child& node, unsigned level);
  static Child replace(Child node, unsigned level, u64 index, PagePointer page, PagePointer& old);
  static void diff_nodes(const Child& a, const Child& b, unsigned level, u64 base, const DiffVisit& visit);
  static void visit_nodes(const Child& node, unsigned level, u64 base, const Visit& visit);
};

}  // namespace retrov
