// A: atomics (unprivileged manual, chapter A). Harts take turns, so each instruction is atomic by itself and aq and rl
// order nothing. Reservations, and the rule that a misaligned access traps, are Hart's (core/access.cpp).
#include "core/isa/meaning_integer.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

/// T is i32 or i64: the operands, sign-extended; a word's result goes to rd sign-extended, too.
template <class T>
constexpr u64 extend(u64 value) {
  return static_cast<u64>(static_cast<i64>(static_cast<T>(value)));
}

/// New value from the old one and rs2. Both are sign-extended, which keeps the order of words, unsigned or not.
using Combine = u64 (*)(u64 old, u64 operand);
constexpr u64 swap(u64, u64 operand) { return operand; }
constexpr u64 min(u64 old, u64 operand) { return less(operand, old) ? operand : old; }
constexpr u64 max(u64 old, u64 operand) { return less(old, operand) ? operand : old; }
constexpr u64 min_unsigned(u64 old, u64 operand) { return operand < old ? operand : old; }
constexpr u64 max_unsigned(u64 old, u64 operand) { return old < operand ? operand : old; }

template <class T, Combine kCombine>
Trap amo(Hart& hart, const Operands& operands) {
  const u64 operand = extend<T>(rs2(hart, operands));
  const auto combine = [operand](u64 old) { return kCombine(extend<T>(old), operand); };
  u64 old = 0;
  if (Trap trap = hart.amo(rs1(hart, operands), sizeof(T), old, combine)) return trap;
  hart.x[operands.rd] = extend<T>(old);
  return {};
}

template <class T>
Trap load_reserved(Hart& hart, const Operands& operands) {
  u64 value = 0;
  if (Trap trap = hart.load_reserved(rs1(hart, operands), sizeof(T), value)) return trap;
  hart.x[operands.rd] = extend<T>(value);
  return {};
}

template <class T>
Trap store_conditional(Hart& hart, const Operands& operands) {
  u64 failed = 0;
  if (Trap trap = hart.store_conditional(rs1(hart, operands), sizeof(T), rs2(hart, operands), failed)) return trap;
  hart.x[operands.rd] = failed;
  return {};
}

constexpr InsnRow kRows[] = {
    general<load_reserved<i32>>("lr.w", "00010 oo 00000 sssss 010 ddddd 0101111", Format::kLr),
    general<store_conditional<i32>>("sc.w", "00011 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, swap>>("amoswap.w", "00001 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, add>>("amoadd.w", "00000 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, bit_xor>>("amoxor.w", "00100 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, bit_and>>("amoand.w", "01100 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, bit_or>>("amoor.w", "01000 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, min>>("amomin.w", "10000 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, max>>("amomax.w", "10100 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, min_unsigned>>("amominu.w", "11000 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<amo<i32, max_unsigned>>("amomaxu.w", "11100 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),

    general<load_reserved<i64>>("lr.d", "00010 oo 00000 sssss 011 ddddd 0101111", Format::kLr),
    general<store_conditional<i64>>("sc.d", "00011 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, swap>>("amoswap.d", "00001 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, add>>("amoadd.d", "00000 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, bit_xor>>("amoxor.d", "00100 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, bit_and>>("amoand.d", "01100 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, bit_or>>("amoor.d", "01000 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, min>>("amomin.d", "10000 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, max>>("amomax.d", "10100 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, min_unsigned>>("amominu.d", "11000 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    general<amo<i64, max_unsigned>>("amomaxu.d", "11100 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_a_rows() { return kRows; }

}  // namespace retrov
