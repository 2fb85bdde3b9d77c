// Zba: address generation (unprivileged manual, chapter B, "Zba").
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 low_word(u64 a) { return static_cast<u32>(a); }

template <unsigned kShift>
constexpr u64 shift_add(u64 a, u64 b) {
  return (a << kShift) + b;
}
/// kShift = 0 is add.uw.
template <unsigned kShift>
constexpr u64 shift_add_low_word(u64 a, u64 b) {
  return (low_word(a) << kShift) + b;
}
constexpr u64 shift_left_low_word(u64 a, u64 b) { return low_word(a) << (b & 63); }

constexpr InsnRow kRows[] = {
    alu<reg_reg<shift_add_low_word<0>>>("add.uw", "0000100 ttttt sssss 000 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_add<1>>>("sh1add", "0010000 ttttt sssss 010 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_add<2>>>("sh2add", "0010000 ttttt sssss 100 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_add<3>>>("sh3add", "0010000 ttttt sssss 110 ddddd 0110011", Format::kR),
    alu<reg_reg<shift_add_low_word<1>>>("sh1add.uw", "0010000 ttttt sssss 010 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_add_low_word<2>>>("sh2add.uw", "0010000 ttttt sssss 100 ddddd 0111011", Format::kR),
    alu<reg_reg<shift_add_low_word<3>>>("sh3add.uw", "0010000 ttttt sssss 110 ddddd 0111011", Format::kR),
    alu<reg_imm<shift_left_low_word>>("slli.uw", "000010 iiiiii sssss 001 ddddd 0011011", Format::kShift),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zba_rows() { return kRows; }

}  // namespace retrov
