#include "devices/ram_layout.hpp"

#include "core/check.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

constexpr PhysAddr kBase{0x80000000};
constexpr u64 kMiB = 1u << 20;

std::string refusal(RamLayout& ram, PhysAddr at, u64 size_bytes) {
  try {
    ram.place("kernel x", at, {}, size_bytes);
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return "placed";
}

}  // namespace

TEST_CASE("ram layout: what does not fit is said with both sizes", "[ram_layout]") {
  RamLayout ram(kBase, 128 * kMiB);
  CHECK(refusal(ram, kBase, 300 * kMiB) == "kernel x (300 MiB) does not fit in 128 MiB of RAM");
  CHECK(refusal(ram, PhysAddr{kBase.value + 127 * kMiB}, 2 * kMiB) ==
        "kernel x (2 MiB) does not fit in 128 MiB of RAM");
  CHECK(refusal(ram, PhysAddr{0x1000}, 10) == "kernel x (1 KiB) does not fit in 128 MiB of RAM");
  CHECK(refusal(ram, PhysAddr{~u64{0}}, ~u64{0}) != "placed");
}

TEST_CASE("ram layout: two images over each other are refused by name", "[ram_layout]") {
  RamLayout ram(kBase, 128 * kMiB);
  ram.place("bios y", kBase, {}, 2 * kMiB);
  CHECK(refusal(ram, PhysAddr{kBase.value + kMiB}, 4) == "kernel x at 0x80100000 overlaps bios y");
  CHECK(refusal(ram, PhysAddr{kBase.value + 2 * kMiB}, 4) == "placed");
}

TEST_CASE("ram layout: only what has bytes becomes a blob", "[ram_layout]") {
  RamLayout ram(kBase, kMiB);
  const std::vector<u8> bytes = {1, 2, 3};
  ram.place("a", kBase, bytes, 4096);
  ram.place("b", PhysAddr{kBase.value + 4096}, {}, 4096);
  const std::vector<Blob> blobs = ram.take_blobs();
  REQUIRE(blobs.size() == 1);
  CHECK(blobs[0].at == kBase);
  CHECK(blobs[0].bytes == bytes);
}

TEST_CASE("ram layout: the highest aligned place that is free is found", "[ram_layout]") {
  const std::vector<u8> tree(5000);
  RamLayout ram(kBase, 128 * kMiB);
  CHECK(ram.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB) == PhysAddr{0x87e00000});
  CHECK(ram.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB) == PhysAddr{0x87c00000});
  RamLayout large(kBase, 4096 * kMiB);
  CHECK(large.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB) == PhysAddr{0xbfe00000});
}

TEST_CASE("ram layout: when all aligned places are taken a page is enough", "[ram_layout]") {
  const std::vector<u8> tree(5000);
  RamLayout ram(kBase, 2 * kMiB);
  ram.place("kernel", kBase, {}, kMiB);
  CHECK(ram.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB) == PhysAddr{kBase.value + 2 * kMiB - 8192});
  RamLayout full(kBase, kMiB);
  full.place("kernel", PhysAddr{kBase.value + 4096}, {}, kMiB - 4096);
  CHECK_THROWS_AS(full.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB), Error);
  RamLayout tiny(kBase, 4096);
  CHECK_THROWS_AS(tiny.place_high("t", tree, PhysAddr{0xc0000000}, 2 * kMiB), Error);
}
