// Keeps captured disk blocks. Past a budget of memory they go to a temporary file that has no name, so that a long
// session with a busy disk costs disk space and not RAM, and nothing is left behind however the process ends.
//
// Must stay true: a block once put never changes; what find() returns stays valid whatever is put later. Any thread:
// the cursors of several clients share it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/page_tree.hpp"
#include "core/types.hpp"

namespace retrov {

class BlockStore {
 public:
  static constexpr u64 kDefaultBudgetBytes = u64{64} << 20;

  explicit BlockStore(u64 budget_bytes = kDefaultBudgetBytes);
  ~BlockStore();
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  /// Null bytes: a hole, a block that could not be had. False, and nothing changes, if the block is there already, be
  /// it as a hole. Never fails: where the file cannot grow, memory does.
  bool put(u8 disk, u64 index, std::shared_ptr<const PageBytes> bytes);
  /// Null if it was never put, or as a hole. Throws Error(kIo) if the temporary file cannot be read back.
  [[nodiscard]] std::shared_ptr<const PageBytes> find(u8 disk, u64 index) const;
  [[nodiscard]] bool is_hole(u8 disk, u64 index) const;
  /// Calls `visit(disk, index, bytes)` for each, ascending; null bytes for a hole. Throws as find() does.
  using Visit = std::function<void(u8 disk, u64 index, const std::shared_ptr<const PageBytes>& bytes)>;
  void for_each(const Visit& visit) const;
  [[nodiscard]] u64 count() const;
  [[nodiscard]] u64 spilled_bytes() const;

 private:
  struct Place {
    std::shared_ptr<const PageBytes> bytes;  ///< Null: in the file, or a hole.
    u64 offset = 0;
    bool hole = false;
  };
  bool spill(const PageBytes& bytes, u64& offset);
  [[nodiscard]] std::shared_ptr<const PageBytes> read(const Place& place) const;

  mutable std::mutex mutex_;
  u64 budget_bytes_;
  u64 memory_bytes_ = 0;
  u64 spilled_bytes_ = 0;
  int file_ = -1;
  bool file_failed_ = false;
  std::shared_ptr<const PageBytes> zero_;  ///< Blocks of zeros are common and share one copy.
  std::map<std::pair<u8, u64>, Place> places_;
};

}  // namespace retrov
