// Zicond: conditional zero (unprivileged manual, chapter Zicond).
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 zero_if_zero(u64 value, u64 condition) { return condition == 0 ? 0 : value; }
constexpr u64 zero_unless_zero(u64 value, u64 condition) { return condition != 0 ? 0 : value; }

constexpr InsnRow kRows[] = {
    alu<reg_reg<zero_if_zero>>("czero.eqz", "0000111 ttttt sssss 101 ddddd 0110011", Format::kR),
    alu<reg_reg<zero_unless_zero>>("czero.nez", "0000111 ttttt sssss 111 ddddd 0110011", Format::kR),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zicond_rows() { return kRows; }

}  // namespace retrov
