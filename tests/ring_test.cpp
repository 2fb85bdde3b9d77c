// replay/ring, replay/ring_writer and replay/retelling: the last part of a recording.
#include "replay/ring_writer.hpp"

#include <filesystem>
#include <thread>

#include "core/check.hpp"
#include "replay/fsck.hpp"
#include "replay/ring.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"
#include "tests/support/live_traces.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kSmallRingBytes = 12'000;  ///< For guests that write little.
constexpr u64 kRingBytes = 40'000;

/// What is recorded to a ring by hand, so that the test says when it turns.
struct RingRun {
  RingRun(const std::string& path, const BoardConfig& board)
      : writer(path, board, kSmallRingBytes, this_build(), {}), history(board) {
    history.set_listener(&writer);
    machine = build_board(board, EngineKind::kFast, output, {});
  }
  /// So far, with a mark and a key frame there. A new file that is begun there is the newest when this returns.
  Halt run(InputSource& world, Position to) {
    const std::atomic<bool> never{false};
    Recorder recorder(world, history);
    const Halt halt = drive(*machine, recorder, to, nullptr, never);
    recorder.reached(machine->position());
    hashes[machine->position()] = machine->hash();
    history.add_mark({machine->position(), machine->component_hashes(), output.tally().bytes, output.tally().hash});
    history.add_key_frame(key_frame_of(*machine, output));
    machine->begin_stretch();
    return halt;
  }
  void settle() {
    while (writer.begins_next() && !writer.failed()) {
      std::this_thread::yield();
      history.progress(machine->position());
    }
  }
  void finish() {
    const PowerState& power = machine->power();
    history.finish({power.off ? Outcome::Kind::kPoweredOff : Outcome::Kind::kStopped, power.status, power.why});
    writer.end();
  }

  Screen screen;
  OutputLog output{screen};
  RingWriter writer;
  History history;
  std::unique_ptr<Machine> machine;
  std::map<Position, u64> hashes;
};

/// Waits for nothing, for guests that need no keys.
class NoWorld final : public InputSource {
 public:
  Position next_pause(Position, Position limit) override { return limit; }
  Took take(Position, Idle idle, Ticks, Ticks deadline, Batch&) override {
    return idle == Idle::kYes && deadline == kNever ? Took::kEnded : Took::kReachedDeadline;
  }
};

u64 bytes_of(const std::vector<std::string>& parts) {
  u64 bytes = 0;
  for (const std::string& part : parts) bytes += std::filesystem::file_size(part);
  return bytes;
}

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::create_directory(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    std::filesystem::copy_file(entry.path(), to + "/" + entry.path().filename().string());
  }
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("ring: the last part stays, joined to one trace that replays", "[ring]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.rvt");
  RingRun recording(path, guest_board("echo"));
  RandomWorld world(5, 4000, 500);
  u64 most_bytes = 0, most_part = 0;
  Halt halt = Halt::kLimit;
  while (halt == Halt::kLimit && recording.machine->position() < Position{400'000}) {
    halt = recording.run(world, Position{recording.machine->position().steps + 777});
    recording.settle();
    recording.writer.flush();
    const std::vector<std::string> parts = ring_parts(path);
    CHECK(parts.size() == recording.writer.parts());
    most_bytes = std::max(most_bytes, bytes_of(parts));
    most_part = std::max<u64>(most_part, std::filesystem::file_size(parts.back()));
  }
  CHECK(recording.writer.parts() > 1);
  recording.finish();
  CHECK_FALSE(recording.writer.failed());
  CHECK(files_in(folder.file("")) == 1);
  CHECK(most_bytes <= kSmallRingBytes + 2 * most_part);
  const TraceReader trace(path);
  CHECK(trace.begin().at > Position{0});
  CHECK(trace.end() == recording.history.end());
  CHECK(trace.complete());
  CHECK(check_trace(path).clean());
  const Verdict verdict = verify(*trace.read_history());
  CHECK(verdict.identical());
  CHECK(verdict.hash == recording.machine->hash());
  CHECK(verdict.key_frames > 2);
  Screen screen;
  const auto session = Session::replay(trace.read_history(), EngineKind::kFast, screen);
  unsigned seen = 0;
  for (const auto& [at, hash] : recording.hashes) {
    if (at < trace.begin().at) continue;
    session->seek(at);
    CHECK(session->hash() == hash);
    ++seen;
  }
  CHECK(seen > 3);
}

