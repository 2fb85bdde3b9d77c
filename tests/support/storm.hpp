// A whole board in a storm: harts full of random code that trap into tests/guests/storm.S, page tables and code that
// change under them, DMA, timers, resets, and a world that types, writes memory and registers and locks harts. Recorded
// once; then every other way through the same history must pass through the same states and say the same things at the
// same steps.
#pragma once

#include <functional>
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

/// What would leave little to run is read only: where M-mode traps to, what goes there, all of PMP's rights, mscratch,
/// which says that the page tables are there.
inline bool storm_spares(u16 csr) {
  return csr == 0x302 || csr == 0x305 || csr == 0x340 || csr == 0x3a0 || csr == 0x3a2;
}

/// sp, gp, tp, s0, s1, a0 to a5, t3, t4: storm.S points them to what is worth hitting.
inline constexpr u32 kStormPointers[] = {2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 28, 29};

/// Any instruction, but rather one that goes on: pointers stay in their registers, jumps in the code.
inline u32 storm_insn(std::mt19937_64& random, u64 at) {
  const auto one_in = [&random](u64 count) { return random() % count == 0; };
  const auto tables = insn_tables();
  for (;;) {
    const auto table = tables[random() % tables.size()];
    if (table.size() == 0) continue;
    const InsnRow& row = table[random() % table.size()];
    u32 raw = (static_cast<u32>(random()) & ~row.encoding.mask) | row.encoding.match;
    if (row.encoding.bits == 16) raw &= 0xffff;
    if (row.format == Format::kCsr || row.format == Format::kCsrImm) {
      const u16 number = csr_rows()[random() % csr_rows().size()].number;
      raw = (raw & 0xfffff) | u32{number} << 20;
      if (storm_spares(number)) raw = (raw & ~0x000ff000u) | 0x2000;
    } else if (row.encoding.bits == 32) {
      const bool atomic = row.format == Format::kAmo || row.format == Format::kLr;
      const bool writes_rd =
          row.kind == Kind::kAlu || row.kind == Kind::kPcRelative || row.kind == Kind::kLoad || atomic;
      const bool points = row.kind == Kind::kLoad || row.kind == Kind::kStore || atomic;
      if (writes_rd && !one_in(8)) raw |= 0x800;  // x16 and up.
      if (points && !one_in(16)) raw = (raw & ~0xf8000u) | kStormPointers[random() % std::size(kStormPointers)] << 15;
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

/// A few instructions that do together what chance would not: change a page-table entry and use it, patch the code
/// ahead, go round, look at memory in another way.
inline std::vector<u32> storm_idiom(std::mt19937_64& random) {
  constexpr u32 kX16 = 16, kX17 = 17, kX30 = 30;
  const auto i_type = [](u32 opcode, u32 funct3, u32 rd, u32 rs1, u32 imm) {
    return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
  };
  const auto store = [](u32 funct3, u32 rs1, u32 rs2, u32 imm) {
    return imm >> 5 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | 0x23;
  };
  const auto pick = [&random](auto... values) {
    const u32 all[] = {static_cast<u32>(values)...};
    return all[random() % sizeof...(values)];
  };
  std::vector<u32> code;
  switch (random() % 6) {
    case 0: {  // ld, xori, sd on the leaf of a page of data, between accesses of that page
      const u32 entry = 8 * pick(0, 1, 2), pointer = entry == 0 ? pick(10, 12) : entry == 8 ? 11 : 2;
      code = {i_type(0x03, 4, kX17, pointer, 2), i_type(0x03, 3, kX16, 9, entry),
              i_type(0x13, 4, kX16, kX16, pick(0x40, 0x80, 0xc0, 1, 2, 4, 0x10)), store(3, 9, kX16, entry),
              pick(0, 1) == 0 ? i_type(0x03, 4, kX17, pointer, 2) : store(0, pointer, kX17, 2)};
      break;
    }
    case 1:  // auipc, then halfwords from here to a little further
      code.push_back(0x17 | kX16 << 7);
      for (u64 i = 0; i <= random() % 3; ++i) {
        code.push_back(i_type(0x03, 5, kX17, kX16, 2 * static_cast<u32>(random() % 60)));
        code.push_back(store(1, kX16, kX17, 28 + 2 * static_cast<u32>(random() % 10)));
      }
      break;
    case 2:  // at most three times back
      code = {i_type(0x13, 0, kX30, kX30, 0xfff), i_type(0x13, 7, kX30, kX30, 3)};
      code.push_back(0xfe000063 | kX30 << 15 | 1 << 12 | static_cast<u32>(random() % 16) << 8 | 0x80);
      break;
    case 3: {  // sstatus.MXR or SUM between accesses
      const u32 access = i_type(0x03, 4, kX17, pick(2, 8, 10, 11, 12), 4);
      code = {access, pick(0x80000, 0x40000) | kX16 << 7 | 0x37, i_type(0x73, pick(2, 3), 0, kX16, 0x100), access};
      break;
    }
    case 4:  // sstatus.SIE
      code = {i_type(0x73, pick(6, 7), 0, 2, 0x100)};
      break;
    default:
      for (u64 i = 0; i <= random() % 4; ++i) {
        const u32 pointer = pick(2, 8, 8, 10, 11, 12, 28), offset = static_cast<u32>(random() % 64);
        code.push_back(pick(0, 1) == 0 ? i_type(0x03, pick(0, 1, 2, 3), kX17, pointer, offset)
                                       : store(pick(0, 1, 2, 3), pointer, kX16, offset));
      }
  }
  return code;
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
    const std::vector<u32> next =
        random() % 3 == 0 ? storm_idiom(random) : std::vector<u32>{storm_insn(random, code.bytes.size())};
    for (const u32 raw : next) {
      for (unsigned i = 0; i < insn_length_bytes(raw); ++i) code.bytes.push_back(static_cast<u8>(raw >> (8 * i)));
    }
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
    if (random_() % 3 == 0) send_elsewhere(random_() % harts_, out);
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
  /// Out of any loop without end; right after a reset nothing else says where traps go.
  void send_elsewhere(u64 hart, Batch& out) {
    out.inputs.push_back(poke(hart, kFirstCsr + 0x305u, kRamBase.value));
    out.inputs.push_back(poke(hart, 32, kStormCode + random_() % kStormCodeBytes));
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
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override {
    for (u64 i = 0; i < kBlockBytes; ++i) out[i] = static_cast<u8>((index + 1) * (i * i + 11) >> 3);
    return true;
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

/// `stops` makes the set of each stretch; the recording debugger goes on from every hit. Empty: nobody stops.
inline Storm record_storm(u64 seed, unsigned harts, u64 steps, const std::function<StopSet()>& stops = {}) {
  Storm storm;
  storm.history = std::make_unique<History>(storm_board(seed, harts));
  StormWalker walker(*storm.history, EngineKind::kFast);
  StormWorld world(seed, harts);
  Recorder recorder(world, *storm.history);
  Halt halt = Halt::kLimit;
  while (halt == Halt::kLimit && walker.now().steps < steps) {
    const Position pause{walker.now().steps + 1'013};
    StopSet set = stops ? stops() : StopSet{};
    do {
      halt = drive(*walker.machine, recorder, pause, stops ? &set : nullptr, walker.never);
      set.ignore_at = walker.now();
    } while (halt == Halt::kStop);
    recorder.reached(walker.now());
    storm.hashes[walker.now()] = walker.machine->hash();
  }
  storm.said = walker.transcript.said;
  return storm;
}

}  // namespace retrov::test
