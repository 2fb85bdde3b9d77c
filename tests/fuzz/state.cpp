// A snapshot whose bytes somebody else made: the machine takes it or refuses it, and if it takes it, it runs on, and
// what it says of its state can be restored.
#include <atomic>

#include "core/check.hpp"
#include "devices/board.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::fuzz {

namespace {

constexpr u64 kSteps = 300;

BoardConfig board(bool legacy) {
  BoardConfig config;
  config.machine.harts = 2;
  config.machine.ram_bytes = u64{1} << 20;
  config.machine.turn_steps = 64;
  config.machine.reset_pc = kRamBase;
  // wfi; addi x1, x1, 1; sd x1, 0(x2); j -12: waits, computes, stores wherever x2 says.
  config.machine.initial_memory.push_back(
      {kRamBase, {0x73, 0, 0x50, 0x10, 0x93, 0x80, 0x10, 0, 0x23, 0x30, 0x11, 0, 0x6f, 0xf0, 0x5f, 0xff}});
  config.virtio_legacy = legacy;
  config.disks.push_back({0, 64 * kBlockBytes, false, true, "zero"});
  config.flash.push_back({1, true, "vars", {flash_at(1), std::vector<u8>(5000, 0xff)}});
  config.tohost = PhysAddr{kRamBase.value + 0x8000};
  return config;
}

/// Puts bytes of the input into the state of one component after the other.
void edit(Snapshot& snapshot, Input& input) {
  while (!input.empty()) {
    std::vector<u8>& bytes = snapshot.components[input.byte() % snapshot.components.size()];
    const u8 how = input.byte();
    const std::size_t at = input.number(2) % (bytes.size() + 1);
    const std::span<const u8> put = input.take(how % 16);
    if ((how & 0x10) != 0) bytes.resize(at);
    if (put.size() > bytes.size() - at) bytes.resize(at + put.size());
    std::copy(put.begin(), put.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void run(Machine& machine) {
  const Position limit{machine.position().steps + kSteps};
  while (machine.position() < limit && !machine.power().off) {
    if (machine.run_until(limit, nullptr) != Pause::kIdle) continue;
    if (machine.idle_deadline() == kNever) return;
    machine.idle_step();
  }
}

/// Made once: whatever state it was left in, restoring leaves nothing of it.
struct Bench {
  test::RecordingOutput output;
  test::PatternDisk disk;
  std::unique_ptr<Machine> machine;
  Snapshot good;

  explicit Bench(bool legacy) {
    const std::array<DiskBase*, 1> bases = {&disk};
    machine = build_board(board(legacy), EngineKind::kFast, output, bases);
    run(*machine);
    good = machine->snapshot();
  }
};

}  // namespace

void state(std::span<const u8> bytes) {
  static Bench legacy(true), modern(false);
  Input input(bytes);
  Bench& bench = (input.byte() & 1) != 0 ? legacy : modern;
  Machine& machine = *bench.machine;
  Snapshot snapshot = bench.good;
  edit(snapshot, input);
  try {
    machine.restore(snapshot);
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kBadTrace);
    return;
  }
  run(machine);
  const u64 hash = machine.hash();
  machine.restore(machine.snapshot());
  RV_CHECK(machine.hash() == hash);
  bench.output = {};
  bench.disk.reads.clear();
}

}  // namespace retrov::fuzz
