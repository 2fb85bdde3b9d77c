#include "devices/loader.hpp"

#include <algorithm>

#include "devices/fdt.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"
#include "tests/support/elf_maker.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kMiB = 1u << 20;

Image image(const std::string& name, std::vector<u8> bytes) { return {name, std::move(bytes)}; }

/// A Linux Image of `file_bytes` that says it uses `memory_bytes`.
Image linux_image(std::size_t file_bytes, u64 memory_bytes, u64 text_offset = 0x200000) {
  std::vector<u8> bytes(file_bytes, 0x13);
  for (unsigned i = 0; i < 8; ++i) {
    bytes[8 + i] = static_cast<u8>(text_offset >> (8 * i));
    bytes[16 + i] = static_cast<u8>(memory_bytes >> (8 * i));
  }
  std::copy_n("RSC\x05", 4, bytes.begin() + 56);
  return image("Image", std::move(bytes));
}

Image elf_image(const std::string& name, u64 address, std::size_t size_bytes, u64 entry_offset = 0) {
  ElfMaker maker;
  maker.entry = address + entry_offset;
  maker.segments.push_back({address, std::vector<u8>(size_bytes, 0x77)});
  maker.symbols.push_back({"tohost", address + 64, 8});
  return image(name, maker.make());
}

BoardConfig with_ram(u64 mib) {
  BoardConfig config;
  config.machine.ram_bytes = mib * kMiB;
  return config;
}

const Blob* blob_at(const BoardConfig& config, u64 address) {
  for (const Blob& blob : config.machine.initial_memory) {
    if (blob.at.value == address) return &blob;
  }
  return nullptr;
}

/// The device tree is placed last.
const Blob& tree_of(const BoardConfig& config) { return config.machine.initial_memory.back(); }

u64 rom_word(const BoardConfig& config, std::size_t offset) {
  u64 value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | config.rom.at(offset + i);
  return value;
}
enum : std::size_t { kRomEntry = 24, kRomTree = 32, kRomInfo = 40 };

Exit refusal(BoardConfig config, const BootImages& images, const std::string& text) {
  try {
    place_images(config, images);
  } catch (const Error& error) {
    CHECK_THAT(error.what(), has_substring(text));
    return error.exit_code();
  }
  FAIL("accepted, but should have said: " << text);
  return Exit::kOk;
}

}  // namespace

TEST_CASE("loader: firmware, Linux Image, initrd and device tree go where QEMU puts them", "[loader]") {
  BoardConfig config = with_ram(256);
  BootImages images;
  images.bios = image("fw_dynamic.bin", std::vector<u8>(270'000, 1));
  images.kernel = linux_image(3 * kMiB, 5 * kMiB);
  images.initrd = image("initrd", std::vector<u8>(kMiB, 3));
  images.append = "console=ttyS0";
  place_images(config, images);
  REQUIRE(config.machine.initial_memory.size() == 4);
  CHECK(blob_at(config, 0x80000000)->bytes.size() == 270'000);
  CHECK(blob_at(config, 0x80200000)->bytes.size() == 3 * kMiB);
  CHECK(blob_at(config, 0x80200000 + 128 * kMiB)->bytes.size() == kMiB);
  CHECK(tree_of(config).at == PhysAddr{0x8fe00000});
  CHECK(config.machine.reset_pc == PhysAddr{0x1000});
  CHECK(rom_word(config, kRomEntry) == 0x80000000);
  CHECK(rom_word(config, kRomTree) == 0x8fe00000);
  CHECK(rom_word(config, kRomInfo) == 0x4942534f);
  CHECK(rom_word(config, kRomInfo + 8) == 2);
  CHECK(rom_word(config, kRomInfo + 16) == 0x80200000);
  CHECK(rom_word(config, kRomInfo + 24) == 1);
  CHECK(config.bootargs == "console=ttyS0");
}

TEST_CASE("loader: the rng-seed is found in RAM, as 32 zero bytes", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.kernel = elf_image("k", 0x80000000, 100);
  place_images(config, images);
  REQUIRE(config.machine.rng_seed_at.has_value());
  const u64 offset = config.machine.rng_seed_at->value - tree_of(config).at.value;
  REQUIRE(offset + 32 <= tree_of(config).bytes.size());
  for (u64 i = 0; i < 32; ++i) CHECK(tree_of(config).bytes[offset + i] == 0);
}

TEST_CASE("loader: the kernel's memory, not its file, keeps initrd and device tree away", "[loader]") {
  BoardConfig config = with_ram(64);
  BootImages images;
  images.bios = image("fw", std::vector<u8>(4096, 1));
  images.kernel = linux_image(kMiB, 50 * kMiB);
  images.initrd = image("initrd", std::vector<u8>(kMiB, 3));
  place_images(config, images);
  const auto initrd = std::find_if(config.machine.initial_memory.begin(), config.machine.initial_memory.end(),
                                   [](const Blob& blob) { return blob.bytes[0] == 3; });
  REQUIRE(initrd != config.machine.initial_memory.end());
  CHECK(initrd->at.value >= 0x80200000 + 50 * kMiB);
  CHECK(tree_of(config).at.value >= initrd->at.value + kMiB);
}

TEST_CASE("loader: without firmware a kernel is entered at its own entry", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.kernel = elf_image("kernel", 0x80000000, 1000, 16);
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000010);
  CHECK(blob_at(config, 0x80000000)->bytes.size() == 1000);
  images.kernel = image("raw", std::vector<u8>(1000, 1));
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000000);
  // An Image too goes to the start of RAM then: it runs in M-mode.
  images.kernel = linux_image(1000, 2000);
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000000);
}

