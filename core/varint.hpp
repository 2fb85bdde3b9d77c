// Numbers that are usually small, seven bits to a byte, lowest first; the top bit says that more follow. At most ten
// bytes, and only the shortest form is valid, so that equal numbers are equal bytes.
#pragma once

#include "core/state.hpp"
#include "core/types.hpp"

namespace retrov {

inline void write_varint(StateWriter& out, u64 value) {
  while (value >= 0x80) {
    out(static_cast<u8>(value | 0x80));
    value >>= 7;
  }
  out(static_cast<u8>(value));
}

/// Throws Error(kBadTrace) if it is cut off, longer than 64 bits or not the shortest form.
inline u64 read_varint(StateReader& in) {
  u64 value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    u8 byte = 0;
    in(byte);
    const u64 bits = byte & 0x7f;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift != 0) break;
    return value;
  }
  throw Error(Exit::kBadTrace, "malformed number");
}

}  // namespace retrov
