// Zawrs: waiting for a reservation set (unprivileged manual, chapter Zawrs). Both waits may end at any time; here they
// give up the rest of the turn, as PAUSE does, so that another hart can make the store that is waited for. What ends at
// once never outlasts the limit that mstatus.TW sets on WRS.NTO.
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

Trap wait_on_reservation(Hart& hart, const Operands&) {
  hart.turn_over = true;
  hart.leave = true;
  return {};
}

using rows::general;

constexpr InsnRow kRows[] = {
    general<wait_on_reservation>("wrs.nto", "000000001101 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
    general<wait_on_reservation>("wrs.sto", "000000011101 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zawrs_rows() { return kRows; }

}  // namespace retrov
