// Zbs: single bits (unprivileged manual, chapter B, "Zbs").
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 bit(u64 index) { return u64{1} << (index & 63); }
constexpr u64 clear(u64 a, u64 b) { return a & ~bit(b); }
constexpr u64 extract(u64 a, u64 b) { return a >> (b & 63) & 1; }
constexpr u64 invert(u64 a, u64 b) { return a ^ bit(b); }
constexpr u64 set(u64 a, u64 b) { return a | bit(b); }

constexpr InsnRow kRows[] = {
    alu<reg_reg<clear>>("bclr", "0100100 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_imm<clear>>("bclri", "010010 iiiiii sssss 001 ddddd 0010011", Format::kShift),
    alu<reg_reg<extract>>("bext", "0100100 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_imm<extract>>("bexti", "010010 iiiiii sssss 101 ddddd 0010011", Format::kShift),
    alu<reg_reg<invert>>("binv", "0110100 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_imm<invert>>("binvi", "011010 iiiiii sssss 001 ddddd 0010011", Format::kShift),
    alu<reg_reg<set>>("bset", "0010100 ttttt sssss 001 ddddd 0110011", Format::kR),
    alu<reg_imm<set>>("bseti", "001010 iiiiii sssss 001 ddddd 0010011", Format::kShift),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zbs_rows() { return kRows; }

}  // namespace retrov
