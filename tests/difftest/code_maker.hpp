// Makes the code of a random program: instructions of every row of the tables with random operands, words that are
// none, and idioms, which do together what chance would not.
#pragma once

#include <optional>
#include <vector>

#include "core/insn.hpp"
#include "tests/difftest/program.hpp"
#include "tests/difftest/random.hpp"

namespace retrov::difftest {

/// Registers that point somewhere, as long as no instruction has overwritten them.
inline constexpr u32 kPointers[] = {2, 8, 9, 10, 11, 12, 13, 14, 15, 28, 29};

class CodeMaker {
 public:
  /// Code from `begin` to `end`, offsets in the arena. Both outlive the maker.
  CodeMaker(Random& random, Program& program, bool has_user, u64 begin, u64 end)
      : random_(random), program_(program), has_user_(has_user), at_(begin), begin_(begin), end_(end) {}
  /// Fills program.code.
  void make();

 private:
  using Idiom = void (CodeMaker::*)();
  void put(u32 raw);
  void one_row(const InsnRow& row);
  void aim(const InsnRow& row, u32 raw);
  void any_row();
  [[nodiscard]] std::optional<u32> bits_of(const InsnRow& row);
  [[nodiscard]] bool fits(const InsnRow& row, u32 raw);
  [[nodiscard]] u32 csr_bits(u32 raw);
  [[nodiscard]] u32 below(u32 count) { return static_cast<u32>(random_.below(count)); }
  void csr(u32 funct3, u32 number, u32 rd, u32 rs1) { put(number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73); }
  void add_immediate(u32 rd, u32 rs1, i32 imm) { put(static_cast<u32>(imm) << 20 | rs1 << 15 | rd << 7 | 0x13); }
  void shift_left(u32 rd, u32 count) { put(count << 20 | rd << 15 | 1 << 12 | rd << 7 | 0x13); }
  /// rd points to an offset of the arena.
  void point(u32 rd, u64 offset);
  void pointer();
  void nonsense();
  [[nodiscard]] u32 masked(u64 mask, u32 rs1);
  void constant(u32 rd, u32 value);
  void chosen(u16 number, u32 rd);
  void csr_traffic();
  void restored_csr(u16 number);
  void csr_tour();
  void reserve();
  void change_table();
  void patch_code();
  void indirect_jump();
  void switch_mode();
  void interrupts();
  void wait();
  void rounding();
  void floating();
  void switch_tables();
  void memory_accesses();

  Random& random_;
  Program& program_;
  bool has_user_;
  u64 at_, begin_, end_;
};

}  // namespace retrov::difftest
