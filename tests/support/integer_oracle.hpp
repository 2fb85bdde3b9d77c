// What the integer instructions compute, said a second time: bit by bit or by another road than core/isa's where there
// is one. Names are those of rows; what shares a meaning (immediates, compressed instructions) is listed as such.
#pragma once

#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov::integer_oracle {

inline constexpr u64 kOnes = ~u64{0};

inline bool bit(u64 a, unsigned index) { return (a >> index & 1) != 0; }

inline u64 extended_word(u64 a) { return bit(a, 31) ? a | 0xffffffff00000000 : a & 0xffffffff; }

/// Schoolbook: halves of 32 bits.
inline u64 high_product(u64 a, u64 b) {
  const u64 a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const u64 middle = a1 * b0 + (a0 * b0 >> 32);
  const u64 other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}
/// Signed operands: each negative one adds 2^64 times the other too much.
inline u64 high_signed(u64 a, u64 b) { return high_product(a, b) - (bit(a, 63) ? b : 0) - (bit(b, 63) ? a : 0); }
inline u64 high_mixed(u64 a, u64 b) { return high_product(a, b) - (bit(a, 63) ? b : 0); }

struct Division {
  u64 quotient, remainder;
};

/// Long division, bit by bit.
inline Division divide(u64 a, u64 b, unsigned width) {
  Division result{0, 0};
  for (unsigned i = width; i-- > 0;) {
    const bool carry = bit(result.remainder, 63);
    result.remainder = result.remainder << 1 | u64{bit(a, i)};
    if (carry || result.remainder >= b) {
      result.remainder -= b;
      result.quotient |= u64{1} << i;
    }
  }
  return result;
}

inline u64 magnitude(u64 a) { return bit(a, 63) ? 0 - a : a; }

inline Division divide_signed(u64 a, u64 b) {
  if (b == 0) return {kOnes, a};
  Division result = divide(magnitude(a), magnitude(b), 64);
  if (bit(a, 63) != bit(b, 63)) result.quotient = 0 - result.quotient;
  if (bit(a, 63)) result.remainder = 0 - result.remainder;
  return result;
}

inline Division divide_unsigned(u64 a, u64 b, unsigned width) {
  if (b == 0) return {kOnes, a};
  return divide(a, b, width);
}

/// Sums of partial products without carries; bit i + j of the result for bits i and j of the operands.
inline u64 carry_less(u64 a, u64 b, unsigned from) {
  u64 result = 0;
  for (unsigned i = 0; i < 64; ++i) {
    for (unsigned j = 0; j < 64; ++j) {
      if (bit(a, i) && bit(b, j) && i + j >= from && i + j < from + 64) result ^= u64{1} << (i + j - from);
    }
  }
  return result;
}

inline u64 rotated(u64 a, u64 count, unsigned width) {
  u64 result = 0;
  for (unsigned i = 0; i < width; ++i) result |= u64{bit(a, i)} << ((i + count) % width);
  return result;
}

inline bool less_signed(u64 a, u64 b) { return bit(a, 63) == bit(b, 63) ? a < b : bit(a, 63); }
inline u64 word(u64 a) { return a & 0xffffffff; }

inline u64 count_if_bit(u64 a, unsigned width) {
  u64 result = 0;
  for (unsigned i = 0; i < width; ++i) result += bit(a, i);
  return result;
}

inline u64 first_bit_from(u64 a, unsigned width, bool from_top) {
  for (unsigned i = 0; i < width; ++i) {
    if (bit(a, from_top ? width - 1 - i : i)) return i;
  }
  return width;
}

inline u64 each_byte(u64 a, u64 (*map)(u64 byte, unsigned index)) {
  u64 result = 0;
  for (unsigned i = 0; i < 8; ++i) result |= map(a >> 8 * i & 0xff, i);
  return result;
}

/// Ripple carry.
inline u64 sum(u64 a, u64 b, bool carry) {
  u64 result = 0;
  for (unsigned i = 0; i < 64; ++i) {
    const unsigned ones = unsigned{bit(a, i)} + unsigned{bit(b, i)} + unsigned{carry};
    result |= u64{ones & 1} << i;
    carry = ones > 1;
  }
  return result;
}

inline u64 low_bits(u64 a, unsigned count) { return a % (u64{1} << count); }
inline u64 shifted_left(u64 a, u64 b) { return rotated(a, b % 64, 64) & (kOnes << b % 64); }
inline u64 vacated(u64 b) { return b % 64 == 0 ? 0 : kOnes << (64 - b % 64); }
inline u64 shifted_right(u64 a, u64 b) { return rotated(a, 64 - b % 64, 64) & ~vacated(b); }

