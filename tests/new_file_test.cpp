#include "replay/new_file.hpp"

#include <filesystem>
#include <fstream>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr std::array<u8, 3> kBytes{1, 2, 3};

}  // namespace

TEST_CASE("new_file: it is whole, or it is not there", "[new_file]") {
  const ScratchFolder scratch;
  const std::string path = scratch.file("new");
  {
    NewFile file(path);
    file.write(kBytes);
    CHECK(file.size_bytes() == 3);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(read_file(file.path_now()) == std::vector<u8>(kBytes.begin(), kBytes.end()));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  {
    NewFile file(path);
    file.write(kBytes);
    file.write(kBytes);
    file.keep();
  }
  CHECK(std::filesystem::file_size(path) == 6);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("new_file: a trace is written to it, and to a file that never has a name", "[new_file]") {
  const ScratchFolder scratch;
  const std::string path = scratch.file("new");
  {
    NewFile file(path);
    const WorkFile work(path);
    for (const auto& trace : {file.as_trace(), work.as_trace()}) {
      CHECK(trace->write(kBytes) == 3);
      CHECK(trace->write(kBytes) == 3);
      CHECK(trace->cut_back(4) == 0);
      CHECK(trace->sync() == 0);
      trace->discard();
    }
    CHECK(read_file(work.path_now()) == std::vector<u8>{1, 2, 3, 1});
    CHECK(std::filesystem::is_empty(scratch.file(".")));
    file.keep();
  }
  CHECK(read_file(path) == std::vector<u8>{1, 2, 3, 1});
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.file(".")), {}) == 1);
}

TEST_CASE("new_file: what somebody else made there meanwhile stays", "[new_file]") {
  const ScratchFolder scratch;
  const std::string path = scratch.file("theirs");
  {
    NewFile file(path);
    file.write(kBytes);
    std::ofstream(path) << "mine";
    CHECK_THROWS_WITH(file.keep(), "trace " + path + ": File exists (a trace is never overwritten)");
  }
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("new_file: nothing is overwritten, and failures name the file", "[new_file]") {
  const ScratchFolder scratch;
  const std::string path = scratch.file("there");
  std::ofstream(path) << "mine";
  CHECK_THROWS_WITH(NewFile(path), "trace " + path + ": File exists (a trace is never overwritten)");
  CHECK(std::filesystem::file_size(path) == 4);
  CHECK_THROWS_AS(NewFile(scratch.file("no/such/folder")), Error);
}
