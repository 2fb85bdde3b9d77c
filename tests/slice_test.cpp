// replay/slice, replay/beginning and replay/last_key_frame: traces that begin at a key frame.
#include "replay/slice.hpp"

#include <algorithm>
#include <sstream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/fsck.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"
#include "replay/recover.hpp"
#include "replay/session.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"
#include "tests/support/live_traces.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

Slice cut_out(const TraceReader& trace, const std::string& path, Position from, Position to) {
  SliceOrder order;
  order.from = from;
  order.to = to;
  return write_slice(*trace.read_history(), order, path);
}

std::unique_ptr<Session> session_of(const std::string& path, Screen& screen) {
  return Session::replay(TraceReader(path, Check::kWhatIsUsed).read_history(), EngineKind::kFast, screen);
}

/// The status that cutting it out fails with.
Exit failure_of(const TraceReader& trace, const std::string& path, Position from, Position to) {
  try {
    (void)cut_out(trace, path, from, to);
  } catch (const Error& error) {
    return error.exit_code();
  }
  return Exit::kOk;
}

}  // namespace

TEST_CASE("slice: it begins at the key frame before, ends where it was told to, and replays", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  REQUIRE(traced.key_frames.size() > 4);
  const Position key = traced.key_frames[2].state->machine.at;
  const Position from{key.steps + 5};
  const Position to{traced.key_frames[4].state->machine.at.steps + 300};
  const std::string path = folder.file("s.rvt");
  const Slice slice = cut_out(trace, path, from, to);
  CHECK(slice.begin == key);
  CHECK(slice.end == to);
  const TraceReader sliced(path);
  CHECK(sliced.file_bytes() == slice.file_bytes);
  CHECK(sliced.begin().at == key);
  CHECK(sliced.end() == to);
  CHECK(sliced.complete());
  CHECK(sliced.identity().id != trace.identity().id);
  CHECK(sliced.layout().board.machine.initial_memory.empty());
  CHECK_FALSE(sliced.begin().initial_memory);
  CHECK(check_trace(path).clean());
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    VerifyOptions options;
    options.engine = engine;
    const auto history = sliced.read_history();
    CHECK(history->begin().at == key);
    const Verdict verdict = verify(*history, options);
    CHECK(verdict.identical());
    CHECK(verdict.reached == to);
    CHECK(verdict.marks > 2);
    CHECK(verdict.key_frames == 3);
  }
  Screen screen;
  const auto session = session_of(path, screen);
  unsigned seen = 0;
  for (const auto& [at, hash] : traced.hashes) {
    if (at < key || at > to) continue;
    session->seek(at);
    CHECK(session->hash() == hash);
    ++seen;
  }
  CHECK(seen > 4);
}

TEST_CASE("slice: going backwards ends where it begins", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position key = traced.key_frames[1].state->machine.at;
  const Position to{key.steps + 2000};
  const std::string path = folder.file("s.rvt");
  (void)cut_out(TraceReader("x.rvt", traced.bytes), path, key, to);
  Screen screen;
  const auto session = session_of(path, screen);
  CHECK(session->begin() == key);
  CHECK(session->position() == key);
  session->seek(to);
  const u64 end_hash = session->hash();
  const Stop stop = session->resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kHistoryBegin);
  CHECK(session->position() == key);
  CHECK(session->step(0, Direction::kBackward).reason == StopReason::kHistoryBegin);
  CHECK(session->position() == key);
  session->seek(to);
  CHECK(session->hash() == end_hash);
  unsigned steps = 0;
  while (session->step(1, Direction::kBackward).reason == StopReason::kStep) REQUIRE(++steps < 5000);
  CHECK(session->position() == key);
  CHECK(steps > 10);
  CHECK_THROWS_WITH(session->seek(Position{key.steps - 1}), has_substring("before the beginning"));
}

