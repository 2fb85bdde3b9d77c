// Covers devices/board, devices/board_config, devices/board_devices and devices/device_tree.
#include "devices/board.hpp"

#include <functional>

#include "devices/board_devices.hpp"
#include "devices/fdt.hpp"
#include "devices/loader.hpp"
#include "devices/virtio_blk.hpp"
#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

BoardConfig full_config() {
  BoardConfig config;
  config.machine.harts = 2;
  config.machine.ram_bytes = 1u << 20;
  config.machine.rng_seed_at = PhysAddr{0x80000100};
  config.machine.initial_memory.push_back({PhysAddr{0x80000000}, {1, 2, 3}});
  config.virtio_legacy = false;
  config.disks.push_back({3, 8192, true, false, "x0"});
  config.disk_latency = {7, 9};
  config.flash.push_back({1, true, "vars", {PhysAddr{0x22000000}, {4, 5}}});
  config.tohost = PhysAddr{0x80001000};
  config.rom = {0x6f, 0, 0, 0};  // j .
  config.bootargs = "quiet";
  return config;
}

std::string refusal(const std::function<void(BoardConfig&)>& damage) {
  BoardConfig config = full_config();
  damage(config);
  try {
    validate(config, Exit::kBadTrace);
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kBadTrace);
    return error.what();
  }
  return "accepted";
}

std::vector<u8> bytes_of(BoardConfig config) {
  std::vector<u8> bytes;
  StateWriter writer(bytes);
  writer(config);
  return bytes;
}

}  // namespace

TEST_CASE("board: a config is the same after it was written and read", "[board]") {
  for (const bool bare : {false, true}) {
    BoardConfig config = full_config();
    if (bare) {
      config.tohost.reset();
      config.machine.rng_seed_at.reset();
    }
    const std::vector<u8> bytes = bytes_of(config);
    BoardConfig again;
    StateReader reader(bytes);
    reader(again);
    CHECK(reader.left_bytes() == 0);
    CHECK(bytes_of(again) == bytes);
    CHECK(again.tohost == config.tohost);
    CHECK(again.machine.rng_seed_at == config.machine.rng_seed_at);
    CHECK(again.disks.at(0).id == "x0");
    CHECK(again.disks.at(0).slot == 3);
    CHECK(again.machine.initial_memory.at(0).bytes == std::vector<u8>{1, 2, 3});
    CHECK(again.flash.at(0).id == "vars");
    CHECK(again.flash.at(0).image.bytes == std::vector<u8>{4, 5});
  }
}

TEST_CASE("board: a config cut anywhere is an error", "[board]") {
  const std::vector<u8> bytes = bytes_of(full_config());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BoardConfig config;
    StateReader reader(std::span<const u8>(bytes).first(size));
    CHECK_THROWS_AS(reader(config), Error);
  }
}

TEST_CASE("board: what cannot be is refused", "[board]") {
  CHECK(refusal([](BoardConfig&) {}) == "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.harts = 0; }) == "0 harts: 1 to 8 are possible");
  CHECK(refusal([](BoardConfig& c) { c.machine.harts = 9; }) == "9 harts: 1 to 8 are possible");
  CHECK(refusal([](BoardConfig& c) { c.machine.ram_bytes = 0; }) == "a machine needs RAM");
  CHECK(refusal([](BoardConfig& c) { c.machine.ram_bytes += 1; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.ram_bytes = u64{65} << 30; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.ram_base.value = 0; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.turn_steps = 63; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.turn_steps = 1'000'001; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.steps_per_tick = 0; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.reset_pc.value = 0x1001; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.rng_seed_at = PhysAddr{0x80000000 + (1u << 20) - 31}; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.initial_memory[0].at.value -= 1; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.machine.initial_memory[0].at.value += (1u << 20) - 2; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.tohost = PhysAddr{0x80000004}; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.tohost = PhysAddr{0x1000}; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.rom.resize(0xf001); }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.disks[0].slot = 8; }) == "disk x0: virtio-mmio slots are 0 to 7");
  CHECK(refusal([](BoardConfig& c) { c.disks.push_back(c.disks[0]); }) == "disk x0: virtio-mmio slot 3 is taken");
  CHECK(refusal([](BoardConfig& c) { c.disks[0].size_bytes = 100; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.disks[0].size_bytes = u64{5} << 40; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.flash[0].unit = 2; }) == "flash vars: units are 0 and 1");
  CHECK(refusal([](BoardConfig& c) { c.flash.push_back(c.flash[0]); }) == "flash vars: unit 1 is taken");
  CHECK(refusal([](BoardConfig& c) { c.flash[0].unit = 0; }) == "flash vars: its image is not where the unit is");
  CHECK(refusal([](BoardConfig& c) { c.flash[0].image.bytes.resize((32u << 20) + 1); }) ==
        "flash vars: larger than 32 MiB");
  CHECK(refusal([](BoardConfig& c) { c.flash[0].id.resize(5000); }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.disk_latency.bytes_per_tick = 0; }) != "accepted");
  CHECK(refusal([](BoardConfig& c) { c.disk_latency.base_ticks = ~u64{0}; }) != "accepted");
}

