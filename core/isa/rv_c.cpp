// C: compressed instructions of RV64, those of D apart (unprivileged manual, chapter C). Their formats yield the
// operands of the instructions that they stand for (core/decode.cpp), so the meanings are those of the base
// instructions. HINTs (rd = x0, shifts by 0, …) need no rows of their own: they compute into nothing. Reserved
// encodings have no row.
#include "core/isa/meaning_integer.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u32 rd_field(u32 raw) { return raw >> 7 & 31; }
constexpr bool has_rd(u32 raw) { return rd_field(raw) != 0; }
constexpr bool has_rs2(u32 raw) { return (raw >> 2 & 31) != 0; }
/// c.addi4spn: also keeps the halfword of zeros illegal.
constexpr bool has_wide_immediate(u32 raw) { return (raw >> 5 & 0xff) != 0; }
/// Bits 12 and 6:2.
constexpr bool has_immediate(u32 raw) { return (raw & 0x107c) != 0; }
/// With rd = sp the encoding is c.addi16sp.
constexpr bool is_lui(u32 raw) { return rd_field(raw) != 2 && has_immediate(raw); }

constexpr InsnRow kRows[] = {
    alu<reg_imm<add>>("c.addi4spn", "000 iiiiiiii ddd 00", Format::kCAddi4Spn, has_wide_immediate),
    load<LoadInteger<i32>>("c.lw", "010 iii sss ii ddd 00", Format::kCLw),
    load<LoadInteger<i64>>("c.ld", "011 iii sss ii ddd 00", Format::kCLd),
    store<StoreInteger<4>>("c.sw", "110 iii sss ii ttt 00", Format::kCSw),
    store<StoreInteger<8>>("c.sd", "111 iii sss ii ttt 00", Format::kCSd),

    alu<reg_imm<add>>("c.addi", "000 i ddddd iiiii 01", Format::kCI),
    alu<reg_imm<add_word>>("c.addiw", "001 i ddddd iiiii 01", Format::kCI, has_rd),
    alu<load_immediate>("c.li", "010 i ddddd iiiii 01", Format::kCI),
    alu<reg_imm<add>>("c.addi16sp", "011 i 00010 iiiii 01", Format::kCI16Sp, has_immediate),
    alu<load_immediate>("c.lui", "011 i ddddd iiiii 01", Format::kCLui, is_lui),
    alu<reg_imm<shift_right>>("c.srli", "100 i 00 ddd iiiii 01", Format::kCBShift),
    alu<reg_imm<shift_right_signed>>("c.srai", "100 i 01 ddd iiiii 01", Format::kCBShift),
    alu<reg_imm<bit_and>>("c.andi", "100 i 10 ddd iiiii 01", Format::kCBAndi),
    alu<reg_reg<sub>>("c.sub", "100 0 11 ddd 00 ttt 01", Format::kCA),
    alu<reg_reg<bit_xor>>("c.xor", "100 0 11 ddd 01 ttt 01", Format::kCA),
    alu<reg_reg<bit_or>>("c.or", "100 0 11 ddd 10 ttt 01", Format::kCA),
    alu<reg_reg<bit_and>>("c.and", "100 0 11 ddd 11 ttt 01", Format::kCA),
    alu<reg_reg<sub_word>>("c.subw", "100 1 11 ddd 00 ttt 01", Format::kCA),
    alu<reg_reg<add_word>>("c.addw", "100 1 11 ddd 01 ttt 01", Format::kCA),
    jump("c.j", "101 iiiiiiiiiii 01", Format::kCJ),
    branch<when<equal>>("c.beqz", "110 iii sss iiiii 01", Format::kCB),
    branch<when<not_equal>>("c.bnez", "111 iii sss iiiii 01", Format::kCB),

    alu<reg_imm<shift_left>>("c.slli", "000 i ddddd iiiii 10", Format::kCShift),
    load<LoadInteger<i32>>("c.lwsp", "010 i ddddd iiiii 10", Format::kCLwsp, has_rd),
    load<LoadInteger<i64>>("c.ldsp", "011 i ddddd iiiii 10", Format::kCLdsp, has_rd),
    jump_indirect<indirect_target>("c.jr", "100 0 sssss 00000 10", Format::kCJr, has_rd),
    alu<reg_reg<add>>("c.mv", "100 0 ddddd ttttt 10", Format::kCMv, has_rs2),
    general<breakpoint>("c.ebreak", "100 1 00000 00000 10", Format::kNone, EndsBlock::kYes),
    jump_indirect<indirect_target>("c.jalr", "100 1 sssss 00000 10", Format::kCJalr, has_rd),
    alu<reg_reg<add>>("c.add", "100 1 ddddd ttttt 10", Format::kCAdd, has_rs2),
    store<StoreInteger<4>>("c.swsp", "110 iiiiii ttttt 10", Format::kCSwsp),
    store<StoreInteger<8>>("c.sdsp", "111 iiiiii ttttt 10", Format::kCSdsp),
};
static_assert(well_formed(kRows));

constexpr InsnRow kDoubleRows[] = {
    load<LoadFloat<8>>("c.fld", "001 iii sss ii ddd 00", Format::kCFld),
    store<StoreFloat<8>>("c.fsd", "101 iii sss ii ttt 00", Format::kCFsd),
    load<LoadFloat<8>>("c.fldsp", "001 i ddddd iiiii 10", Format::kCFldsp),
    store<StoreFloat<8>>("c.fsdsp", "101 iiiiii ttttt 10", Format::kCFsdsp),
};
static_assert(well_formed(kDoubleRows));

}  // namespace

std::span<const InsnRow> rv_zca_rows() { return kRows; }
std::span<const InsnRow> rv_zcd_rows() { return kDoubleRows; }

}  // namespace retrov