TEST_CASE("slice: words for positions count from its beginning", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const u64 key = traced.key_frames[1].state->machine.at.steps;
  const std::string path = folder.file("s.rvt");
  (void)cut_out(TraceReader("x.rvt", traced.bytes), path, Position{key}, Position{key + 1000});
  Screen screen;
  const auto session = session_of(path, screen);
  Bookmarks bookmarks;
  const auto at = [&](const char* word) { return resolve_position(word, *session, {bookmarks}).steps; };
  CHECK(at("start") == key);
  CHECK(at("50%") == key + 500);
  CHECK(at("end") == key + 1000);
  CHECK(at("+7") == key + 7);
  CHECK_THROWS_WITH(at("-1"), has_substring("begins 0 steps before"));
  CHECK_THROWS_WITH(at("3"), has_substring("the history begins at step " + group_digits(key)));
  CHECK_THROWS_WITH(at("t=0s"), has_substring("the history begins at t="));
  session->seek(Position{key + 1000});
  const Ticks end = session->machine().now();
  const u64 found = at(("t=" + std::to_string(end.value * 100) + "ns").c_str());
  session->seek(Position{found});
  CHECK(session->machine().now() == end);
  session->seek(Position{key + 500});
  CHECK_THAT(describe_position(*session), has_substring("50.0%"));
}

TEST_CASE("slice: a search for a writer ends where it begins", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position key = traced.key_frames[1].state->machine.at;
  const std::string path = folder.file("s.rvt");
  (void)cut_out(TraceReader("x.rvt", traced.bytes), path, key, traced.end);
  Screen screen;
  const auto session = session_of(path, screen);
  Places places;
  CommandContext context{*session, places};
  session->seek(session->end());
  for (const char* word : {"first-write", "last-write"}) {
    for (const u64 offset : {0, 64}) {
      std::ostringstream out;
      run_command(context, word + (" " + std::to_string(symbol("two_harts", "counter") + offset)), out);
      CHECK_THAT(out.str(), has_substring(offset == 0 ? "step " : "nothing wrote there in steps " +
                                                                      group_digits(key.steps) + " to " +
                                                                      group_digits(traced.end.steps) +
                                                                      ": it holds what it held when the history"));
    }
  }
}

TEST_CASE("slice: what is asked for must be there", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  const Position end = trace.end();
  const std::string path = folder.file("s.rvt");
  CHECK(failure_of(trace, path, Position{0}, Position{end.steps + 1}) == Exit::kUsage);
  CHECK(failure_of(trace, path, Position{500}, Position{500}) == Exit::kUsage);
  CHECK(failure_of(trace, path, Position{500}, Position{400}) == Exit::kUsage);
  CHECK(failure_of(trace, folder.file("no/folder"), Position{500}, Position{600}) == Exit::kCannotCreate);
  write_file(path, std::vector<u8>{1});
  CHECK(failure_of(trace, path, Position{500}, Position{600}) == Exit::kCannotCreate);
  CHECK(read_file(path) == std::vector<u8>{1});
  // Nothing half is left.
  CHECK_THROWS_AS(TraceBytes(path + ".part"), Error);
  const Position key = traced.key_frames[1].state->machine.at;
  const std::string sliced = folder.file("t.rvt");
  (void)cut_out(trace, sliced, key, end);
  CHECK(failure_of(TraceReader(sliced), folder.file("u.rvt"), Position{key.steps - 1}, end) == Exit::kUsage);
}

TEST_CASE("slice: before the first key frame it begins at power-on, and cuts only the end", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position to{traced.key_frames[0].state->machine.at.steps - 1};
  const std::string path = folder.file("s.rvt");
  const Slice slice = cut_out(TraceReader("x.rvt", traced.bytes), path, Position{3}, to);
  CHECK(slice.begin == Position{0});
  const TraceReader sliced(path);
  CHECK(sliced.begin().state == nullptr);
  CHECK_FALSE(sliced.layout().board.machine.initial_memory.empty());
  const Verdict verdict = verify(*sliced.read_history());
  CHECK(verdict.identical());
  CHECK(verdict.reached == to);
}

TEST_CASE("slice: it is sliced and packed again, with and without its other key frames", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position first = traced.key_frames[1].state->machine.at;
  const Position second = traced.key_frames[3].state->machine.at;
  (void)cut_out(TraceReader("x.rvt", traced.bytes), folder.file("a"), first, traced.end);
  const Slice again = cut_out(TraceReader(folder.file("a")), folder.file("b"), Position{second.steps + 1}, traced.end);
  CHECK(again.begin == second);
  const Verdict verdict = verify(*TraceReader(folder.file("b")).read_history());
  CHECK(verdict.identical());
  CHECK(verdict.hash == traced.end_hash);
  // From its own beginning.
  CHECK(cut_out(TraceReader(folder.file("b")), folder.file("c"), second, traced.end).begin == second);
  CHECK(verify(*TraceReader(folder.file("c")).read_history()).hash == traced.end_hash);
  const TraceReader trace(folder.file("a"));
  (void)pack_trace(trace, folder.file("with"), {});
  (void)pack_trace(trace, folder.file("without"), {false, {}});
  CHECK(verify(*TraceReader(folder.file("with")).read_history()).key_frames == trace.find_key_frames().size());
  const Verdict bare = verify(*TraceReader(folder.file("without")).read_history());
  CHECK(bare.identical());
  CHECK(bare.key_frames == 1);
  CHECK(bare.hash == traced.end_hash);
}