TEST_CASE("ring: what is short stays whole, from power-on", "[ring]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.rvt");
  RingRun recording(path, guest_board("hello"));
  NoWorld world;
  recording.run(world, Position{100'000});
  recording.finish();
  const TraceReader trace(path);
  CHECK(trace.begin().at == Position{0});
  CHECK(trace.begin().state == nullptr);
  CHECK(verify(*trace.read_history()).hash == recording.machine->hash());
  CHECK(files_in(folder.file("")) == 1);
}

TEST_CASE("ring: wherever it is killed, what is there joins and replays", "[ring]") {
  const TemporaryFolder folder, copies;
  std::filesystem::create_directory(folder.file("ring"));
  RingRun recording(folder.file("ring/t.rvt"), guest_board("echo"));
  RandomWorld world(7, 4000, 500);
  unsigned several = 0;
  for (unsigned i = 0; i < 160; ++i) {
    if (recording.run(world, Position{recording.machine->position().steps + 777}) != Halt::kLimit) break;
    // Some are copied while the next file begins, of which then only a piece is there.
    if (i % 3 != 0) recording.settle();
    if (i % 5 != 0) continue;
    const Position least = recording.machine->position();
    recording.writer.flush();
    const std::string copy = copies.file(std::to_string(i));
    copy_folder(folder.file("ring"), copy);
    const std::vector<std::string> parts = ring_parts(copy + "/t.rvt");
    several += parts.size() > 1 ? 1 : 0;
    // The oldest alone replays, too.
    CHECK(verify(*TraceReader(copy + "/t.rvt").read_history()).identical());
    const JoinedRing joined = join_ring(parts, copy + "/joined.rvt");
    const TraceReader trace(copy + "/joined.rvt");
    CAPTURE(i, parts.size(), joined.note);
    CHECK(trace.end() == least);
    CHECK(joined.end == least);
    const Verdict verdict = verify(*trace.read_history());
    CHECK(verdict.identical());
    CHECK(verdict.hash == recording.hashes.at(least));
  }
  CHECK(several > 3);
}

TEST_CASE("ring: a block that was read early and is needed late is there", "[ring]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.rvt");
  write_image(folder.file("image"), 65536);
  const BoardConfig board = board_with_disk("reread", 65536);
  RingWriter writer(path, board, kRingBytes, this_build(), {});
  Screen screen;
  const auto session = Session::live(setup_of(board, {folder.file("image")}, &writer, 20'000), screen);
  Stop stop;
  do {
    stop = session->run_to(Position{session->position().steps + 20'000});
    while (writer.begins_next() && !writer.failed()) {
      std::this_thread::yield();
      writer.on_progress(session->position());
    }
    // The image is not asked again.
    std::filesystem::resize_file(folder.file("image"), 0);
    std::filesystem::resize_file(folder.file("image"), 65536);
  } while (stop.reason == StopReason::kStep);
  CHECK(stop.reason == StopReason::kPoweredOff);
  const u64 hash = session->hash();
  session->finish(Outcome::Kind::kStopped);
  writer.end();
  CHECK_FALSE(writer.failed());
  const TraceReader trace(path);
  CHECK(trace.begin().at > Position{20'000});
  CHECK(blocks_in(trace) == std::vector<u64>{1});
  const Verdict verdict = verify(*trace.read_history());
  CHECK(verdict.identical());
  CHECK(verdict.hash == hash);
}

TEST_CASE("ring: from a branch on all is kept", "[ring]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.rvt");
  const BoardConfig board = guest_board("two_harts", 2);
  Position left;
  {
    RingWriter writer(path, board, kSmallRingBytes, this_build(), {});
    Screen screen;
    const auto session = Session::live(setup_of(board, {}, &writer, 333), screen);
    const auto go_on = [&] { return session->run_to(Position{session->position().steps + 333}).reason; };
    while (writer.parts() < 2 && go_on() == StopReason::kStep) {
      while (writer.begins_next()) writer.on_progress(session->position());
    }
    CHECK(writer.parts() == 2);
    // What is newest began before the last 100 steps.
    u64 parts = 0;
    do {
      while (writer.begins_next()) writer.on_progress(session->position());
      parts = writer.parts();
      (void)session->run_to(Position{session->position().steps + 150});
    } while (writer.begins_next() || writer.parts() != parts);
    left = Position{session->end().steps - 100};
    session->seek(left);
    session->fork("other");
    (void)session->run_to(Position{session->position().steps + 3000});
    session->finish(Outcome::Kind::kStopped);
    writer.end();
    CHECK_FALSE(writer.failed());
  }
  const TraceReader trace(path);
  REQUIRE(trace.branches().size() == 2);
  CHECK(trace.branches()[1].name == "other");
  CHECK(trace.branches()[1].from == left);
  for (const BranchHistory& told : trace.read_branches()) CHECK(verify(*told.history).identical());
}

TEST_CASE("ring: a branch from before what is kept ends the recording, and not the session", "[ring]") {
  const TemporaryFolder folder;
  const BoardConfig board = guest_board("two_harts", 2);
  RingWriter writer(folder.file("t.rvt"), board, kSmallRingBytes, this_build(), {});
  Screen screen;
  const auto session = Session::live(setup_of(board, {}, &writer, 333), screen);
  while (writer.parts() < 2 && session->run_to(Position{session->position().steps + 333}).reason == StopReason::kStep) {
    while (writer.begins_next()) writer.on_progress(session->position());
  }
  session->seek(Position{100});
  session->fork("early");
  CHECK(session->run_to(Position{3000}).reason == StopReason::kStep);
  session->finish(Outcome::Kind::kStopped);
  CHECK(writer.failed());
  CHECK_THAT(writer.take_error()->what(), has_substring("before what the newest file of the ring keeps"));
}

TEST_CASE("ring: files of another ring are not written over", "[ring]") {
  const TemporaryFolder folder;
  write_file(folder.file("t.rvt.ring-2"), std::vector<u8>{1});
  CHECK_THROWS_WITH(RingWriter(folder.file("t.rvt"), guest_board("hello"), kRingBytes, this_build(), {}),
                    has_substring("part of another recording"));
  CHECK(read_file(folder.file("t.rvt.ring-2")) == std::vector<u8>{1});
  CHECK(files_in(folder.file("")) == 1);
  // Nor joined with what is not theirs.
  (void)record_to(folder.file("t.rvt"), guest_board("hello"), {}, 1000);
  (void)record_to(folder.file("t.rvt.ring-3"), guest_board("hello"), {}, 1000);
  CHECK(ring_parts(folder.file("t.rvt")).size() == 1);
}
