#include "replay/trace_writer.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "replay/frame_builder.hpp"
#include "replay/recorder.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

Event key_at(u64 steps) { return {{steps}, {{{3, ConsoleBytes{{'k'}}}}, {}}}; }

u64 size_of(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? static_cast<u64>(facts.st_size) : 0;
}

std::vector<u8> bytes_of(BoardConfig board) {
  std::vector<u8> bytes;
  StateWriter out(bytes);
  out(board);
  return bytes;
}

void wait_until_larger(const std::string& path, u64 size_bytes) {
  while (size_of(path) <= size_bytes) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

/// No file of this process may grow beyond a size while this lives; the file system is then as good as full.
class FullDisk {
 public:
  explicit FullDisk(u64 size_bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{size_bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("trace_writer: random histories are read as they were told", "[trace_writer]") {
  for (u64 seed = 1; seed <= 20; ++seed) {
    const TemporaryFolder folder;
    ToldLines told;
    History history(sample_board());
    {
      TraceWriter writer(folder.file("x.rvt"), sample_board());
      Dice dice(seed);
      history.set_listener(&writer);
      add_random_things(history, dice, 300);
    }
    History again(sample_board());
    again.set_listener(&told);
    Dice dice(seed);
    add_random_things(again, dice, 300);

    const TraceReader trace(folder.file("x.rvt"));
    ToldLines read;
    trace.visit(read);
    CHECK(read.things() == told.things());
    CHECK(trace.end() == history.end());
    CHECK(trace.complete());
    CHECK(trace.note().empty());
    const auto replayed = trace.read_history();
    CHECK(replayed->end() == history.end());
    CHECK(replayed->events().size() == history.events().size());
    CHECK(replayed->marks().size() == history.marks().size());
    CHECK(replayed->block_count() == history.block_count());
    CHECK(replayed->outcome().status == 3);
    CHECK(replayed->outcome().why == "the guest powered off");
  }
}

TEST_CASE("trace_writer: the description of the machine comes back whole", "[trace_writer]") {
  const TemporaryFolder folder;
  BoardConfig board = sample_board();
  board.machine.ram_bytes = u64{8} << 20;
  board.machine.initial_memory.push_back({PhysAddr{0x80100000}, Dice(3).bytes((u64{2} << 20) + 5)});
  board.machine.initial_memory.push_back({PhysAddr{0x80700000}, {}});
  { const TraceWriter writer(folder.file("x.rvt"), board); }
  const TraceReader trace(folder.file("x.rvt"));
  CHECK(bytes_of(trace.read_board()) == bytes_of(board));
  CHECK(trace.layout().contents.size() == 5);  // The first and the third are one.
  CHECK(trace.totals()[static_cast<std::size_t>(FrameKind::kBlob)].frames == 6);
  CHECK_FALSE(trace.complete());
  CHECK_THAT(trace.note(), has_substring("not ended by its recorder"));
}

TEST_CASE("trace_writer: a trace is never overwritten and readable by its owner alone", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  { const TraceWriter writer(path, sample_board()); }
  const std::vector<u8> before = read_file(path);
  try {
    const TraceWriter writer(path, sample_board());
    FAIL("overwritten");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kCannotCreate);
    CHECK_THAT(error.what(), has_substring("trace " + path + ": File exists"));
  }
  CHECK(read_file(path) == before);
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("trace_writer: a folder that is not there cannot hold a trace", "[trace_writer]") {
  const TemporaryFolder folder;
  try {
    const TraceWriter writer(folder.file("no/x.rvt"), sample_board());
    FAIL("created");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kCannotCreate);
    CHECK_THAT(error.what(), has_substring("No such file or directory"));
  }
}

TEST_CASE("trace_writer: what was told reaches the file while the session waits", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  TraceWriter writer(path, sample_board());
  u64 size_bytes = size_of(path);
  writer.on_event(key_at(5));
  wait_until_larger(path, size_bytes);
  CHECK(TraceReader(path).end() == Position{5});
  size_bytes = size_of(path);
  writer.on_progress({1000});
  wait_until_larger(path, size_bytes);
  CHECK(size_of(path) == size_bytes + kFrameHeaderBytes + kFrameCheckBytes);
  CHECK(TraceReader(path).end() == Position{1000});
}

TEST_CASE("trace_writer: nothing is written while nothing happens", "[trace_writer]") {
  const TemporaryFolder folder;
  TraceWriter writer(folder.file("x.rvt"), sample_board());
  writer.on_progress({7});
  writer.flush();
  const u64 size_bytes = writer.written_bytes();
  for (int i = 0; i < 10; ++i) {
    writer.on_progress({7});
    writer.flush();
  }
  CHECK(writer.written_bytes() == size_bytes);
  CHECK(size_of(writer.path()) == size_bytes);
}

TEST_CASE("trace_writer: a recorder that is killed leaves a trace up to its last flush", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    TraceWriter writer(path, sample_board());
    writer.on_event(key_at(5));
    writer.on_block({6}, {0, 1, page_of(9)});
    writer.on_progress({1000});
    writer.flush();
    writer.on_event(key_at(2000));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  const TraceReader trace(path);
  CHECK(trace.end() == Position{1000});
  CHECK_FALSE(trace.complete());
  const auto history = trace.read_history();
  CHECK(history->events().size() == 1);
  CHECK(*history->block(0, 1) == *page_of(9));
  CHECK(history->outcome().kind == Outcome::Kind::kUnknown);
}

TEST_CASE("trace_writer: half a second before a kill is kept to nine tenths", "[trace_writer]") {
  // What is lost is what was not told, and what was told and not yet written.
  constexpr u64 kLostNs = Recorder::kTellEveryNs + u64{TraceWriter::kFlushMilliseconds} * 1'000'000;
  CHECK(kLostNs * 10 <= 500'000'000);
}

TEST_CASE("trace_writer: on a full disk it stops, says so once and leaves what replays", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  TraceWriter writer(path, sample_board());
  writer.on_event(key_at(5));
  writer.on_progress({100});
  writer.flush();
  const u64 size_bytes = size_of(path);
  CHECK_FALSE(writer.failed());
  {
    const FullDisk full(size_bytes + 10);
    writer.on_event(key_at(200));
    writer.flush();
    CHECK(writer.failed());
  }
  const std::optional<Error> error = writer.take_error();
  REQUIRE(error);
  CHECK(error->exit_code() == Exit::kIo);
  CHECK(std::string(error->what()) ==
        "trace " + path + ": File too large: recording stopped at position 100; the trace replays up to there");
  CHECK_FALSE(writer.take_error());
  // There would be room again, but what comes now would have a hole before it.
  writer.on_event(key_at(300));
  writer.on_finish({400}, {});
  writer.flush();
  CHECK_FALSE(writer.take_error());
  CHECK(size_of(path) == size_bytes);
  const TraceReader trace(path);
  CHECK(trace.end() == Position{100});
  CHECK(trace.torn_bytes() == 0);
}

TEST_CASE("trace_writer: what stopped it stands in the trace if there is room", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  TraceWriter writer(path, sample_board());
  writer.on_event(key_at(5));
  writer.on_progress({100});
  writer.flush();
  {
    const FullDisk full(size_of(path) + 1000);
    writer.on_event({{200}, {{{3, ConsoleBytes{Dice(1).bytes(5000)}}}, {}}});
    writer.flush();
    CHECK(writer.failed());
  }
  writer.on_event(key_at(300));
  writer.on_finish({400}, {});
  const TraceReader trace(path);
  CHECK(trace.complete());
  CHECK(trace.end() == Position{100});
  CHECK(trace.note() == "trace " + path + " was given up by its recorder (File too large); it ends at position 100");
  const auto history = trace.read_history();
  CHECK(history->events().size() == 1);
  CHECK(history->outcome().kind == Outcome::Kind::kUnknown);
  CHECK_THAT(history->outcome().why, has_substring("File too large"));
}

TEST_CASE("trace_writer: a trace that cannot even begin is removed", "[trace_writer]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  {
    const FullDisk full(50);
    try {
      const TraceWriter writer(path, sample_board());
      FAIL("written");
    } catch (const Error& error) {
      CHECK(error.exit_code() == Exit::kIo);
      CHECK_THAT(error.what(), has_substring(path));
    }
  }
  CHECK(size_of(path) == 0);
  const TraceWriter writer(path, sample_board());
}

TEST_CASE("trace_writer: what no trace can hold stops the recording before it", "[trace_writer]") {
  const TemporaryFolder folder;
  TraceWriter writer(folder.file("x.rvt"), sample_board());
  writer.on_event(key_at(5));
  writer.on_event({{6}, {{{3, ConsoleBytes{std::vector<u8>(kMaxPayloadBytes)}}}, {}}});
  CHECK(writer.failed());
  const std::optional<Error> error = writer.take_error();
  REQUIRE(error);
  CHECK_THAT(error->what(), has_substring("a trace cannot hold an input of"));
  CHECK_THAT(error->what(), has_substring("recording stopped at position 5"));
  CHECK(TraceReader(writer.path()).end() == Position{5});
}

TEST_CASE("trace_writer: the largest input goes in, in any company", "[trace_writer]") {
  const TemporaryFolder folder;
  TraceWriter writer(folder.file("x.rvt"), sample_board());
  Dice dice(1);
  const std::vector<u8> large = dice.bytes(u64{1} << 20);
  for (u64 at = 0; at < 5; ++at) {
    writer.on_event({{at * 2}, {{{3, ConsoleBytes{dice.bytes(250'000)}}}, {}}});
    writer.on_event({{at * 2 + 1}, {{{3, ConsoleBytes{large}}}, {}}});
  }
  writer.on_finish({100}, {});
  CHECK_FALSE(writer.take_error());
  const auto history = TraceReader(writer.path()).read_history();
  REQUIRE(history->events().size() == 10);
  CHECK(std::get<ConsoleBytes>(history->events()[9].batch.inputs[0].what).bytes == large);
}

TEST_CASE("frame_builder: things keep their order and neighbours of a kind share a frame", "[trace_writer]") {
  FrameBuilder frames;
  frames.start_at(1000);
  CHECK_FALSE(frames.pending());
  frames.add_event(key_at(1));
  frames.add_event(key_at(2));
  frames.add_block({1}, {0, 3, page_of(1)});  // Too low a position is raised to the last one told.
  frames.add_block({5}, {0, 4, page_of(2)});
  frames.add_mark({{6}, {{"ram", 1}}, 0, 0});
  frames.add_mark({{7}, {{"ram", 2}}, 0, 0});
  frames.add_progress({9});
  CHECK(frames.reached() == Position{9});
  const std::vector<u8> bytes = frames.take();
  CHECK_FALSE(frames.pending());
  std::vector<std::pair<FrameKind, u64>> found;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::span<const u8, kFrameHeaderBytes> header(bytes.data() + at, kFrameHeaderBytes);
    const std::optional<FrameInfo> frame = parse_frame_header(header, 1000 + at);
    REQUIRE(frame);
    const std::size_t size_bytes = kFrameHeaderBytes + frame->stored_bytes + kFrameCheckBytes;
    CHECK(frame_intact({bytes.data() + at, size_bytes}, 1000 + at));
    found.emplace_back(frame->kind, frame->at.steps);
    at += size_bytes;
  }
  const std::vector<std::pair<FrameKind, u64>> expected = {{FrameKind::kEvents, 1},
                                                           {FrameKind::kBlocks, 2},
                                                           {FrameKind::kComponents, 6},
                                                           {FrameKind::kMarks, 6},
                                                           {FrameKind::kProgress, 9}};
  CHECK(found == expected);
}

TEST_CASE("frame_builder: blocks are compressed if most of them are plain", "[trace_writer]") {
  const auto varied = [](u8 first) {
    auto page = std::make_shared<PageBytes>();
    for (std::size_t i = 0; i < page->size(); ++i) (*page)[i] = static_cast<u8>(first + i / 64);
    return page;
  };
  const auto size_of = [](std::vector<std::shared_ptr<const PageBytes>> pages) {
    FrameBuilder frames;
    for (u64 i = 0; i < pages.size(); ++i) frames.add_block({1}, {0, i, pages[i]});
    return frames.take().size();
  };
  CHECK(size_of({varied(1), varied(2), page_of(0)}) > 3 * kBlockBytes);
  CHECK(size_of({varied(1), page_of(0), page_of(7)}) < kBlockBytes);
  // Each frame by itself: what came before counts no more.
  FrameBuilder frames;
  for (u64 i = 0; i < 3; ++i) frames.add_block({1}, {0, i, page_of(0)});
  const std::size_t plain = frames.take().size();
  for (u64 i = 3; i < 5; ++i) frames.add_block({2}, {0, i, varied(1)});
  CHECK(plain < kBlockBytes);
  CHECK(frames.take().size() > 2 * kBlockBytes);
}