TEST_CASE("slice: it keeps the outcome, or says that the recording went on", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  const Position key = traced.key_frames[1].state->machine.at;
  (void)cut_out(trace, folder.file("a"), key, traced.end);
  (void)cut_out(trace, folder.file("b"), key, Position{key.steps + 10});
  const Outcome whole = TraceReader(folder.file("a")).read_history()->outcome();
  CHECK(whole.kind == trace.read_history()->outcome().kind);
  CHECK(whole.why == trace.read_history()->outcome().why);
  const Outcome part = TraceReader(folder.file("b")).read_history()->outcome();
  CHECK(part.kind == Outcome::Kind::kStopped);
  CHECK_THAT(part.why, has_substring("went on to step " + std::to_string(traced.end.steps)));
}

TEST_CASE("slice: bookmarks inside stay, those outside do not", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const u64 key = traced.key_frames[1].state->machine.at.steps;
  SliceOrder order;
  order.from = Position{key};
  order.to = Position{key + 100};
  order.bookmarks = {{1, "before", kMainBranch, Position{key - 1}, {}},
                     {2, "inside", kMainBranch, Position{key + 50}, "here"},
                     {3, "behind", kMainBranch, Position{key + 101}, {}}};
  (void)write_slice(*TraceReader("x.rvt", traced.bytes).read_history(), order, folder.file("s"));
  const std::vector<Bookmark> kept = parse_bookmarks(TraceReader(folder.file("s")).notes());
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].name == "inside");
  CHECK(kept[0].text == "here");
}

TEST_CASE("slice: it has the disk blocks that it reads, and no others", "[slice]") {
  const TemporaryFolder folder;
  const std::string image = folder.file("image");
  write_image(image, 65536);
  const BoardConfig board = board_with_disk("disk", 65536);
  const u64 end_hash = record_to(folder.file("t.rvt"), board, {image}, 5000);
  const TraceReader trace(folder.file("t.rvt"));
  REQUIRE(blocks_in(trace).size() == 2);
  const auto key_frames = trace.find_key_frames();
  REQUIRE(key_frames.size() > 4);
  bool none = false, some = false;
  for (std::size_t i = 0; i < key_frames.size(); i += 2) {
    const Position from = key_frames[i].place.at;
    CAPTURE(from.steps);
    const std::string path = folder.file("s" + std::to_string(i));
    (void)cut_out(trace, path, from, trace.end());
    const TraceReader sliced(path);
    CHECK(check_trace(path).clean());
    const Verdict verdict = verify(*sliced.read_history());
    CHECK(verdict.identical());
    CHECK(verdict.hash == end_hash);
    none = none || blocks_in(sliced).empty();
    some = some || !blocks_in(sliced).empty();
  }
  CHECK(none);
  CHECK(some);
  // A block that was captured before the slice begins and is read again in it.
  CHECK(blocks_in(TraceReader(folder.file("s2"))).size() == 2);
}

TEST_CASE("slice: with a reset in it, it has what memory held at power-on", "[slice]") {
  const TemporaryFolder folder;
  const u64 end_hash = record_to(folder.file("t.rvt"), guest_board("reboot"), {}, 20);
  const TraceReader trace(folder.file("t.rvt"));
  const auto key_frames = trace.find_key_frames();
  REQUIRE(key_frames.size() > 2);
  unsigned with = 0, without = 0;
  for (std::size_t i = 0; i < key_frames.size(); ++i) {
    const std::string path = folder.file("s" + std::to_string(i));
    (void)cut_out(trace, path, key_frames[i].place.at, trace.end());
    const TraceReader sliced(path);
    CHECK(verify(*sliced.read_history()).hash == end_hash);
    CHECK(sliced.begin().initial_memory != sliced.layout().board.machine.initial_memory.empty());
    ++(sliced.begin().initial_memory ? with : without);
  }
  CHECK(with > 0);
  CHECK(without > 0);
}

