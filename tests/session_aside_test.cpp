// Looking through all of history without moving: replay/session_aside, replay/commands_scan, gdbstub/history_scan.
#include "gdbstub/history_scan.hpp"

#include <sstream>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"
#include "replay/position.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

using Hit = std::pair<Position, unsigned>;

/// Where a breakpoint was met; interrupts the session, or ends the walk, at the hit with that number.
class Meetings final : public StopRules {
 public:
  explicit Meetings(Session& session) : session_(session) {}
  [[nodiscard]] bool counts(const HartView&, VirtAddr) const override { return true; }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return true; }
  bool handle(const HartView&, VirtAddr) override {
    hits.push_back({session_.position(), session_.machine().current_hart()});
    if (hits.size() == interrupt_at) session_.interrupt();
    return hits.size() != end_at;
  }
  [[nodiscard]] StopRequest at(std::vector<u64> addresses) {
    StopRequest request;
    for (const u64 address : addresses) request.breakpoints.push_back(VirtAddr{address});
    request.rules = this;
    return request;
  }

  std::vector<Hit> hits;
  std::size_t interrupt_at = 0, end_at = 0;

 private:
  Session& session_;
};

/// The same by going there.
std::vector<Hit> hits_by_running(Session& session, std::vector<u64> addresses) {
  StopRequest request;
  for (const u64 address : addresses) request.breakpoints.push_back(VirtAddr{address});
  std::vector<Hit> hits;
  session.seek(Position{0});
  while (session.position() < session.end()) {
    session.set_stops(request);
    const Stop stop = session.resume(Direction::kForward);
    if (stop.reason != StopReason::kBreakpoint) break;
    hits.push_back({stop.at, stop.hart});
    session.set_stops({});
    session.run_to(Position{stop.at.steps + 1});
  }
  session.set_stops({});
  return hits;
}

std::unique_ptr<Session> replay(const std::string& guest, unsigned harts, OutputSink& screen,
                                SnapshotPolicy policy = SnapshotPolicy::kAuto,
                                EngineKind engine = EngineKind::kFast) {
  SnapshotOptions options;
  options.policy = policy;
  options.distance_steps = 500;
  return Session::replay(record_guest(guest, harts, 5).history, engine, screen, options);
}

std::unique_ptr<Session> live(const std::string& guest, OutputSink& screen, Recording recording = Recording::kOn) {
  LiveSetup setup;
  setup.board = guest_board(guest, 1);
  setup.inputs.clock = ClockMode::kVirtual;
  setup.recording = recording;
  return Session::live(std::move(setup), screen);
}

/// The prompt's word in a session.
struct Prompt {
  explicit Prompt(Session& session) : context{session, places} {
    context.symbol = [](std::string_view name) { return std::optional(symbol("echo", std::string(name))); };
    context.scan = [&session](const ScanOrder& order, std::ostream& out) {
      scan_history(search_by(session), order, out);
    };
  }
  std::string run(const std::string& line) {
    std::ostringstream out;
    run_command(context, line, out);
    return out.str();
  }
  std::string refusal(const std::string& line) {
    try {
      run(line);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }
  Places places;
  CommandContext context;
};

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("session_aside: a scan finds what going there finds, from anywhere, and nothing else changes",
          "[session_aside]") {
  struct Case {
    const char* guest;
    unsigned harts;
    std::vector<const char*> symbols;
  };
  for (const Case& which : {Case{"echo", 1, {"work_next", "handler"}}, Case{"two_harts", 3, {"loop", "no_wait"}}}) {
    std::vector<u64> addresses;
    for (const char* name : which.symbols) addresses.push_back(symbol(which.guest, name));
    for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
      Screen shown;
      const auto truth = replay(which.guest, which.harts, shown, SnapshotPolicy::kAuto, engine);
      const std::vector<Hit> expected = hits_by_running(*truth, addresses);
      REQUIRE(expected.size() > 20);
      for (const SnapshotPolicy policy : {SnapshotPolicy::kAuto, SnapshotPolicy::kNone, SnapshotPolicy::kEvery}) {
        Screen screen;
        const auto session = replay(which.guest, which.harts, screen, policy, engine);
        for (const u64 part : {u64{0}, u64{1}, u64{2}, u64{3}}) {
          session->seek(Position{session->end().steps * part / 3});
          const Position at = session->position();
          const u64 hash = session->hash();
          const std::string said = screen.text;
          Meetings meetings(*session);
          CHECK(session->scan(meetings.at(addresses), Position{0}, session->end()) == session->end());
          CHECK(meetings.hits == expected);
          CHECK(session->position() == at);
          CHECK(session->hash() == hash);
          CHECK(screen.text == said);
        }
        // What was looked at before it was reached is shown when it is.
        CHECK(screen.text == shown.text);
      }
    }
  }
}

TEST_CASE("session_aside: a range has its first step and not its last", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  const u64 address = symbol("echo", "work_next");
  const std::vector<Hit> all = hits_by_running(*session, {address});
  Meetings meetings(*session);
  CHECK(session->scan(meetings.at({address}), all[3].first, all[8].first) == all[8].first);
  CHECK(meetings.hits == std::vector<Hit>(all.begin() + 3, all.begin() + 8));
}

