// replay/fsck with replay/frame_walk: a trace that is damaged or cut anywhere, and what is said of it.
#include "replay/fsck.hpp"

#include <sstream>

#include "core/check.hpp"
#include "replay/trace_codec.hpp"
#include "replay/trace_reader.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using What = TraceFinding::What;

namespace {

TraceCheck check_bytes(const std::vector<u8>& bytes) {
  return check_trace("x.rvt", [&bytes] { return TraceBytes(bytes); });
}

std::vector<FrameInfo> frames_of(const std::vector<u8>& bytes) { return TraceReader("x.rvt", bytes).frames(); }

/// What is said to replay is opened and read.
void require_prefix_reads(const std::vector<u8>& bytes, const TraceCheck& check) {
  if (check.good_bytes == 0) return;
  const std::vector<u8> prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(check.good_bytes));
  const TraceReader trace("x.rvt", prefix);
  REQUIRE(trace.torn_bytes() == 0);
  REQUIRE(trace.end() == check.good_to);
  REQUIRE(trace.complete() == check.good_ends);
  (void)trace.read_branches();
}

std::string report(const TraceCheck& check, ReportFormat format) {
  std::ostringstream out;
  report_check(check, out, format);
  return out.str();
}

void append_foreign(std::vector<u8>& bytes, u8 kind, u8 flags) {
  append_stored_frame(bytes, bytes.size(), static_cast<FrameKind>(kind), flags, {}, std::vector<u8>(100, 7));
}

}  // namespace

TEST_CASE("fsck: a whole trace is clean to its last byte", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(3, 60);
  const TraceReader trace("x.rvt", bytes);
  const TraceCheck check = check_bytes(bytes);
  CHECK(check.clean());
  CHECK(check.findings.empty());
  CHECK(check.whole_frames == trace.frames().size());
  CHECK(check.good_bytes == bytes.size());
  CHECK(check.good_to == trace.end());
  CHECK(check.good_ends);
  CHECK(check.behind_frames == 0);
  CHECK(summarise(check).empty());
  CHECK(report(check, ReportFormat::kText) ==
        "clean  whole_frames " + std::to_string(trace.frames().size()) + "  bytes " + std::to_string(bytes.size()) +
            "  good_bytes " + std::to_string(bytes.size()) + "  good_to " + std::to_string(trace.end().steps) + "\n");
}

TEST_CASE("fsck: a flipped bit anywhere is named by the offset of its frame, and what follows is found", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(8, 30);
  const std::vector<FrameInfo> frames = frames_of(bytes);
  std::size_t frame = 0;
  for (std::size_t at = kPreambleBytes; at < bytes.size(); ++at) {
    if (frame + 1 < frames.size() && at >= frames[frame + 1].offset) ++frame;
    std::vector<u8> damaged = bytes;
    damaged[at] ^= static_cast<u8>(1u << (at % 8));
    const TraceCheck check = check_bytes(damaged);
    REQUIRE(check.findings.size() == 1);
    const TraceFinding& finding = check.findings[0];
    REQUIRE(finding.what == What::kDamage);
    REQUIRE(finding.offset == frames[frame].offset);
    REQUIRE(finding.size_bytes == frame_size_bytes(frames[frame]));
    REQUIRE(check.whole_frames == frames.size() - 1);
    const bool header = at < frames[frame].offset + kFrameHeaderBytes;
    const Position before = frame == 0 ? Position{} : frames[frame - 1].at;
    REQUIRE(finding.at == (header ? before : frames[frame].at));
    REQUIRE(finding.kind == (header ? "" : frame_kind_name(frames[frame].kind)));
    const bool in_memory = frames[frame].kind == FrameKind::kBoard || frames[frame].kind == FrameKind::kBlob;
    REQUIRE(check.good_bytes == (in_memory ? 0 : frames[frame].offset));
    REQUIRE(check.behind_frames == frames.size() - 1 - (in_memory ? 0 : frame));
    require_prefix_reads(damaged, check);
  }
}

