#include "replay/disks.hpp"

#include <unistd.h>

#include <cstdio>

#include "replay/session.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A file with the bytes i * 7 + i / 4096.
struct ImageFile {
  explicit ImageFile(std::size_t size_bytes) {
    std::array<char, 32> name{"/tmp/retrov-disks-XXXXXX"};
    const int file = mkstemp(name.data());
    REQUIRE(file >= 0);
    path = name.data();
    for (std::size_t i = 0; i < size_bytes; ++i) content.push_back(static_cast<u8>(i * 7 + i / 4096));
    REQUIRE(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    close(file);
  }
  ~ImageFile() { std::remove(path.c_str()); }
  [[nodiscard]] std::vector<u8> now() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void scribble() const { std::ofstream(path, std::ios::binary) << std::string(content.size(), 'x'); }
  std::string path;
  std::vector<u8> content;
};

BoardConfig disk_board(u64 size_bytes, bool keeps_image) {
  BoardConfig board = guest_board("disk");
  DiskConfig disk;
  disk.size_bytes = size_bytes;
  disk.keeps_image = keeps_image;
  disk.id = "x0";
  board.disks.push_back(disk);
  return board;
}

std::unique_ptr<Session> start(const ImageFile& image, Screen& screen, Recording recording = Recording::kOn,
                               bool keeps_image = true) {
  LiveSetup setup;
  setup.board = disk_board(image.content.size(), keeps_image);
  setup.disk_images = {image.path};
  setup.inputs.clock = ClockMode::kVirtual;
  setup.recording = recording;
  return Session::live(std::move(setup), screen);
}

std::ptrdiff_t holes_said(const Screen& screen) {
  return std::count_if(screen.notices.begin(), screen.notices.end(), [](const std::string& notice) {
    return notice.find("is not in the recording") != std::string::npos;
  });
}

bool says_unread(const std::string& notice) { return notice.find("cannot be read") != std::string::npos; }

/// Where the first block was read; and what a host that fails just there does.
class FirstBlock final : public HistoryListener {
 public:
  void on_event(const Event&) override {}
  void on_block(Position before, const CapturedBlock&) override {
    if (std::exchange(fails, false)) throw Error(Exit::kIo, "the host fails");
    if (!at) at = before;
  }
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint&) override {}
  void on_finish(Position, const Outcome&) override {}
  std::optional<Position> at;
  bool fails = false;
};

/// The moment at which a block is read depends on `base_ticks`.
std::unique_ptr<Session> start_listened(const ImageFile& image, Screen& screen, u64 base_ticks, FirstBlock& listener) {
  LiveSetup setup;
  setup.board = disk_board(image.content.size(), true);
  setup.board.machine.steps_per_tick = 101;
  setup.board.disk_latency.base_ticks = base_ticks;
  setup.disk_images = {image.path};
  setup.inputs.clock = ClockMode::kVirtual;
  setup.listener = &listener;
  return Session::live(std::move(setup), screen);
}

}  // namespace

TEST_CASE("disks: a step that fails while it is tried leaves the session before it", "[disks]") {
  const ImageFile image(16 * 512);
  // The driver waits in a loop that loads this word, and the block is read in whatever step is due.
  const StopRequest watch{{}, {WatchRange{VirtAddr{symbol("disk", "queue") + 4096 + 2}, 2, WatchKind::kRead}}};
  unsigned tried = 0;
  for (u64 base_ticks = 50; base_ticks < 54; ++base_ticks) {
    Screen other, screen;
    FirstBlock where, failing;
    const auto twin = start_listened(image, other, base_ticks, where);
    REQUIRE(twin->resume(Direction::kForward).reason == StopReason::kPoweredOff);
    REQUIRE(where.at);
    twin->set_stops(watch);
    twin->seek(*where.at);
    const u64 hash = twin->hash();
    const Stop stop = twin->resume(Direction::kForward);
    if (stop.reason != StopReason::kWatchpoint || stop.at != *where.at) continue;
    ++tried;
    const auto session = start_listened(image, screen, base_ticks, failing);
    REQUIRE(session->run_to(*where.at).reason == StopReason::kStep);
    REQUIRE(session->hash() == hash);
    session->set_stops(watch);
    failing.fails = true;
    CHECK_THROWS_WITH(session->resume(Direction::kForward), "the host fails");
    CHECK(session->position() == *where.at);
    CHECK(session->hash() == hash);
    CHECK(session->resume(Direction::kForward).at == *where.at);
    session->set_stops({});
    REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
    twin->seek(twin->end());
    CHECK(session->hash() == twin->hash());
    CHECK(verify(session->history()).identical());
  }
  CHECK(tried != 0);
}

