#include "replay/trace_index.hpp"

#include "core/check.hpp"
#include "replay/recover.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

const std::vector<IndexedFrame> kFrames = {{FrameKind::kPages, 1000, 300'000, 1'048'576},
                                           {FrameKind::kKeyFrame, 301'024, 500, 900},
                                           {FrameKind::kPages, 400'000, 4096, 4096}};

u64 index_begin(const TraceReader& trace) { return trace.frames().back().offset; }

}  // namespace

TEST_CASE("trace_index: what is encoded is decoded, and found from the end", "[trace_index]") {
  const PackedPayload payload = encode_index(kFrames);
  CHECK_FALSE(payload.compressed);
  CHECK(decode_index(payload.stored) == kFrames);
  std::vector<u8> bytes(777, 1);
  append_packed_frame(bytes, bytes.size(), FrameKind::kIndex, {}, payload);
  const std::span<const u8, kIndexTailBytes> tail(&bytes[bytes.size() - kIndexTailBytes], kIndexTailBytes);
  CHECK(index_offset(tail, bytes.size()) == 777);
  CHECK_FALSE(index_offset(tail, 20).has_value());
}

TEST_CASE("trace_index: a part of one, and what cannot be, is refused", "[trace_index]") {
  const std::vector<u8> stored = encode_index(kFrames).stored;
  for (std::size_t size = 0; size < 8; ++size) CHECK_THROWS_AS(decode_index(std::span(stored).first(size)), Error);
  std::vector<u8> other = stored;
  other[0] = 3;
  CHECK_THROWS_AS(decode_index(other), Error);
}

TEST_CASE("trace_index: with it, without it and damaged, a trace is the same", "[trace_index]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader all("x.rvt", traced.bytes);
  REQUIRE(all.frames().back().kind == FrameKind::kIndex);
  CHECK(all.note().empty());
  const std::vector<std::string> lines = lines_of(all);
  const auto same = [&](const TraceReader& trace) {
    const auto history = trace.read_history();
    if (lines_of(trace) != lines || history->key_frames().size() != traced.key_frames.size()) return false;
    const KeyFrame& told = traced.key_frames.back();
    const KeyFrame read = history->key_frames()[traced.key_frames.size() - 1].stored->load(told.initial_ram);
    return read.state->machine.trees.front().hash() == told.state->machine.trees.front().hash();
  };
  CHECK(same(all));
  CHECK(same(TraceReader("x.rvt", traced.bytes, Check::kWhatIsUsed)));
  std::vector<u8> without = traced.bytes;
  without.resize(index_begin(all));
  CHECK(same(TraceReader("x.rvt", without, Check::kWhatIsUsed)));
  for (u64 at = index_begin(all); at < traced.bytes.size(); ++at) {
    for (const u8 flip : {1, 0x80}) {
      CAPTURE(at, flip);
      std::vector<u8> damaged = traced.bytes;
      damaged[at] ^= flip;
      for (const Check check : {Check::kAll, Check::kWhatIsUsed}) {
        const TraceReader trace("x.rvt", damaged, check);
        CHECK_THAT(trace.note(), has_substring("a damaged index at offset " + std::to_string(index_begin(all))));
        if (at % 16 == 0) CHECK(same(trace));
      }
    }
    if (at % 8 != 0 || at == index_begin(all)) continue;
    const std::vector<u8> cut(traced.bytes.begin(), traced.bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const TraceReader trace("x.rvt", cut);
    CHECK_THAT(trace.note(), has_substring("is cut at offset " + std::to_string(index_begin(all))));
    CHECK(same(trace));
  }
}

TEST_CASE("trace_index: a damaged key frame is found when all is checked, and else when it is used", "[trace_index]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader all("x.rvt", traced.bytes);
  unsigned damaged_frames = 0;
  for (const FrameInfo& frame : all.frames()) {
    if (frame.kind != FrameKind::kPages) continue;
    std::vector<u8> damaged = traced.bytes;
    damaged[frame.offset + kFrameHeaderBytes + 9] ^= 4;
    // It replays without.
    const TraceReader checked("x.rvt", damaged);
    REQUIRE(checked.lost_frames().size() == 1);
    CHECK(checked.lost_frames()[0].offset == frame.offset);
    CHECK_THAT(checked.note(), has_substring("the first at offset " + std::to_string(frame.offset) + " (pages)"));
    CHECK(checked.read_history()->marks().size() == all.read_history()->marks().size());
    const auto history = TraceReader("x.rvt", damaged, Check::kWhatIsUsed).read_history();
    bool found = false;
    for (std::size_t i = 0; i < history->key_frames().size(); ++i) {
      try {
        (void)history->key_frames()[i].stored->load(traced.key_frames.front().initial_ram);
      } catch (const Error& error) {
        found = true;
        CHECK_THAT(error.what(), has_substring("offset " + std::to_string(frame.offset)));
      }
    }
    CHECK(found);
    ++damaged_frames;
  }
  CHECK(damaged_frames > 0);
}

TEST_CASE("trace_index: a flip in it is named by fsck and repaired by recover", "[trace_index]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const u64 begin = index_begin(TraceReader("x.rvt", traced.bytes));
  for (u64 at = begin; at < traced.bytes.size(); ++at) {
    CAPTURE(at - begin);
    std::vector<u8> damaged = traced.bytes;
    damaged[at] ^= 4;
    const auto open = [&damaged] { return TraceBytes(damaged); };
    const TraceCheck check = check_trace("x.rvt", open);
    REQUIRE(check.findings.size() == 1);
    CHECK(check.findings[0].what == TraceFinding::What::kIndex);
    CHECK(check.findings[0].offset == begin);
    CHECK(check.findings[0].kind == "index");
    CHECK_FALSE(check.clean());
    CHECK(check.good_to == traced.end);
    CHECK(check.good_ends);
    const TemporaryFolder folder;
    (void)recover_trace(check, open(), folder.file("y.rvt"));
    CHECK(read_file(folder.file("y.rvt")) == traced.bytes);
    CHECK(describe_loss(check) == "nothing was lost");
  }
}
