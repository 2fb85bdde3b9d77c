// Recording and replaying, compared state by state: replay/verify, replay/recorder, replay/replayer and replay/drive on
// real machines.
#include "replay/verify.hpp"

#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

TEST_CASE("verify: guests replay to the last bit, whoever typed when", "[verify]") {
  struct Guest {
    const char* name;
    unsigned harts;
  };
  for (const Guest& guest : {Guest{"echo", 1}, Guest{"echo", 3}, Guest{"two_harts", 2}, Guest{"self_modifying", 1}}) {
    for (u64 seed = 1; seed <= 8; ++seed) {
      CAPTURE(guest.name, guest.harts, seed);
      const Recorded recorded = record_guest(guest.name, guest.harts, seed);
      REQUIRE(recorded.history->outcome().kind == Outcome::Kind::kPoweredOff);
      CHECK(recorded.history->outcome().status == 0);
      Screen screen;
      VerifyOptions options;
      options.output = &screen;
      options.engine = seed % 4 == 0 ? EngineKind::kReference : EngineKind::kFast;
      const Verdict verdict = verify(*recorded.history, options);
      CAPTURE(verdict.divergence ? verdict.divergence->detail : std::string());
      CHECK(verdict.identical());
      CHECK(verdict.marks == recorded.history->marks().size());
      CHECK(verdict.hash == recorded.end_hash);
      CHECK(verdict.reached == recorded.history->end());
      CHECK(screen.text == recorded.text);
    }
  }
}

TEST_CASE("verify: what is reached from snapshots anywhere is what was recorded", "[verify]") {
  for (const auto& [guest, harts] : {std::pair{"echo", 1u}, std::pair{"two_harts", 2u}}) {
    const Recorded recorded = record_guest(guest, harts, 4);
    for (const SnapshotPolicy policy : {SnapshotPolicy::kEvery, SnapshotPolicy::kRandom}) {
      Screen screen;
      VerifyOptions options;
      options.output = &screen;
      options.snapshots = {policy, kSnapshotBudgetBytes, 500, 3};
      const Verdict verdict = verify(*recorded.history, options);
      CAPTURE(guest, verdict.divergence ? verdict.divergence->detail : std::string());
      CHECK(verdict.identical());
      CHECK(verdict.marks == recorded.history->marks().size());
      CHECK(verdict.hash == recorded.end_hash);
      CHECK(screen.text == recorded.text);
    }
  }
}

TEST_CASE("verify: the echo guest was given something to record", "[verify]") {
  const Recorded recorded = record_guest("echo", 1, 1);
  CHECK(recorded.history->events().size() > 20);
  CHECK(recorded.text.size() > 20);
  CHECK(recorded.text.find('q') != std::string::npos);
}

namespace {

/// A copy in which `change` may alter each event; false drops it.
std::unique_ptr<History> altered(const History& history, const std::function<bool(Event&)>& change) {
  auto result = std::make_unique<History>(history.board());
  std::size_t mark = 0;
  const auto marks_up_to = [&](Position at) {
    for (; mark < history.marks().size() && history.marks()[mark].at <= at; ++mark) {
      result->add_mark(history.marks()[mark]);
    }
  };
  for (Event event : history.events()) {
    marks_up_to(event.at);
    if (change(event)) result->add_event(std::move(event));
  }
  marks_up_to(kEndOfTime);
  result->finish(history.outcome());
  return result;
}

}  // namespace

TEST_CASE("verify: a changed, a moved and a lost input are found between the marks around them", "[verify]") {
  const Recorded recorded = record_guest("echo", 1, 9);
  const auto& events = recorded.history->events();
  const Position where = events[events.size() / 2].at;
  const auto changed = altered(*recorded.history, [&](Event& event) {
    if (event.at == where) std::get<ConsoleBytes>(event.batch.inputs[0].what).bytes[0] ^= 1;
    return true;
  });
  const auto lost = altered(*recorded.history, [&](Event& event) { return event.at != where; });
  for (const History* history : {changed.get(), lost.get()}) {
    const Verdict verdict = verify(*history);
    REQUIRE(verdict.divergence);
    CHECK_FALSE(verdict.identical());
    CHECK(verdict.divergence->after <= where);
    CHECK(verdict.divergence->at > where);
    CHECK(verdict.divergence->at.steps - verdict.divergence->after.steps <= 777);
    CHECK_FALSE(verdict.divergence->components.empty());
  }
  CHECK(verify(*altered(*recorded.history, [](Event&) { return true; })).identical());
}

TEST_CASE("verify: an input outside the wait it ends is a difference, however late it claims to be", "[verify]") {
  // The guest waits for this key and for nothing else.
  std::optional<Position> where;
  Recorded recorded;
  for (u64 seed = 1; !where; ++seed) {
    REQUIRE(seed < 100);
    recorded = record_guest("wait_for_byte", 1, seed);
    for (const Event& event : recorded.history->events()) {
      if (event.batch.wake > Ticks{0}) where = event.at;
    }
  }
  for (const u64 wake : {(u64{1} << 63) + 1, u64{3} << 62, ~u64{0}}) {
    const auto changed = altered(*recorded.history, [&](Event& event) {
      if (event.at == *where) event.batch.wake = Ticks{wake};
      return true;
    });
    const Verdict verdict = verify(*changed);
    REQUIRE(verdict.divergence);
    CHECK(verdict.divergence->at == *where);
    CHECK_THAT(verdict.divergence->detail, has_substring("does not fall into the machine's wait"));
  }
}

TEST_CASE("verify: another ending is a difference", "[verify]") {
  const Recorded recorded = record_guest("echo", 1, 9);
  auto ended = altered(*recorded.history, [](Event&) { return true; });
  ended->finish(Outcome{Outcome::Kind::kPoweredOff, 3, "fail"});
  CHECK(verify(*ended).divergence);
  ended->finish(Outcome{Outcome::Kind::kStopped, 0, {}});
  CHECK(verify(*ended).divergence);
  // A killed recorder said nothing about the end.
  ended->finish(Outcome{});
  CHECK(verify(*ended).identical());
}

TEST_CASE("verify: a component that this machine does not have is named, not trusted", "[verify]") {
  const Recorded recorded = record_guest("hello", 1, 9);
  History history(recorded.history->board());
  for (const Event& event : recorded.history->events()) history.add_event(event);
  HashMark mark = recorded.history->marks().back();
  mark.components.push_back({"flux0", 5});
  history.add_mark(mark);
  const Verdict verdict = verify(history);
  CHECK(verdict.identical());
  CHECK(verdict.unknown == std::vector<std::string>{"flux0"});
}
