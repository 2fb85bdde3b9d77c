// replay/guest_time against the time that a replay arrives at.
#include "replay/guest_time.hpp"

#include <atomic>
#include <filesystem>

#include "core/check.hpp"
#include "replay/fresh_replay.hpp"
#include "replay/trace_outline.hpp"
#include "replay/trace_reader.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// Of the branch told last, by making its steps up to there.
u64 replayed_ns(const TraceReader& trace, Position end) {
  const std::vector<BranchHistory> branches = trace.read_branches();
  const History& history = *branches[trace.last_branch()].history;
  FreshReplay replay(history, EngineKind::kFast);
  const u64 begin_ticks = replay.machine().now().value;
  const std::atomic<bool> never{false};
  replay.run_to(end, never);
  return (replay.machine().now().value - begin_ticks) * 100;
}

Lasted lasted_of(const std::vector<u8>& bytes) {
  const auto lasted = outline_trace(TraceBytes(bytes)).lasted;
  REQUIRE(lasted);
  return *lasted;
}

}  // namespace

TEST_CASE("guest_time: of each golden trace it says no more than a replay takes", "[guest_time]") {
  unsigned count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() + "/traces")) {
    CAPTURE(entry.path().string());
    const std::vector<u8> bytes = read_file(entry.path().string());
    const TraceReader trace("x.rvt", bytes);
    const u64 truth_ns = replayed_ns(trace, trace.end());
    const Lasted lasted = lasted_of(bytes);
    CHECK(lasted.ns <= truth_ns);
    if (lasted.exact) CHECK(lasted.ns == truth_ns);
    ++count;
  }
  CHECK(count > 10);
}

TEST_CASE("guest_time: a guest that waits for keys has waited until the last one came", "[guest_time]") {
  const std::vector<u8> bytes = read_file(source_dir() + "/traces/console.rvt");
  const TraceReader trace("x.rvt", bytes);
  const u64 steps_ns = trace.end().steps / 100 * 100;
  const Lasted lasted = lasted_of(bytes);
  CHECK(lasted.ns > 2 * steps_ns);
  CHECK(lasted.ns == replayed_ns(trace, trace.end()));
}

TEST_CASE("guest_time: a key frame at the end knows it exactly, one before it does not", "[guest_time]") {
  const TracedGuest traced = trace_guest("wander", 1, 1);
  const TraceReader trace("x.rvt", traced.bytes);
  REQUIRE(replayed_ns(trace, trace.end()) > trace.end().steps);
  bool exact = false, inexact = false;
  // A recorder that was killed, at each of its frames.
  for (const FrameInfo& frame : trace.frames()) {
    const u64 end = frame.offset + frame_size_bytes(frame);
    const std::vector<u8> part(traced.bytes.begin(), traced.bytes.begin() + static_cast<std::ptrdiff_t>(end));
    if (!refusal(part).empty()) continue;
    const TraceReader cut("x.rvt", part);
    const Lasted lasted = lasted_of(part);
    const u64 cut_ns = replayed_ns(cut, outline_trace(TraceBytes(part)).end);
    CHECK(lasted.ns <= cut_ns);
    if (lasted.exact) CHECK(lasted.ns == cut_ns);
    (lasted.exact ? exact : inexact) = true;
  }
  CHECK(exact);
  CHECK(inexact);
}

TEST_CASE("guest_time: damage makes it shorter, and no more than that", "[guest_time]") {
  const std::vector<u8> bytes = read_file(source_dir() + "/traces/console.rvt");
  const Lasted whole = lasted_of(bytes);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  for (const FrameInfo& frame : frames) {
    std::vector<u8> damaged = bytes;
    damaged[static_cast<std::size_t>(frame.offset + frame_size_bytes(frame) - 1)] ^= 1;
    const TraceOutline outline = outline_trace(TraceBytes(damaged));
    if (frame.kind == FrameKind::kBoard) CHECK_FALSE(outline.lasted);
    if (outline.lasted) CHECK(outline.lasted->ns <= whole.ns);
  }
}
