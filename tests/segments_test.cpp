// Going through a trace on several threads: replay/segments, and verify by it.
#include "replay/segments.hpp"

#include <mutex>
#include <set>

#include "replay/divergence.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::vector<Segment> some_segments(u64 count) {
  std::vector<Segment> segments;
  for (u64 i = 0; i < count; ++i) segments.push_back({Position{i * 100}, Position{(i + 1) * 100}});
  return segments;
}

/// All that people are told of a verdict.
std::string told(const Verdict& verdict) {
  std::ostringstream out;
  out << verdict.interrupted << ' ' << verdict.reached.steps << ' ' << verdict.marks << ' ' << verdict.key_frames << ' '
      << verdict.console.bytes << ' ' << verdict.console.hash << ' ' << verdict.hash << '\n';
  for (const std::string& name : verdict.unknown) out << name << '\n';
  if (verdict.divergence) report_divergence(*verdict.divergence, out);
  return out.str();
}

VerifyOptions on_threads(unsigned jobs) {
  VerifyOptions options;
  options.jobs = jobs;
  options.least_segment_steps = 1;
  return options;
}

/// One that cannot be read.
class LostKeyFrame final : public StoredKeyFrame {
 public:
  [[nodiscard]] KeyFrame load(const PageTree&) const override { throw Error(Exit::kBadTrace, "lost"); }
};

/// What a trace told, with other key frames and marks where `frame` and `mark` say so.
template <class ChangeFrame, class ChangeMark>
std::unique_ptr<History> altered(const History& history, ChangeFrame frame, ChangeMark mark) {
  auto result = std::make_unique<History>(history.board());
  std::size_t next = 0;
  const auto tell_marks_to = [&](Position at) {
    for (; next < history.marks().size() && history.marks()[next].at <= at; ++next) {
      HashMark told = history.marks()[next];
      mark(told);
      result->add_mark(std::move(told));
    }
  };
  for (const Event& event : history.events()) {
    tell_marks_to(event.at);
    result->add_event(event);
  }
  tell_marks_to(history.end());
  result->progress(history.end());
  for (std::size_t i = 0; i < history.key_frames().size(); ++i) {
    KeyFramePlace place = history.key_frames()[i];
    frame(i, place);
    result->add_key_frame_place(std::move(place));
  }
  result->finish(history.outcome());
  return result;
}

const auto kSameMark = [](HashMark&) {};
const auto kSameFrame = [](std::size_t, KeyFramePlace&) {};

}  // namespace

TEST_CASE("segments: what they find is handed on in order, by one thread", "[segments]") {
  for (const unsigned jobs : {1u, 2u, 7u}) {
    const std::vector<Segment> segments = some_segments(20);
    std::vector<u64> delivered;
    std::set<unsigned> workers;
    std::mutex mutex;
    const SegmentsEnd end = run_segments(segments, {jobs}, [&](SegmentTask& task) {
      {
        const std::lock_guard lock(mutex);
        workers.insert(task.worker());
      }
      // More than may wait, so that those whose turn it is not wait.
      for (u64 i = 0; i < 200; ++i) {
        task.hand_on([&delivered, value = task.index() * 1000 + i] {
          delivered.push_back(value);
          return true;
        });
      }
      task.reached(task.segment().to);
    });
    REQUIRE(delivered.size() == 20 * 200);
    CHECK(std::is_sorted(delivered.begin(), delivered.end()));
    CHECK(workers.size() <= jobs);
    CHECK(end.reached == segments.back().to);
    CHECK_FALSE(end.enough);
    CHECK_FALSE(end.interrupted);
  }
}

