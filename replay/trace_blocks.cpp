#include "replay/trace_blocks.hpp"

namespace retrov {

void TraceBlocks::add(const std::vector<StoredBlock>& blocks) {
  const std::lock_guard lock(mutex_);
  for (const StoredBlock& block : blocks) offsets_[block_key(block.disk, block.index)] = block.offset;
}

std::optional<u64> TraceBlocks::place_of(u8 disk, u64 index) {
  const std::lock_guard lock(mutex_);
  const auto at = offsets_.find(block_key(disk, index));
  if (at == offsets_.end()) return std::nullopt;
  const u64 offset = at->second;
  offsets_.erase(at);
  return offset;
}

}  // namespace retrov
