#include "core/state.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace retrov {

u64 hash_bytes(std::span<const u8> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

u64 hash_state(const Stateful& component) {
  std::vector<u8> bytes;
  StateWriter writer(bytes);
  component.write_state(writer);
  return hash_bytes(bytes);
}

}  // namespace retrov