TEST_CASE("fsck: a flipped bit of the preamble is damage, another file is no trace", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(8, 10);
  for (std::size_t bit = 0; bit < kPreambleBytes * 8; ++bit) {
    std::vector<u8> damaged = bytes;
    damaged[bit / 8] ^= static_cast<u8>(1u << (bit % 8));
    const TraceCheck check = check_bytes(damaged);
    REQUIRE_FALSE(check.identity);
    REQUIRE(check.findings.size() == 1);
    REQUIRE(check.findings[0].offset == 0);
    REQUIRE(check.good_bytes == 0);
    REQUIRE(check.behind_frames == frames_of(bytes).size());
    REQUIRE(summarise(check) == "trace x.rvt: damaged at offset 0; there is nothing to replay");
  }
  CHECK_THROWS_WITH(check_bytes({}), has_substring("empty file"));
  CHECK_THROWS_WITH(check_bytes(std::vector<u8>(500, 'x')), has_substring("not a trace of retrov"));
  const std::vector<u8> begun(bytes.begin(), bytes.begin() + 50);
  CHECK_THROWS_WITH(check_bytes(begun), has_substring("cut at offset 50"));
}

TEST_CASE("fsck: a trace cut anywhere is cut at the frame that is not whole", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(7, 40);
  const std::vector<FrameInfo> frames = frames_of(bytes);
  for (std::size_t size = kPreambleBytes; size < bytes.size(); ++size) {
    const std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const TraceCheck check = check_bytes(cut);
    require_prefix_reads(cut, check);
    const bool between =
        std::any_of(frames.begin(), frames.end(), [size](const FrameInfo& frame) { return frame.offset == size; });
    const bool replays = check.good_bytes != 0;
    if (between && replays) {
      REQUIRE(check.clean());
      continue;
    }
    REQUIRE(check.findings.size() == 1);
    if (!between) REQUIRE(check.findings[0].what == What::kCut);
    REQUIRE(check.findings[0].offset + check.findings[0].size_bytes == size);
  }
}

TEST_CASE("fsck: zeros that were never written are a cut, other bytes are damage", "[fsck]") {
  std::vector<u8> bytes = sample_trace(7, 40);
  const std::size_t size = bytes.size();
  bytes.resize(size + 5000);
  const TraceCheck zeros = check_bytes(bytes);
  REQUIRE(zeros.findings.size() == 1);
  CHECK(zeros.findings[0].what == What::kCut);
  CHECK(zeros.findings[0].offset == size);
  bytes.back() = 1;
  const TraceCheck garbage = check_bytes(bytes);
  REQUIRE(garbage.findings.size() == 1);
  CHECK(garbage.findings[0].what == What::kDamage);
  CHECK(garbage.findings[0].size_bytes == 5000);
  CHECK(garbage.good_bytes == size);
}

TEST_CASE("fsck: several places are found, and bytes that are in the way", "[fsck]") {
  std::vector<u8> bytes = sample_trace(9, 60);
  const std::vector<FrameInfo> frames = frames_of(bytes);
  REQUIRE(frames.size() > 12);
  bytes[frames[6].offset + 20] ^= 1;
  bytes[frames[8].offset + 2] ^= 1;
  bytes[frames[9].offset + 9] ^= 1;
  bytes[frames[11].offset + 15] ^= 1;
  const TraceCheck check = check_bytes(bytes);
  std::vector<u64> offsets;
  for (const TraceFinding& finding : check.findings) offsets.push_back(finding.offset);
  // The header behind the second is damaged as well, so both are one stretch that nothing is known of.
  CHECK(offsets == std::vector<u64>{frames[6].offset, frames[8].offset, frames[11].offset});
  CHECK(check.whole_frames == frames.size() - 4);
  CHECK(check.good_bytes == frames[6].offset);
  CHECK(check.behind_to == frames.back().at);
  CHECK_THAT(summarise(check), has_substring("damaged at offset " + std::to_string(frames[6].offset) +
                                             " and at 2 other places; it replays up to position " +
                                             std::to_string(check.good_to.steps)));
}

TEST_CASE("fsck: frames that do not stand where they were written are damage, whole as they are", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(10, 60);
  const std::vector<FrameInfo> frames = frames_of(bytes);
  std::vector<u8> moved = bytes;
  moved.insert(moved.begin() + static_cast<std::ptrdiff_t>(frames[7].offset), 3, 0x55);
  const TraceCheck check = check_bytes(moved);
  REQUIRE(check.findings.size() == 1);
  CHECK(check.findings[0].offset == frames[7].offset);
  CHECK(check.findings[0].size_bytes == moved.size() - frames[7].offset);
  CHECK(check.good_bytes == frames[7].offset);
}

