// A whole board in a storm: harts full of random code that trap into tests/guests/storm.S, page tables and code that
// change under them, DMA, timers, resets, and a world that types, writes memory and registers and locks harts. Recorded
// once; then every other way through the same history must pass through the same states and say the same things at the
// same steps.
#pragma once

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "core/csr.hpp"
#include "core/insn.hpp"
#include "replay/replayer.hpp"
#include "tests/support/guest_bench.hpp"

namespace retrov::test {

inline constexpr u64 kStormCode = 0x80040000;
inline constexpr u64 kStormCodeBytes = 0x4000;
inline constexpr u64 kStormTables = 0x80050000;
inline constexpr u64 kStormData = 0x80060000;
inline constexpr u64 kStormTohost = kStormData + 0xff8;

/// What would leave little to run is read only: where M-mode traps to, what goes there, all of PMP's rights, and mscratch,
/// which says that the page tables are there.
inline bool storm_spares(u16 csr) {
  return csr == 0x302 || csr == 0x305 || csr == 0x340 || csr == 0x3a0 || csr == 0x3a2;
}

/// Any instruction, but rather one that goes on: pointers stay in their registers, jumps in the code.
inline u32 storm_insn(std::mt19937_64& random, u64 at) {
  static constexpr u32 kPointers[] = {2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 28, 29};
  const auto one_in = [&random](u64 count) { return random() % count == 0; };
  const auto tables = insn_tables();
  for (;;) {
    const auto table = tables[random() % tables.size()];
    if (table.empty()) continue;
    const InsnRow& row = table[random() % table.size()];
    u32 raw = (static_cast<u32>(random()) & ~row.encoding.mask) | row.encoding.match;
    if (row.encoding.bits == 16) raw &= 0xffff;
    if (row.format == Format::kCsr || row.format == Format::kCsrImm) {
      const u16 number = csr_rows()[random() % csr_rows().size()].number;
      raw = (raw & 0xfffff) | u32{number} << 20;
      if (storm_spares(number)) raw = (raw & ~0x000ff000u) | 0x2000;
    } else if (row.encoding.bits == 32) {
      const bool atomic = row.format == Format::kAmo || row.format == Format::kLr;
      const bool writes_rd = row.kind == Kind::kAlu || row.kind == Kind::kPcRelative || row.kind == Kind::kLoad || atomic;
      const bool points = row.kind == Kind::kLoad || row.kind == Kind::kStore || atomic;
      if (writes_rd && !one_in(8)) raw |= 0x800;  // x16 and up.
      if (points && !one_in(16)) raw = (raw & ~0xf8000u) | kPointers[random() % std::size(kPointers)] << 15;
    }
    if (find_insn(raw) != &row) continue;
    const Operands operands = decode_operands(row.format, raw);
    const bool jumps = row.kind == Kind::kBranch || row.kind == Kind::kJump;
    const u64 target = at + static_cast<u64>(i64{operands.imm});
    if (jumps && target >= kStormCodeBytes && !one_in(64)) continue;
    if (jumps && operands.imm <= 0 && !one_in(16)) continue;  // Loops, some of them without end.
    const bool ends = row.kind == Kind::kJumpIndirect || row.format == Format::kNone || row.format == Format::kSfence;
    const bool csr = row.format == Format::kCsr || row.format == Format::kCsrImm;
    if ((ends || csr) && !one_in(8)) continue;
    const bool rounds = row.kind == Kind::kFallible && row.encoding.mask >> 12 % 8 == 0;
    if (rounds && (raw >> 12 & 7) > 4 && !one_in(16)) continue;
    return raw;
  }
}

inline BoardConfig storm_board(u64 seed, unsigned harts) {
  BoardConfig board = guest_board("storm", harts);
  board.machine.turn_steps = 64 + seed * 37 % 200;
  board.machine.steps_per_tick = 1 + seed * 3 % 11;
  DiskConfig disk;
  disk.size_bytes = 16 * 512;
  disk.id = "storm";
  board.disks.push_back(disk);
  board.disk_latency = {20, 64};
  board.tohost = PhysAddr{kStormTohost};
  std::mt19937_64 random(seed);
  Blob code{PhysAddr{kStormCode}, {}};
  while (code.bytes.size() < kStormCodeBytes) {
    const u32 raw = storm_insn(random, code.bytes.size());
    for (unsigned i = 0; i < insn_length_bytes(raw); ++i) code.bytes.push_back(static_cast<u8>(raw >> (8 * i)));
  }
  board.machine.initial_memory.push_back(std::move(code));
  return board;
}

/// Everything that can come from outside, at random moments.
class StormWorld final : public InputSource {
 public:
  StormWorld(u64 seed, unsigned harts) : random_(seed), harts_(harts) {}
  Position next_pause(Position now, Position limit) override {
    return std::min(limit, Position{now.steps + 1 + random_() % 700});
  }
  Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) override {
    const bool stuck = idle == Idle::kYes && deadline == kNever;
    out.wake = Ticks{};
    if (idle == Idle::kYes) {
      out.wake = Ticks{guest_now.value + random_() % ((stuck ? 50 : deadline.value - guest_now.value) + 1)};
    }
    if (now.steps == 0) {
      out.inputs = {Input{kRtcIndex, RtcStart{1'700'000'000'000'000'000}}, Input{kMachineItself, Seed{}}};
      return Took::kBatch;
    }
    if (!stuck && random_() % 3 != 0) return Took::kReachedDeadline;
    out.inputs.clear();
    if (stuck) wake_all(out);
    for (u64 i = 0; i <= random_() % 3; ++i) out.inputs.push_back(something());
    return Took::kBatch;
  }

