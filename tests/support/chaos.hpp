// Machines full of random code: a guest that does everything at once, for tests that compare two ways to get somewhere.
// Registers point into RAM, so that loads and stores hit data, code and page tables; traps skip an instruction; timers
// fire; two harts take turns.
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "core/insn.hpp"
#include "core/machine.hpp"

namespace retrov {

inline constexpr u64 kChaosRam = 0x80000000;
inline constexpr u64 kChaosRamBytes = 1u << 20;
inline constexpr u64 kChaosCode = 0x10000;   ///< RAM offsets.
inline constexpr u64 kChaosCodeBytes = 0x4000;
inline constexpr u64 kChaosTables = 0x20000;

enum class ChaosMode : u8 { kMachine, kSupervisorSv39 };

/// A random word that some row accepts; operands are random, immediates of memory accesses as they come.
inline u32 random_insn(std::mt19937_64& random) {
  const auto tables = insn_tables();
  while (true) {
    const auto table = tables[random() % tables.size()];
    if (table.size() == 0) continue;
    const InsnRow& row = table[random() % table.size()];
    // A hart that waits with no timer set would end the run.
    if (row.name == "wfi" || row.name == "mret" || row.name == "sret") continue;
    u32 raw = (static_cast<u32>(random()) & ~row.encoding.mask) | row.encoding.match;
    if (row.encoding.bits == 16) raw &= 0xffff;
    if (row.format == Format::kCsr || row.format == Format::kCsrImm) {
      static constexpr u32 kNumbers[] = {0x001, 0x002, 0x003, 0x100, 0x140, 0x144, 0x300, 0x304, 0x340, 0x344, 0xb00,
                                         0xb02, 0xc00, 0xc01, 0xc02, 0x320, 0x180, 0x14d, 0x3a0, 0x3b0};
      raw = (raw & 0xfffff) | kNumbers[random() % std::size(kNumbers)] << 20;
      // Writes to satp, pmp and the timer at every turn would leave nothing mapped: mostly read those.
      if (raw >> 20 == 0x180 || (raw >> 24) == 0x3a || (raw >> 24) == 0x3b) raw = (raw & ~0x000ff000u) | 0x2000;
    }
    if (find_insn(raw) == &row) return raw;
  }
}

inline void put_word(std::vector<u8>& image, u64 offset, u64 value, unsigned bytes) {
  std::memcpy(image.data() + offset, &value, bytes);
}

/// At reset every hart jumps to its own entry; traps return behind the instruction by two bytes.
inline std::vector<u8> chaos_image(u64 seed, ChaosMode mode) {
  std::mt19937_64 random(seed);
  std::vector<u8> image(kChaosRamBytes);
  // Handler at 0x100: on anywhere in the code (or all would soon be caught in a loop), with the pointers made anew.
  const std::vector<u32> handler = {0xb00022f3, 0x025282b3,              // t0 = mcycle squared
                                    0x00004337, 0xffe30313, 0x0062f2b3,  // t0 &= 0x3ffe
                                    0x00010437, 0x00100493, 0x01f49493, 0x00940433,  // s0 = RAM + 0x10000 (code)
                                    0x008282b3, 0x34129073,                          // mepc = s0 + t0
                                    0x000204b7, 0x00100313, 0x01f31313, 0x006484b3,  // s1 = RAM + 0x20000 (tables)
                                    0x00030537, 0x00650533, 0x0ff50593,              // a0 = RAM + 0x30000, a1 beside it
                                    0x30200073};
  for (std::size_t i = 0; i < handler.size(); ++i) put_word(image, 0x100 + 4 * i, handler[i], 4);
  // Entry at 0: mtvec = RAM + 0x100; mstatus.FS on, MPP by mode; satp; pmp open; mepc = code; mret.
  const u64 satp = u64{8} << 60 | (kChaosRam + kChaosTables) >> 12;
  put_word(image, 0x80, satp, 8);
  const bool paged = mode == ChaosMode::kSupervisorSv39;
  const std::vector<u32> entry = {
      0x00000297,                              // auipc t0, 0
      0x10028313, 0x30531073,                  // mtvec = start + 0x100
      0x0802b383,                              // ld t2, 0x80(t0)
      paged ? 0x18039073u : 0x00000013u,       // satp
      0xfff00e13, 0x3b0e1073, 0x01f00e13, 0x3a0e1073,  // pmp entry 0: all of memory, RWX
      paged ? 0x00007e37u : 0x00008e37u, paged ? 0x800e0e13u : 0x800e0e13u, 0x300e1073,  // mstatus
      0x00010eb7, 0x005e8eb3, 0x341e9073,      // mepc = start + 0x10000
      0x08000f13, 0x304f1073,                  // mie.MTIE
      0x30200073};
  for (std::size_t i = 0; i < entry.size(); ++i) put_word(image, 4 * i, entry[i], 4);
  for (u64 at = 0; at + 4 <= kChaosCodeBytes;) {
    const u32 raw = random_insn(random);
    put_word(image, kChaosCode + at, raw, insn_length_bytes(raw));
    at += insn_length_bytes(raw);
  }
  // Tables: gigapage 2 (RAM) through two more levels, 4 KiB identity pages with A and D clear now and then.
  const u64 root = kChaosTables, middle = kChaosTables + 0x1000, leaf = kChaosTables + 0x2000;
  put_word(image, root + 8 * 2, (kChaosRam + middle) >> 12 << 10 | 1, 8);
  put_word(image, middle, (kChaosRam + leaf) >> 12 << 10 | 1, 8);
  for (u64 page = 0; page < kChaosRamBytes / 4096; ++page) {
    const u64 flags = random() % 3 == 0 ? 0x0f : 0xcf;
    put_word(image, leaf + 8 * page, (kChaosRam / 4096 + page) << 10 | flags, 8);
  }
  return image;
}

inline std::unique_ptr<Machine> chaos_machine(u64 seed, ChaosMode mode, EngineKind engine, unsigned harts = 2,
                                              u64 turn_steps = 97) {
  MachineConfig config;
  config.ram_bytes = kChaosRamBytes;
  config.harts = harts;
  config.turn_steps = turn_steps;
  config.reset_pc = PhysAddr{kChaosRam};
  config.initial_memory = {{PhysAddr{kChaosRam}, chaos_image(seed, mode)}};
  auto machine = std::make_unique<Machine>(std::move(config), engine);
  machine->power_on();
  return machine;
}

}  // namespace retrov
