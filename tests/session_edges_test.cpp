// What random walks (tests/random_walk_test.cpp) found at the edges of histories and of watched ranges:
// replay/session*, replay/watched_access.
#include <unistd.h>

#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/live_traces.hpp"
#include "tests/support/oracle.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::unique_ptr<Session> live(OutputSink& screen, HistoryListener* listener = nullptr) {
  LiveSetup setup;
  setup.board = guest_board("echo");
  setup.inputs.clock = ClockMode::kVirtual;
  setup.listener = listener;
  setup.snapshots.policy = SnapshotPolicy::kNone;
  if (listener != nullptr) setup.key_frames = {KeyFramePolicy::kEvery, 400};
  return Session::live(std::move(setup), screen);
}

}  // namespace

TEST_CASE("session_edges: the way back from a hart's first stop meets another's breakpoint", "[session_edges]") {
  RandomWorld world(2, 8, 200);
  Recorded recorded = record(guest_board("two_harts", 2), world);
  const Walked truth = walk(*recorded.history, PhysAddr{symbol("two_harts", "counter")});
  Screen screen;
  const auto session = Session::replay(std::move(recorded.history), EngineKind::kFast, screen);
  const Position first = truth.stops(1).front();
  REQUIRE(first.steps > 10);
  const Position before{first.steps - 5};
  session->set_stops({{VirtAddr{truth.at[before.steps].harts[0].pc}}, {}});
  session->seek(first);
  const Stop stop = session->step(1, Direction::kBackward);
  CHECK(stop.reason == StopReason::kBreakpoint);
  CHECK(stop.hart == 0);
  CHECK(stop.at > Position{0});
  session->set_stops({});
  CHECK(session->step(1, Direction::kBackward).reason == StopReason::kHistoryBegin);
}

TEST_CASE("session_edges: the beginning stops the hart that makes the first step", "[session_edges]") {
  RandomWorld world(2, 8, 200);
  Screen screen;
  const auto session = Session::replay(record(guest_board("two_harts", 2), world).history, EngineKind::kFast, screen);
  const unsigned first = session->machine().current_hart();
  session->seek(Position{100});
  while (session->machine().current_hart() == first) session->seek(Position{session->position().steps + 1});
  const Stop stop = session->resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kHistoryBegin);
  CHECK(stop.hart == first);
}

