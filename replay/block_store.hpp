// Keeps captured disk blocks. Past a budget of memory they are left where they stand anyway, in the trace that is being
// recorded, or go to a temporary file that has no name: a long session with a busy disk costs disk space and not RAM,
// and nothing is left behind however the process ends.
//
// Must stay true: a block once put never changes; what find() returns stays valid whatever is put later. Any thread:
// the cursors of several clients share it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/page_tree.hpp"
#include "core/types.hpp"

namespace retrov {

/// A file that blocks can be read back from. Any thread.
class BlockHome {
 public:
  virtual ~BlockHome() = default;
  /// At which offset the block stands in it, if it does by now: not asked again then.
  virtual std::optional<u64> place_of(u8 disk, u64 index) = 0;
  /// As pread(2): how many bytes were read, or the negative errno.
  [[nodiscard]] virtual i64 read(u64 offset, std::span<u8> out) const = 0;
  /// In messages.
  [[nodiscard]] virtual const char* name() const = 0;
};

/// One number for a block of a disk.
[[nodiscard]] constexpr u64 block_key(u8 disk, u64 index) { return u64{disk} << 56 | index; }

class BlockStore {
 public:
  static constexpr u64 kDefaultBudgetBytes = u64{64} << 20;
  /// The most of it that is used where there is a home: reading back costs as much as reading the image did.
  static constexpr u64 kHomeBudgetBytes = u64{16} << 20;
  /// Beyond the budget so many wait in memory for a home, which gets them later than they come here. At least twice as
  /// many as it has not got yet at any time; few, because what is done with them then finds them in the host's cache.
  static constexpr std::size_t kMostWaiting = 128;

  explicit BlockStore(u64 budget_bytes = kDefaultBudgetBytes);
  ~BlockStore();
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  /// What is put from here on will stand in `home`; null: nowhere.
  void set_home(std::shared_ptr<BlockHome> home);
  /// Room for a block that will be put. Memory that such blocks have left is used again: to get it from the host for
  /// each costs more than all else that is done with them.
  [[nodiscard]] std::shared_ptr<PageBytes> fresh();
  /// Null bytes: a hole, a block that could not be had. False, and nothing changes, if the block is there already, be
  /// it as a hole. Never fails: where the file cannot grow, memory does.
  bool put(u8 disk, u64 index, std::shared_ptr<const PageBytes> bytes);
  /// Null if it was never put, or as a hole. Throws Error(kIo) if it cannot be read back.
  [[nodiscard]] std::shared_ptr<const PageBytes> find(u8 disk, u64 index) const;
  [[nodiscard]] bool is_hole(u8 disk, u64 index) const;
  /// Calls `visit(disk, index, bytes)` for each, ascending; null bytes for a hole. Throws as find() does.
  using Visit = std::function<void(u8 disk, u64 index, const std::shared_ptr<const PageBytes>& bytes)>;
  void for_each(const Visit& visit) const;
  [[nodiscard]] u64 count() const;
  /// In the temporary file.
  [[nodiscard]] u64 spilled_bytes() const;

 private:
  class Pool;
  template <class T>
  struct PoolAllocator;
  class Spill;
  struct Place {
    std::shared_ptr<const PageBytes> bytes;  ///< Null: in `home`, or a hole.
    const BlockHome* home = nullptr;
    u64 offset = 0;
  };
  struct Waiting {
    u64 key;
    Place* place;
  };
  /// The older half of those that wait leave memory.
  void send_away();
  [[nodiscard]] static std::shared_ptr<const PageBytes> read(const Place& place);

  const std::shared_ptr<Pool> pool_;
  mutable std::mutex mutex_;
  u64 budget_bytes_;
  u64 memory_bytes_ = 0;
  std::shared_ptr<const PageBytes> zero_;  ///< Blocks of zeros are common and share one copy.
  std::unordered_map<u64, Place> places_;  ///< By block_key.
  std::vector<Waiting> waiting_;           ///< Oldest first.
  std::shared_ptr<Spill> spill_;
  std::shared_ptr<BlockHome> home_;
  std::vector<std::shared_ptr<BlockHome>> homes_;  ///< That places may point to.
};

}  // namespace retrov