TEST_CASE("fsck: what only another build knows is no damage if it is optional", "[fsck]") {
  std::vector<u8> bytes = sample_trace(7, 40);
  const u64 size = bytes.size();
  append_foreign(bytes, 99, kFrameOptional);
  const TraceCheck check = check_bytes(bytes);
  REQUIRE(check.findings.size() == 1);
  CHECK(check.clean());
  CHECK(check.findings[0].what == What::kUnknown);
  CHECK(check.findings[0].offset == size);
  CHECK(check.findings[0].kind == "kind 99");
  CHECK(check.good_bytes == bytes.size());
  CHECK_THAT(report(check, ReportFormat::kText), has_substring("unknown  offset " + std::to_string(size)));
  append_foreign(bytes, 98, 0);
  const TraceCheck foreign = check_bytes(bytes);
  CHECK_FALSE(foreign.clean());
  CHECK_THAT(foreign.findings[1].why, has_substring("cannot skip it"));
}

TEST_CASE("fsck: an optional frame that is damaged is dropped, and the trace replays", "[fsck]") {
  std::vector<u8> bytes = sample_trace(7, 40);
  const u64 size = bytes.size();
  append_foreign(bytes, 99, kFrameOptional);
  append_foreign(bytes, 99, kFrameOptional);
  bytes[size + 40] ^= 4;
  const TraceCheck check = check_bytes(bytes);
  CHECK_FALSE(check.clean());
  REQUIRE(check.findings.size() == 2);
  CHECK(check.findings[0].what == What::kDropped);
  CHECK(check.findings[1].what == What::kUnknown);
  CHECK(check.good_bytes == bytes.size());
  CHECK(check.good_ends);
  const TraceReader trace("x.rvt", bytes);
  CHECK(trace.lost_frames().size() == 1);
  CHECK(trace.note() == "trace x.rvt: 1 frame is damaged that it replays without, the first at offset " +
                            std::to_string(size) + " (of kind 99)");
}

TEST_CASE("fsck: a frame that agrees with its check and breaks a rule ends what replays", "[fsck]") {
  std::vector<u8> bytes = sample_trace(1, 0);
  bytes.resize(frames_of(bytes).back().offset);
  const u64 size = bytes.size();
  append_frame(bytes, size, FrameKind::kMarks, {}, std::vector<u8>{0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  append_frame(bytes, bytes.size(), FrameKind::kProgress, {77}, {});
  const TraceCheck check = check_bytes(bytes);
  REQUIRE(check.findings.size() == 1);
  CHECK(check.findings[0].offset == size);
  CHECK_THAT(check.findings[0].why, has_substring("no names"));
  CHECK(check.good_bytes == size);
  CHECK(check.behind_frames == 2);
  CHECK(check.behind_to == Position{77});
  require_prefix_reads(bytes, check);
}

TEST_CASE("fsck: of another machine version only the checks are compared", "[fsck]") {
  const std::vector<u8> bytes = sample_trace(7, 40);
  TraceIdentity identity = sample_identity();
  identity.machine_version = kMachineVersion + 1;
  std::vector<u8> other = bytes;
  const auto preamble = make_preamble(identity);
  std::copy(preamble.begin(), preamble.end(), other.begin());
  const TraceCheck check = check_bytes(other);
  CHECK(check.clean());
  CHECK(check.unread);
  CHECK(check.whole_frames == frames_of(bytes).size());
  identity.container_version = kContainerVersion + 1;
  const auto newer = make_preamble(identity);
  std::copy(newer.begin(), newer.end(), other.begin());
  CHECK_THROWS_WITH(check_bytes(other), has_substring("replay it with retrov 1.2.3, commit 0123456789ab"));
}

TEST_CASE("fsck: its report in JSON has every finding", "[fsck]") {
  std::vector<u8> bytes = sample_trace(7, 40);
  bytes.back() ^= 1;
  const TraceCheck check = check_bytes(bytes);
  const std::string offset = std::to_string(frames_of(sample_trace(7, 40)).back().offset);
  const std::string text = report(check, ReportFormat::kJson);
  CHECK(text.starts_with("{\"trace\": \"x.rvt\", \"clean\": false, \"findings\": [{\"what\": \"damage\", \"offset\": " +
                         offset + ", \"position\": "));
  CHECK_THAT(text, has_substring("\"frame\": \"end\", \"why\": \"the frame does not agree with its checksum\"}], "));
  CHECK_THAT(text, has_substring("\"good_bytes\": " + offset + ", \"good_to\": "));
}
