#include "core/elf.hpp"

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"
#include "tests/support/elf_maker.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

ElfMaker sound() {
  ElfMaker maker;
  maker.entry = 0xffffffff80000010;
  maker.segments.push_back({0x80000000, std::vector<u8>(64, 0x11), 4096, 0xffffffff80000000});
  maker.segments.push_back({0x80001000, std::vector<u8>(16, 0x22), 0, 0xffffffff80001000});
  maker.symbols.push_back({"main", 0xffffffff80000010, 32, kSymbolFunction});
  maker.symbols.push_back({"tohost", 0xffffffff80001008, 8});
  maker.symbols.push_back({"missing", 0, 0, kSymbolNone, kSectionUndefined});
  maker.symbols.push_back({"label", 0xffffffff80000020, 0, kSymbolNone});
  return maker;
}

std::string refusal(const std::vector<u8>& image) {
  try {
    (void)parse_elf(image);
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kNoInput);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("elf: segments, entry and symbols are read", "[elf]") {
  const std::vector<u8> image = sound().make();
  const Elf elf = parse_elf(image);
  CHECK(elf.entry == VirtAddr{0xffffffff80000010});
  CHECK_FALSE(elf.position_independent);
  REQUIRE(elf.segments.size() == 2);
  CHECK(elf.segments[0].physical_address == PhysAddr{0x80000000});
  CHECK(elf.segments[0].bytes.size() == 64);
  CHECK(elf.segments[0].bytes[0] == 0x11);
  CHECK(elf.segments[0].memory_bytes == 4096);
  CHECK(elf.segments[1].memory_bytes == 16);
  REQUIRE(elf.symbols.size() == 3);
  CHECK(elf.symbols[0].name == "main");
  CHECK(elf.symbols[0].kind == SymbolKind::kFunction);
  CHECK(elf.symbols[0].size_bytes == 32);
  CHECK(elf.symbols[1].kind == SymbolKind::kObject);
  CHECK(elf.find("missing") == nullptr);
  REQUIRE(elf.find("tohost") != nullptr);
  CHECK(elf.physical(elf.find("tohost")->value) == PhysAddr{0x80001008});
  CHECK_FALSE(elf.physical(VirtAddr{0x1000}).has_value());
}

TEST_CASE("elf: each refusal says why", "[elf]") {
  CHECK(refusal({}) == "not an ELF image");
  CHECK(refusal({'M', 'Z', 0, 0}) == "not an ELF image");
  ElfMaker other = sound();
  other.machine = kMachineX86_64;
  CHECK(refusal(other.make()) == "ELF for x86-64, not RISC-V");
  other.machine = 9999;
  CHECK(refusal(other.make()) == "ELF for machine 9999, not RISC-V");
  ElfMaker narrow = sound();
  narrow.file_class = 1;
  CHECK_THAT(refusal(narrow.make()), has_substring("32-bit"));
  ElfMaker big = sound();
  big.encoding = 2;
  CHECK_THAT(refusal(big.make()), has_substring("big-endian"));
  ElfMaker object = sound();
  object.type = kElfRelocatable;
  CHECK(refusal(object.make()) == "ELF that is not an executable");
  ElfMaker empty = sound();
  empty.segments.clear();
  CHECK(refusal(empty.make()) == "ELF without loadable segments");
  ElfMaker odd = sound();
  odd.segments[0].memory_bytes = 8;
  CHECK_THAT(refusal(odd.make()), has_substring("more bytes in the file than in memory"));
  ElfMaker far = sound();
  far.segments[0].address = ~u64{0} - 100;
  CHECK_THAT(refusal(far.make()), has_substring("past the address space"));
}

TEST_CASE("elf: an image cut anywhere is refused or still sound, never read past", "[elf]") {
  const std::vector<u8> whole = sound().make();
  // Without sections there are no symbols; the segments must still be whole.
  const std::size_t loadable_end = kElfHeaderBytes + 2 * kProgramHeaderBytes + 64 + 16;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees a read past it.
    const std::vector<u8> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string answer = refusal(cut);
    if (size < loadable_end) CHECK(answer != "accepted");
    if (size >= 4 && size < kElfHeaderBytes) CHECK(answer == "truncated ELF image");
  }
}

TEST_CASE("elf: damaged images are refused or read within bounds", "[elf]") {
  const std::vector<u8> whole = sound().make();
  Random random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<u8> damaged = whole;
    for (u64 i = 0; i <= random.below(4); ++i) {
      // Past the identification, so that most of them get further.
      damaged[20 + random.below(damaged.size() - 20)] = static_cast<u8>(random.next());
    }
    try {
      const Elf elf = parse_elf(damaged);
      for (const ElfSegment& segment : elf.segments) {
        REQUIRE(segment.bytes.data() >= damaged.data());
        REQUIRE(segment.bytes.data() + segment.bytes.size() <= damaged.data() + damaged.size());
        REQUIRE(segment.bytes.size() <= segment.memory_bytes);
      }
    } catch (const Error& error) {
      CHECK(error.exit_code() == Exit::kNoInput);
    }
  }
}

TEST_CASE("elf: a symbol without an end to its name takes what the table has", "[elf]") {
  std::vector<u8> image = sound().make();
  const std::size_t section = ElfMaker::string_section(image);
  ElfMaker::put(image, section + 32, image.at(section + 32) - 1u, 1);  // Its size: the last name loses its zero.
  CHECK(parse_elf(image).find("label") != nullptr);
}