TEST_CASE("slice: a branch of it that resets is told why it cannot", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position key = traced.key_frames[1].state->machine.at;
  (void)cut_out(TraceReader("x.rvt", traced.bytes), folder.file("s"), key, traced.end);
  Screen screen;
  const auto session = session_of(folder.file("s"), screen);
  ForkWorld world;
  world.inputs.clock = ClockMode::kVirtual;
  session->allow_forks(std::move(world));
  session->seek(Position{key.steps + 10});
  session->fork("b");
  session->reset_machine();
  CHECK_THROWS_WITH(session->run_to(kEndOfTime), has_substring("what its memory held at power-on is not in the trace"));
  CHECK_THROWS_WITH(session->power_cycle(), has_substring("begins at step"));
}

TEST_CASE("slice: damage anywhere is found, and a cut one replays or has nothing", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position key = traced.key_frames[1].state->machine.at;
  (void)cut_out(TraceReader("x.rvt", traced.bytes), folder.file("s"), key, Position{key.steps + 3000});
  const std::vector<u8> bytes = read_file(folder.file("s"));
  REQUIRE(refusal(bytes).empty());
  Dice dice(1);
  unsigned shorter = 0;
  for (unsigned i = 0; i < 60; ++i) {
    const u64 kept = kPreambleBytes + dice.below(bytes.size() - kPreambleBytes);
    const std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
    const std::string why = refusal(cut);
    CAPTURE(cut.size(), why);
    const TraceCheck check = check_trace("x", [&] { return TraceBytes(cut); });
    if (!why.empty()) {
      CHECK(check.good_bytes == 0);
      continue;
    }
    const TraceReader trace("x", cut);
    if (trace.begin().state == nullptr) {
      CHECK(trace.end() == Position{0});
      continue;
    }
    ++shorter;
    CHECK(check.good_to == trace.end());
    CHECK(verify(*trace.read_history()).identical());
  }
  CHECK(shorter > 0);
  for (unsigned i = 0; i < 60; ++i) {
    std::vector<u8> flipped = bytes;
    flipped[dice.below(flipped.size())] ^= static_cast<u8>(1u << dice.below(8));
    const TraceCheck check = check_trace("x", [&] { return TraceBytes(flipped); });
    CHECK_FALSE(check.clean());
  }
}

TEST_CASE("slice: a beginning that is not the recorded state is refused", "[slice]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  const auto source = trace.read_history();
  KeyFrame other = traced.key_frames[1];
  auto changed = std::make_shared<KeptSnapshot>(*other.state);
  changed->console.bytes += 1;
  other.state = changed;
  const Position at = other.state->machine.at;
  History history(source->board(), {at, std::make_shared<HeldKeyFrame>(other), true});
  history.add_mark(source->marks()[source->first_mark_at(at)]);
  CHECK_THROWS_WITH(verify(history), has_substring("does not have the hashes that were recorded there"));
}

TEST_CASE("slice: a start frame that breaks the rules is refused", "[slice]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const Position key = traced.key_frames[1].state->machine.at;
  (void)cut_out(TraceReader("x.rvt", traced.bytes), folder.file("s"), key, traced.end);
  const std::vector<u8> bytes = read_file(folder.file("s"));
  const std::vector<FrameInfo> frames = TraceReader("s", bytes).frames();
  const auto start = std::find_if(frames.begin(), frames.end(),
                                  [](const FrameInfo& frame) { return frame.kind == FrameKind::kStart; });
  REQUIRE(start != frames.end());
  const auto with = [&](u64 kept, Position at, std::vector<u8> payload) {
    std::vector<u8> changed(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
    append_stored_frame(changed, kept, FrameKind::kStart, 0, at, payload);
    return refusal(changed);
  };
  const u64 behind = start->offset + frame_size_bytes(*start);
  CHECK_THAT(with(behind, key, {1}), has_substring("a start behind what comes after it"));
  CHECK_THAT(with(start->offset, Position{0}, {1}), has_substring("a start at power-on"));
  CHECK_THAT(with(start->offset, key, {2}), has_substring("of a kind that this build does not know"));
  CHECK_THAT(with(start->offset, key, {1, 0}), has_substring("bytes after the last of the start"));
  CHECK_FALSE(with(start->offset, key, {}).empty());
  // Whole, but for the state.
  CHECK_THAT(with(start->offset, key, {1}), has_substring("inside the state that it begins with"));
}
