#include "devices/fdt.hpp"

#include <string>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::vector<u8> tree_with_memory(u64 size_bytes, u64 base = 0x80000000, std::size_t seed_bytes = 32) {
  FdtBuilder builder;
  {
    FdtNode root = builder.root();
    root.cell("#address-cells", 2);
    root.cell("#size-cells", 2);
    {
      FdtNode chosen = root.child("chosen");
      chosen.text("bootargs", "old");
      chosen.bytes("rng-seed", std::vector<u8>(seed_bytes, 0x5a));
    }
    FdtNode memory = root.child("memory@80000000");
    memory.text("device_type", "memory");
    memory.reg(PhysAddr{base}, size_bytes);
  }
  return builder.finish();
}

bool contains(const std::vector<u8>& blob, const std::string& text) {
  return std::string(blob.begin(), blob.end()).find(text) != std::string::npos;
}

std::string refusal(const std::vector<u8>& blob) {
  try {
    FdtEditor editor(blob);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("fdt: what was built is read again", "[fdt]") {
  const std::vector<u8> blob = tree_with_memory(u64{5} << 30);
  const FdtEditor editor(blob);
  REQUIRE(editor.memory().size() == 1);
  CHECK(editor.memory()[0].base == 0x80000000);
  CHECK(editor.memory()[0].size_bytes == u64{5} << 30);
}

TEST_CASE("fdt: the place of the rng-seed is its value in the blob", "[fdt]") {
  const std::vector<u8> blob = tree_with_memory(4096);
  const std::optional<u64> at = find_rng_seed(blob);
  REQUIRE(at.has_value());
  REQUIRE(*at + 32 <= blob.size());
  for (u64 i = 0; i < 32; ++i) CHECK(blob[*at + i] == 0x5a);
  CHECK_FALSE(find_rng_seed(tree_with_memory(4096, 0x80000000, 31)).has_value());
  CHECK_FALSE(find_rng_seed(std::vector<u8>(100)).has_value());
}

TEST_CASE("fdt: an editor replaces the bootargs and adds the initrd", "[fdt]") {
  FdtEditor editor(tree_with_memory(4096));
  editor.set_bootargs("console=ttyS0 a much longer command line");
  editor.set_initrd(PhysAddr{0x84000000}, 0x1234);
  const std::vector<u8> blob = editor.finish();
  CHECK(contains(blob, "console=ttyS0 a much longer"));
  CHECK_FALSE(contains(blob, std::string("old\0", 4)));
  CHECK(contains(blob, "linux,initrd-start"));
  CHECK(contains(blob, std::string("\0\0\0\0\x84\0\x12\x34", 8)));
  CHECK(find_rng_seed(blob).has_value());
  CHECK(FdtEditor(blob).memory().size() == 1);
}

TEST_CASE("fdt: a tree without /chosen gets one", "[fdt]") {
  FdtBuilder builder;
  { FdtNode root = builder.root(); }
  FdtEditor editor(builder.finish());
  editor.set_bootargs("quiet");
  CHECK(contains(editor.finish(), "quiet"));
}

TEST_CASE("fdt: a command line too long for the tree is an error", "[fdt]") {
  FdtEditor editor(tree_with_memory(4096));
  CHECK_THROWS_AS(editor.set_bootargs(std::string(100'000, 'x')), Error);
}

TEST_CASE("fdt: what is no device tree is refused by name", "[fdt]") {
  CHECK(refusal({}) == "not a device tree blob");
  CHECK(refusal(std::vector<u8>(64)) == "not a device tree blob");
  std::vector<u8> blob = tree_with_memory(4096);
  blob.pop_back();
  CHECK(refusal(blob) == "truncated device tree blob");
  std::vector<u8> damaged = tree_with_memory(4096);
  damaged[11] = 0xf0;  // The structure block begins elsewhere.
  CHECK(refusal(damaged) == "damaged device tree blob");
}

TEST_CASE("fdt: a tree of a version that is no more written is refused by its number", "[fdt]") {
  std::vector<u8> old = tree_with_memory(4096);
  // What it is of and what it can be read as; libfdt then looks for a slash in the root's name, which has none.
  old[23] = old[27] = 15;
  CHECK(refusal(old) == "device tree blob of version 15, which is older than 16");
  CHECK_FALSE(find_rng_seed(old).has_value());
}

TEST_CASE("fdt: damaged trees neither crash nor are read past", "[fdt]") {
  const std::vector<u8> whole = tree_with_memory(4096);
  Random random(2);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<u8> damaged(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(random.below(whole.size() + 1)));
    for (u64 i = 0; i < random.below(4) && !damaged.empty(); ++i) {
      damaged[random.below(damaged.size())] = static_cast<u8>(random.next());
    }
    (void)find_rng_seed(damaged);
    try {
      FdtEditor editor(damaged);
      (void)editor.memory();
      editor.set_bootargs("x");
      editor.set_initrd(PhysAddr{1}, 2);
      (void)editor.finish();
    } catch (const Error&) {
      SUCCEED("refused");
    }
  }
}
