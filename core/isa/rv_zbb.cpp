// Zbb: basic bit manipulation (unprivileged manual, chapter B, "Zbb").
#include <bit>

#include "core/isa/meaning_integer.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 and_not(u64 a, u64 b) { return a & ~b; }
constexpr u64 or_not(u64 a, u64 b) { return a | ~b; }
constexpr u64 xor_not(u64 a, u64 b) { return ~(a ^ b); }

constexpr u64 leading_zeros(u64 a) { return static_cast<u64>(std::countl_zero(a)); }
constexpr u64 trailing_zeros(u64 a) { return static_cast<u64>(std::countr_zero(a)); }
constexpr u64 ones(u64 a) { return static_cast<u64>(std::popcount(a)); }
constexpr u64 leading_zeros_word(u64 a) { return static_cast<u64>(std::countl_zero(static_cast<u32>(a))); }
constexpr u64 trailing_zeros_word(u64 a) { return static_cast<u64>(std::countr_zero(static_cast<u32>(a))); }
constexpr u64 ones_word(u64 a) { return static_cast<u64>(std::popcount(static_cast<u32>(a))); }

constexpr u64 max(u64 a, u64 b) { return less(a, b) ? b : a; }
constexpr u64 max_unsigned(u64 a, u64 b) { return a < b ? b : a; }
constexpr u64 min(u64 a, u64 b) { return less(b, a) ? b : a; }
constexpr u64 min_unsigned(u64 a, u64 b) { return b < a ? b : a; }

constexpr u64 sign_extend_byte(u64 a) { return static_cast<u64>(i64{static_cast<i8>(a)}); }
constexpr u64 sign_extend_half(u64 a) { return static_cast<u64>(i64{static_cast<i16>(a)}); }
constexpr u64 zero_extend_half(u64 a) { return static_cast<u16>(a); }

constexpr u64 rotate_left(u64 a, u64 b) { return std::rotl(a, static_cast<int>(b & 63)); }
constexpr u64 rotate_right(u64 a, u64 b) { return std::rotr(a, static_cast<int>(b & 63)); }
constexpr u64 rotate_left_word(u64 a, u64 b) {
  return sign_extend_word(std::rotl(static_cast<u32>(a), static_cast<int>(b & 31)));
}
constexpr u64 rotate_right_word(u64 a, u64 b) {
  return sign_extend_word(std::rotr(static_cast<u32>(a), static_cast<int>(b & 31)));
}

/// Each byte becomes 0xff unless it is 0: adding 0x7f carries into bit 7 of each byte that has a low bit set.
constexpr u64 or_combine_bytes(u64 a) {
  constexpr u64 kLow = 0x7f7f7f7f7f7f7f7f;
  const u64 top_bits = (((a & kLow) + kLow) | a) & ~kLow;
  return (top_bits >> 7) * 0xff;
}
constexpr u64 reverse_bytes(u64 a) { return __builtin_bswap64(a); }

constexpr InsnRow kRows[] = {
    alu<reg_reg<and_not>>("andn", "0100000 ttttt sssss 111 ddddd 0110011", Format::kR),
    alu<reg_reg<or_not>>("orn", "0100000 ttttt sssss 110 ddddd 0110011", Format::kR),
    alu<reg_reg<xor_not>>("xnor", "0100000 ttttt sssss 100 ddddd 0110011", Format::kR),

    alu<unary<leading_zeros>>("clz", "0110000 00000 sssss 001 ddddd 0010011", Format::kUnary),
    alu<unary<trailing_zeros>>("ctz", "0110000 00001 sssss 001 ddddd 0010011", Format::kUnary),
    alu<unary<ones>>("cpop", "0110000 00010 sssss 001 ddddd 0010011", Format::kUnary),
    alu<unary<leading_zeros_word>>("clzw", "0110000 00000 sssss 001 ddddd 0011011", Format::kUnary),
    alu<unary<trailing_zeros_word>>("ctzw", "0110000 00001 sssss 001 ddddd 0011011", Format::kUnary),
    alu<unary<ones_word>>("cpopw", "0110000 00010 sssss 001 ddddd 0011011", Format::kUnary),

    alu<reg_reg<max>>("max", "0000101 ttttt sssss 110 ddddd 0110011", Format::kR),
    alu<reg_reg<max_unsigned>>("maxu", "0000101 ttttt sssss 111 ddddd 0110011", Format::kR),
    alu<reg_reg<min>>("min", "0000101 ttttt sssss 100 ddddd 0110011", Format::kR),
    alu<reg_reg<min_unsigned>>("minu", "0000101 ttttt sssss 101 ddddd 0110011", Format::kR),

    alu<unary<sign_extend_byte>>("sext.b", "0110000 00100 sssss 001 ddddd 0010011", Format::kUnary),
    alu<unary<sign_extend_half>>("sext.h", "0110000 00101 sssss 001 ddddd 0010011", Format::kUnary),
    alu<unary<zero_extend_half>>("zext.h", "0000100 00000 sssss 100 ddddd 0111011", Format::kUnary),

    alu<reg_reg<rotate_left>>("rol", "0110000 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_reg<rotate_right>>("ror", "0110000 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_imm<rotate_right>>("rori", "011000 iiiiii sssss 101 ddddd 0010011", Format::kShift),
    alu<reg_reg<rotate_left_word>>("rolw", "0110000 ttttt sssss 001 ddddd 0111011", Format::kR),
    alu<reg_reg<rotate_right_word>>("rorw", "0110000 ttttt sssss 101 ddddd 0111011", Format::kR),
    alu<reg_imm<rotate_right_word>>("roriw", "0110000 iiiii sssss 101 ddddd 0011011", Format::kShiftW),

    alu<unary<or_combine_bytes>>("orc.b", "001010000111 sssss 101 ddddd 0010011", Format::kUnary),
    alu<unary<reverse_bytes>>("rev8", "011010111000 sssss 101 ddddd 0010011", Format::kUnary),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zbb_rows() { return kRows; }

}  // namespace retrov
