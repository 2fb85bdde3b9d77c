// Named places, and those where one has been. Covers replay/visited and replay/commands_places, too.
#include "replay/bookmarks.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/echo_prompt.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Folder {
  Folder() {
    std::array<char, 40> name{"/tmp/retrov-bookmarks-XXXXXX"};
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name.data();
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Bench : EchoPrompt {
  [[nodiscard]] u64 step() const { return session->position().steps; }
};

}  // namespace

TEST_CASE("bookmarks: a place is named, listed, gone to and forgotten", "[bookmarks]") {
  Bench bench;
  CHECK(bench.run("bookmarks") == "no bookmarks; `bookmark NAME` makes one here\n");
  bench.run("goto 700");
  CHECK(bench.run("bookmark smash free of a live page") == "1  smash  step 700  free of a live page\n");
  bench.run("goto 1,200");
  CHECK(bench.run("checkpoint") == "2  mark-2  step 1,200\n");
  const std::string all = "1  smash  step 700  free of a live page\n2  mark-2  step 1,200\n";
  CHECK(bench.run("bookmarks") == all);
  CHECK(bench.run("info bookmarks") == all);
  CHECK(bench.run("info checkpoints") == all);
  for (const char* line : {"goto smash", "goto @smash", "goto @1", "restart smash", "restart 1", "seek-ticks smash"}) {
    INFO(line);
    bench.run("goto 5");
    bench.run(line);
    CHECK(bench.step() == 700);
  }
  CHECK(bench.refusal("bookmark smash") == "there is a bookmark 'smash' already; `delete smash` makes room");
  for (const char* bad : {"end", "begin", "start", "7up", "-x", "a@b", "a/b"}) {
    INFO(bad);
    CHECK_THAT(bench.refusal(std::string("bookmark ") + bad), has_substring("a bookmark's name is"));
  }
  CHECK(bench.refusal("goto nowhere") == "there is no bookmark 'nowhere'; `bookmarks` lists them");
  CHECK(bench.refusal("restart 7") == "there is no bookmark '7'; `bookmarks` lists them");
  CHECK(bench.refusal("restart") == "usage: restart NAME|N");
  // Numbers stay.
  CHECK(bench.run("delete smash") == "deleted bookmark 1 smash\n");
  CHECK(bench.run("bookmarks") == "2  mark-2  step 1,200\n");
  CHECK(bench.run("bookmark") == "3  mark-3  step 700\n");
}

TEST_CASE("bookmarks: delete knows breakpoints from bookmarks", "[bookmarks]") {
  Bench bench;
  bench.run("bookmark one");
  bench.run("break 0x80000000");
  CHECK(bench.run("delete 1") == "deleted breakpoint 1\n");
  CHECK(bench.run("delete @1") == "deleted bookmark 1 one\n");
  bench.run("bookmark two");
  bench.context.where = Offered::kEverywhere;
  CHECK(bench.refusal("delete") == "usage: delete NAME|N");
  CHECK(bench.run("delete 1") == "deleted bookmark 1 two\n");
}

