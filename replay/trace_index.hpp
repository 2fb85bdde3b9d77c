// The index of a trace: where the frames of its key frames stand, so that opening it need not read them. The last
// frame, if there is one, and found from the end of the file. What it says is checked when it is used, and nothing is
// lost with it: without one, or with a damaged one, the frames are found by reading all.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "replay/trace_format.hpp"

namespace retrov {

struct IndexedFrame {
  FrameKind kind = FrameKind::kUnknown;
  u64 offset = 0;
  u32 stored_bytes = 0;
  u32 raw_bytes = 0;
  bool operator==(const IndexedFrame&) const = default;
};

/// By ascending offset.
[[nodiscard]] PackedPayload encode_index(std::span<const IndexedFrame> frames);
/// Throws Error (kBadTrace).
[[nodiscard]] std::vector<IndexedFrame> decode_index(std::span<const u8> payload);

/// The bytes at the end of a trace that has an index.
inline constexpr u64 kIndexTailBytes = 8 + kFrameCheckBytes;
/// Where that index begins, if these last bytes of a file of that size are those of one.
[[nodiscard]] std::optional<u64> index_offset(std::span<const u8, kIndexTailBytes> tail, u64 file_bytes);

}  // namespace retrov