TEST_CASE("session_aside: an interrupt, or the rules, end it early, and the session stays where it was",
          "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  const u64 address = symbol("echo", "work_next");
  session->seek(Position{2000});
  const u64 hash = session->hash();
  Meetings broken(*session), ended(*session), whole(*session);
  broken.interrupt_at = 7;
  const Position reached = session->scan(broken.at({address}), Position{0}, session->end());
  CHECK(broken.hits.size() == 7);
  CHECK(reached >= broken.hits.back().first);
  CHECK(reached < session->end());
  CHECK(session->position() == Position{2000});
  CHECK(session->hash() == hash);
  // The interrupt is gone with what it broke off.
  ended.end_at = 5;
  const Position stopped = session->scan(ended.at({address}), Position{0}, session->end());
  CHECK(ended.hits.size() == 5);
  CHECK(stopped == ended.hits.back().first);
  CHECK(session->scan(whole.at({address}), Position{0}, session->end()) == session->end());
  CHECK(session->run_to(Position{2100}).at == Position{2100});
}

TEST_CASE("session_aside: a live session is looked through up to now, and lives on", "[session_aside]") {
  Screen screen, undisturbed;
  const auto session = live("echo", screen), other = live("echo", undisturbed);
  const u64 address = symbol("echo", "work_next");
  for (const u64 steps : {3000, 6000, 9000}) {
    session->run_to(Position{steps});
    REQUIRE(other->run_to(Position{steps}).at == Position{steps});
    Meetings meetings(*session);
    CHECK(session->scan(meetings.at({address}), Position{0}, session->end()) == Position{steps});
    CHECK(meetings.hits == hits_by_running(*other, {address}));
    CHECK(session->position() == Position{steps});
    CHECK(session->end() == Position{steps});
    other->seek(other->end());
    CHECK(session->hash() == other->hash());
  }
  CHECK(screen.text == undisturbed.text);
}

TEST_CASE("session_aside: a branch is looked through with what lies below it", "[session_aside]") {
  Screen screen;
  const auto session = live("echo", screen);
  const u64 address = symbol("echo", "work_next");
  session->run_to(Position{5000});
  session->seek(Position{1500});
  session->fork("other");
  session->write_register(0, RegisterId{10}, 1);
  session->run_to(Position{4000});
  Meetings meetings(*session);
  CHECK(session->scan(meetings.at({address}), Position{0}, session->end()) == session->end());
  CHECK(meetings.hits == hits_by_running(*session, {address}));
}

TEST_CASE("session_aside: an address counts from when something is mapped there", "[session_aside]") {
  const u64 low = symbol("paged", "high");
  const u64 high = low - 0x80000000 + symbol("paged", "high_base");
  Screen screen;
  NoInputs nothing;
  const auto session =
      Session::replay(record(guest_board("paged"), nothing).history, EngineKind::kFast, screen);
  Meetings at_high(*session), at_low(*session);
  session->scan(at_high.at({high}), Position{0}, session->end());
  session->scan(at_low.at({low}), Position{0}, session->end());
  CHECK(at_high.hits.size() == 8);
  CHECK(at_high.hits == hits_by_running(*session, {high}));
  CHECK(at_low.hits.empty());
}

TEST_CASE("session_aside: without history, in a throw-away copy and beyond the end it is refused", "[session_aside]") {
  Screen screen;
  const auto unrecorded = live("echo", screen, Recording::kOff);
  Meetings meetings(*unrecorded);
  CHECK_THROWS_WITH(unrecorded->scan(meetings.at({}), Position{0}, Position{0}), has_substring("--record off"));
  const auto session = replay("echo", 1, screen);
  const Position beyond{session->end().steps + 1};
  CHECK_THROWS_WITH(session->scan(meetings.at({}), Position{0}, beyond), has_substring("beyond the end"));
  session->set_scratch(Scratch::kOn);
  session->write_register(0, RegisterId{10}, 1);
  CHECK_THROWS_WITH(session->scan(meetings.at({}), Position{0}, session->end()), has_substring("throw-away copy"));
}

TEST_CASE("session_aside: the word prints a line for each hit and counts them", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  Prompt prompt(*session);
  session->seek(Position{1000});
  const std::vector<Hit> all = [&] {
    Screen dark;
    return hits_by_running(*replay("echo", 1, dark), {symbol("echo", "work_next")});
  }();
  const std::string text = prompt.run("scan work_next");
  CHECK(count_lines(text) == all.size() + 1);
  CHECK(text.starts_with("step " + group_digits(all[0].first.steps) + "  hart 0  work_next\n"));
  CHECK(text.ends_with(std::to_string(all.size()) + " hits in steps 0 to " + group_digits(session->end().steps) +
                       "\n"));
  const std::string range = std::to_string(all[2].first.steps) + "-" + std::to_string(all[3].first.steps);
  CHECK_THAT(prompt.run("scan " + range + " work_next"), has_substring("\n1 hit in steps "));
  CHECK_THAT(prompt.run("scan -10--5 work_next"), has_substring(" in steps 990 to 995\n"));
  CHECK_THAT(prompt.run("scan begin-+0 work_next handler"), has_substring("  handler\n"));
  CHECK(prompt.run("scan work_next+4-4").ends_with(" " + group_digits(session->end().steps) + "\n"));
  CHECK(session->position() == Position{1000});
}

