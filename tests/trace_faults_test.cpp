// A file layer that fails, under replay/trace_writer and replay/trace_file: whatever it does, what is left replays up
// to the position that the writer names, and to what was told before that.
#include "replay/trace_file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "replay/fsck.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

struct Faults {
  u64 room_bytes = ~u64{0};  ///< Then writes fail.
  int write_error = ENOSPC;
  u64 most_at_once = ~u64{0};
  bool interrupts = false;    ///< Every other write is broken off by a signal.
  bool cuts_back = true;
  u64 syncs = ~u64{0};        ///< Then they fail.
};

class FaultyFile final : public TraceFile {
 public:
  FaultyFile(const std::string& path, const Faults& faults) : file_(path), faults_(faults) {}

  i64 write(std::span<const u8> bytes) override {
    if (faults_.interrupts && (calls_++ & 1) == 0) return -EINTR;
    const u64 room = faults_.room_bytes - written_;
    const u64 taken = std::min({u64{bytes.size()}, faults_.most_at_once, room});
    if (taken == 0) return -faults_.write_error;
    const i64 done = file_.write(bytes.first(static_cast<std::size_t>(taken)));
    written_ += static_cast<u64>(done);
    return done;
  }
  [[nodiscard]] i64 read(u64 offset, std::span<u8> out) const override { return file_.read(offset, out); }
  int cut_back(u64 size_bytes) override {
    if (!faults_.cuts_back) return EIO;
    // A broken disk gives no room back.
    if (faults_.write_error == ENOSPC) written_ = size_bytes;
    return file_.cut_back(size_bytes);
  }
  int sync() override { return syncs_++ < faults_.syncs ? file_.sync() : EIO; }
  void discard() override { file_.discard(); }

 private:
  NewTraceFile file_;
  const Faults faults_;
  u64 written_ = 0;
  u64 calls_ = 0;
  u64 syncs_ = 0;
};

/// Tells a writer and a list, and flushes after every few things: each is a write of its own.
class Tee final : public HistoryListener {
 public:
  explicit Tee(TraceWriter& writer) : writer_(writer) {}
  void on_event(const Event& event) override { tell(&HistoryListener::on_event, event); }
  void on_mark(const HashMark& mark) override { tell(&HistoryListener::on_mark, mark); }
  void on_progress(Position now) override { tell(&HistoryListener::on_progress, now); }
  void on_branch(const BranchPoint& branch) override { tell(&HistoryListener::on_branch, branch); }
  void on_block(Position at, const CapturedBlock& block) override { tell(&HistoryListener::on_block, at, block); }
  void on_finish(Position end, const Outcome& how) override { tell(&HistoryListener::on_finish, end, how); }

  ToldLines lines;

 private:
  template <class Function, class... What>
  void tell(Function function, const What&... what) {
    (lines.*function)(what...);
    (static_cast<HistoryListener&>(writer_).*function)(what...);
    if (lines.lines.size() % 5 == 0) writer_.flush();
  }
  TraceWriter& writer_;
};

struct Recording {
  std::optional<std::string> error;
  std::vector<std::string> things;
};

Recording record(const std::string& path, const Faults& faults, Sync sync = Sync::kNo) {
  TraceWriter writer(path, std::make_unique<FaultyFile>(path, faults), sample_board(), sample_identity(),
                     {sync, {}});
  Tee tee(writer);
  History history(sample_board());
  history.set_listener(&tee);
  Dice dice(5);
  add_random_things(history, dice, 150);
  Recording result{{}, tee.lines.things()};
  if (const auto error = writer.take_error()) result.error = error->what();
  CHECK(result.error.has_value() == writer.failed());
  return result;
}

std::size_t header_bytes() {
  const std::vector<u8> bytes = sample_trace(1, 0);
  return static_cast<std::size_t>(TraceReader("x.rvt", bytes).frames().back().offset);
}

/// Of the sentence that says where recording stopped.
u64 position_in(const std::string& sentence) {
  const std::string before = "recording stopped at position ";
  const std::size_t at = sentence.find(before);
  REQUIRE(at != std::string::npos);
  return std::stoull(sentence.substr(at + before.size()));
}

/// Whether whole frames of the write that failed may be there as well.
enum class More : bool { kNo, kYes };

/// What is there was told, in that order; it replays up to the position in the message.
void require_true_prefix(const std::string& path, const Recording& recording, More more = More::kNo) {
  REQUIRE(recording.error);
  const TraceReader trace(path);
  ToldLines read;
  trace.visit(read);
  std::vector<std::string> things = read.things();
  if (!things.empty() && things.back().starts_with("end ")) things.pop_back();
  REQUIRE(things.size() <= recording.things.size());
  REQUIRE(std::equal(things.begin(), things.end(), recording.things.begin()));
  REQUIRE_THAT(*recording.error, has_substring("; the trace replays up to there"));
  const u64 said = position_in(*recording.error);
  REQUIRE((more == More::kYes ? trace.end().steps >= said : trace.end().steps == said));
}

}  // namespace

