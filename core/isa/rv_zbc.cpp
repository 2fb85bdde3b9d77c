// Zbc: carry-less multiplication (unprivileged manual, chapter B, "Zbc"): the product of polynomials over GF(2), 127
// bits wide.
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u128 carry_less_product(u64 a, u64 b) {
  u128 result = 0;
  for (u128 shifted = a; b != 0; b >>= 1, shifted <<= 1) {
    if ((b & 1) != 0) result ^= shifted;
  }
  return result;
}

constexpr u64 low(u64 a, u64 b) { return static_cast<u64>(carry_less_product(a, b)); }
constexpr u64 high(u64 a, u64 b) { return static_cast<u64>(carry_less_product(a, b) >> 64); }
/// Bits 126 to 63: the low half of the product of the reversed operands, reversed.
constexpr u64 reversed(u64 a, u64 b) { return static_cast<u64>(carry_less_product(a, b) >> 63); }

constexpr InsnRow kRows[] = {
    alu<reg_reg<low>>("clmul", "0000101 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_reg<reversed>>("clmulr", "0000101 ttttt sssss 010 ddddd 0110011", Format::kR),
    alu<reg_reg<high>>("clmulh", "0000101 ttttt sssss 011 ddddd 0110011", Format::kR),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zbc_rows() { return kRows; }

}  // namespace retrov
