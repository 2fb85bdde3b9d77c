// Branches in a trace: what replay/frame_builder writes of them is what replay/trace_reader gives, and traces that no
// writer made are refused.
#include "replay/trace_codec.hpp"
#include "replay/trace_report.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

#include <sstream>

using namespace retrov;

namespace {

Event key_at(u64 steps) { return {{steps}, {{{3, ConsoleBytes{{'k'}}}}, {}}}; }

/// main, of which branch "fix" leaves at 20 and "deep" that; main then goes on, and the trace ends in it.
std::vector<u8> branched_trace() {
  const TemporaryFolder folder;
  {
    TraceWriter writer(folder.file("x.rvt"), sample_board(), sample_identity());
    History main(sample_board());
    main.set_listener(&writer);
    for (const u64 steps : {0, 10, 20, 30}) main.add_event(key_at(steps));
    main.add_block({32}, {0, 1, page_of(7)});
    main.add_mark({{35}, {{"machine", 1}, {"ram", 2}}, 0, 0});
    main.progress({40});
    History fix(main, Position{20});
    writer.on_branch({1, 0, {20}, "fix"});
    fix.set_listener(&writer);
    fix.add_event(key_at(22));
    fix.add_block({23}, {0, 2, nullptr});
    fix.add_mark({{25}, {{"machine", 3}, {"ram", 4}}, 0, 0});
    History deep(fix, Position{25});
    writer.on_branch({2, 1, {25}, "deep"});
    deep.set_listener(&writer);
    deep.add_event(key_at(25));
    deep.finish({Outcome::Kind::kPoweredOff, 5, "off"});
    writer.on_branch({1, 0, fix.end(), "fix", true});
    fix.add_event(key_at(50));
    fix.finish({Outcome::Kind::kStopped, 0, "put aside"});
    writer.on_branch({0, 0, main.end(), kMainBranch, true});
    main.add_event(key_at(44));
    main.finish({Outcome::Kind::kStopped, 0, {}});
  }
  return read_file(folder.file("x.rvt"));
}

std::vector<u64> event_steps(const History& history) {
  std::vector<u64> steps;
  for (const Event& event : history.events()) steps.push_back(event.at.steps);
  return steps;
}

using Payload = std::vector<u8>;

Payload new_branch(u64 number, u64 parent, const std::string& name) {
  return encode_branch({number, parent, {}, name}, Told::kFirst);
}

/// What is said of a trace that reaches position 100 and goes on with these frames.
struct HostileTrace {
  HostileTrace() {
    bytes = sample_trace(1, 0);
    bytes.resize(TraceReader("x.rvt", bytes).frames().back().offset);  // All but the end.
    add(FrameKind::kProgress, 100, {});
  }
  HostileTrace& add(FrameKind kind, u64 at, const Payload& payload) {
    append_frame(bytes, bytes.size(), kind, Position{at}, payload);
    return *this;
  }
  std::vector<u8> bytes;
};

}  // namespace

TEST_CASE("trace_branches: what was told of each branch is read, and the last is the one to open", "[trace_branches]") {
  const std::vector<u8> bytes = branched_trace();
  const TraceReader trace("x.rvt", bytes);
  REQUIRE(trace.branches().size() == 3);
  CHECK(trace.last_branch() == 0);
  CHECK(trace.end() == Position{44});
  CHECK(trace.complete());
  CHECK(trace.note().empty());
  CHECK(trace.branch_named("deep") == 2);
  CHECK_THROWS_WITH(trace.branch_named("shallow"), has_substring("it has main, fix, deep"));
  const TracedBranch& deep = trace.branches()[2];
  CHECK(deep.parent == 1);
  CHECK(deep.from == Position{25});
  CHECK(deep.outcome.status == 5);

  const std::vector<BranchHistory> told = trace.read_branches();
  CHECK(event_steps(*told[0].history) == std::vector<u64>{0, 10, 20, 30, 44});
  CHECK(event_steps(*told[1].history) == std::vector<u64>{0, 10, 22, 50});
  CHECK(event_steps(*told[2].history) == std::vector<u64>{0, 10, 22, 25});
  CHECK(told[0].history->marks().size() == 1);
  REQUIRE(told[2].history->marks().size() == 1);
  CHECK(told[2].history->marks()[0].components[0].hash == 3);
  CHECK(told[1].history->outcome().why == "put aside");
  CHECK(told[2].history->end() == Position{25});
  // Blocks are of the disk, whoever read them.
  for (const BranchHistory& one : told) {
    CHECK(one.history->block(0, 1) != nullptr);
    CHECK(one.history->is_hole(0, 2));
    CHECK(one.history->block(0, 2) == nullptr);
  }
  std::ostringstream info;
  report_info(trace, info, ReportFormat::kText);
  CHECK_THAT(info.str(), has_substring("branches  name fix  parent main  from 20  to 50"));
  std::ostringstream dump;
  report_dump(trace, dump, ReportFormat::kJson);
  CHECK_THAT(dump.str(), has_substring("{\"at\": 25, \"what\": \"branch\", \"number\": 2, \"name\": \"deep\""));
  CHECK_THAT(dump.str(), has_substring("\"what\": \"hole\""));
}

