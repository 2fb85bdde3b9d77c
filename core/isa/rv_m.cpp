// M: multiplication and division (unprivileged manual, chapter M). Division never traps: by zero gives all ones and the
// dividend as remainder; the one signed overflow gives the dividend and no remainder.
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 multiply(u64 a, u64 b) { return a * b; }
constexpr u64 multiply_word(u64 a, u64 b) { return sign_extend_word(a * b); }
constexpr u64 high_half(i128 product) { return static_cast<u64>(static_cast<u128>(product) >> 64); }
constexpr u64 multiply_high(u64 a, u64 b) { return high_half(i128{static_cast<i64>(a)} * static_cast<i64>(b)); }
constexpr u64 multiply_high_signed_unsigned(u64 a, u64 b) { return high_half(static_cast<i64>(a) * i128{b}); }
constexpr u64 multiply_high_unsigned(u64 a, u64 b) { return static_cast<u64>((u128{a} * b) >> 64); }

constexpr u64 divide(u64 a, u64 b) {
  if (b == 0) return ~u64{0};
  if (b == ~u64{0}) return 0 - a;  // Also the overflow, which the host's division may not meet.
  return static_cast<u64>(static_cast<i64>(a) / static_cast<i64>(b));
}

constexpr u64 remainder(u64 a, u64 b) {
  if (b == 0) return a;
  if (b == ~u64{0}) return 0;
  return static_cast<u64>(static_cast<i64>(a) % static_cast<i64>(b));
}

constexpr u64 divide_unsigned(u64 a, u64 b) { return b == 0 ? ~u64{0} : a / b; }
constexpr u64 remainder_unsigned(u64 a, u64 b) { return b == 0 ? a : a % b; }

/// On the words taken as signed, resp. unsigned, numbers of 64 bits nothing overflows that did not with 32 bits, but
/// for the quotient 2^31, whose low word is right.
constexpr u64 divide_word(u64 a, u64 b) { return sign_extend_word(divide(sign_extend_word(a), sign_extend_word(b))); }
constexpr u64 remainder_word(u64 a, u64 b) {
  return sign_extend_word(remainder(sign_extend_word(a), sign_extend_word(b)));
}
constexpr u64 divide_unsigned_word(u64 a, u64 b) {
  return sign_extend_word(divide_unsigned(static_cast<u32>(a), static_cast<u32>(b)));
}
constexpr u64 remainder_unsigned_word(u64 a, u64 b) {
  return sign_extend_word(remainder_unsigned(static_cast<u32>(a), static_cast<u32>(b)));
}

constexpr InsnRow kRows[] = {
    alu<reg_reg<multiply>>("mul", "0000001 ttttt sssss 000 ddddd 0110011", Format::kR),
    alu<reg_reg<multiply_high>>("mulh", "0000001 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_reg<multiply_high_signed_unsigned>>("mulhsu", "0000001 ttttt sssss 010 ddddd 0110011", Format::kR),
    alu<reg_reg<multiply_high_unsigned>>("mulhu", "0000001 ttttt sssss 011 ddddd 0110011", Format::kR),
    alu<reg_reg<divide>>("div", "0000001 ttttt sssss 100 ddddd 0110011", Format::kR),
    alu<reg_reg<divide_unsigned>>("divu", "0000001 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_reg<remainder>>("rem", "0000001 ttttt sssss 110 ddddd 0110011", Format::kR),
    alu<reg_reg<remainder_unsigned>>("remu", "0000001 ttttt sssss 111 ddddd 0110011", Format::kR),
    alu<reg_reg<multiply_word>>("mulw", "0000001 ttttt sssss 000 ddddd 0111011", Format::kR),
    alu<reg_reg<divide_word>>("divw", "0000001 ttttt sssss 100 ddddd 0111011", Format::kR),
    alu<reg_reg<divide_unsigned_word>>("divuw", "0000001 ttttt sssss 101 ddddd 0111011", Format::kR),
    alu<reg_reg<remainder_word>>("remw", "0000001 ttttt sssss 110 ddddd 0111011", Format::kR),
    alu<reg_reg<remainder_unsigned_word>>("remuw", "0000001 ttttt sssss 111 ddddd 0111011", Format::kR),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_m_rows() { return kRows; }

}  // namespace retrov