TEST_CASE("session_edges: of several ranges one that begins inside the access counts as well", "[session_edges]") {
  RandomWorld world(2, 8, 200);
  Screen screen;
  const auto session = Session::replay(record(guest_board("echo"), world).history, EngineKind::kFast, screen);
  // Stored to again and again, four bytes at once, and never changed.
  const u64 flags = symbol("echo", "flags");
  session->set_stops({{}, {WatchRange{VirtAddr{flags}, 1}, WatchRange{VirtAddr{flags + 2}, 1, WatchKind::kAccess}}});
  session->seek(session->end());
  const Stop stop = session->resume(Direction::kBackward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  CHECK(stop.watch_kind == WatchKind::kAccess);
  CHECK(stop.watched == VirtAddr{flags + 2});
  session->seek(Position{0});
  CHECK(session->resume(Direction::kForward).watched == VirtAddr{flags + 2});
}

TEST_CASE("session_edges: a step that was judged and stays made is history", "[session_edges]") {
  Screen screen;
  const auto session = live(screen);
  session->set_stops({{}, {WatchRange{VirtAddr{symbol("echo", "flags")}, 4}}});
  for (u64 steps = 1; steps < 3000; ++steps) {
    session->run_to(Position{steps});
    REQUIRE(session->end() == session->position());
  }
}

TEST_CASE("session_edges: a device writes in the step of a store that changes nothing", "[session_edges]") {
  const TemporaryFolder folder;
  write_image(folder.file("disk"), 16 * 512);
  const auto begin = [&](Screen& screen) {
    LiveSetup setup = setup_of(board_with_disk("disk", 16 * 512), {folder.file("disk")}, nullptr, 1u << 20);
    return Session::live(std::move(setup), screen);
  };
  // Where the device writes to the buffer first.
  const WatchRange buffer{VirtAddr{symbol("disk", "buffer") + 100}, 4};
  Screen first_screen;
  const auto first = begin(first_screen);
  StopRequest stops;
  stops.watches = {buffer};
  stops.device_writes = true;
  first->set_stops(stops);
  REQUIRE(first->resume(Direction::kForward).reason == StopReason::kWatchpoint);
  const Position behind = first->position();

  // A store of zero to `address` in that step. Each of two writes by hand is a step.
  const auto with_store = [&](Screen& screen, u64 address) {
    auto session = begin(screen);
    session->run_to(Position{behind.steps - 3});
    const std::array<u8, 4> store = {0x23, 0x20, 0x05, 0x00};  // sw zero, 0(a0)
    const u64 pc = *session->machine().read_register(0, kRegisterPc);
    session->write_memory(0, AddressSpace::kPhysical, pc, store);
    session->write_register(0, integer_register(10), address);
    stops.watches = {WatchRange{VirtAddr{address}, 4}, buffer};
    stops.breakpoints = {VirtAddr{pc + 4}};  // Is looked at behind the write.
    session->set_stops(stops);
    return session;
  };
  Screen screen;
  const u64 zeros = symbol("disk", "sum");  // Until the transfer has ended.
  const auto session = with_store(screen, zeros);
  const Stop stop = session->resume(Direction::kForward);
  CHECK(stop.reason == StopReason::kWatchpoint);
  CHECK(stop.watched == buffer.address);
  CHECK(session->position() == behind);

  // Backwards, and the store goes to a device, where nobody can look behind it.
  constexpr u64 kQueueNotify = 0x1000'1050;
  const auto to_device = with_store(screen, kQueueNotify);
  stops.watches = {buffer, WatchRange{VirtAddr{kQueueNotify}, 4}};
  stops.breakpoints.clear();
  to_device->set_stops({});
  to_device->run_to(Position{behind.steps + 5});
  to_device->set_stops(stops);
  CHECK(to_device->resume(Direction::kBackward).watched == buffer.address);
  CHECK(to_device->position() == behind);
}

TEST_CASE("session_edges: an instruction that a reset comes before is not executed", "[session_edges]") {
  Screen screen;
  const auto session = live(screen);
  session->run_to(Position{1000});
  const VirtAddr pc = session->machine().hart_summary(0).pc;
  u64 times = 0;
  while (session->execution(pc, times + 1)) ++times;
  REQUIRE(session->execution(pc, times) == Position{1000});
  session->reset_machine();
  CHECK_FALSE(session->execution(pc, times));
}

TEST_CASE("session_edges: a wait that a reset ended began with a stop", "[session_edges]") {
  Screen screen;
  const auto session = live(screen);
  // The guest sleeps between what it does.
  Stop stop = session->step(0, Direction::kForward);
  while (!begins_to_wait(session->machine(), 0)) stop = session->step(0, Direction::kForward);
  const Position waits = stop.at;
  session->reset_machine();
  stop = session->run_to(Position{waits.steps + 10});
  while (stop.at > Position{waits.steps + 2}) stop = session->step(0, Direction::kBackward);
  CHECK(session->step(0, Direction::kBackward).at == waits);
}

TEST_CASE("session_edges: key frames of a run without snapshots say what was touched", "[session_edges]") {
  const TemporaryFolder folder;
  Screen screen;
  {
    TraceWriter writer(folder.file("x.rvt"), guest_board("echo"), sample_identity());
    const auto session = live(screen, &writer);
    session->run_to(Position{3000});
    session->finish(Outcome::Kind::kStopped);
    writer.flush();
  }
  const TraceReader trace(folder.file("x.rvt"));
  const Verdict verdict = verify(*trace.read_branches().front().history);
  CHECK(verdict.identical());
  CHECK(verdict.key_frames > 2);
}