TEST_CASE("trace_branches: cut anywhere, all branches told so far are true", "[trace_branches]") {
  const std::vector<u8> bytes = branched_trace();
  const std::vector<BranchHistory> whole = TraceReader("x.rvt", bytes).read_branches();
  std::size_t most = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (const std::string why = refusal(cut); !why.empty()) {
      REQUIRE(most == 0);  // Still in the initial memory.
      continue;
    }
    const TraceReader trace("x.rvt", cut);
    const std::vector<BranchHistory> part = trace.read_branches();
    REQUIRE(part.size() <= whole.size());
    REQUIRE(part.size() >= most);
    most = part.size();
    for (std::size_t i = 0; i < part.size(); ++i) {
      const std::vector<u64> some = event_steps(*part[i].history);
      const std::vector<u64> all = event_steps(*whole[i].history);
      REQUIRE(some.size() <= all.size());
      REQUIRE(std::equal(some.begin(), some.end(), all.begin()));
      REQUIRE(part[i].history->end() <= whole[i].history->end());
    }
  }
  CHECK(most == 3);
}

TEST_CASE("trace_branches: a damaged byte anywhere is found", "[trace_branches]") {
  const std::vector<u8> bytes = branched_trace();
  REQUIRE(refusal(bytes).empty());
  for (std::size_t at = 8; at < bytes.size(); ++at) {
    std::vector<u8> damaged = bytes;
    damaged[at] ^= 0x11;
    const std::string sentence = refusal(damaged);
    if (sentence.find("damaged at offset ") == std::string::npos) FAIL("byte " << at << ": " << sentence);
  }
}

TEST_CASE("trace_branches: hostile branches with good checksums are refused by what is wrong", "[trace_branches]") {
  const auto said = [](u64 at, const Payload& payload) {
    return refusal(HostileTrace().add(FrameKind::kBranch, at, payload).bytes);
  };
  CHECK(said(100, new_branch(1, 0, "a")).empty());
  CHECK_THAT(said(100, new_branch(2, 0, "a")), has_substring("branch 2 before the one before it"));
  CHECK_THAT(said(100, new_branch(1, 1, "a")), has_substring("leaves one that is not there"));
  CHECK_THAT(said(101, new_branch(1, 0, "a")), has_substring("where that has not been"));
  CHECK_THAT(said(~u64{0}, new_branch(1, 0, "a")), has_substring("where that has not been"));
  for (const std::string& name : {std::string(), std::string("main"), std::string("a b"), std::string("../x")}) {
    CHECK_THAT(said(100, new_branch(1, 0, name)), has_substring("without a name of its own"));
  }
  CHECK_THAT(said(100, {1, 0, 65}), has_substring("longer than 64 bytes"));
  CHECK_THAT(said(100, {}), has_substring("ends too early"));
  CHECK_THAT(said(100, {1}), has_substring("ends too early"));
  CHECK_THAT(said(100, {0, 0}), has_substring("bytes after a branch"));
  CHECK_THAT(said(99, {0}), has_substring("does not go on where it was left"));
  CHECK(said(100, {0}).empty());

  // What a branch leaves is its parent's own, and what it tells ascends from there.
  HostileTrace nested;
  nested.add(FrameKind::kBranch, 50, new_branch(1, 0, "a"));
  CHECK_THAT(refusal(HostileTrace(nested).add(FrameKind::kBranch, 49, new_branch(2, 1, "b")).bytes),
             has_substring("where that has not been"));
  CHECK_THAT(refusal(HostileTrace(nested).add(FrameKind::kProgress, 49, {}).bytes), has_substring("goes back"));
  CHECK(refusal(HostileTrace(nested).add(FrameKind::kProgress, 60, {}).bytes).empty());
  // A frame that holds nothing reaches a position, too.
  HostileTrace empty;
  empty.add(FrameKind::kEvents, 300, {}).add(FrameKind::kBranch, 300, new_branch(1, 0, "a"));
  CHECK(refusal(empty.bytes).empty());

  HostileTrace ended;
  ended.add(FrameKind::kEnd, 100, encode_outcome({})).add(FrameKind::kBranch, 50, new_branch(1, 0, "a"));
  CHECK(refusal(ended.bytes).empty());
  ended.add(FrameKind::kBranch, 100, {0});
  CHECK(refusal(ended.bytes).empty());
  CHECK(TraceReader("x.rvt", ended.bytes).complete());
  CHECK_THAT(refusal(ended.add(FrameKind::kProgress, 100, {}).bytes), has_substring("frame after the end"));

  HostileTrace many;
  for (u64 i = 1; i < kMaxBranches; ++i) many.add(FrameKind::kBranch, 100, new_branch(i, i - 1, std::to_string(i)));
  CHECK(refusal(many.bytes).empty());
  CHECK_THAT(refusal(many.add(FrameKind::kBranch, 100, new_branch(kMaxBranches, 0, "x")).bytes),
             has_substring("more than 1024 branches"));
  CHECK_THAT(refusal(HostileTrace().add(FrameKind::kHoles, 100, {0, 0, 16}).bytes),
             has_substring("block 16 of disk 0, which is not there"));
}
