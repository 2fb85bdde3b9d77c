#include "replay/frame_walk.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "replay/trace_index.hpp"

namespace retrov {

namespace {

using What = TraceFinding::What;

constexpr u64 kLeastFrameBytes = kFrameHeaderBytes + kFrameCheckBytes;
constexpr u64 kWindowBytes = u64{1} << 20;
/// Headers that look sound before payloads that are not could make a search take for ever; no accident makes so many.
constexpr u64 kMostHashedBytes = u64{1} << 30;

std::string kind_of(const FrameInfo& frame) {
  return frame.kind == FrameKind::kUnknown ? "kind " + std::to_string(frame.kind_byte) : frame_kind_name(frame.kind);
}

class Walk {
 public:
  Walk(const TraceBytes& bytes, std::vector<FrameInfo>& frames, std::vector<TraceFinding>& findings)
      : bytes_(bytes), frames_(frames), findings_(findings) {}

  void run() {
    u64 offset = kPreambleBytes;
    while (offset < bytes_.size_bytes()) offset = look_at(offset);
  }

 private:
  /// Returns where to look next.
  u64 look_at(u64 offset) {
    const u64 rest_bytes = bytes_.size_bytes() - offset;
    if (rest_bytes < kFrameHeaderBytes) return cut(offset, nullptr, "the file ends inside the header of a frame");
    const std::optional<FrameInfo> frame = header_at(offset);
    if (!frame) {
      if (bytes_.all_zero_from(offset)) return cut(offset, nullptr, "nothing but zeros follow");
      if (is_index_at(offset)) return lost_index(offset, "the header of the frame does not agree with its checksum");
      return damage(offset, nullptr, "the header of the frame does not agree with its checksum");
    }
    if (frame->stored_bytes > kMaxPayloadBytes) return damage(offset, &*frame, "a frame as long as none may be");
    const u64 size_bytes = frame_size_bytes(*frame);
    if (size_bytes > rest_bytes) {
      return cut(offset, &*frame, "the file ends inside the frame, which has " + std::to_string(size_bytes) + " bytes");
    }
    if (!intact(*frame)) return not_intact(*frame);
    return whole(*frame);
  }

  u64 whole(const FrameInfo& frame) {
    constexpr u8 kKnownFlags = kFrameCompressed | kFrameOptional;
    const u64 end = frame.offset + frame_size_bytes(frame);
    frames_.push_back(frame);
    if (frame.kind != FrameKind::kUnknown && (frame.flags & ~kKnownFlags) == 0) return end;
    FrameInfo& kept = frames_.back();
    kept.kind = FrameKind::kUnknown;
    const bool optional = (frame.flags & kFrameOptional) != 0;
    add(optional ? What::kUnknown : What::kDamage, &frame, frame.offset, end,
        optional ? "optional, and of no kind that this build knows" : "this build does not know it and cannot skip it");
    return end;
  }

  u64 not_intact(const FrameInfo& frame) {
    const u64 end = frame.offset + frame_size_bytes(frame);
    if (frame.kind == FrameKind::kIndex && end == bytes_.size_bytes()) {
      return lost_index(frame.offset, "the frame does not agree with its checksum");
    }
    const bool dropped = is_beside_history(frame.kind) && (frame.flags & kFrameOptional) != 0 && whole_at(end);
    if (!dropped) return damage(frame.offset, &frame, "the frame does not agree with its checksum");
    add(What::kDropped, &frame, frame.offset, end, "it does not agree with its checksum; no history is lost with it");
    return end;
  }

  /// By what stands at the end of the file.
  [[nodiscard]] bool is_index_at(u64 offset) const {
    if (bytes_.size_bytes() < kPreambleBytes + kIndexTailBytes) return false;
    std::array<u8, kIndexTailBytes> tail;
    bytes_.read(bytes_.size_bytes() - tail.size(), tail);
    return index_offset(tail, bytes_.size_bytes()) == offset;
  }