TEST_CASE("loader: flash unit 0 is entered first, or by the firmware", "[loader]") {
  BoardConfig config = with_ram(128);
  config.flash.push_back({0, false, "code", {flash_at(0), {1, 2, 3, 4}}});
  BootImages images;
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x20000000);
  CHECK(rom_word(config, kRomInfo + 16) == 0);
  images.kernel = elf_image("kernel", 0x80000000, 1000, 16);
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x20000000);
  CHECK(rom_word(config, kRomInfo + 16) == 0x80000010);
  images.bios = image("fw", std::vector<u8>(1000, 1));
  CHECK(refusal(config, images, "kernel kernel: the firmware continues in pflash unit 0") == Exit::kUsage);
  images.kernel.reset();
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000000);
  CHECK(rom_word(config, kRomInfo + 16) == 0x20000000);
  // What is in unit 1 is data.
  config.flash[0] = {1, false, "vars", {flash_at(1), {}}};
  place_images(config, images);
  CHECK(rom_word(config, kRomInfo + 16) == 0);
  images.bios.reset();
  CHECK(refusal(config, images, "nothing to run") == Exit::kUsage);
}

TEST_CASE("loader: a kernel follows firmware that is larger than 2 MiB", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.bios = image("fw", std::vector<u8>(3 * kMiB, 1));
  images.kernel = linux_image(1000, 2000);
  place_images(config, images);
  CHECK(rom_word(config, kRomInfo + 16) == 0x80400000);
}

TEST_CASE("loader: firmware alone is told of no kernel", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.bios = elf_image("u-boot", 0x80000000, 5000);
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000000);
  CHECK(rom_word(config, kRomInfo + 16) == 0);
}

TEST_CASE("loader: a position-independent ELF outside RAM is moved to its start", "[loader]") {
  ElfMaker maker;
  maker.type = kElfDynamic;
  maker.entry = 0x20;
  maker.segments.push_back({0, std::vector<u8>(100, 9)});
  maker.segments.push_back({0x1000, std::vector<u8>(50, 8)});
  BoardConfig config = with_ram(128);
  BootImages images;
  images.bios = image("fw.elf", maker.make());
  place_images(config, images);
  CHECK(rom_word(config, kRomEntry) == 0x80000020);
  CHECK(blob_at(config, 0x80001000)->bytes.size() == 50);
}

TEST_CASE("loader: the device tree stays below 3 GiB and fits in small RAM", "[loader]") {
  BootImages images;
  images.kernel = elf_image("k", 0x80000000, 100);
  BoardConfig large = with_ram(8192);
  place_images(large, images);
  CHECK(tree_of(large).at == PhysAddr{0xbfe00000});
  BoardConfig small = with_ram(1);
  place_images(small, images);
  CHECK(tree_of(small).at.value >= 0x80001000);
}

TEST_CASE("loader: bad images are refused by role, name and reason", "[loader]") {
  BootImages images;
  CHECK(refusal(with_ram(128), images, "nothing to run") == Exit::kUsage);
  const auto kernel_refused = [&](std::vector<u8> bytes, const std::string& text) {
    images.kernel = image("vmlinux", std::move(bytes));
    return refusal(with_ram(128), images, "kernel vmlinux: " + text);
  };
  CHECK(kernel_refused({}, "the file is empty") == Exit::kNoInput);
  CHECK(kernel_refused({0x1f, 0x8b, 8, 0}, "gzip-compressed; decompress it first") == Exit::kNoInput);
  std::vector<u8> zboot(64);
  std::copy_n("MZ\0\0zimg", 8, zboot.begin());
  CHECK(kernel_refused(zboot, "an EFI zboot image") == Exit::kNoInput);
  CHECK(kernel_refused({0x27, 0x05, 0x19, 0x56}, "a U-Boot image") == Exit::kNoInput);
  ElfMaker other;
  other.machine = kMachineX86_64;
  CHECK(kernel_refused(other.make(), "ELF for x86-64, not RISC-V") == Exit::kNoInput);
  CHECK(kernel_refused({0x7f, 'E', 'L', 'F'}, "truncated ELF image") == Exit::kNoInput);
  images.kernel = elf_image("low.elf", 0x1000, 100);
  CHECK(refusal(with_ram(128), images, "kernel low.elf: linked for 0x1000, where there is no RAM") == Exit::kNoInput);
  images.kernel = elf_image("k", 0x80000000, 100);
  images.initrd = image("initrd.img", {});
  CHECK(refusal(with_ram(128), images, "initrd initrd.img: the file is empty") == Exit::kNoInput);
}

