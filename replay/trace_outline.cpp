#include "replay/trace_outline.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "core/check.hpp"
#include "replay/trace_codec.hpp"

namespace retrov {

namespace {

class Outliner {
 public:
  explicit Outliner(const TraceBytes& bytes) : bytes_(bytes), time_(bytes) {
    outline_.file_bytes = bytes.size_bytes();
    outline_.identity = parse_preamble(bytes.read(0, std::min(outline_.file_bytes, kPreambleBytes)));
    if (outline_.identity.container_version != kContainerVersion) require_replayable(outline_.identity);
    u64 offset = kPreambleBytes;
    while (offset < outline_.file_bytes && look_at(offset)) {
    }
    if (const auto told = told_.find(branch_); told != told_.end()) {
      outline_.end = told->second.reached;
      outline_.outcome = told->second.outcome;
    }
    outline_.branches = std::max<u64>(1, told_.size());
    outline_.lasted = time_.until(branch_, outline_.end);
  }

  [[nodiscard]] TraceOutline take() { return std::move(outline_); }

 private:
  struct Told {
    Position reached;
    std::optional<Outcome> outcome;
  };

  /// False: there is nothing to be seen behind.
  bool look_at(u64& offset) {
    const u64 rest_bytes = outline_.file_bytes - offset;
    std::array<u8, kFrameHeaderBytes> header;
    if (rest_bytes < header.size()) return cut(offset);
    bytes_.read(offset, header);
    const std::optional<FrameInfo> frame = parse_frame_header(header, offset);
    if (!frame || frame->stored_bytes > kMaxPayloadBytes) {
      if (bytes_.all_zero_from(offset)) return cut(offset);
      outline_.damaged_at = offset;
      return false;
    }
    if (frame_size_bytes(*frame) > rest_bytes) return cut(offset);
    if (frame->kind == FrameKind::kKeyFrame) ++outline_.key_frames;
    if (!is_beside_history(frame->kind) && (frame->flags & kFrameOptional) == 0 && !note(*frame)) {
      outline_.damaged_at = offset;
      return false;
    }
    time_.look_at(*frame);
    offset += frame_size_bytes(*frame);
    return true;
  }

  bool cut(u64 offset) {
    outline_.cut_at = offset;
    return false;
  }

  /// False: it should have been read and is damaged.
  bool note(const FrameInfo& frame) {
    const bool is_read = frame.kind == FrameKind::kBranch || frame.kind == FrameKind::kEnd;
    if (!is_read) {
      told_[branch_].reached = frame.at;
      return true;
    }
    const std::vector<u8> whole = bytes_.read(frame.offset, frame_size_bytes(frame));
    if (!frame_intact(whole, frame.offset)) return false;
    try {
      const std::vector<u8> payload = unpack_frame(frame, whole);
      StateReader in(payload);
      std::optional<Outcome> outcome;
      if (frame.kind == FrameKind::kBranch) {
        branch_ = decode_branch_number(payload);
      } else {
        outcome = decode_outcome(in);
      }
      told_[branch_] = {frame.at, std::move(outcome)};
    } catch (const Error&) {
      return false;
    }
    return true;
  }

  const TraceBytes& bytes_;
  TraceOutline outline_;
  GuestTime time_;
  u64 branch_ = 0;
  std::map<u64, Told> told_;
};

}  // namespace

TraceOutline outline_trace(const TraceBytes& bytes) { return Outliner(bytes).take(); }

}  // namespace retrov
