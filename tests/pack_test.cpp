#include "replay/pack.hpp"

#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// Without progress, which packing drops where it says nothing more.
std::vector<std::string> things_of(const TraceReader& trace) {
  ToldLines told;
  trace.visit(told);
  return told.things();
}

Exit failure_of(const TraceReader& trace, const std::string& path) {
  try {
    (void)pack_trace(trace, path, {});
  } catch (const Error& error) {
    return error.exit_code();
  }
  return Exit::kOk;
}

}  // namespace

TEST_CASE("pack: what is packed tells the same in fewer bytes", "[pack]") {
  const TemporaryFolder folder;
  for (const u64 seed : {1, 2, 3}) {
    const TraceReader trace("x.rvt", sample_trace(seed, 300));
    const std::string path = folder.file("p" + std::to_string(seed));
    const u64 size_bytes = pack_trace(trace, path, {});
    const TraceReader packed(path);
    CHECK(things_of(packed) == things_of(trace));
    CHECK(packed.end() == trace.end());
    CHECK(packed.complete());
    CHECK(packed.file_bytes() == size_bytes);
    CHECK(size_bytes <= trace.file_bytes());
    CHECK(packed.identity().id == trace.identity().id);
  }
}

TEST_CASE("pack: key frames stay, or go", "[pack]") {
  const TemporaryFolder folder;
  const TracedGuest traced = trace_guest("two_harts", 2);
  const TraceReader trace("x.rvt", traced.bytes);
  const u64 with = pack_trace(trace, folder.file("with"), {});
  const u64 without = pack_trace(trace, folder.file("without"), {false, {}});
  CHECK(with < traced.bytes.size());
  CHECK(without < with);
  const auto whole = TraceReader(folder.file("with"), Check::kWhatIsUsed).read_history();
  const Verdict verdict = verify(*whole);
  CHECK(verdict.identical());
  CHECK(verdict.key_frames == traced.key_frames.size());
  const auto bare = TraceReader(folder.file("without")).read_history();
  CHECK(bare->key_frames().empty());
  CHECK(verify(*bare).identical());
}

TEST_CASE("pack: a trace that was cut is packed as far as it goes", "[pack]") {
  const TemporaryFolder folder;
  std::vector<u8> bytes = trace_guest("two_harts", 2).bytes;
  bytes.resize(bytes.size() * 2 / 3);
  const TraceReader trace("x.rvt", bytes);
  (void)pack_trace(trace, folder.file("p"), {});
  const TraceReader packed(folder.file("p"));
  CHECK(packed.end() == trace.end());
  CHECK(things_of(packed) == things_of(trace));
  CHECK_FALSE(packed.complete());
}

TEST_CASE("pack: nothing is written over, and nothing half is left", "[pack]") {
  const TemporaryFolder folder;
  const TraceReader trace("x.rvt", sample_trace(1, 30));
  write_file(folder.file("there"), std::vector<u8>{1, 2, 3});
  CHECK(failure_of(trace, folder.file("there")) == Exit::kCannotCreate);
  CHECK(read_file(folder.file("there")) == std::vector<u8>{1, 2, 3});
  CHECK(failure_of(trace, folder.file("no/folder")) == Exit::kCannotCreate);
  CHECK(failure_of(trace, "/dev/full") == Exit::kCannotCreate);
}

TEST_CASE("pack: bookmarks go into the file, and those of its reader come behind them", "[pack]") {
  const TemporaryFolder folder;
  const TraceReader trace("x.rvt", sample_trace(1, 30));
  const std::vector<Bookmark> told = {{1, "crash", kMainBranch, Position{77}, "here"},
                                      {3, "again", kMainBranch, Position{99}, {}}};
  (void)pack_trace(trace, folder.file("p"), {true, write_bookmarks(told)});
  const TraceReader packed(folder.file("p"));
  CHECK(things_of(packed) == things_of(trace));
  Bookmarks bookmarks;
  bookmarks.keep_in(folder.file("journal"), kMainBranch, parse_bookmarks(packed.notes()));
  REQUIRE(bookmarks.list().size() == 2);
  CHECK(bookmarks.find("crash").at == Position{77});
  CHECK(bookmarks.find("crash").text == "here");
  CHECK(bookmarks.remove("crash").number == 1);
  REQUIRE(bookmarks.list().size() == 1);
  CHECK(bookmarks.list().front().name == "again");
  // Who packed it has the same in the file of the bookmarks.
  const std::string again = write_bookmarks(told);
  write_file(folder.file("own"), std::vector<u8>(again.begin(), again.end()));
  Bookmarks own;
  own.keep_in(folder.file("own"), kMainBranch, parse_bookmarks(packed.notes()));
  CHECK(own.list().size() == 2);
}

TEST_CASE("pack: bookmarks from a stranger are refused or harmless", "[pack]") {
  CHECK(parse_bookmarks("").empty());
  CHECK(parse_bookmarks("bookmark\t1\tmain\t5\tname\ta\x1b[2Jb\n").front().text == "a?[2Jb");
  for (const char* text : {"bookmark\t1\tmain\t5\tna me\t\n", "bookmark\tx\tmain\t5\tname\t\n", "hello\n",
                           "bookmark\t1\t../x\t5\tname\t\n"}) {
    CHECK_THROWS_AS(parse_bookmarks(text), Error);
  }
}
