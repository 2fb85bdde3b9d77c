// Key frames from the machine into a trace and back. Covers replay/key_frame_encoder, replay/key_frame_writer,
// replay/key_frame_reader and replay/key_frame_check as well.
#include "replay/key_frame.hpp"

#include "replay/key_frame_check.hpp"
#include "replay/key_frame_encoder.hpp"
#include "replay/key_frame_reader.hpp"
#include "replay/session.hpp"
#include "replay/timeline.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A timeline over what a trace told, on a machine of its own.
struct Bench {
  explicit Bench(const History& history, SnapshotPolicy policy = SnapshotPolicy::kAuto)
      : machine(build_board(history.board(), EngineKind::kFast, output, {})),
        timeline(history, *machine, output, {policy, kSnapshotBudgetBytes, 5000}) {}
  Screen screen;
  OutputLog output{screen};
  std::unique_ptr<Machine> machine;
  Timeline timeline;
  const std::atomic<bool> never{false};
};

/// The same with another state.
template <class Change>
KeyFrame changed(const KeyFrame& frame, Change change) {
  KeyFrame result = frame;
  auto state = std::make_shared<KeptSnapshot>(*frame.state);
  change(*state);
  result.state = std::move(state);
  return result;
}

/// The history of a trace without its key frames.
std::unique_ptr<History> without_key_frames(const TracedGuest& traced) {
  const TraceReader trace("x.rvt", traced.bytes);
  auto history = std::make_unique<History>(trace.read_board());
  Filler filler(*history);
  trace.visit(filler);
  return history;
}

}  // namespace

TEST_CASE("key_frame: what begins at one passes through the same states", "[key_frame]") {
  for (const auto& [guest, harts] : {std::pair{"echo", 1u}, std::pair{"two_harts", 2u}, std::pair{"storm", 1u}}) {
    CAPTURE(guest);
    const TracedGuest traced = trace_guest(guest, harts);
    const auto history = TraceReader("x.rvt", traced.bytes).read_history();
    REQUIRE(history->key_frames().size() == traced.key_frames.size());
    REQUIRE(traced.key_frames.size() > 3);
    for (const SnapshotPolicy policy : {SnapshotPolicy::kAuto, SnapshotPolicy::kNone, SnapshotPolicy::kEvery}) {
      Bench bench(*history, policy);
      Random random(7);
      std::vector<std::pair<Position, u64>> seen(traced.hashes.begin(), traced.hashes.end());
      for (int i = 0; i < 40; ++i) {
        const auto& [at, hash] = seen[random.below(seen.size())];
        REQUIRE(bench.timeline.seek(at, bench.never));
        CHECK(bench.timeline.now() == at);
        CHECK(bench.machine->hash() == hash);
      }
      CHECK(bench.screen.notices.empty());
    }
  }
}

TEST_CASE("key_frame: a cold way to the end begins at the last", "[key_frame]") {
  const TracedGuest traced = trace_guest("storm", 1);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  Bench bench(*history);
  const Position last = traced.key_frames.back().state->machine.at;
  REQUIRE(bench.timeline.seek(traced.end, bench.never));
  CHECK(bench.machine->hash() == traced.end_hash);
  CHECK(bench.timeline.effort().steps == traced.end.steps - last.steps);
  // And so does what lies before it, found from there.
  const KeptPointer before = bench.timeline.snapshot_before(last);
  CHECK(before->machine.at == traced.key_frames[traced.key_frames.size() - 2].state->machine.at);
  CHECK(before->machine.touched.since == traced.key_frames[traced.key_frames.size() - 3].state->machine.at);
  CHECK(bench.timeline.now() == traced.end);
  CHECK(bench.machine->hash() == traced.end_hash);
}

