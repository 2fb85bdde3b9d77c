#include "replay/trace_index.hpp"

#include <array>

#include "core/check.hpp"
#include "core/state.hpp"
#include "core/varint.hpp"

namespace retrov {

namespace {

constexpr u32 kTailMagic = 0x58495652;  // "RVIX"
constexpr std::size_t kTailBytes = 8;   // The size of the payload, and the magic.

[[noreturn]] void refuse(const char* what) { throw Error(Exit::kBadTrace, what); }

}  // namespace

PackedPayload encode_index(std::span<const IndexedFrame> frames) {
  PackedPayload payload;
  StateWriter out(payload.stored);
  u64 at = 0;
  for (const IndexedFrame& frame : frames) {
    out(static_cast<u8>(frame.kind));
    write_varint(out, frame.offset - at);
    write_varint(out, frame.stored_bytes);
    write_varint(out, frame.raw_bytes);
    at = frame.offset;
  }
  out(static_cast<u32>(payload.stored.size() + kTailBytes), kTailMagic);
  return payload;
}

std::vector<IndexedFrame> decode_index(std::span<const u8> payload) {
  if (payload.size() < kTailBytes) refuse("index without an end");
  StateReader in(payload.first(payload.size() - kTailBytes));
  std::vector<IndexedFrame> frames;
  u64 at = 0;
  while (in.left_bytes() != 0) {
    IndexedFrame frame;
    u8 kind = 0;
    in(kind);
    const u64 distance = read_varint(in);
    const u64 stored_bytes = read_varint(in);
    const u64 raw_bytes = read_varint(in);
    frame.kind = static_cast<FrameKind>(kind);
    const bool is_known = frame.kind == FrameKind::kKeyFrame || frame.kind == FrameKind::kPages;
    if (!is_known || distance > kMaxPosition.steps - at || stored_bytes > kMaxPayloadBytes ||
        raw_bytes > kMaxPayloadBytes) {
      refuse("index of what cannot be");
    }
    frame.offset = at += distance;
    frame.stored_bytes = static_cast<u32>(stored_bytes);
    frame.raw_bytes = static_cast<u32>(raw_bytes);
    frames.push_back(frame);
  }
  return frames;
}

std::optional<u64> index_offset(std::span<const u8, kIndexTailBytes> tail, u64 file_bytes) {
  StateReader in(tail);
  u32 payload_bytes = 0;
  u32 magic = 0;
  in(payload_bytes, magic);
  const u64 frame_bytes = kFrameHeaderBytes + u64{payload_bytes} + kFrameCheckBytes;
  if (magic != kTailMagic || payload_bytes > kMaxPayloadBytes || frame_bytes > file_bytes) return std::nullopt;
  return file_bytes - frame_bytes;
}

}  // namespace retrov