TEST_CASE("trace_faults: short and interrupted writes lose nothing", "[trace_faults]") {
  const TemporaryFolder folder;
  const Recording plain = record(folder.file("plain.rvt"), {});
  CHECK_FALSE(plain.error);
  Faults faults;
  faults.most_at_once = 7;
  faults.interrupts = true;
  const Recording recording = record(folder.file("x.rvt"), faults);
  CHECK_FALSE(recording.error);
  const TraceReader trace(folder.file("x.rvt"));
  ToldLines read;
  trace.visit(read);
  CHECK(read.things() == recording.things);
  CHECK(check_trace(folder.file("x.rvt")).clean());
}

TEST_CASE("trace_faults: on a disk that is full, or fails, at any byte what was written replays", "[trace_faults]") {
  const TemporaryFolder folder;
  record(folder.file("whole.rvt"), {});
  const std::size_t whole = read_file(folder.file("whole.rvt")).size();
  const std::size_t header = header_bytes();
  REQUIRE(header + 2000 < whole);
  unsigned runs = 0;
  for (const int error : {ENOSPC, EDQUOT, EIO}) {
    for (std::size_t room = header; room < whole; room += 97) {
      const std::string path = folder.file(std::to_string(runs++) + ".rvt");
      Faults faults;
      faults.room_bytes = room;
      faults.write_error = error;
      faults.most_at_once = 50;
      const Recording recording = record(path, faults);
      require_true_prefix(path, recording);
      CHECK_THAT(*recording.error, has_substring(error == EIO ? "Input/output error" : "no space left on " + path));
      CHECK(check_trace(path).clean());
    }
  }
  CHECK(runs > 30);
}

TEST_CASE("trace_faults: a half frame that cannot be taken back stays the last thing", "[trace_faults]") {
  const TemporaryFolder folder;
  record(folder.file("whole.rvt"), {});
  const std::size_t whole = read_file(folder.file("whole.rvt")).size();
  unsigned runs = 0;
  for (std::size_t room = header_bytes(); room < whole; room += 131) {
    const std::string path = folder.file(std::to_string(runs++) + ".rvt");
    Faults faults;
    faults.room_bytes = room;
    faults.cuts_back = false;
    require_true_prefix(path, record(path, faults), More::kYes);
    const TraceCheck check = check_trace(path);
    CHECK(std::none_of(check.findings.begin(), check.findings.end(),
                       [](const TraceFinding& finding) { return finding.what == TraceFinding::What::kDamage; }));
  }
  CHECK(runs > 10);
}

TEST_CASE("trace_faults: a trace that cannot begin is removed, whatever it lacks", "[trace_faults]") {
  const TemporaryFolder folder;
  for (std::size_t room = 0; room < header_bytes(); room += 61) {
    Faults faults;
    faults.room_bytes = room;
    CHECK_THROWS_WITH(record(folder.file("x.rvt"), faults), has_substring("no space left"));
    CHECK_THROWS_AS(TraceReader(folder.file("x.rvt")), Error);
  }
  Faults faults;
  faults.syncs = 0;
  CHECK_THROWS_WITH(record(folder.file("x.rvt"), faults, Sync::kYes), has_substring("Input/output error"));
  CHECK_FALSE(record(folder.file("x.rvt"), faults, Sync::kNo).error);
}

TEST_CASE("trace_faults: what the disk does not take on ends a recording that waits for it", "[trace_faults]") {
  const TemporaryFolder folder;
  Faults faults;
  faults.syncs = 3;
  const Recording recording = record(folder.file("x.rvt"), faults, Sync::kYes);
  require_true_prefix(folder.file("x.rvt"), recording);
  CHECK_THAT(TraceReader(folder.file("x.rvt")).note(), has_substring("given up by its recorder (Input/output error)"));
  CHECK_FALSE(record(folder.file("y.rvt"), {}, Sync::kYes).error);
  CHECK(check_trace(folder.file("y.rvt")).clean());
}

TEST_CASE("trace_faults: others see that a trace is being recorded", "[trace_faults]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  CHECK_FALSE(is_being_recorded(path));
  {
    const TraceWriter writer(path, sample_board());
    CHECK(is_being_recorded(path));
  }
  CHECK_FALSE(is_being_recorded(path));
}

TEST_CASE("trace_faults: what fills the buffer at once reaches the disk without more to come", "[trace_faults]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  Faults faults;
  faults.syncs = 1;  // Of the header; the next one shows by failing.
  TraceWriter writer(path, std::make_unique<FaultyFile>(path, faults), sample_board(), sample_identity(),
                     {Sync::kYes, {}});
  writer.on_event({{5}, {{{3, ConsoleBytes{std::vector<u8>(300'000, 'x')}}}, {}}});
  for (unsigned tries = 0; tries < 20'000 && !writer.failed(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(writer.failed());
}