TEST_CASE("key_frame: whoever comes to one cold is near the steps before it", "[key_frame]") {
  constexpr unsigned kMarks = 1500;
  RandomWorld world(5, 30, 300);
  const TracedGuest traced = trace_guest(guest_board("stuck"), world, kMarks, Position{4 * kMarks * 777});
  REQUIRE(traced.key_frames.back().state->machine.at == traced.end);
  const u64 apart = traced.end.steps - traced.key_frames[traced.key_frames.size() - 2].state->machine.at.steps;
  // On it, a little and far behind it.
  for (const u64 behind : {u64{0}, u64{3000}, apart - 777}) {
    CAPTURE(behind);
    const Position key_frame = traced.key_frames[behind == 0 ? 3 : 2].state->machine.at;
    Screen screen;
    const auto session =
        Session::replay(TraceReader("x.rvt", traced.bytes).read_history(), EngineKind::kFast, screen, {});
    session->seek(Position{key_frame.steps + behind});
    const u64 way_in = session->effort().steps;
    CHECK(way_in <= apart + behind);
    for (int i = 0; i < 5; ++i) session->step(0, Direction::kBackward);
    CHECK(session->position().steps == key_frame.steps + behind - 5);
    CHECK(session->effort().steps - way_in < 50'000);
    session->seek(traced.end);
    CHECK(session->hash() == traced.end_hash);
    CHECK(screen.notices.empty());
  }
}

TEST_CASE("key_frame: those of a trace are those that were told", "[key_frame]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  for (std::size_t i = 0; i < traced.key_frames.size(); ++i) {
    const KeyFrame& told = traced.key_frames[i];
    const KeyFrame read = history->key_frames()[i].stored->load(told.initial_ram);
    CHECK(read.names == told.names);
    CHECK(read.state->console == told.state->console);
    CHECK(read.state->machine.at == told.state->machine.at);
    CHECK(read.state->machine.components == told.state->machine.components);
    CHECK(read.state->machine.touched.pages == told.state->machine.touched.pages);
    CHECK(read.state->machine.touched.satps == told.state->machine.touched.satps);
    CHECK(read.state->machine.touched.since == told.state->machine.touched.since);
    REQUIRE(read.state->machine.trees.size() == told.state->machine.trees.size());
    for (std::size_t tree = 0; tree < read.state->machine.trees.size(); ++tree) {
      CHECK(read.state->machine.trees[tree].hash() == told.state->machine.trees[tree].hash());
    }
  }
}

TEST_CASE("key_frame: a page is told once, and what is in the initial memory never", "[key_frame]") {
  const BoardConfig board = guest_board("echo");
  Screen screen;
  OutputLog output(screen);
  const auto machine = build_board(board, EngineKind::kFast, output, {});
  KeyFrameEncoder encoder(1);
  std::vector<std::pair<FrameKind, std::size_t>> emitted;
  const auto emit = [&](FrameKind kind, const PackedPayload& payload, Needed) {
    emitted.emplace_back(kind, payload.stored.size());
    return true;
  };
  const auto page_frames = [&] {
    return std::count_if(emitted.begin(), emitted.end(),
                         [](const auto& one) { return one.first == FrameKind::kPages; });
  };
  encoder.encode(key_frame_of(*machine, output), 0, emit);
  CHECK(emitted.size() == 1);  // Nothing but what is in the initial memory.
  CHECK(page_frames() == 0);
  const std::vector<u8> content(kPageBytes, 0x5a);
  const auto write = [&](u64 page) {
    machine->memory().write(PhysAddr{0x80100000 + page * kPageBytes}, content, Writer::kDebugger);
  };
  write(0);
  write(1);
  encoder.encode(key_frame_of(*machine, output), 0, emit);
  CHECK(page_frames() == 1);
  write(5);
  encoder.encode(key_frame_of(*machine, output), 0, emit);
  CHECK(page_frames() == 1);
  CHECK(emitted.size() == 4);
}

