#include "cli/store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

void create(const std::string& path) { std::ofstream(path) << "x"; }

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777;
}

}  // namespace

TEST_CASE("store: traces of a guest are numbered on, whatever else is there", "[store]") {
  const ScratchFolder scratch;
  const TraceStore store(scratch.file("a/b/traces"));
  CHECK(store.new_trace("kernel") == scratch.file("a/b/traces/kernel-1.rvt"));
  CHECK(mode_of(store.folder()) == 0700);
  create(store.folder() + "/kernel-1.rvt");
  create(store.folder() + "/kernel-41.rvt");
  create(store.folder() + "/kernel-99.txt");
  create(store.folder() + "/kernel-x7.rvt");
  create(store.folder() + "/other-77.rvt");
  CHECK(store.new_trace("kernel") == store.folder() + "/kernel-42.rvt");
  CHECK(store.new_trace("fresh") == store.folder() + "/fresh-1.rvt");
}

TEST_CASE("store: whoever records at the same time gets the next number", "[store]") {
  const ScratchFolder scratch;
  const TraceStore store(scratch.file("traces"));
  unsigned tries = 0;
  const auto make = [&](const std::string& path) {
    // Somebody else is faster, twice.
    if (++tries <= 2) create(path);
    if (std::filesystem::exists(path)) throw Error(Exit::kCannotCreate, "there already");
    create(path);
  };
  CHECK(store.make_trace("kernel", make) == store.folder() + "/kernel-3.rvt");
  CHECK(tries == 3);
  const auto refuses = [](const std::string&) { throw Error(Exit::kCannotCreate, "full"); };
  CHECK_THROWS_WITH(store.make_trace("x", refuses), "full");
  const auto fails = [](const std::string& path) {
    create(path);
    throw Error(Exit::kIo, "no space");
  };
  CHECK_THROWS_WITH(store.make_trace("x", fails), "no space");
}

TEST_CASE("store: the link names the trace set last, inside and outside of the folder", "[store]") {
  const ScratchFolder scratch;
  const TraceStore store(scratch.file("traces"));
  CHECK_THROWS_AS(store.latest(), Error);
  const std::string inside = store.new_trace("kernel");
  store.set_latest(inside);
  CHECK(store.latest() == inside);
  store.set_latest(scratch.file("elsewhere.rvt"));
  CHECK(store.latest() == scratch.file("elsewhere.rvt"));
}

TEST_CASE("store: a folder that cannot be made is named", "[store]") {
  const ScratchFolder scratch;
  create(scratch.file("file"));
  try {
    static_cast<void>(TraceStore(scratch.file("file/traces")).new_trace("kernel"));
    FAIL("made a folder in a file");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kCannotCreate);
    CHECK_THAT(error.what(), has_substring(scratch.file("file/traces")));
  }
}
