// What the integer instructions of RV64I compute. Compressed instructions mean the same, so rv_i.cpp and rv_c.cpp share
// these. Everything is unsigned: overflow wraps, as the manual says, and is never undefined.
#pragma once

#include "core/isa/operands.hpp"

namespace retrov::isa {

constexpr u64 add(u64 a, u64 b) { return a + b; }
constexpr u64 sub(u64 a, u64 b) { return a - b; }
constexpr u64 bit_and(u64 a, u64 b) { return a & b; }
constexpr u64 bit_or(u64 a, u64 b) { return a | b; }
constexpr u64 bit_xor(u64 a, u64 b) { return a ^ b; }
constexpr u64 shift_left(u64 a, u64 b) { return a << (b & 63); }
constexpr u64 shift_right(u64 a, u64 b) { return a >> (b & 63); }
constexpr u64 shift_right_signed(u64 a, u64 b) { return static_cast<u64>(static_cast<i64>(a) >> (b & 63)); }

constexpr u64 add_word(u64 a, u64 b) { return sign_extend_word(a + b); }
constexpr u64 sub_word(u64 a, u64 b) { return sign_extend_word(a - b); }
constexpr u64 shift_left_word(u64 a, u64 b) { return sign_extend_word(a << (b & 31)); }
constexpr u64 shift_right_word(u64 a, u64 b) { return sign_extend_word(static_cast<u32>(a) >> (b & 31)); }
constexpr u64 shift_right_signed_word(u64 a, u64 b) {
  return static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(a)) >> (b & 31)});
}

constexpr bool equal(u64 a, u64 b) { return a == b; }
constexpr bool not_equal(u64 a, u64 b) { return a != b; }
constexpr bool less(u64 a, u64 b) { return static_cast<i64>(a) < static_cast<i64>(b); }
constexpr bool not_less(u64 a, u64 b) { return !less(a, b); }
constexpr bool less_unsigned(u64 a, u64 b) { return a < b; }
constexpr bool not_less_unsigned(u64 a, u64 b) { return a >= b; }
constexpr u64 set_less(u64 a, u64 b) { return u64{less(a, b)}; }
constexpr u64 set_less_unsigned(u64 a, u64 b) { return u64{less_unsigned(a, b)}; }

/// lui, c.lui, c.li.
inline void load_immediate(Hart& hart, const Operands& operands) { hart.x[operands.rd] = immediate(operands); }

/// jalr, c.jr, c.jalr. Clearing bit 0 is enough for alignment: with C, targets are aligned to 2 bytes.
inline u64 indirect_target(const Hart& hart, const Operands& operands) {
  return rs1_plus_immediate(hart, operands) & ~u64{1};
}

/// fence: harts take turns, so all memory accesses are in one order already.
inline void nothing(Hart&, const Operands&) {}

inline Trap breakpoint(Hart& hart, const Operands&) { return hart.ebreak(); }

}  // namespace retrov::isa
