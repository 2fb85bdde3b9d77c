#include "replay/recover.hpp"

#include <algorithm>
#include <cstdio>

#include "core/check.hpp"
#include "replay/frame_walk.hpp"
#include "replay/new_file.hpp"
#include "replay/position.hpp"
#include "replay/trace_codec.hpp"
#include "replay/trace_index.hpp"

namespace retrov {

namespace {

using What = TraceFinding::What;

constexpr u64 kPieceBytes = u64{1} << 20;

void copy(const TraceBytes& source, u64 end, NewFile& out) {
  while (out.size_bytes() < end) {
    const u64 from = out.size_bytes();
    out.write(source.read(from, std::min(kPieceBytes, end - from)));
  }
}

/// The finding that ends the history; null: nothing does.
const TraceFinding* first_loss(const TraceCheck& check) {
  const auto found = std::find_if(check.findings.begin(), check.findings.end(), [](const TraceFinding& finding) {
    return finding.what == What::kDamage || finding.what == What::kCut;
  });
  return found == check.findings.end() ? nullptr : &*found;
}

/// That of all frames which one lists.
PackedPayload make_index(const TraceBytes& source) {
  std::vector<FrameInfo> frames;
  std::vector<TraceFinding> findings;
  walk_frames(source, frames, findings);
  std::vector<IndexedFrame> indexed;
  for (const FrameInfo& frame : frames) {
    if (frame.kind != FrameKind::kKeyFrame && frame.kind != FrameKind::kPages) continue;
    const std::vector<u8> bytes = source.read(frame.offset, frame_size_bytes(frame));
    indexed.push_back({frame.kind, frame.offset, frame.stored_bytes, raw_payload_bytes(frame, bytes)});
  }
  return encode_index(indexed);
}

}  // namespace

u64 recover_trace(const TraceCheck& check, const TraceBytes& source, const std::string& path) {
  if (check.unread) require_replayable(*check.identity);
  if (check.good_bytes == 0) throw Error(Exit::kBadTrace, summarise(check));
  NewFile out(path);
  std::vector<u8> frame;
  for (const TraceFinding& finding : check.findings) {
    if (finding.what != What::kDropped || finding.offset >= check.good_bytes) continue;
    copy(source, finding.offset, out);
    frame.clear();
    const std::vector<u8> nothing(finding.size_bytes - kFrameHeaderBytes - kFrameCheckBytes);
    append_stored_frame(frame, finding.offset, FrameKind::kLost, kFrameOptional, finding.at, nothing);
    out.write(frame);
  }
  const auto index = std::find_if(check.findings.begin(), check.findings.end(),
                                  [](const TraceFinding& finding) { return finding.what == What::kIndex; });
  const bool has_index = index != check.findings.end() && index->offset < check.good_bytes;
  copy(source, has_index ? index->offset : check.good_bytes, out);
  if (has_index) {
    frame.clear();
    append_packed_frame(frame, index->offset, FrameKind::kIndex, index->at, make_index(source));
    out.write(frame);
  }
  if (const TraceFinding* loss = first_loss(check); loss != nullptr && !check.good_ends) {
    const std::string why = std::string("the rest was lost: ") + (loss->what == What::kCut ? "cut" : "damaged") +
                            " at offset " + std::to_string(loss->offset);
    frame.clear();
    append_frame(frame, check.good_bytes, FrameKind::kEnd, check.good_to,
                 encode_outcome({Outcome::Kind::kUnknown, 0, why}));
    out.write(frame);
  }
  out.keep();
  return out.size_bytes();
}

std::string describe_loss(const TraceCheck& check) {
  u64 dropped = 0;
  for (const TraceFinding& finding : check.findings) {
    if (finding.what == What::kDropped && finding.offset < check.good_bytes) ++dropped;
  }
  std::string text;
  if (dropped != 0) {
    text = group_digits(dropped) + (dropped == 1 ? " damaged frame that" : " damaged frames that") +
           " the history does not need";
  }
  if (first_loss(check) == nullptr) return text.empty() ? "nothing was lost" : "lost: " + text;
  text += (text.empty() ? "" : ", ") + group_digits(check.file_bytes - check.good_bytes) + " bytes from offset " +
          std::to_string(check.good_bytes) + " on";
  if (check.behind_to <= check.good_to) {
    return "lost: " + text + ", and what they told of positions from " + group_digits(check.good_to.steps) + " on";
  }
  const double steps = static_cast<double>(check.behind_to.steps - check.good_to.steps);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.6f", steps / static_cast<double>(check.steps_per_second));
  return "lost: " + text + ", positions " + group_digits(check.good_to.steps) + " to " +
         group_digits(check.behind_to.steps) + " at least, " + seconds + " s of guest time without what was idle";
}

}  // namespace retrov