TEST_CASE("loader: images larger than RAM are refused with both sizes", "[loader]") {
  BootImages images;
  images.kernel = elf_image("x.elf", 0x80000000, 3 * kMiB);
  CHECK(refusal(with_ram(2), images, "kernel x.elf (3 MiB) does not fit in 2 MiB of RAM") == Exit::kUsage);
  images.kernel = linux_image(4096, 300 * kMiB);
  CHECK(refusal(with_ram(128), images, "kernel Image (300 MiB) does not fit in 128 MiB of RAM") == Exit::kUsage);
  images.kernel = elf_image("x.elf", 0x80000000, 100);
  images.initrd = image("i", std::vector<u8>(5 * kMiB, 1));
  CHECK(refusal(with_ram(4), images, "initrd i (5 MiB) does not fit in 4 MiB of RAM") == Exit::kUsage);
}

TEST_CASE("loader: a kernel linked over its firmware is refused", "[loader]") {
  BootImages images;
  images.bios = image("fw.bin", std::vector<u8>(10'000, 1));
  images.kernel = elf_image("k.elf", 0x80000000, 100);
  CHECK(refusal(with_ram(128), images, "kernel k.elf at 0x80000000 overlaps bios fw.bin") == Exit::kUsage);
}

TEST_CASE("loader: a device tree of the user is given bootargs and initrd", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.kernel = elf_image("k", 0x80000000, 100);
  images.dtb = image("my.dtb", make_device_tree(config, "theirs", PhysAddr{}, 0));
  images.append = "ours";
  images.initrd = image("i", std::vector<u8>(100, 3));
  place_images(config, images);
  const std::string text(tree_of(config).bytes.begin(), tree_of(config).bytes.end());
  CHECK(text.find("ours") != std::string::npos);
  CHECK(text.find("theirs") == std::string::npos);
  CHECK(text.find("linux,initrd-end") != std::string::npos);
  CHECK(config.machine.rng_seed_at.has_value());
  images.append.clear();
  place_images(config, images);
  const std::string kept(tree_of(config).bytes.begin(), tree_of(config).bytes.end());
  CHECK(kept.find("theirs") != std::string::npos);
}

TEST_CASE("loader: a device tree with more memory than there is, or none at all, is an error", "[loader]") {
  BootImages images;
  images.kernel = elf_image("k", 0x80000000, 100);
  images.dtb = image("big.dtb", make_device_tree(with_ram(256), "", PhysAddr{}, 0));
  CHECK(refusal(with_ram(128), images,
                "device tree big.dtb: says memory is at 0x80000000 to 0x90000000, but there are 128 MiB") ==
        Exit::kUsage);
  images.dtb = image("no.dtb", {1, 2, 3});
  CHECK(refusal(with_ram(128), images, "device tree no.dtb: not a device tree blob") == Exit::kNoInput);
}

TEST_CASE("loader: tohost is found in the ELF that is given", "[loader]") {
  BoardConfig config = with_ram(128);
  BootImages images;
  images.htif = true;
  images.kernel = elf_image("t.elf", 0x80000000, 4096);
  place_images(config, images);
  CHECK(config.tohost == PhysAddr{0x80000040});
  ElfMaker nameless;
  nameless.segments.push_back({0x80000000, std::vector<u8>(100, 1)});
  images.kernel = image("n.elf", nameless.make());
  CHECK(refusal(with_ram(128), images, "n.elf has no symbol tohost") == Exit::kNoInput);
  images.kernel = image("raw.bin", std::vector<u8>(100, 1));
  CHECK(refusal(with_ram(128), images, "needs an ELF image") == Exit::kUsage);
}

TEST_CASE("loader: a config that cannot be is refused before anything is placed", "[loader]") {
  BootImages images;
  images.kernel = elf_image("k", 0x80000000, 100);
  CHECK(refusal(with_ram(0), images, "a machine needs RAM") == Exit::kUsage);
  images.append = std::string(1'000'000, 'x');
  CHECK(refusal(with_ram(128), images, "the kernel command line is longer than") == Exit::kUsage);
}
