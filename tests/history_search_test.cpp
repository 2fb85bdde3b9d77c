// Looking through history on several threads finds what a session finds. Covers replay/history_search.
#include "replay/history_search.hpp"

#include <sstream>

#include "replay/report_fields.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// Odd values of a0 only.
class OddRules final : public StopRules {
 public:
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr) const override {
    return (hart.read_register(integer_register(10)).value_or(0) & 1) != 0;
  }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return false; }
  bool handle(const HartView&, VirtAddr) override { return true; }
};

struct Found {
  std::string text;
  Position reached;
  bool operator==(const Found&) const = default;
};

Found find(const HistorySearch& search, StopRequest request, Position from, Position to, u64 most = ~u64{0}) {
  Found found;
  const auto tell = [](Position at, unsigned hart, const HartView& view, VirtAddr pc) {
    std::ostringstream line;
    line << at.steps << ' ' << hart << ' ' << pc.value << ' ' << *view.read_register(integer_register(10)) << '\n';
    return HitText{line.str(), 1};
  };
  u64 left = most;
  const auto show = [&](const HitText& hit) {
    found.text += hit.text;
    return --left > 0;
  };
  found.reached = search(request, from, to, tell, show);
  return found;
}

std::string list(const std::function<Position(const AccessVisit&)>& search) {
  std::ostringstream text;
  const Position reached = search([&](const Access& access) {
    text << access.at.steps << ' ' << access.hart << ' ' << access.pc.value << ' ' << access.address.value << ' '
         << access.is_write << ' ' << bytes_as_hex(access.before) << ' ' << bytes_as_hex(access.after) << '\n';
    return true;
  });
  text << reached.steps;
  return text.str();
}

SegmentSearch on_threads(const History& history, unsigned jobs) {
  SegmentSearch how{history};
  how.threads.jobs = jobs;
  how.least_segment_steps = 1;
  return how;
}

std::unique_ptr<Session> session_of(const TracedGuest& traced, OutputSink& screen) {
  return Session::replay(TraceReader("x.rvt", traced.bytes).read_history(), EngineKind::kFast, screen, {});
}

}  // namespace

TEST_CASE("history_search: executions are those that a session finds, on any number of threads", "[history_search]") {
  struct Case {
    const char* guest;
    unsigned harts;
    const char* symbol;
  };
  for (const Case& each : {Case{"echo", 1, "work_next"}, Case{"two_harts", 2, "acquire"}}) {
    CAPTURE(each.guest);
    const TracedGuest traced = trace_guest(each.guest, each.harts);
    const auto history = TraceReader("x.rvt", traced.bytes).read_history();
    Screen screen;
    const auto session = session_of(traced, screen);
    OddRules odd;
    for (StopRules* rules : {static_cast<StopRules*>(nullptr), static_cast<StopRules*>(&odd)}) {
      StopRequest request;
      request.breakpoints = {VirtAddr{symbol(each.guest, each.symbol)}};
      request.rules = rules;
      const Position end = traced.end;
      const std::pair<Position, Position> ranges[] = {
          {Position{0}, end}, {Position{2000}, Position{7000}}, {end, end}, {Position{777}, Position{778}}};
      for (const auto& [from, to] : ranges) {
        const Found alone = find(search_by(*session), request, from, to);
        if (from == Position{0}) REQUIRE(alone.text.size() > 100);
        for (const unsigned jobs : {1u, 2u, 5u}) {
          CHECK(find(search_segments(on_threads(*history, jobs)), request, from, to) == alone);
        }
      }
      const Found some = find(search_by(*session), request, Position{0}, end, 7);
      CHECK(find(search_segments(on_threads(*history, 3)), request, Position{0}, end, 7).text == some.text);
    }
  }
}

TEST_CASE("history_search: accesses are those that a session finds, on any number of threads", "[history_search]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  Screen screen;
  const auto session = session_of(traced, screen);
  for (const WatchKind kind : {WatchKind::kWrite, WatchKind::kRead}) {
    AccessOrder order;
    order.kind = kind;
    order.pieces = {{PhysAddr{symbol("two_harts", "counter")}, 8}};
    for (const auto& [from, to] : {std::pair{Position{0}, traced.end}, std::pair{Position{3000}, Position{9000}}}) {
      order.from = from;
      order.to = to;
      const std::string alone = list([&](const AccessVisit& visit) { return session->accesses(order, visit); });
      REQUIRE(alone.size() > 500);
      for (const unsigned jobs : {1u, 2u, 5u}) {
        const AccessSearch search = search_accesses_in_segments(on_threads(*history, jobs));
        CHECK(list([&](const AccessVisit& visit) { return search(order, visit); }) == alone);
      }
    }
  }
}

TEST_CASE("history_search: a key frame that lies is named, and what is found is the same", "[history_search]") {
  const TracedGuest traced = trace_guest("two_harts", 2, 4);
  const auto told = TraceReader("x.rvt", traced.bytes).read_history();
  REQUIRE(told->key_frames().size() > 2);
  class Lost final : public StoredKeyFrame {
   public:
    [[nodiscard]] KeyFrame load(const PageTree&) const override { throw Error(Exit::kBadTrace, "lost"); }
  };
  History history(told->board());
  std::size_t mark = 0;
  for (const Event& event : told->events()) {
    for (; mark < told->marks().size() && told->marks()[mark].at <= event.at; ++mark) {
      history.add_mark(told->marks()[mark]);
    }
    history.add_event(event);
  }
  for (; mark < told->marks().size(); ++mark) history.add_mark(told->marks()[mark]);
  history.progress(told->end());
  for (std::size_t i = 0; i < told->key_frames().size(); ++i) {
    KeyFramePlace place = told->key_frames()[i];
    if (i == 1) place.stored = std::make_shared<Lost>();
    history.add_key_frame_place(place);
  }
  StopRequest request;
  request.breakpoints = {VirtAddr{symbol("two_harts", "acquire")}};
  const Found honest = find(search_segments(on_threads(*told, 4)), request, Position{0}, traced.end);
  std::vector<std::string> notes;
  SegmentSearch how = on_threads(history, 4);
  how.note = [&](const std::string& note) { notes.push_back(note); };
  CHECK(find(search_segments(how), request, Position{0}, traced.end) == honest);
  // Unless the thread that came to it had begun before it and went on.
  for (const std::string& note : notes) CHECK_THAT(note, has_substring("cannot be used"));
}

TEST_CASE("history_search: broken off, it says how far it came", "[history_search]") {
  const TracedGuest traced = trace_guest("two_harts", 2);
  const auto history = TraceReader("x.rvt", traced.bytes).read_history();
  StopRequest request;
  request.breakpoints = {VirtAddr{symbol("two_harts", "acquire")}};
  const Found whole = find(search_segments(on_threads(*history, 2)), request, Position{0}, traced.end);
  const std::atomic<bool> now{true};
  SegmentSearch how = on_threads(*history, 2);
  how.threads.interrupted = &now;
  const Found part = find(search_segments(how), request, Position{0}, traced.end);
  CHECK(whole.text.starts_with(part.text));
  CHECK(part.text == find(search_segments(on_threads(*history, 1)), request, Position{0}, part.reached).text);
}
