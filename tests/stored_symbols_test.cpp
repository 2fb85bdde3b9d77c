#include "cli/stored_symbols.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "core/check.hpp"
#include "core/elf.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777;
}

SymbolFile symbols_of(const std::string& guest) {
  return {guest + ".elf", make_symbol_file(read_guest(guest), Dwarf::kLeave)};
}

}  // namespace

TEST_CASE("stored_symbols: ELFs among the images have them, other images have none", "[stored_symbols]") {
  BootImages images;
  images.kernel = Image{"/a/b/debuggee.elf", read_guest("debuggee")};
  images.bios = Image{"raw", std::vector<u8>(100)};
  std::vector<SymbolFile> files = symbols_to_store(images, {}, Dwarf::kLeave);
  REQUIRE(files.size() == 1);
  CHECK(files[0].name == "debuggee.elf");
  CHECK(parse_elf(files[0].bytes).find("main") != nullptr);
  files = symbols_to_store(images, {guest_path("hello")}, Dwarf::kKeep);
  REQUIRE(files.size() == 2);
  CHECK(files[1].name == "hello.elf");
  CHECK_THROWS_AS(symbols_to_store(images, {"/nowhere"}, Dwarf::kKeep), Error);
}

TEST_CASE("stored_symbols: for gdb they lie in a folder of its user's alone, and are gone", "[stored_symbols]") {
  std::string folder;
  {
    const SymbolFolder files({symbols_of("hello"), symbols_of("hello"), {"broken", {1, 2, 3}}});
    REQUIRE(files.paths().size() == 2);
    CHECK(files.paths()[0] != files.paths()[1]);
    for (const std::string& path : files.paths()) {
      CHECK(mode_of(path) == 0600);
      CHECK(std::filesystem::path(path).filename() == "hello.elf");
      CHECK(parse_elf(read_file(path)).find("_start") != nullptr);
    }
    folder = std::filesystem::path(files.paths()[0]).parent_path().parent_path().string();
    CHECK(mode_of(folder) == 0700);
  }
  CHECK_FALSE(std::filesystem::exists(folder));
  CHECK(SymbolFolder({}).paths().empty());
}

TEST_CASE("stored_symbols: a user's file goes before those at the same addresses", "[stored_symbols]") {
  const std::vector<SymbolFile> stored = {symbols_of("hello"), {"broken", {1, 2, 3}}};
  CHECK(not_replaced(stored, {}).size() == 2);
  const std::vector<SymbolFile> left = not_replaced(stored, {guest_path("debuggee")});
  REQUIRE(left.size() == 1);
  CHECK(left[0].name == "broken");
  CHECK_THROWS_AS(not_replaced(stored, {"/nowhere"}), Error);
}