TEST_CASE("bookmarks: those of a trace are in a file of the user's, for every session", "[bookmarks]") {
  const Folder folder;
  const std::string path = folder.path + "/data/bookmarks/abc";
  Bench first, second;
  first.places.bookmarks.keep_in(path, kMainBranch);
  second.places.bookmarks.keep_in(path, kMainBranch);
  CHECK(first.run("bookmarks") == "no bookmarks; `bookmark NAME` makes one here\n");
  CHECK_FALSE(std::filesystem::exists(folder.path + "/data"));
  first.run("goto 300");
  first.run("bookmark here a\tb");
  CHECK(second.run("bookmarks") == "1  here  step 300  a b\n");
  second.run("goto here");
  CHECK(second.step() == 300);
  second.run("bookmark there");
  CHECK(first.run("delete here") == "deleted bookmark 1 here\n");
  CHECK(second.run("bookmarks") == "2  there  step 300\n");
  struct stat facts {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  REQUIRE(stat((folder.path + "/data").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0700);
  // A line that is being written is none yet; one that is none is said.
  std::ofstream(path, std::ios::app) << "bookmark\t3\tma";
  CHECK(first.run("bookmarks") == "2  there  step 300\n");
  std::ofstream(path, std::ios::app) << "\n";
  CHECK(first.refusal("bookmarks") == "bookmarks " + path + ": line 4 is none");
  CHECK(first.refusal("goto there") == "bookmarks " + path + ": line 4 is none");
}

TEST_CASE("bookmarks: one holds in its branch, and where branches share their past", "[bookmarks]") {
  const Folder folder;
  const std::string of_trace = folder.path + "/trace";
  const std::string of_fix = folder.path + "/fix";
  Bench bench;
  bench.places.bookmarks.keep_in(of_trace, kMainBranch);
  bench.session->allow_forks({});
  bench.run("goto 900");
  bench.run("bookmark early");
  bench.run("goto 1,500");
  bench.run("bookmark late");
  bench.run("goto 1,000");
  bench.run("fork fix");
  bench.places.bookmarks.keep_in(of_fix, "fix");
  bench.run("set a0 5");
  bench.run("bookmark changed");
  CHECK(bench.run("bookmarks") ==
        "1  early  step 900\n2  late  step 1,500\n3  changed  step 1,001 of fix\n");
  CHECK(bench.refusal("goto late") == "bookmark late is step 1,500 of branch main; `switch main` goes there");
  bench.run("goto early");
  CHECK(bench.step() == 900);
  bench.run("switch main");
  CHECK(bench.refusal("restart 3") == "bookmark changed is step 1,001 of branch fix; `switch fix` goes there");
  // In the file of the branch's own trace it is main.
  Bookmarks alone;
  alone.keep_in(of_fix, kMainBranch);
  REQUIRE(alone.list().size() == 1);
  CHECK(alone.list()[0].branch == kMainBranch);
  CHECK(alone.list()[0].at == Position{1001});
  // A copy for a trace of this line has what holds on it.
  bench.places.bookmarks.copy_to(folder.path + "/copy", *bench.session);
  Bookmarks copied;
  copied.keep_in(folder.path + "/copy", kMainBranch);
  REQUIRE(copied.list().size() == 2);
  CHECK(copied.list()[1].name == "late");
  bench.run("scratch on");
  bench.run("set a0 6");
  CHECK_THAT(bench.refusal("bookmark fleeting"), has_substring("throw-away copy"));
}

TEST_CASE("visited: back and forward go through the places where one has been", "[visited]") {
  Bench bench;
  CHECK_THAT(bench.refusal("back"), has_substring("`history` lists them"));
  bench.run("goto 700");
  bench.run("goto 900");
  bench.run("step");
  bench.run("step 3");
  const u64 stepped = bench.step();
  bench.run("goto 300");
  // Steps in a row are one place.
  CHECK(bench.run("history") == "  -4  step 0\n  -3  step 700\n  -2  step 900\n  -1  step " + std::to_string(stepped) +
                                    "\n* 0  step 300\n");
  bench.run("back");
  CHECK(bench.step() == stepped);
  bench.run("back 2");
  CHECK(bench.step() == 700);
  bench.run("forward");
  CHECK(bench.step() == 900);
  CHECK(bench.run("history").find("* 0  step 900\n") != std::string::npos);
  bench.run("forward 2");
  CHECK(bench.step() == 300);
  CHECK_THAT(bench.refusal("forward"), has_substring("no place is that far forward"));
  CHECK_THAT(bench.refusal("back 0"), has_substring("1 or more"));
  bench.run("back 3");
  bench.run("goto 1,100");
  CHECK_THAT(bench.refusal("forward"), has_substring("no place"));
  CHECK(bench.run("history") == "  -2  step 0\n  -1  step 700\n* 0  step 1,100\n");
  // A step between two jumps is none.
  bench.run("step");
  bench.run("goto 1,200");
  bench.run("step");
  bench.run("goto 1,200");
  CHECK(bench.run("history") == "  -3  step 0\n  -2  step 700\n  -1  step 1,100\n* 0  step 1,200\n");
}
