#include "core/elf_symbols.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/elf.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/guest_bench.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

bool holds(const std::vector<u8>& bytes, const std::string& text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

/// With a build-id, which the linker of our guests leaves out.
std::vector<u8> image_with_build_id(const std::string& id) {
  const ScratchFolder scratch;
  const std::string command = "riscv64-linux-gnu-gcc -march=rv64gc -nostdlib -static -no-pie -Wl,--build-id=0x" + id +
                              " -Wl,-Ttext=0x80000000 -I " + source_dir() + "/tests/guests -o " +
                              scratch.file("x.elf") + " " + source_dir() + "/tests/guests/hello.S";
  REQUIRE(std::system(command.c_str()) == 0);
  return read_file(scratch.file("x.elf"));
}

}  // namespace

TEST_CASE("elf_symbols: all names stay at their addresses, and no byte of the program", "[elf_symbols]") {
  const std::vector<u8> image = read_guest("debuggee");
  const std::vector<u8> small = make_symbol_file(image, Dwarf::kLeave);
  const std::vector<u8> large = make_symbol_file(image, Dwarf::kKeep);
  CHECK(small.size() < large.size());
  CHECK(large.size() < image.size());
  CHECK_FALSE(holds(small, ".debug_info"));
  CHECK(holds(large, ".debug_info"));
  CHECK(holds(image, "start\n"));
  CHECK_FALSE(holds(large, "start\n"));
  const Elf before = parse_elf(image);
  for (const std::vector<u8>& made : {small, large}) {
    const Elf after = parse_elf(made);
    CHECK(after.entry == before.entry);
    REQUIRE(after.segments.size() == before.segments.size());
    for (std::size_t i = 0; i < after.segments.size(); ++i) {
      CHECK(after.segments[i].virtual_address == before.segments[i].virtual_address);
      CHECK(after.segments[i].memory_bytes == before.segments[i].memory_bytes);
      CHECK(after.segments[i].bytes.empty());
    }
    std::size_t names = 0;
    for (const ElfSymbol& symbol : before.symbols) {
      if (symbol.name.starts_with("$") || symbol.name.starts_with(".L")) continue;
      const bool there = std::any_of(after.symbols.begin(), after.symbols.end(), [&](const ElfSymbol& other) {
        return other.name == symbol.name && other.value == symbol.value && other.size_bytes == symbol.size_bytes;
      });
      // Names of source files are of no section, and the only ones that may be double.
      if (!there) FAIL(symbol.name);
      ++names;
    }
    CHECK(names > 30);
    CHECK(make_symbol_file(made, Dwarf::kKeep) == made);
  }
}

TEST_CASE("elf_symbols: a build-id stays", "[elf_symbols]") {
  const std::vector<u8> image = image_with_build_id("00112233445566778899aabbccddeeff00112233");
  const std::vector<u8> id = build_id_of(image);
  REQUIRE(id.size() == 20);
  CHECK(id[0] == 0);
  CHECK(id[15] == 0xff);
  CHECK(build_id_of(make_symbol_file(image, Dwarf::kLeave)) == id);
  CHECK(build_id_of(read_guest("debuggee")).empty());
  CHECK(build_id_of(std::vector<u8>{1, 2, 3}).empty());
}

TEST_CASE("elf_symbols: damaged images are refused or have fewer names", "[elf_symbols]") {
  const std::vector<u8> image = read_guest("hello");
  Dice dice(4);
  unsigned made = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<u8> damaged = image;
    for (u64 flips = 1 + dice.below(4); flips > 0; --flips) {
      // Headers and tables more often than the rest.
      const u64 at = dice.below(3) == 0 ? dice.below(image.size()) : image.size() - 1 - dice.below(1500);
      damaged[dice.below(4) == 0 ? dice.below(200) : at] = static_cast<u8>(dice.below(256));
    }
    if (dice.below(4) == 0) damaged.resize(dice.below(damaged.size()));
    try {
      const std::vector<u8> file = make_symbol_file(damaged, Dwarf::kKeep);
      (void)parse_elf(file);
      (void)build_id_of(damaged);
      ++made;
    } catch (const Error& error) {
      REQUIRE(error.exit_code() == Exit::kNoInput);
    }
  }
  CHECK(made > 1000);
}