 private:
  Input poke(u64 hart, u64 id, u64 value) {
    DebuggerWrite write;
    write.space = DebuggerWrite::Space::kRegister;
    write.hart = static_cast<u8>(hart);
    write.where = id;
    for (unsigned i = 0; i < 8; ++i) write.bytes.push_back(static_cast<u8>(value >> (8 * i)));
    return {kMachineItself, write};
  }
  void wake_all(Batch& out) {
    out.inputs.push_back({kMachineItself, SchedMask{}});
    for (unsigned hart = 0; hart < harts_; ++hart) {
      out.inputs.push_back(poke(hart, kFirstCsr + 0x304u, 0xaaa));
      out.inputs.push_back(poke(hart, kFirstCsr + 0x344u, 2));
    }
  }
  Input something() {
    switch (random_() % 5) {
      case 0: {
        ConsoleBytes typed;
        for (u64 i = 0; i <= random_() % 20; ++i) typed.bytes.push_back(static_cast<u8>(random_()));
        return {kUartIndex, typed};
      }
      case 1:
        return {kMachineItself, SchedMask{random_() % 4 == 0 ? random_() : ~u64{0}}};
      case 2: {
        const u64 csr = csr_rows()[random_() % csr_rows().size()].number;
        if (random_() % 2 == 0) return poke(random_() % harts_, 32, kStormCode + random_() % kStormCodeBytes);
        const u64 id = random_() % 3 == 0 && !storm_spares(static_cast<u16>(csr)) ? kFirstCsr + csr : random_() % 66;
        return poke(random_() % harts_, id, random_() % 2 == 0 ? random_() : kStormData + random_() % 0x1000);
      }
      default: {
        static constexpr u64 kPlaces[] = {kStormCode, kStormTables + 0x2000, kStormTables + 0x5000, kStormData};
        DebuggerWrite write;
        write.where = kPlaces[random_() % 4] + random_() % 0x1000;
        for (u64 i = 0; i <= random_() % 16; ++i) write.bytes.push_back(static_cast<u8>(random_()));
        return {kMachineItself, write};
      }
    }
  }
  std::mt19937_64 random_;
  unsigned harts_;
};

class StormDisk final : public DiskBase {
 public:
  void read_block(u64 index, std::span<u8, kBlockBytes> out) override {
    for (u64 i = 0; i < kBlockBytes; ++i) out[i] = static_cast<u8>((index + 1) * (i * i + 11) >> 3);
  }
};

/// Bytes and sentences with the steps that said them.
class Transcript final : public OutputSink {
 public:
  void console(Position at, std::span<const u8> bytes) override {
    for (const u8 byte : bytes) said.emplace_back(at.steps, byte);
  }
  void notice(Position at, const std::string& sentence) override { said.emplace_back(at.steps, sentence.size()); }
  std::vector<std::pair<u64, u64>> said;
};

/// A machine that goes through a recorded storm.
struct StormWalker {
  StormWalker(const History& history, EngineKind engine)
      : bases{&disk}, machine(build_board(history.board(), engine, transcript, bases)), replayer(history) {}
  Halt to(Position limit, StopSet* stops = nullptr) { return drive(*machine, replayer, limit, stops, never); }
  void restore(const Snapshot& snapshot) {
    machine->restore(snapshot);
    replayer.move_to(snapshot.at);
  }
  [[nodiscard]] Position now() const { return machine->position(); }
  Transcript transcript;
  StormDisk disk;
  std::vector<DiskBase*> bases;
  std::unique_ptr<Machine> machine;
  Replayer replayer;
  const std::atomic<bool> never{false};
};

struct Storm {
  std::unique_ptr<History> history;
  std::map<Position, u64> hashes;
  std::vector<std::pair<u64, u64>> said;
};

inline Storm record_storm(u64 seed, unsigned harts, u64 steps) {
  Storm storm;
  storm.history = std::make_unique<History>(storm_board(seed, harts));
  StormWalker walker(*storm.history, EngineKind::kFast);
  StormWorld world(seed, harts);
  Recorder recorder(world, *storm.history);
  Halt halt = Halt::kLimit;
  while (halt == Halt::kLimit && walker.now().steps < steps) {
    const Position pause{walker.now().steps + 1'013};
    halt = drive(*walker.machine, recorder, pause, nullptr, walker.never);
    recorder.reached(walker.now());
    storm.hashes[walker.now()] = walker.machine->hash();
  }
  storm.said = walker.transcript.said;
  return storm;
}

}  // namespace retrov::test
