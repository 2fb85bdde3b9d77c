// LZ4 and XXH3 as traces use them: blocks that can be read on their own, sizes known before anything is decompressed.
#pragma once

#include <span>
#include <vector>

#include "core/types.hpp"

namespace retrov {

/// LZ4 never expands a byte to more than this; a larger claim is a lie.
inline constexpr u64 kMostExpansion = 255;

/// kBest takes ten times as long or more.
enum class Compression : u8 { kFast, kBest };

/// Replaces `out` by the compressed form; false if that saves less than a sixteenth, and `out` means nothing.
[[nodiscard]] bool compress(std::span<const u8> raw, std::vector<u8>& out, Compression how = Compression::kFast);

/// Fills `raw` exactly; false if `stored` is not the compressed form of that many bytes. Safe on any input.
[[nodiscard]] bool decompress(std::span<const u8> stored, std::span<u8> raw);

/// XXH3 of 64 bits with a seed.
[[nodiscard]] u64 checksum(std::span<const u8> bytes, u64 seed);

/// XXH3 of 128 bits. With a seed that the guest does not know it tells contents from each other, as far as it can go.
[[nodiscard]] u128 fingerprint(std::span<const u8> bytes, u64 seed);

}  // namespace retrov
