#include "replay/trace_blocks.hpp"

#include <algorithm>

namespace retrov {

void TraceBlocks::add(const std::vector<StoredBlock>& blocks) {
  const std::lock_guard lock(mutex_);
  stored_.insert(stored_.end(), blocks.begin(), blocks.end());
}

std::optional<u64> TraceBlocks::place_of(u8 disk, u64 index) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(stored_.begin(), stored_.end(), [&](const StoredBlock& block) {
    return block.index == index && block.disk == disk;
  });
  if (at == stored_.end()) return std::nullopt;
  const u64 offset = at->offset;
  stored_.erase(stored_.begin(), at + 1);
  return offset;
}

}  // namespace retrov
