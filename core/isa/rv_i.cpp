// RV64I (unprivileged manual, "RV32I" and "RV64I"), and PAUSE (Zihintpause), which is one of FENCE's encodings.
#include "core/isa/meaning_integer.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

u64 add_to_pc(u64 pc, const Operands& operands) { return pc + immediate(operands); }

/// Gives up the rest of the turn (docs/machine.md, "Turns"): who spins on a lock lets its holder run.
Trap pause(Hart& hart, const Operands&) {
  hart.turn_over = true;
  hart.leave = true;
  return {};
}

Trap environment_call(Hart& hart, const Operands&) { return hart.ecall(); }

constexpr InsnRow kRows[] = {
    alu<load_immediate>("lui", "iiiiiiiiiiiiiiiiiiii ddddd 0110111", Format::kU),
    pc_relative<add_to_pc>("auipc", "iiiiiiiiiiiiiiiiiiii ddddd 0010111", Format::kU),

    load<LoadInteger<i8>>("lb", "iiiiiiiiiiii sssss 000 ddddd 0000011", Format::kI),
    load<LoadInteger<i16>>("lh", "iiiiiiiiiiii sssss 001 ddddd 0000011", Format::kI),
    load<LoadInteger<i32>>("lw", "iiiiiiiiiiii sssss 010 ddddd 0000011", Format::kI),
    load<LoadInteger<i64>>("ld", "iiiiiiiiiiii sssss 011 ddddd 0000011", Format::kI),
    load<LoadInteger<u8>>("lbu", "iiiiiiiiiiii sssss 100 ddddd 0000011", Format::kI),
    load<LoadInteger<u16>>("lhu", "iiiiiiiiiiii sssss 101 ddddd 0000011", Format::kI),
    load<LoadInteger<u32>>("lwu", "iiiiiiiiiiii sssss 110 ddddd 0000011", Format::kI),
    store<StoreInteger<1>>("sb", "iiiiiii ttttt sssss 000 iiiii 0100011", Format::kS),
    store<StoreInteger<2>>("sh", "iiiiiii ttttt sssss 001 iiiii 0100011", Format::kS),
    store<StoreInteger<4>>("sw", "iiiiiii ttttt sssss 010 iiiii 0100011", Format::kS),
    store<StoreInteger<8>>("sd", "iiiiiii ttttt sssss 011 iiiii 0100011", Format::kS),

    alu<reg_imm<add>>("addi", "iiiiiiiiiiii sssss 000 ddddd 0010011", Format::kI),
    alu<reg_imm<set_less>>("slti", "iiiiiiiiiiii sssss 010 ddddd 0010011", Format::kI),
    alu<reg_imm<set_less_unsigned>>("sltiu", "iiiiiiiiiiii sssss 011 ddddd 0010011", Format::kI),
    alu<reg_imm<bit_xor>>("xori", "iiiiiiiiiiii sssss 100 ddddd 0010011", Format::kI),
    alu<reg_imm<bit_or>>("ori", "iiiiiiiiiiii sssss 110 ddddd 0010011", Format::kI),
    alu<reg_imm<bit_and>>("andi", "iiiiiiiiiiii sssss 111 ddddd 0010011", Format::kI),
    alu<reg_imm<shift_left>>("slli", "000000 iiiiii sssss 001 ddddd 0010011", Format::kShift),
    alu<reg_imm<shift_right>>("srli", "000000 iiiiii sssss 101 ddddd 0010011", Format::kShift),
    alu<reg_imm<shift_right_signed>>("srai", "010000 iiiiii sssss 101 ddddd 0010011", Format::kShift),

    alu<reg_reg<add>>("add", "0000000 ttttt sssss 000 ddddd 0110011", Format::kR),
    alu<reg_reg<sub>>("sub", "0100000 ttttt sssss 000 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_left>>("sll", "0000000 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_reg<set_less>>("slt", "0000000 ttttt sssss 010 ddddd 0110011", Format::kR),
    alu<reg_reg<set_less_unsigned>>("sltu", "0000000 ttttt sssss 011 ddddd 0110011", Format::kR),
    alu<reg_reg<bit_xor>>("xor", "0000000 ttttt sssss 100 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_right>>("srl", "0000000 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_right_signed>>("sra", "0100000 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_reg<bit_or>>("or", "0000000 ttttt sssss 110 ddddd 0110011", Format::kR),
    alu<reg_reg<bit_and>>("and", "0000000 ttttt sssss 111 ddddd 0110011", Format::kR),

    alu<reg_imm<add_word>>("addiw", "iiiiiiiiiiii sssss 000 ddddd 0011011", Format::kI),
    alu<reg_imm<shift_left_word>>("slliw", "0000000 iiiii sssss 001 ddddd 0011011", Format::kShiftW),
    alu<reg_imm<shift_right_word>>("srliw", "0000000 iiiii sssss 101 ddddd 0011011", Format::kShiftW),
    alu<reg_imm<shift_right_signed_word>>("sraiw", "0100000 iiiii sssss 101 ddddd 0011011", Format::kShiftW),
    alu<reg_reg<add_word>>("addw", "0000000 ttttt sssss 000 ddddd 0111011", Format::kR),
    alu<reg_reg<sub_word>>("subw", "0100000 ttttt sssss 000 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_left_word>>("sllw", "0000000 ttttt sssss 001 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_right_word>>("srlw", "0000000 ttttt sssss 101 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_right_signed_word>>("sraw", "0100000 ttttt sssss 101 ddddd 0111011", Format::kR),

    // Reserved values of fm, rs1 and rd are to be executed as a plain fence (RV32I, "Memory Ordering Instructions").
    alu<nothing>("fence", "mmmm pppp ssss sssss 000 ddddd 0001111", Format::kFence),
    general<environment_call>("ecall", "000000000000 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
    general<breakpoint>("ebreak", "000000000001 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
};
static_assert(well_formed(kRows));

/// Of a machine with C, where every even address is one of an instruction; rv_i_aligned.cpp has those of the others.
constexpr InsnRow kJumpRows[] = {
    jump("jal", "iiiiiiiiiiiiiiiiiiii ddddd 1101111", Format::kJ),
    jump_indirect<indirect_target>("jalr", "iiiiiiiiiiii sssss 000 ddddd 1100111", Format::kI),
    branch<when<equal>>("beq", "iiiiiii ttttt sssss 000 iiiii 1100011", Format::kB),
    branch<when<not_equal>>("bne", "iiiiiii ttttt sssss 001 iiiii 1100011", Format::kB),
    branch<when<less>>("blt", "iiiiiii ttttt sssss 100 iiiii 1100011", Format::kB),
    branch<when<not_less>>("bge", "iiiiiii ttttt sssss 101 iiiii 1100011", Format::kB),
    branch<when<less_unsigned>>("bltu", "iiiiiii ttttt sssss 110 iiiii 1100011", Format::kB),
    branch<when<not_less_unsigned>>("bgeu", "iiiiiii ttttt sssss 111 iiiii 1100011", Format::kB),
};
static_assert(well_formed(kJumpRows));

/// Without Zihintpause it is a fence: fence w, 0.
constexpr InsnRow kPauseRows[] = {
    general<pause>("pause", "0000 0001 0000 00000 000 00000 0001111", Format::kNone, EndsBlock::kYes),
};
static_assert(well_formed(kPauseRows));

}  // namespace

std::span<const InsnRow> rv_i_rows() { return kRows; }
std::span<const InsnRow> rv_i_jump_rows() { return kJumpRows; }
std::span<const InsnRow> rv_zihintpause_rows() { return kPauseRows; }

}  // namespace retrov