struct Formulation {
  std::string_view name;
  u64 (*value)(u64 a, u64 b);
};

// clang-format off
inline constexpr Formulation kFormulations[] = {
    {"add", [](u64 a, u64 b) { return sum(a, b, false); }},
    {"sub", [](u64 a, u64 b) { return sum(a, ~b, true); }},
    {"lui", [](u64, u64 b) { return b; }},
    {"xor", [](u64 a, u64 b) { return sum(a | b, ~(a & b), true); }},
    {"or", [](u64 a, u64 b) { return ~(~a & ~b); }},
    {"and", [](u64 a, u64 b) { return ~(~a | ~b); }},
    {"slt", [](u64 a, u64 b) { return u64{less_signed(a, b)}; }},
    {"sltu", [](u64 a, u64 b) { return u64{a < b}; }},
    {"sll", shifted_left},
    {"srl", shifted_right},
    {"sra", [](u64 a, u64 b) { return shifted_right(a, b) | (bit(a, 63) ? vacated(b) : 0); }},
    {"addw", [](u64 a, u64 b) { return extended_word(sum(word(a), word(b), false)); }},
    {"subw", [](u64 a, u64 b) { return extended_word(sum(word(a), ~word(b), true)); }},
    {"sllw", [](u64 a, u64 b) { return extended_word(word(a) << b % 32); }},
    {"srlw", [](u64 a, u64 b) { return extended_word(shifted_right(word(a), b % 32)); }},
    {"sraw", [](u64 a, u64 b) { return extended_word(extended_word(a) >> b % 32 & 0xffffffff); }},
    {"mul", [](u64 a, u64 b) { return (a >> 32) * (b << 32) + (a & 0xffffffff) * b; }},
    {"mulh", high_signed},
    {"mulhu", high_product},
    {"mulhsu", high_mixed},
    {"mulw", [](u64 a, u64 b) { return extended_word(word(a) * word(b)); }},
    {"div", [](u64 a, u64 b) { return divide_signed(a, b).quotient; }},
    {"rem", [](u64 a, u64 b) { return divide_signed(a, b).remainder; }},
    {"divu", [](u64 a, u64 b) { return divide_unsigned(a, b, 64).quotient; }},
    {"remu", [](u64 a, u64 b) { return divide_unsigned(a, b, 64).remainder; }},
    {"divw", [](u64 a, u64 b) { return extended_word(divide_signed(extended_word(a), extended_word(b)).quotient); }},
    {"remw", [](u64 a, u64 b) { return extended_word(divide_signed(extended_word(a), extended_word(b)).remainder); }},
    {"divuw", [](u64 a, u64 b) { return extended_word(divide_unsigned(word(a), word(b), 32).quotient); }},
    {"remuw", [](u64 a, u64 b) { return extended_word(divide_unsigned(word(a), word(b), 32).remainder); }},
    {"add.uw", [](u64 a, u64 b) { return sum(word(a), b, false); }},
    {"sh1add", [](u64 a, u64 b) { return a * 2 + b; }},
    {"sh2add", [](u64 a, u64 b) { return a * 4 + b; }},
    {"sh3add", [](u64 a, u64 b) { return a * 8 + b; }},
    {"sh1add.uw", [](u64 a, u64 b) { return word(a) * 2 + b; }},
    {"sh2add.uw", [](u64 a, u64 b) { return word(a) * 4 + b; }},
    {"sh3add.uw", [](u64 a, u64 b) { return word(a) * 8 + b; }},
    {"slli.uw", [](u64 a, u64 b) { return shifted_left(word(a), b); }},
    {"andn", [](u64 a, u64 b) { return a - (a & b); }},
    {"orn", [](u64 a, u64 b) { return ~(b & ~a); }},
    {"xnor", [](u64 a, u64 b) { return (a & b) | ~(a | b); }},
    {"clz", [](u64 a, u64) { return first_bit_from(a, 64, true); }},
    {"clzw", [](u64 a, u64) { return first_bit_from(a, 32, true); }},
    {"ctz", [](u64 a, u64) { return first_bit_from(a, 64, false); }},
    {"ctzw", [](u64 a, u64) { return first_bit_from(a, 32, false); }},
    {"cpop", [](u64 a, u64) { return count_if_bit(a, 64); }},
    {"cpopw", [](u64 a, u64) { return count_if_bit(a, 32); }},
    {"max", [](u64 a, u64 b) { return less_signed(a, b) ? b : a; }},
    {"min", [](u64 a, u64 b) { return less_signed(a, b) ? a : b; }},
    {"maxu", [](u64 a, u64 b) { return a / 2 < b / 2 || (a / 2 == b / 2 && a % 2 < b % 2) ? b : a; }},
    {"minu", [](u64 a, u64 b) { return a / 2 < b / 2 || (a / 2 == b / 2 && a % 2 < b % 2) ? a : b; }},
    {"sext.b", [](u64 a, u64) { return (a & 0xff) - (bit(a, 7) ? 0x100 : 0); }},
    {"sext.h", [](u64 a, u64) { return (a & 0xffff) - (bit(a, 15) ? 0x10000 : 0); }},
    {"zext.b", [](u64 a, u64) { return low_bits(a, 8); }},
    {"zext.h", [](u64 a, u64) { return low_bits(a, 16); }},
    {"zext.w", [](u64 a, u64) { return low_bits(a, 32); }},
    {"not", [](u64 a, u64) { return kOnes - a; }},
    {"rol", [](u64 a, u64 b) { return rotated(a, b % 64, 64); }},
    {"ror", [](u64 a, u64 b) { return rotated(a, 64 - b % 64, 64); }},
    {"rolw", [](u64 a, u64 b) { return extended_word(rotated(a, b % 32, 32)); }},
    {"rorw", [](u64 a, u64 b) { return extended_word(rotated(a, 32 - b % 32, 32)); }},
    {"orc.b", [](u64 a, u64) { return each_byte(a, [](u64 b, unsigned i) { return (b ? u64{0xff} : 0) << 8 * i; }); }},
    {"rev8", [](u64 a, u64) { return each_byte(a, [](u64 b, unsigned i) { return b << (56 - 8 * i); }); }},
    {"clmul", [](u64 a, u64 b) { return carry_less(a, b, 0); }},
    {"clmulr", [](u64 a, u64 b) { return carry_less(a, b, 63); }},
    {"clmulh", [](u64 a, u64 b) { return carry_less(a, b, 64); }},
    {"bclr", [](u64 a, u64 b) { return bit(a, b % 64) ? a - (u64{1} << b % 64) : a; }},
    {"bset", [](u64 a, u64 b) { return bit(a, b % 64) ? a : a + (u64{1} << b % 64); }},
    {"binv", [](u64 a, u64 b) { return bit(a, b % 64) ? a - (u64{1} << b % 64) : a + (u64{1} << b % 64); }},
    {"bext", [](u64 a, u64 b) { return u64{bit(a, b % 64)}; }},
    {"czero.eqz", [](u64 a, u64 b) { return a * u64{b != 0}; }},
    {"czero.nez", [](u64 a, u64 b) { return a * u64{b == 0}; }},
};
// clang-format on

