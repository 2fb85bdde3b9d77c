#include "replay/new_file.hpp"

#include <filesystem>
#include <fstream>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

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
    CHECK(std::filesystem::exists(path));
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

TEST_CASE("new_file: nothing is overwritten, and failures name the file", "[new_file]") {
  const ScratchFolder scratch;
  const std::string path = scratch.file("there");
  std::ofstream(path) << "mine";
  CHECK_THROWS_WITH(NewFile(path), "trace " + path + ": File exists (a trace is never overwritten)");
  CHECK(std::filesystem::file_size(path) == 4);
  CHECK_THROWS_AS(NewFile(scratch.file("no/such/folder")), Error);
}