TEST_CASE("key_frame: what one has does not depend on which were read and are held", "[key_frame]") {
  Screen screen;
  OutputLog output(screen);
  const auto machine = build_board(guest_board("echo"), EngineKind::kFast, output, {});
  const PhysAddr end{machine->config().ram_base.value + machine->config().ram_bytes};
  Random random(11);
  KeyFrameEncoder encoder(1);
  std::vector<u8> bytes;
  std::vector<FrameInfo> frames;
  const auto emit = [&](FrameKind kind, const PackedPayload& payload, Needed) {
    const u64 offset = bytes.size();
    append_packed_frame(bytes, offset, kind, {}, payload);
    frames.push_back(
        *parse_frame_header(std::span(bytes).subspan(offset).first<kFrameHeaderBytes>(), offset));
    frames.back().raw_bytes = payload.raw_bytes();
    return true;
  };
  std::vector<KeyFrame> told;
  for (int i = 0; i < 12; ++i) {
    for (int write = 0; write < 6; ++write) {
      // Pages at the end of RAM come, change and go; some are as they were once.
      const std::vector<u8> content(kPageBytes, static_cast<u8>(random.below(4)));
      const PhysAddr page{end.value - (1 + random.below(8)) * kPageBytes};
      machine->memory().write(page, content, Writer::kDebugger);
    }
    told.push_back(key_frame_of(*machine, output));
    encoder.encode(told.back(), 0, emit);
  }
  const std::vector<FoundKeyFrame> found = find_key_frames(frames, [&](const FrameInfo& frame) {
    return unpack_frame(frame, std::span(bytes).subspan(frame.offset, frame_size_bytes(frame)));
  });
  REQUIRE(found.size() == told.size());
  KeyFrame held_one;
  for (int round = 0; round < 100; ++round) {
    const u64 i = random.below(told.size());
    KeyFrame read = found[i].place.stored->load(told[i].initial_ram);
    const PageTree& pages = read.state->machine.trees.front();
    CHECK(pages.page_count() == told[i].state->machine.trees.front().page_count());
    PageTree::diff(pages, told[i].state->machine.trees.front(), [](u64 index, const Page* is, const Page* should_be) {
      CAPTURE(index);
      REQUIRE((is != nullptr && should_be != nullptr));
      CHECK(is->bytes == should_be->bytes);
    });
    if (random.below(4) != 0) held_one = std::move(read);
  }
}

TEST_CASE("key_frame: one that lies is not used, and named", "[key_frame]") {
  const TracedGuest traced = trace_guest("echo", 1);
  const KeyFrame& honest = traced.key_frames[2];
  const auto lies = {
      changed(honest, [](KeptSnapshot& state) { state.machine.components[1][8] ^= 1; }),
      changed(honest, [](KeptSnapshot& state) { state.console.bytes ^= 1; }),
      changed(honest, [](KeptSnapshot& state) { state.machine.components.pop_back(); }),
      changed(honest, [](KeptSnapshot& state) { state.machine.components[0].pop_back(); }),
      changed(honest, [](KeptSnapshot& state) { state.machine.trees.clear(); }),
      changed(honest, [](KeptSnapshot& state) { state.machine.trees.front().set(1u << 20, *page_of(1)); }),
      changed(honest, [](KeptSnapshot& state) { state.machine.trees.front().set(3, *page_of(1)); })};
  for (const KeyFrame& lie : lies) {
    const auto history = without_key_frames(traced);
    history->add_key_frame_place(held(traced.key_frames[1]));
    history->add_key_frame_place(held(lie));
    Bench bench(*history);
    REQUIRE(bench.timeline.seek(honest.state->machine.at, bench.never));
    CHECK(bench.machine->hash() == traced.hashes.at(honest.state->machine.at));
    REQUIRE(bench.screen.notices.size() == 1);
    CHECK_THAT(bench.screen.notices.front(),
               has_substring("the key frame at step " + std::to_string(honest.state->machine.at.steps) +
                             " is not used: "));
    // Once is enough.
    REQUIRE(bench.timeline.seek(traced.end, bench.never));
    CHECK(bench.machine->hash() == traced.end_hash);
    CHECK(bench.screen.notices.size() == 1);
    const Verdict verdict = verify(*history);
    CHECK_FALSE(verdict.identical());
    CHECK(verdict.divergence->at == honest.state->machine.at);
    CHECK(verdict.key_frames == 2);
  }
}