TEST_CASE("disks: a block is captured once, and the image is not asked again", "[disks]") {
  const ImageFile image(10'000);
  History history(disk_board(10'240, true));
  DiskImage file(image.path, DiskImage::Access::kRead);
  LiveDisk disk(&file, 0, &history);
  disk.set_position([] { return Position{5}; });
  PageBytes bytes;
  CHECK(disk.read_block(1, bytes));
  CHECK(std::equal(bytes.begin(), bytes.end(), image.content.begin() + 4096));
  CHECK(history.block_count() == 1);
  image.scribble();
  PageBytes again;
  CHECK(disk.read_block(1, again));
  CHECK(again == bytes);
  // The tail is filled with zeros.
  CHECK(disk.read_block(2, bytes));
  CHECK(bytes[10'000 - 8192 - 1] == 'x');
  CHECK(bytes[10'000 - 8192] == 0);

  ReplayDisk replayed(history, 0);
  CHECK(replayed.read_block(1, again));
  CHECK(again[0] == image.content[4096]);
  CHECK_THROWS_WITH(replayed.read_block(0, again), has_substring("block 0 of disk 0"));
  CHECK_THROWS_AS(DiskImage("/nonexistent/image", DiskImage::Access::kRead), Error);
  CHECK_THROWS_AS(DiskImage("/tmp", DiskImage::Access::kRead), Error);
}

TEST_CASE("disks: a recorded disk replays after its image has changed", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  const auto session = start(image, screen);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  const Position end = session->end();
  const u64 hash = session->hash();
  session->finish(Outcome::Kind::kStopped);
  CHECK(session->history().block_count() == 2);
  CHECK(image.now() == image.content);
  image.scribble();
  const Verdict verdict = verify(session->history());
  CHECK(verdict.identical());
  CHECK(verdict.hash == hash);
  // The session itself goes back and forth on what it captured.
  session->seek(Position{end.steps / 3});
  session->seek(end);
  CHECK(session->hash() == hash);
}

/// Of a recording that was broken off before the guest read anything.
std::unique_ptr<Session> replay_of_beginning(const ImageFile& image, Screen& screen, Position& from) {
  Screen other;
  const auto session = start(image, other);
  session->set_stops({{VirtAddr{symbol("disk", "main")}}, {}});
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kBreakpoint);
  from = session->position();
  REQUIRE(session->history().block_count() == 0);
  auto history = std::make_unique<History>(session->history().board());
  Filler filler(*history);
  session->history().retell(filler);
  auto replay = Session::replay(std::move(history), EngineKind::kFast, screen);
  replay->seek(from);
  return replay;
}

TEST_CASE("disks: a block that a branch of a recording needs is a hole, or comes from --drive-base", "[disks]") {
  const ImageFile image(16 * 512);
  Screen first;
  const auto whole = start(image, first);
  REQUIRE(whole->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  for (const bool supplied : {false, true}) {
    Screen screen;
    Position from;
    const auto session = replay_of_beginning(image, screen, from);
    ForkWorld world;
    world.inputs.clock = ClockMode::kVirtual;
    if (supplied) world.drive_bases = {image.path};
    std::unique_ptr<History> heard;
    std::unique_ptr<Filler> filler;
    world.listen = [&](const std::string&, const std::optional<TraceStart>& start) {
      heard = std::make_unique<History>(session->history().board(), begin_of(start));
      filler = std::make_unique<Filler>(*heard);
      return filler.get();
    };
    session->allow_forks(std::move(world));
    session->fork("on");
    const Stop stop = session->resume(Direction::kForward);
    const u64 hash = session->hash();
    session->finish(Outcome::Kind::kStopped);
    CHECK(heard->is_hole(0, 0) != supplied);
    CHECK(stop.reason == StopReason::kPoweredOff);
    CHECK((hash == whole->hash()) == supplied);
    CHECK(holes_said(screen) == (supplied ? 0 : 1));
    // What was answered is in the new recording.
    const Verdict verdict = verify(*heard);
    CHECK(verdict.identical());
    CHECK(verdict.hash == hash);
  }
  Screen screen;
  Position from;
  ForkWorld wrong;
  const ImageFile small(512);
  wrong.drive_bases = {small.path};
  CHECK_THROWS_WITH(replay_of_beginning(image, screen, from)->allow_forks(std::move(wrong)),
                    has_substring("is not as large as the recorded disk x0"));
}

TEST_CASE("disks: a throw-away copy keeps no holes, but says that there is one", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  Position from;
  const auto session = replay_of_beginning(image, screen, from);
  const u64 hash = session->hash();
  session->set_scratch(Scratch::kOn);
  session->write_register(0, integer_register(31), 1);
  session->run_to(Position{from.steps + 1'000'000});
  CHECK(holes_said(screen) == 1);
  session->seek(from);
  CHECK(session->hash() == hash);
  CHECK_FALSE(session->history().is_hole(0, 0));
}

TEST_CASE("disks: each branch of a recording holds the blocks it needs, whoever read them first", "[disks]") {
  const ImageFile image(16 * 512);
  for (const bool supplied : {false, true}) {
    Screen screen;
    Position from;
    const auto session = replay_of_beginning(image, screen, from);
    ForkWorld world;
    world.inputs.clock = ClockMode::kVirtual;
    if (supplied) world.drive_bases = {image.path};
    std::map<std::string, std::unique_ptr<History>> heard;
    std::vector<std::unique_ptr<Filler>> fillers;
    world.listen = [&](const std::string& name, const std::optional<TraceStart>& start) {
      heard[name] = std::make_unique<History>(session->history().board(), begin_of(start));
      return fillers.emplace_back(std::make_unique<Filler>(*heard[name])).get();
    };
    session->allow_forks(std::move(world));
    session->fork("one");
    CHECK(session->switch_to("main"));
    session->fork("two");
    std::map<std::string, u64> hashes;
    for (const char* name : {"one", "two"}) {
      CHECK(session->switch_to(name));
      REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
      hashes[name] = session->hash();
    }
    session->finish(Outcome::Kind::kStopped);
    for (const char* name : {"one", "two"}) {
      CHECK(heard[name]->is_hole(0, 0) != supplied);
      const Verdict verdict = verify(*heard[name]);
      CHECK(verdict.identical());
      CHECK(verdict.hash == hashes[name]);
    }
  }
}

TEST_CASE("disks: snapshot=off puts the guest's writes into the image at the live end", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  const auto session = start(image, screen, Recording::kOn, false);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  const u64 hash = session->hash();
  session->commit_disks();
  const std::vector<u8> now = image.now();
  REQUIRE(now.size() == image.content.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool written = i / 512 == 9;
    // The guest adds a counter to sector 15 and writes it to sector 9.
    const u8 expected = written ? static_cast<u8>(image.content[15 * 512 + i % 512] + i % 512) : image.content[i];
    REQUIRE(now[i] == expected);
  }
  CHECK(verify(session->history()).hash == hash);
}

TEST_CASE("disks: what an image that has become shorter lacks is zeros, said once, and replays", "[disks]") {
  for (const Recording recording : {Recording::kOn, Recording::kOff}) {
    const ImageFile whole(16 * 512), cut(16 * 512);
    Screen whole_screen, screen;
    const auto other = start(whole, whole_screen, recording);
    REQUIRE(other->resume(Direction::kForward).reason == StopReason::kPoweredOff);
    CHECK(std::count_if(whole_screen.notices.begin(), whole_screen.notices.end(), says_unread) == 0);
    const auto session = start(cut, screen, recording);
    REQUIRE(truncate(cut.path.c_str(), 1000) == 0);
    REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
    REQUIRE(std::count_if(screen.notices.begin(), screen.notices.end(), says_unread) == 1);
    const std::string said = *std::find_if(screen.notices.begin(), screen.notices.end(), says_unread);
    CHECK_THAT(said, has_substring("disk x0: the image " + cut.path));
    CHECK_THAT(said, has_substring("from offset 1000 on: it has become shorter"));
    CHECK(session->hash() != other->hash());
    if (recording == Recording::kOff) continue;
    const u64 hash = session->hash();
    session->finish(Outcome::Kind::kStopped);
    const Verdict verdict = verify(session->history());
    CHECK(verdict.identical());
    CHECK(verdict.hash == hash);
    session->seek(Position{0});
    session->seek(session->end());
    CHECK(session->hash() == hash);
    CHECK(std::count_if(screen.notices.begin(), screen.notices.end(), says_unread) == 1);
  }
}

TEST_CASE("disks: an image that is removed is still read", "[disks]") {
  const ImageFile image(16 * 512);
  Screen kept_screen, screen;
  const auto kept = start(image, kept_screen);
  REQUIRE(kept->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  const auto session = start(image, screen);
  std::remove(image.path.c_str());
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(session->hash() == kept->hash());
  CHECK(std::count_if(screen.notices.begin(), screen.notices.end(), says_unread) == 0);
}

TEST_CASE("disks: snapshot=off loses no write when the image has become shorter", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  const auto session = start(image, screen, Recording::kOn, false);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  REQUIRE(truncate(image.path.c_str(), 512) == 0);
  session->commit_disks();
  const std::vector<u8> now = image.now();
  REQUIRE(now.size() == image.content.size());
  for (std::size_t i = 0; i < 512; ++i) {
    REQUIRE(now[i] == image.content[i]);
    REQUIRE(now[9 * 512 + i] == static_cast<u8>(image.content[15 * 512 + i] + i));
  }
}

TEST_CASE("disks: an image that is gone when it is to be written is named", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  const auto session = start(image, screen, Recording::kOn, false);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  std::remove(image.path.c_str());
  CHECK_THROWS_WITH(session->commit_disks(), has_substring("what the guest wrote is not saved: drive " + image.path));
}

TEST_CASE("disks: an unrecorded run reads its image directly", "[disks]") {
  const ImageFile image(16 * 512);
  Screen recorded_screen, screen;
  const auto recorded = start(image, recorded_screen);
  const auto session = start(image, screen, Recording::kOff);
  REQUIRE(recorded->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  CHECK(session->history().block_count() == 0);
  CHECK(session->hash() == recorded->hash());
}

TEST_CASE("disks: a replay that needs a block nobody captured diverges with its own message", "[disks]") {
  const ImageFile image(16 * 512);
  Screen screen;
  const auto session = start(image, screen);
  REQUIRE(session->resume(Direction::kForward).reason == StopReason::kPoweredOff);
  session->finish(Outcome::Kind::kStopped);
  const History& whole = session->history();
  auto lacking = std::make_unique<History>(whole.board());
  for (const Event& event : whole.events()) lacking->add_event(event);
  for (const HashMark& mark : whole.marks()) lacking->add_mark(mark);
  lacking->progress(whole.end());
  const Verdict verdict = verify(*lacking);
  REQUIRE(verdict.divergence);
  CHECK_THAT(verdict.divergence->detail, has_substring("which the recorded guest never read"));
  // A session says the same and stands at a valid position.
  Screen other;
  const auto replay = Session::replay(std::move(lacking), EngineKind::kFast, other);
  CHECK_THROWS_WITH(replay->seek(replay->end()), has_substring("block 0 of disk 0"));
  const Position stands = replay->position();
  const u64 hash = replay->hash();
  replay->seek(Position{0});
  replay->seek(stands);
  CHECK(replay->hash() == hash);
}