  u64 lost_index(u64 offset, const std::string& why) {
    FrameInfo frame;
    frame.kind = FrameKind::kIndex;
    frame.at = frames_.empty() ? Position{} : frames_.back().at;
    add(What::kIndex, &frame, offset, bytes_.size_bytes(), why + "; it follows from the rest");
    return bytes_.size_bytes();
  }

  u64 cut(u64 offset, const FrameInfo* frame, const std::string& why) {
    add(What::kCut, frame, offset, bytes_.size_bytes(), why);
    return bytes_.size_bytes();
  }

  /// `frame` if its header is sound.
  u64 damage(u64 offset, const FrameInfo* frame, std::string why) {
    const bool hops = frame != nullptr && frame->stored_bytes <= kMaxPayloadBytes;
    const u64 end = hops ? offset + frame_size_bytes(*frame) : 0;
    const u64 next = hops && whole_at(end) ? end : search(offset + 1);
    if (hashed_bytes_ > kMostHashedBytes) why += "; what follows was not looked at";
    add(What::kDamage, frame, offset, next, why);
    return next;
  }

  void add(What what, const FrameInfo* frame, u64 offset, u64 end, const std::string& why) {
    const Position before = frames_.empty() ? Position{} : frames_.back().at;
    findings_.push_back({what, offset, end - offset, frame != nullptr ? frame->at : before,
                         frame != nullptr ? kind_of(*frame) : std::string(), why});
  }

  [[nodiscard]] std::optional<FrameInfo> header_at(u64 offset) const {
    std::array<u8, kFrameHeaderBytes> header;
    bytes_.read(offset, header);
    return parse_frame_header(header, offset);
  }

  [[nodiscard]] bool intact(const FrameInfo& frame) const {
    return frame_intact(bytes_.read(frame.offset, frame_size_bytes(frame)), frame.offset);
  }

  /// A whole frame, or the end of the file.
  bool whole_at(u64 offset) {
    if (offset == bytes_.size_bytes()) return true;
    if (offset > bytes_.size_bytes() || bytes_.size_bytes() - offset < kLeastFrameBytes) return false;
    const std::optional<FrameInfo> frame = header_at(offset);
    if (!frame || frame->stored_bytes > kMaxPayloadBytes) return false;
    if (frame_size_bytes(*frame) > bytes_.size_bytes() - offset) return false;
    hashed_bytes_ += frame_size_bytes(*frame);
    return intact(*frame);
  }

  /// The next whole frame at or behind, or the end of the file.
  u64 search(u64 from) {
    const u64 end = bytes_.size_bytes();
    while (end - from >= kLeastFrameBytes && hashed_bytes_ <= kMostHashedBytes) {
      const std::vector<u8> window = bytes_.read(from, std::min(kWindowBytes, end - from));
      const std::size_t places = window.size() - kFrameHeaderBytes + 1;
      for (std::size_t i = 0; i < places; ++i) {
        if (can_be_header(&window[i]) && whole_at(from + i)) return from + i;
        if (hashed_bytes_ > kMostHashedBytes) return end;
      }
      from += places;
    }
    return end;
  }

  /// Before the header's check is computed: its size, kind and flags can be true.
  static bool can_be_header(const u8* bytes) {
    return bytes[3] == 0 && bytes[2] <= kMaxPayloadBytes >> 16 && bytes[4] != 0 && bytes[5] <= 3 && bytes[13] <= 0x40;
  }

  const TraceBytes& bytes_;
  std::vector<FrameInfo>& frames_;
  std::vector<TraceFinding>& findings_;
  u64 hashed_bytes_ = 0;  ///< By searches.
};

}  // namespace

void walk_frames(const TraceBytes& bytes, std::vector<FrameInfo>& frames, std::vector<TraceFinding>& findings) {
  Walk(bytes, frames, findings).run();
}

}  // namespace retrov