TEST_CASE("key_frame: verify finds one that hides what was written", "[key_frame]") {
  const TracedGuest traced = trace_guest("echo", 1);
  const KeyFrame hiding =
      changed(traced.key_frames[2], [](KeptSnapshot& state) { state.machine.touched.pages.pop_back(); });
  const auto history = without_key_frames(traced);
  history->add_key_frame_place(held(traced.key_frames[1]));
  history->add_key_frame_place(held(hiding));
  const Verdict verdict = verify(*history);
  REQUIRE(verdict.divergence);
  REQUIRE(verdict.divergence->components.size() == 1);
  CHECK(verdict.divergence->components[0].name == "what was touched");
}

TEST_CASE("key_frame: verify compares all of them", "[key_frame]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  const Verdict verdict = verify(*history);
  CHECK(verdict.identical());
  CHECK(verdict.key_frames == traced.key_frames.size());
}

TEST_CASE("key_frame: a state from a stranger is refused or runs", "[key_frame]") {
  for (const auto& [guest, harts] : {std::pair{"two_harts", 2u}, std::pair{"paged", 1u}, std::pair{"flash", 1u}}) {
    const TracedGuest traced = trace_guest(guest, harts, 1);
    REQUIRE_FALSE(traced.key_frames.empty());
    Screen screen;
    OutputLog output(screen);
    const auto machine = build_board(guest_board(guest, harts), EngineKind::kFast, output, {});
    const Snapshot first = machine->snapshot();
    Random random(11);
    unsigned refused = 0;
    for (int i = 0; i < 1500; ++i) {
      Snapshot hostile = traced.key_frames[random.below(traced.key_frames.size())].state->machine;
      for (u64 changes = 1 + random.below(4); changes > 0; --changes) {
        std::vector<u8>& component = hostile.components[random.below(hostile.components.size())];
        if (component.empty()) continue;
        u8& byte = component[random.below(component.size())];
        byte = random.below(2) == 0 ? u8(byte ^ 1u << random.below(8)) : u8(random.below(256));
      }
      try {
        machine->restore(hostile);
        for (int slice = 0; slice < 3; ++slice) {
          const Pause pause = machine->run_until(Position{machine->position().steps + 300}, nullptr);
          if (pause == Pause::kIdle && machine->idle_deadline() != kNever) machine->idle_step();
        }
      } catch (const Error& error) {
        CHECK(error.exit_code() == Exit::kBadTrace);
        ++refused;
      }
    }
    CHECK(refused > 10);
    machine->restore(first);
    CHECK(machine->position() == Position{0});
  }
}

TEST_CASE("key_frame: which blocks were needed is noted without doubles", "[key_frame]") {
  BlockReads reads(Position{5});
  for (u64 i = 0; i < 20'000; ++i) reads.note({static_cast<u8>(i % 2), i % 100 / 2});
  CHECK(reads.since() == Position{5});
  const std::vector<BlockName> names = reads.take(Position{9});
  CHECK(names.size() == 100);
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(reads.since() == Position{9});
  CHECK(reads.take(Position{10}).empty());
}

TEST_CASE("key_frame: a block that is there already is noted when it is needed again", "[key_frame]") {
  History history(sample_board());
  history.add_block(Position{1}, {0, 3, page_of(1)});
  CHECK(history.block_reads() == nullptr);
  history.note_block_reads();
  history.add_block(Position{7}, {0, 3, page_of(1)});
  history.add_block(Position{8}, {0, 5, page_of(2)});
  history.add_block(Position{9}, {0, 3, page_of(1)});
  const std::vector<BlockName> expected = {{0, 3}, {0, 5}};
  CHECK(history.block_reads()->take(Position{10}) == expected);
  CHECK(history.block_reads()->take(Position{11}).empty());
}