TEST_CASE("segments: enough ends the later ones, what an earlier one throws comes first", "[segments]") {
  const std::vector<Segment> segments = some_segments(50);
  u64 delivered = 0;
  const auto wait = [](const SegmentTask& task) {
    while (!task.broken_off()) std::this_thread::yield();
  };
  const SegmentsEnd end = run_segments(segments, {3}, [&](SegmentTask& task) {
    if (task.index() > 1) return wait(task);
    task.reached(task.segment().to);
    task.hand_on([&delivered, index = task.index()] { return ++delivered, index != 1; });
  });
  CHECK(end.enough);
  CHECK(delivered == 2);
  CHECK(end.reached == segments[1].to);
  delivered = 0;
  const auto fail = [&](SegmentTask& task) {
    if (task.index() == 7) throw Error(Exit::kDivergence, "seven");
    if (task.index() > 7) return wait(task);
    task.hand_on([&] { return ++delivered, true; });
    if (task.index() == 5) throw Error(Exit::kDivergence, "five");
    task.reached(task.segment().to);
  };
  CHECK_THROWS_WITH((void)run_segments(segments, {4}, fail), "five");
  CHECK(delivered == 6);
}

TEST_CASE("segments: broken off, all is handed on up to where it is said to have come", "[segments]") {
  const std::vector<Segment> segments = some_segments(8);
  std::atomic<bool> interrupted{false};
  Position told;
  u64 delivered = 0;
  const SegmentOptions options{2, [&](Position here) { told = std::max(told, here); }, &interrupted};
  const SegmentsEnd end = run_segments(segments, options, [&](SegmentTask& task) {
    task.hand_on([&] { return ++delivered, true; });
    if (task.index() == 3) {
      interrupted = true;
      while (!task.broken_off()) std::this_thread::yield();
      task.reached(Position{task.segment().from.steps + 10});
      return;
    }
    task.reached(task.segment().to);
  });
  CHECK(end.interrupted);
  CHECK(end.reached.steps <= 310);
  CHECK(end.reached.steps % 100 <= 10);
  CHECK(delivered >= end.reached.steps / 100);
  CHECK(told <= segments.back().to);
}

TEST_CASE("segments: a history is cut at its key frames, evenly", "[segments]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  const Position end = history->end();
  const auto check = [&](const std::vector<Segment>& segments, Position from, Position to) {
    CHECK(segments.front().from == from);
    CHECK(segments.back().to == to);
    for (std::size_t i = 1; i < segments.size(); ++i) {
      CHECK(segments[i].from == segments[i - 1].to);
      CHECK(segments[i].from < segments[i].to);
      CHECK(history->key_frame_before(segments[i].from)->at == segments[i].from);
    }
  };
  for (const std::size_t most : {1u, 2u, 3u, 8u, 10000u}) {
    const auto segments = cut_at_key_frames(*history, Position{0}, end, most, 1);
    CHECK(segments.size() <= std::min(most, traced.key_frames.size() + 1));
    check(segments, Position{0}, end);
  }
  CHECK(cut_at_key_frames(*history, Position{0}, end, 3, 1).size() == 3);
  CHECK(cut_at_key_frames(*history, Position{0}, end, 10000, 1).size() == traced.key_frames.size() + 1);
  CHECK(cut_at_key_frames(*history, Position{0}, end, 8, end.steps).size() == 1);
  check(cut_at_key_frames(*history, Position{1000}, Position{9000}, 4, 1), Position{1000}, Position{9000});
  const Position there = traced.key_frames[1].state->machine.at;
  CHECK(cut_at_key_frames(*history, there, there, 4, 1) == std::vector<Segment>{{there, there}});
  // One without a mark proves nothing.
  History bare(history->board());
  bare.progress(end);
  bare.add_key_frame_place(history->key_frames()[1]);
  CHECK(cut_at_key_frames(bare, Position{0}, end, 4, 1).size() == 1);
}

TEST_CASE("segments: a cursor comes to where a segment begins, with a key frame and without", "[segments]") {
  const TracedGuest traced = trace_guest("echo", 1);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  const auto lost = altered(*history, [](std::size_t i, KeyFramePlace& place) {
    if (i != 1) place.stored = std::make_shared<LostKeyFrame>();
  }, kSameMark);
  const std::atomic<bool> never{false};
  for (const History* each : {history.get(), lost.get()}) {
    SegmentCursor cursor(*each, EngineKind::kFast);
    for (const Segment& segment : cut_at_key_frames(*each, Position{0}, each->end(), 100, 1)) {
      REQUIRE(cursor.enter(segment, never));
      CHECK(cursor.replay().position() == segment.from);
      if (segment.from > Position{0}) CHECK(cursor.replay().machine().hash() == traced.hashes.at(segment.from));
    }
  }
}

