// Instructions on a bare hart, by name: what tests of core/isa need. Runs `execute`; that the threaded handlers do the
// same is the engine's to test.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "core/insn.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {

inline const InsnRow& row_named(std::string_view name) {
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (row.name == name) return row;
    }
  }
  throw std::logic_error("no instruction " + std::string(name));
}

class IsaHart : public BareHart {
 public:
  static constexpr u8 kRd = 3, kRs1 = 1, kRs2 = 2, kRs3 = 4;

  /// Executes at hart.pc and, if nothing traps, goes on behind it.
  Trap step(const InsnRow& row, const Operands& operands) {
    hart.next_pc = hart.pc + row.encoding.bits / 8;
    hart.leave = false;
    Trap trap = row.execute(hart, operands);
    if (!trap) hart.pc = hart.next_pc;
    return trap;
  }
  Trap step(std::string_view name, const Operands& operands) { return step(row_named(name), operands); }
  /// Decodes first.
  Trap step(u32 raw) {
    const InsnRow* row = find_insn(raw);
    if (row == nullptr) return Hart::illegal();
    return step(*row, decode_operands(row->format, raw));
  }

  /// rd of an instruction on two registers.
  u64 reg_reg(const InsnRow& row, u64 a, u64 b) {
    hart.x[kRs1] = a;
    hart.x[kRs2] = b;
    return result(row, {0, kRd, kRs1, kRs2});
  }
  u64 reg_reg(std::string_view name, u64 a, u64 b) { return reg_reg(row_named(name), a, b); }
  u64 reg_imm(std::string_view name, u64 a, i32 imm) {
    hart.x[kRs1] = a;
    return result(row_named(name), {imm, kRd, kRs1});
  }

 private:
  u64 result(const InsnRow& row, const Operands& operands) {
    hart.x[kRd] = 0xdeadbeefdeadbeef;
    if (step(row, operands)) throw std::logic_error(std::string(row.name) + " trapped");
    return hart.x[kRd];
  }
};

}  // namespace retrov
