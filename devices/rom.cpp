#include "devices/rom.hpp"

namespace retrov {

std::optional<u64> Rom::peek(u64 offset, unsigned size_bytes, Ticks) const {
  u64 value = 0;
  for (u64 i = 0; i < size_bytes; ++i) {
    if (offset + i < bytes_.size()) value |= u64{bytes_[offset + i]} << (8 * i);
  }
  return value;
}

}  // namespace retrov
