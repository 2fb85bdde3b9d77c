#include "tests/support/walk_session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/support/many_harts.hpp"
#include "tests/support/truth.hpp"

namespace retrov::test {

namespace {
constexpr const char* kGuest = "wander";
/// After that the live inputs ask the console again, whatever the machine does.
constexpr std::chrono::microseconds kAskedAgain{1100};
}  // namespace

WalkSetup walk_setup(u64 seed) {
  Random random(seed * 3 + 1);
  random.below(2);
  WalkSetup setup;
  setup.harts = 1 + static_cast<unsigned>(random.below(4));
  setup.turn_steps = 64 + random.below(400);
  setup.steps_per_tick = 3 + random.below(20);
  static constexpr SnapshotPolicy kPolicies[] = {SnapshotPolicy::kAuto, SnapshotPolicy::kNone, SnapshotPolicy::kEvery,
                                                 SnapshotPolicy::kRandom};
  setup.snapshots.policy = kPolicies[random.below(4)];
  static constexpr u64 kDistances[] = {20, 300, 3000, 20'000};
  setup.snapshots.distance_steps = kDistances[random.below(4)];
  setup.snapshots.random_seed = seed | 1;
  if (random.below(2) == 0) setup.snapshots.budget_bytes = random.below(u64{3} << 20);
  setup.from = static_cast<WalkSetup::From>(random.below(4) % 3);
  setup.lived_steps = setup.from == WalkSetup::From::kLive ? random.below(8000) : 3000 + random.below(12'000);
  return setup;
}

std::string WalkSetup::text() const {
  static constexpr const char* kFroms[] = {"live", "a history", "a trace"};
  static constexpr const char* kPolicies[] = {"auto", "none", "every", "random"};
  return std::string(kFroms[static_cast<int>(from)]) + ", " + std::to_string(harts) + " harts, turns of " +
         std::to_string(turn_steps) + ", " + std::to_string(steps_per_tick) + " steps a tick, snapshots " +
         kPolicies[static_cast<int>(snapshots.policy)] + ":" + std::to_string(snapshots.distance_steps) + " in " +
         std::to_string(snapshots.budget_bytes) + " bytes";
}

WalkSession::WalkSession(const WalkSetup& setup) : setup_(setup) {
  if (pipe2(console_.data(), O_CLOEXEC) != 0) throw Error(Exit::kFailure, "no pipe");
  std::vector<u8> disk(kWalkDiskBytes);
  for (u64 i = 0; i < disk.size(); ++i) disk[i] = walk_disk_byte(i);
  write_file(folder_.file("disk.img"), disk);
  session_ = setup.from == WalkSetup::From::kLive ? live(nullptr) : replayed();
  if (setup.from == WalkSetup::From::kLive) session_->run_to(Position{setup.lived_steps + 1});
}

WalkSession::~WalkSession() {
  session_.reset();
  for (const int end : console_) close(end);
}

BoardConfig WalkSession::board() const {
  BoardConfig board = many_harts_board(kGuest, {setup_.harts, setup_.turn_steps});
  board.machine.steps_per_tick = setup_.steps_per_tick;
  DiskConfig disk;
  disk.size_bytes = kWalkDiskBytes;
  disk.id = "walk";
  board.disks.push_back(disk);
  board.disk_latency = {20, 64};
  return board;
}

std::unique_ptr<Session> WalkSession::live(HistoryListener* listener) {
  LiveSetup setup;
  setup.board = board();
  setup.inputs.console_fd = console_[0];
  setup.inputs.clock = ClockMode::kVirtual;
  setup.inputs.rtc_unix_ns = 1'700'000'000'000'000'000;
  setup.disk_images = {folder_.file("disk.img")};
  setup.snapshots = setup_.snapshots;
  setup.listener = listener;
  if (listener != nullptr) setup.key_frames = {KeyFramePolicy::kEvery, 2500};
  return Session::live(std::move(setup), screen_);
}

/// What was lived with a few keys, from a trace or from memory.
std::unique_ptr<Session> WalkSession::replayed() {
  const bool traced = setup_.from == WalkSetup::From::kTrace;
  const std::string path = folder_.file("walk.rvt");
  auto history = std::make_unique<History>(board());
  Filler filler(*history);
  {
    std::unique_ptr<TraceWriter> writer;
    if (traced) writer = std::make_unique<TraceWriter>(path, board(), sample_identity());
    const auto recorded = live(traced ? static_cast<HistoryListener*>(writer.get()) : &filler);
    for (u64 part = 1; part <= 8; ++part) {
      type(std::string(1, static_cast<char>('a' + part)));
      recorded->run_to(Position{setup_.lived_steps * part / 8 + part});
    }
    recorded->finish(Outcome::Kind::kStopped);
  }
  std::vector<RecordedBranch> branches;
  if (traced) {
    trace_ = std::make_unique<TraceReader>(path);
    for (BranchHistory& one : trace_->read_branches()) {
      branches.push_back({one.branch.name, 0, {}, std::move(one.history)});
    }
  } else {
    branches.push_back({"main", 0, {}, std::move(history)});
  }
  auto session = Session::replay(std::move(branches), 0, EngineKind::kFast, screen_, setup_.snapshots);
  ForkWorld world;
  world.inputs.console_fd = console_[0];
  world.inputs.clock = ClockMode::kVirtual;
  world.drive_bases = {folder_.file("disk.img")};
  session->allow_forks(std::move(world));
  return session;
}

void WalkSession::type(const std::string& text) {
  if (write(console_[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw Error(Exit::kFailure, "the pipe takes no more");
  }
  std::this_thread::sleep_for(kAskedAgain);
}

}  // namespace retrov::test