struct SameAs {
  std::string_view name, base;
};
/// The second operand is then the immediate.
inline constexpr SameAs kWithImmediate[] = {
    {"addi", "add"},     {"slti", "slt"},   {"sltiu", "sltu"}, {"xori", "xor"},   {"ori", "or"},
    {"andi", "and"},     {"slli", "sll"},   {"srli", "srl"},   {"srai", "sra"},   {"addiw", "addw"},
    {"slliw", "sllw"},   {"srliw", "srlw"}, {"sraiw", "sraw"}, {"rori", "ror"},   {"roriw", "rorw"},
    {"bclri", "bclr"},   {"bexti", "bext"}, {"binvi", "binv"}, {"bseti", "bset"}, {"addi4spn", "add"},
    {"addi16sp", "add"}, {"li", "lui"},
};

/// Without "c.", which changes no meaning; c.mv is an addition to x0.
inline const Formulation* formulation_of(std::string_view name) {
  if (name.substr(0, 2) == "c.") name.remove_prefix(2);
  if (name == "mv") name = "add";
  for (const SameAs& same : kWithImmediate) {
    if (same.name == name) name = same.base;
  }
  for (const Formulation& formulation : kFormulations) {
    if (formulation.name == name) return &formulation;
  }
  return nullptr;
}

/// Corners and numbers of all magnitudes.
inline std::vector<u64> samples() {
  constexpr u64 kMin = u64{1} << 63;
  std::vector<u64> result = {0,    1,          2,          kOnes,      kMin,        kMin - 1,           kMin + 1,
                             0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0xffffffff80000000, kOnes - 1};
  u64 state = 0x2545f4914f6cdd1d;
  for (unsigned i = 0; i < 40; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    result.push_back(state >> (i * 7 % 64));
  }
  return result;
}

}  // namespace retrov::integer_oracle
