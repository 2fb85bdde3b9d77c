// cli/shelf, cli/shelf_list and cli/ls: a folder of traces, and of whatever else gets there.
#include "cli/shelf_list.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A trace folder of our own; commands of this process see it.
class Shelf {
 public:
  Shelf() : store(folder.file("traces")) { setenv("RETROV_TRACE_DIR", store.folder().c_str(), 1); }
  ~Shelf() { unsetenv("RETROV_TRACE_DIR"); }

  /// Written `hours` ago.
  std::string add(const std::string& name, u64 seed, int hours) {
    static_cast<void>(store.new_trace("x"));  // Makes the folder.
    const std::string path = store.folder() + "/" + name;
    write_file(path, sample_trace(seed, 30));
    touch(path, hours);
    return path;
  }
  static void touch(const std::string& path, int hours) {
    const auto time = std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours);
    std::filesystem::last_write_time(path, time);
  }
  std::string add_bookmarks(const std::string& path) const {
    const std::string file = store.bookmark_file(TraceReader(path).identity().id);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    write_file(file, std::vector<u8>{1});
    return file;
  }

  TemporaryFolder folder;
  TraceStore store;
};

bool exists(const std::string& path) { return std::filesystem::exists(path); }

/// The same trace under another id.
void give_id(const std::string& path, u8 value) {
  std::vector<u8> bytes = read_file(path);
  TraceIdentity identity = sample_identity();
  identity.id.fill(value);
  const auto preamble = make_preamble(identity);
  std::copy(preamble.begin(), preamble.end(), bytes.begin());
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("shelf: ls names traces by number, by time, and the other way round", "[shelf]") {
  Shelf shelf;
  CHECK(run_cli({"ls"}).status == 0);
  CHECK(run_cli({"ls"}).out.empty());
  shelf.add("kernel-10.rvt", 1, 3);
  shelf.add("kernel-9.rvt", 2, 1);
  shelf.add("a.rvt", 3, 2);
  CHECK(run_cli({"ls"}).out == "a.rvt\nkernel-9.rvt\nkernel-10.rvt\n");
  CHECK(run_cli({"ls", "-r"}).out == "kernel-10.rvt\nkernel-9.rvt\na.rvt\n");
  CHECK(run_cli({"ls", "-t"}).out == "kernel-9.rvt\na.rvt\nkernel-10.rvt\n");
  CHECK(run_cli({"ls", "-t", "-r"}).out == "kernel-10.rvt\na.rvt\nkernel-9.rvt\n");
  CHECK(run_cli({"ls", shelf.store.folder()}).out == run_cli({"ls"}).out);
  const CliResult none = run_cli({"ls", shelf.folder.file("none")});
  CHECK(none.status == 66);
  CHECK(none.err == "retrov: ls: " + shelf.folder.file("none") + " is no folder\n");
}

TEST_CASE("shelf: ls -l says how each ended, and which is the latest", "[shelf]") {
  Shelf shelf;
  const std::string whole = shelf.add("whole.rvt", 1, 1);
  std::vector<u8> bytes = sample_trace(2, 30);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  const std::string steps = group_digits(TraceReader("x.rvt", bytes).end().steps);
  const std::string end = std::to_string(frames.back().offset);
  bytes.pop_back();
  write_file(shelf.store.folder() + "/cut.rvt", bytes);
  bytes.resize(static_cast<std::size_t>(frames.back().offset));
  write_file(shelf.store.folder() + "/killed.rvt", bytes);
  bytes[frames[6].offset] ^= 1;
  write_file(shelf.store.folder() + "/damaged.rvt", bytes);
  shelf.store.set_latest(whole);
  const TraceWriter writer(shelf.store.folder() + "/now.rvt", sample_board());
  const std::string text = run_cli({"ls", "-l"}).out;
  CHECK_THAT(text, has_substring("KEYS"));
  CHECK_THAT(text, has_substring("whole.rvt (latest), powered-off 3\n"));
  CHECK_THAT(text, has_substring("cut.rvt, cut at offset " + end + "\n"));
  CHECK_THAT(text, has_substring("killed.rvt, not ended\n"));
  CHECK_THAT(text, has_substring("damaged.rvt, damaged at offset " + std::to_string(frames[6].offset) + "\n"));
  CHECK_THAT(text, has_substring("now.rvt, recording\n"));
  const std::string json = run_cli({"ls", "--json"}).out;
  CHECK(json.starts_with("{\"folder\": \"" + shelf.store.folder() + "\", \"traces\": [\n  {\"name\": \"cut.rvt\", "));
  CHECK_THAT(json, has_substring("\"cut_at\": " + end));
  CHECK_THAT(json, has_substring("\"outcome\": \"powered-off\", \"status\": 3, \"why\": "));
  CHECK_THAT(json, has_substring("\"latest\": true"));
  CHECK_THAT(json, has_substring("\"recording\": true"));
}

TEST_CASE("shelf: ls -l says how long it was for the guest, whatever the file's times are", "[shelf]") {
  Shelf shelf;
  const std::string path = shelf.add("keys.rvt", 1, 3);
  std::filesystem::remove(path);
  std::filesystem::copy_file(source_dir() + "/traces/console.rvt", path);
  const u64 lasted_ns = outline_trace(TraceBytes(path)).lasted->ns;
  CHECK_THAT(run_cli({"ls", "-l"}).out, has_substring(">=" + std::to_string(lasted_ns / 1'000'000) + " ms  "));
  CHECK_THAT(run_cli({"ls", "--json"}).out,
             has_substring("\"lasted_ns\": " + std::to_string(lasted_ns) + ", \"lasted_exactly\": false"));
}

TEST_CASE("shelf: garbage does not break ls", "[shelf]") {
  Shelf shelf;
  shelf.add("a.rvt", 1, 1);
  const std::string folder = shelf.store.folder() + "/";
  write_file(folder + "empty.rvt", std::vector<u8>{});
  write_file(folder + "text.rvt", std::vector<u8>(5000, 'x'));
  write_file(folder + "notes.txt", std::vector<u8>(5000, 'x'));
  write_file(folder + "control\033[2J.rvt", std::vector<u8>{1});
  write_file(folder + "unnamed", sample_trace(5, 10));
  std::filesystem::create_directory(folder + "folder.rvt");
  REQUIRE(::mkfifo((folder + "pipe.rvt").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", folder + "dangling.rvt");
  std::vector<u8> newer = sample_trace(5, 10);
  TraceIdentity identity = sample_identity();
  identity.container_version = kContainerVersion + 1;
  const auto preamble = make_preamble(identity);
  std::copy(preamble.begin(), preamble.end(), newer.begin());
  write_file(folder + "newer.rvt", newer);
  Dice dice(1);
  for (int i = 0; i < 50; ++i) write_file(folder + "random" + std::to_string(i) + ".rvt", dice.bytes(dice.below(3000)));
  const CliResult plain = run_cli({"ls"});
  CHECK(plain.status == 0);
  CHECK(plain.err.empty());
  CHECK_THAT(plain.out, has_substring("a.rvt\n"));
  CHECK_THAT(plain.out, has_substring("control?[2J.rvt\n"));
  CHECK_THAT(plain.out, has_substring("unnamed\n"));
  CHECK(std::count(plain.out.begin(), plain.out.end(), '\n') == 56);
  const CliResult in_full = run_cli({"ls", "-l"});
  CHECK(in_full.status == 0);
  CHECK_THAT(in_full.out, has_substring("empty.rvt, empty file, not a trace\n"));
  CHECK_THAT(in_full.out, has_substring("newer.rvt, trace format "));
  CHECK(std::count(in_full.out.begin(), in_full.out.end(), '\n') == 57);
  CHECK(run_cli({"ls", "--json"}).status == 0);
}

TEST_CASE("shelf: rm takes along what a killed ring had only begun to make", "[shelf]") {
  Shelf shelf;
  const std::string path = shelf.add("a.rvt", 1, 1);
  write_file(path + ".ring-7", std::vector<u8>{});
  write_file(path + ".ring-8", std::vector<u8>(kPreambleBytes, 'x'));
  write_file(path + ".ring-x", std::vector<u8>{});
  write_file(shelf.store.folder() + "/b.rvt.ring-2", std::vector<u8>{});
  CHECK(run_cli({"rm", "a"}).status == 0);
  CHECK_FALSE(exists(path));
  CHECK_FALSE(exists(path + ".ring-7"));
  CHECK(exists(path + ".ring-8"));
  CHECK(exists(path + ".ring-x"));
  CHECK(exists(shelf.store.folder() + "/b.rvt.ring-2"));
}

TEST_CASE("shelf: rm takes bookmarks along and moves the link to the latest on", "[shelf]") {
  Shelf shelf;
  const std::string old = shelf.add("old.rvt", 1, 3);
  const std::string middle = shelf.add("middle.rvt", 2, 2);
  const std::string fresh = shelf.add("fresh.rvt", 3, 1);
  give_id(old, 1);
  give_id(middle, 2);
  give_id(fresh, 3);
  Shelf::touch(old, 3);
  Shelf::touch(middle, 2);
  Shelf::touch(fresh, 1);
  const std::string kept = shelf.add_bookmarks(old);
  const std::string gone = shelf.add_bookmarks(fresh);
  shelf.store.set_latest(fresh);
  CHECK(run_cli({"rm", "fresh.rvt"}).status == 0);
  CHECK_FALSE(exists(fresh));
  CHECK_FALSE(exists(gone));
  CHECK(exists(kept));
  CHECK(shelf.store.latest() == middle);
  CHECK(run_cli({"rm", "latest-trace"}).status == 0);
  CHECK_FALSE(exists(middle));
  CHECK(shelf.store.latest() == old);
  CHECK(run_cli({"rm", old}).status == 0);
  CHECK_THROWS_AS(shelf.store.latest(), Error);
}

TEST_CASE("shelf: bookmarks stay as long as a trace has the id", "[shelf]") {
  Shelf shelf;
  const std::string one = shelf.add("one.rvt", 1, 2);
  const std::string twin = shelf.add("twin.rvt", 1, 1);
  const std::string bookmarks = shelf.add_bookmarks(one);
  CHECK(run_cli({"rm", "one"}).status == 0);
  CHECK(exists(bookmarks));
  CHECK(run_cli({"rm", "twin"}).status == 0);
  CHECK_FALSE(exists(bookmarks));
}

TEST_CASE("shelf: rm of several goes on behind one that is not there", "[shelf]") {
  Shelf shelf;
  const std::string one = shelf.add("one.rvt", 1, 2);
  const std::string two = shelf.add("two.rvt", 2, 1);
  const CliResult result = run_cli({"rm", "one.rvt", "none.rvt", "two.rvt"});
  CHECK(result.status == 66);
  CHECK(result.err == "retrov: trace none.rvt: No such file or directory\n");
  CHECK_FALSE(exists(one));
  CHECK_FALSE(exists(two));
  CHECK(run_cli({"rm"}).status == 64);
  write_file(shelf.folder.file("thesis.txt"), std::vector<u8>(100, 'x'));
  const CliResult other = run_cli({"rm", shelf.folder.file("thesis.txt")});
  CHECK(other.status == 65);
  CHECK(other.err == "retrov: " + shelf.folder.file("thesis.txt") + " is no trace and stays\n");
  CHECK(exists(shelf.folder.file("thesis.txt")));
  const TraceWriter writer(shelf.store.folder() + "/now.rvt", sample_board());
  const CliResult recording = run_cli({"rm", "now.rvt"});
  CHECK(recording.status == 69);
  CHECK(recording.err == "retrov: trace " + writer.path() + ": is being recorded\n");
  CHECK(exists(writer.path()));
}

TEST_CASE("shelf: mv keeps the link, the bookmarks and whatever has the name already", "[shelf]") {
  Shelf shelf;
  const std::string one = shelf.add("one.rvt", 1, 2);
  const std::string two = shelf.add("two.rvt", 2, 1);
  const std::string bookmarks = shelf.add_bookmarks(one);
  shelf.store.set_latest(one);
  CHECK(run_cli({"mv", "one.rvt", "bug-77.rvt"}).status == 0);
  const std::string moved = shelf.store.folder() + "/bug-77.rvt";
  CHECK_FALSE(exists(one));
  CHECK(exists(moved));
  CHECK(shelf.store.latest() == moved);
  CHECK(exists(bookmarks));
  const CliResult taken = run_cli({"mv", "two.rvt", "bug-77.rvt"});
  CHECK(taken.status == 73);
  CHECK_THAT(taken.err, has_substring("a trace is never overwritten"));
  CHECK(exists(two));
  CHECK(shelf.store.latest() == moved);
  const std::string elsewhere = shelf.folder.file("elsewhere");
  std::filesystem::create_directory(elsewhere);
  CHECK(run_cli({"mv", "bug-77.rvt", "two.rvt", elsewhere}).status == 0);
  CHECK(exists(elsewhere + "/two.rvt"));
  CHECK(shelf.store.latest() == elsewhere + "/bug-77.rvt");
  CHECK(run_cli({"mv", "a", "b", "c"}).status == 64);
  CHECK(run_cli({"mv", "a"}).status == 64);
  CHECK(run_cli({"mv", "a", "b"}).status == 66);
}

TEST_CASE("shelf: to another file system a trace is copied, with its time", "[shelf]") {
  Shelf shelf;
  struct stat here {};
  struct stat there {};
  REQUIRE(stat(shelf.folder.file(".").c_str(), &here) == 0);
  // Where there is only one file system there is nothing to show.
  if (stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev || access("/dev/shm", W_OK) != 0) return;
  const std::string one = shelf.add("one.rvt", 1, 5);
  const std::vector<u8> bytes = read_file(one);
  const auto time = std::filesystem::last_write_time(one);
  const std::string target = "/dev/shm/retrov-shelf-" + std::to_string(getpid()) + ".rvt";
  CHECK(run_cli({"mv", "one.rvt", target}).status == 0);
  CHECK_FALSE(exists(one));
  CHECK(read_file(target) == bytes);
  CHECK(std::filesystem::last_write_time(target) == time);
  CHECK(run_cli({"rm", target}).status == 0);
  CHECK_FALSE(exists(target));
}

TEST_CASE("shelf: commands take the name of a trace in the folder", "[shelf]") {
  Shelf shelf;
  const std::string one = shelf.add("one.rvt", 1, 2);
  CHECK_THAT(run_cli({"info", "one"}).out, has_substring(one));
  CHECK(run_cli({"fsck", "one.rvt"}).status == 0);
  CHECK(run_cli({"info", "none"}).err == "retrov: trace none: No such file or directory\n");
}