TEST_CASE("segments: verify says the same on any number of threads", "[segments]") {
  for (const auto& [guest, harts] : {std::pair{"echo", 1u}, std::pair{"two_harts", 2u}, std::pair{"storm", 1u}}) {
    CAPTURE(guest);
    const TracedGuest traced = trace_guest(guest, harts);
    const auto history = TraceReader("x.rvt", traced.bytes).read_history();
    const std::string alone = told(verify(*history));
    for (const unsigned jobs : {2u, 5u}) {
      VerifyOptions options = on_threads(jobs);
      Position furthest;
      options.progress = [&](Position here) { furthest = here; };
      const Verdict verdict = verify(*history, options);
      CHECK(verdict.identical());
      CHECK(verdict.hash == traced.end_hash);
      CHECK(told(verdict) == alone);
      CHECK(furthest <= history->end());
      options.twice = Twice::kYes;
      CHECK(told(verify(*history, options)) == alone);
      options.snapshots = {SnapshotPolicy::kEvery, kSnapshotBudgetBytes, 500, 3};
      CHECK(told(verify(*history, options)) == alone);
    }
  }
}

TEST_CASE("segments: verify finds the earliest difference, whichever thread sees one first", "[segments]") {
  const TracedGuest traced = trace_guest("two_harts", 2, 4);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  REQUIRE(history->key_frames().size() > 3);
  const auto wrong_from = [](Position from) {
    return [from](HashMark& mark) {
      if (mark.at >= from) mark.components.front().hash ^= 1;
    };
  };
  const auto nothing_lost = [](std::size_t, KeyFramePlace&) {};
  const std::size_t marks = history->marks().size();
  for (std::size_t i = 0; i < marks; i += 3) {
    const auto wrong = altered(*history, nothing_lost, wrong_from(history->marks()[i].at));
    const std::string alone = told(verify(*wrong));
    CHECK_THAT(alone, has_substring("DIVERGED"));
    for (const unsigned jobs : {2u, 5u}) CHECK(told(verify(*wrong, on_threads(jobs))) == alone);
  }
  // The same where a component had been told of by earlier marks only, and with another end.
  const auto rare = altered(*history, nothing_lost, [&](HashMark& mark) {
    const bool last = mark.at == history->marks().back().at;
    if (last) mark.components.front().hash ^= 1;
    if (!last && mark.at > history->marks()[3].at) mark.components.erase(mark.components.begin());
  });
  CHECK(told(verify(*rare, on_threads(4))) == told(verify(*rare)));
}

TEST_CASE("segments: verify names a key frame that is no use as one thread does", "[segments]") {
  const TracedGuest traced = trace_guest("echo", 1);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  const auto lost = altered(*history, [](std::size_t i, KeyFramePlace& place) {
    if (i == 2) place.stored = std::make_shared<LostKeyFrame>();
  }, kSameMark);
  const std::string alone = told(verify(*lost));
  CHECK_THAT(alone, has_substring("the key frame cannot be read: lost"));
  CHECK(told(verify(*lost, on_threads(3))) == alone);
  // Marks with a component that this machine does not have: no key frame can be entered, and all is well.
  const auto unknown = altered(*history, kSameFrame, [](HashMark& mark) { mark.components.push_back({"flux0", 5}); });
  const Verdict verdict = verify(*unknown, on_threads(3));
  CHECK(verdict.identical());
  CHECK(verdict.unknown == std::vector<std::string>{"flux0"});
  CHECK(told(verdict) == told(verify(*unknown)));
}

TEST_CASE("segments: verify that is broken off says so", "[segments]") {
  const TracedGuest traced = trace_guest("echo", 1);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  const std::atomic<bool> now{true};
  VerifyOptions options = on_threads(3);
  options.interrupted = &now;
  const Verdict verdict = verify(*history, options);
  // It may have come to its end before anybody looked.
  CHECK((verdict.interrupted || verdict.reached == history->end()));
  CHECK_FALSE(verdict.divergence);
}