TEST_CASE("board: a machine is built with its devices at their indices", "[board]") {
  const BoardConfig config = full_config();
  RecordingOutput output;
  PatternDisk disk;
  const std::array<DiskBase*, 1> bases = {&disk};
  const std::unique_ptr<Machine> machine = build_board(config, EngineKind::kFast, output, bases);
  REQUIRE(machine->device_count() == kHtifIndex + 1u);
  CHECK(machine->device(kUartIndex)->name() == "uart0");
  CHECK(machine->device(kRtcIndex)->name() == "rtc");
  CHECK(machine->device(kFirstVirtioIndex + 3)->name() == "virtio-blk3");
  CHECK(board_disk(*machine, config, 0).name() == "virtio-blk3");
  CHECK(console_room_bytes(*machine) == 1u << 20);
  std::array<u8, 4> word{};
  CHECK(machine->read_physical(PhysAddr{0x1000}, word));
  CHECK(word[0] == 0x6f);
  CHECK(machine->read_physical(PhysAddr{0x80000000}, word));
  CHECK(word == std::array<u8, 4>{1, 2, 3, 0});
  CHECK(machine->read_physical(PhysAddr{0x22000000}, word));
  CHECK(word == std::array<u8, 4>{4, 5, 0, 0});
}

TEST_CASE("board: a machine is not built from a config that cannot be", "[board]") {
  BoardConfig config = full_config();
  config.machine.harts = 0;
  RecordingOutput output;
  PatternDisk disk;
  const std::array<DiskBase*, 1> bases = {&disk};
  CHECK_THROWS_AS(build_board(config, EngineKind::kFast, output, bases), Error);
}

TEST_CASE("device tree: says what the board has", "[board]") {
  const std::vector<u8> blob = make_device_tree(full_config(), "console=ttyS0", PhysAddr{0x80080000}, 100);
  const std::string text(blob.begin(), blob.end());
  for (const char* expected :
       {"riscv-virtio", "console=ttyS0", "/soc/serial@10000000", "linux,initrd-start", "syscon-poweroff",
        "syscon-reboot", "memory@80000000", "cpu@0", "cpu@1", "riscv,isa-extensions", "riscv,sv57", "svadu",
        "clint@2000000", "plic@c000000", "serial@10000000", "rtc@101000", "test@100000", "virtio_mmio@10001000",
        "virtio_mmio@10008000", "flash@20000000", "cfi-flash", "bank-width"}) {
    INFO(expected);
    CHECK(text.find(expected) != std::string::npos);
  }
  CHECK(text.find("cpu@2") == std::string::npos);
  REQUIRE(FdtEditor(blob).memory().size() == 1);
  CHECK(FdtEditor(blob).memory()[0].size_bytes == 1u << 20);
  CHECK(find_rng_seed(blob).has_value());
}

TEST_CASE("device tree: eight harts and a long command line fit", "[board]") {
  BoardConfig config = full_config();
  config.machine.harts = 8;
  const std::vector<u8> blob = make_device_tree(config, std::string(4096, 'a'), PhysAddr{}, 0);
  const std::string text(blob.begin(), blob.end());
  CHECK(text.find("cpu@7") != std::string::npos);
  CHECK(text.find("linux,initrd-start") == std::string::npos);
}