TEST_CASE("session_aside: conditions and commands are gdb's", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  Prompt prompt(*session);
  // a0 counts down from 40 in each round; printed is "a0=%d" of it.
  const std::string is_forty = ";X7,26000a22281327";
  const std::string print = "26000a" "22002200" "34" "01" "0006" + hex_bytes(std::string_view("a0=%d", 6)) + "27";
  const std::string commands = ";cmds:0,X" + hex_number(print.size() / 2) + "," + print;
  const std::size_t rounds = count_lines(prompt.run("scan work")) - 1;
  const std::string text = prompt.run("scan work_next" + is_forty + commands);
  CHECK(count_lines(text) == rounds + 1);
  CHECK_THAT(text, has_substring("  hart 0  a0=40\n"));
  CHECK_THAT(text, !has_substring("a0=39"));
  CHECK_THAT(prompt.run("scan 0-1000 work_next" + commands), has_substring("  hart 0  a0=39\n"));
  // Nobody knows what a fault would have said.
  const std::string fault = ";X6,2201220005" "27";
  CHECK(count_lines(prompt.run("scan work" + fault)) == rounds + 1);
  CHECK_THAT(prompt.refusal("scan work;X3,26"), has_substring("agent expression"));
  CHECK_THAT(prompt.refusal("scan work;cmds:X1,27"), has_substring("cmds:persist"));
}

TEST_CASE("session_aside: what the word cannot mean is refused", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  Prompt prompt(*session);
  CHECK_THAT(prompt.refusal("scan"), has_substring("usage: scan"));
  CHECK_THAT(prompt.refusal("scan 0-100"), has_substring("usage: scan"));
  CHECK_THAT(prompt.refusal("scan 100-50 work"), has_substring("ends before it begins"));
  CHECK_THAT(prompt.refusal("scan 0-999,999,999 work"), has_substring("ends at step"));
  prompt.context.scan = {};
  CHECK_THAT(prompt.refusal("scan work"), has_substring("not in this session"));
}

TEST_CASE("session_aside: log prints what printf would have said there", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  Prompt prompt(*session);
  const std::string plain = prompt.run("scan work_next");
  const std::size_t rounds = count_lines(plain) - 1;
  REQUIRE(rounds > 10);
  CHECK(prompt.run("log work_next:") == plain);
  const std::string said = prompt.run("log work_next: \"a0=%ld; \\\"%lx\\\"\\n\", a0, (pc - work_next)");
  CHECK(count_lines(said) == rounds + 1);
  CHECK_THAT(said, has_substring("  hart 0  a0=39; \"0\"\n"));
  // Several places, each with what it wants.
  const std::string both = prompt.run("log work_next if a0 == 39: \"39\"; work: \"w %d\", *(u16*)pc & 0; work_next:");
  const std::size_t calls = count_lines(prompt.run("scan work")) - 1;
  const std::size_t at_39 = count_lines(prompt.run("log work_next if a0 == 39: \"x\"")) - 1;
  CHECK(at_39 > 0);
  CHECK(count_lines(both) == rounds + calls + at_39 + 1);
  CHECK_THAT(both, has_substring("  39\n"));
  CHECK_THAT(both, has_substring("  w 0\n"));
  CHECK_THAT(prompt.run("log 0-1000 work_next: \"x\""), has_substring(" in steps 0 to 1,000\n"));
  const std::string json = prompt.run("log --json 0-1000 work_next: \"<%ld>\", a0");
  CHECK_THAT(json, has_substring("\"hart\": 0, \"pc\": \"0x"));
  CHECK_THAT(json, has_substring("\"place\": \"work_next\", \"text\": \"<39>\"}\n"));
  CHECK(json.find(" in steps ") == std::string::npos);
}

TEST_CASE("session_aside: log says what is wrong", "[session_aside]") {
  Screen screen;
  const auto session = replay("echo", 1, screen);
  Prompt prompt(*session);
  CHECK_THAT(prompt.refusal("log"), has_substring("usage: log"));
  CHECK_THAT(prompt.refusal("log work"), has_substring("'work' is no LOCATION"));
  CHECK_THAT(prompt.refusal("log work: a0"), has_substring("a \"FORMAT\" is in quotes: a0"));
  CHECK_THAT(prompt.refusal("log work: \"%ld\""), has_substring("another number of conversions"));
  CHECK_THAT(prompt.refusal("log work: \"%ld\", a0 +"), has_substring("'a0 +': something is missing"));
  CHECK_THAT(prompt.refusal("log main.c:12: \"\""), has_substring("info line main.c:12"));
  CHECK_THAT(prompt.refusal("log 100-50 work:"), has_substring("ends before it begins"));
  prompt.context.scan = {};
  CHECK_THAT(prompt.refusal("log work:"), has_substring("not in this session"));
}
