#include "replay/trace_outline.hpp"

#include "core/check.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

TEST_CASE("trace_outline: it says what a reader says of a whole trace", "[trace_outline]") {
  const std::vector<u8> bytes = sample_trace(3, 60);
  const TraceOutline outline = outline_trace(TraceBytes(bytes));
  CHECK(outline.identity.id == sample_identity().id);
  CHECK(outline.file_bytes == bytes.size());
  CHECK(outline.end == TraceReader("x.rvt", bytes).end());
  REQUIRE(outline.outcome);
  CHECK(outline.outcome->kind == Outcome::Kind::kPoweredOff);
  CHECK(outline.outcome->status == 3);
  CHECK(outline.branches == 1);
  CHECK_FALSE(outline.cut_at);
  CHECK_FALSE(outline.damaged_at);
}

TEST_CASE("trace_outline: of several branches it tells of the last one", "[trace_outline]") {
  const TemporaryFolder folder;
  {
    TraceWriter writer(folder.file("x.rvt"), sample_board(), sample_identity());
    writer.on_progress({1000});
    writer.on_finish({1000}, {Outcome::Kind::kPoweredOff, 3, "off"});
    writer.on_branch({1, 0, {500}, "other"});
    writer.on_progress({700});
  }
  const TraceOutline outline = outline_trace(TraceBytes(folder.file("x.rvt")));
  CHECK(outline.branches == 2);
  CHECK(outline.end == Position{700});
  CHECK_FALSE(outline.outcome);
}

TEST_CASE("trace_outline: cut anywhere, it ends no later than the reader says", "[trace_outline]") {
  const std::vector<u8> bytes = sample_trace(7, 40);
  for (std::size_t size = kPreambleBytes; size < bytes.size(); ++size) {
    const std::vector<u8> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const TraceOutline outline = outline_trace(TraceBytes(part));
    REQUIRE_FALSE(outline.outcome);
    REQUIRE_FALSE(outline.damaged_at);
    if (!refusal(part).empty()) continue;
    const TraceReader trace("x.rvt", part);
    REQUIRE(outline.end <= trace.end());
    REQUIRE(outline.cut_at.has_value() == (trace.torn_bytes() != 0));
  }
}

TEST_CASE("trace_outline: damage that it comes across is named, other files are refused", "[trace_outline]") {
  const std::vector<u8> bytes = sample_trace(7, 40);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  std::vector<u8> damaged = bytes;
  damaged[frames[5].offset + 3] ^= 1;
  CHECK(outline_trace(TraceBytes(damaged)).damaged_at == frames[5].offset);
  damaged = bytes;
  damaged.back() ^= 1;
  CHECK(outline_trace(TraceBytes(damaged)).damaged_at == frames.back().offset);
  CHECK_THROWS_AS(outline_trace(TraceBytes(std::vector<u8>{})), Error);
  CHECK_THROWS_AS(outline_trace(TraceBytes(std::vector<u8>(1000, 'x'))), Error);
}
