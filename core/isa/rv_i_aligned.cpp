// Jumps of a machine without C. Instructions are then aligned to four bytes, and a jump that is taken to elsewhere
// traps at the jump (unprivileged manual, "Control Transfer Instructions"). With C no jump can trap, so those of
// rv_i.cpp, which the engine links, need no test; these leave the block instead. One of the two tables is there, never
// both.
#include "core/isa/meaning_integer.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

Trap go_to(Hart& hart, u64 target) {
  if (target % 4 != 0) return {Cause::kInstructionMisaligned, target};
  hart.next_pc = target;
  hart.leave = true;
  return {};
}

template <auto kCondition>
Trap aligned_branch(Hart& hart, const Operands& operands) {
  if (!kCondition(rs1(hart, operands), rs2(hart, operands))) return {};
  return go_to(hart, hart.pc + immediate(operands));
}

Trap link_and_go(Hart& hart, const Operands& operands, u64 target) {
  const u64 link = hart.next_pc;
  if (Trap trap = go_to(hart, target)) return trap;
  hart.x[operands.rd] = link;
  return {};
}

Trap aligned_jump(Hart& hart, const Operands& operands) {
  return link_and_go(hart, operands, hart.pc + immediate(operands));
}

Trap aligned_jump_indirect(Hart& hart, const Operands& operands) {
  return link_and_go(hart, operands, indirect_target(hart, operands));
}

constexpr InsnRow kRows[] = {
    general<aligned_jump>("jal", "iiiiiiiiiiiiiiiiiiii ddddd 1101111", Format::kJ, EndsBlock::kYes),
    general<aligned_jump_indirect>("jalr", "iiiiiiiiiiii sssss 000 ddddd 1100111", Format::kI, EndsBlock::kYes),
    general<aligned_branch<equal>>("beq", "iiiiiii ttttt sssss 000 iiiii 1100011", Format::kB),
    general<aligned_branch<not_equal>>("bne", "iiiiiii ttttt sssss 001 iiiii 1100011", Format::kB),
    general<aligned_branch<less>>("blt", "iiiiiii ttttt sssss 100 iiiii 1100011", Format::kB),
    general<aligned_branch<not_less>>("bge", "iiiiiii ttttt sssss 101 iiiii 1100011", Format::kB),
    general<aligned_branch<less_unsigned>>("bltu", "iiiiiii ttttt sssss 110 iiiii 1100011", Format::kB),
    general<aligned_branch<not_less_unsigned>>("bgeu", "iiiiiii ttttt sssss 111 iiiii 1100011", Format::kB),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_i_aligned_jump_rows() { return kRows; }

}  // namespace retrov
