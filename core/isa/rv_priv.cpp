// The privileged instructions (privileged manual, 3.3 and 4.2). What they do, and when they trap, is core/trap.cpp's.
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

Trap machine_return(Hart& hart, const Operands&) { return hart.mret(); }
Trap supervisor_return(Hart& hart, const Operands&) { return hart.sret(); }
Trap wait_for_interrupt(Hart& hart, const Operands&) { return hart.wfi(); }
Trap fence_translations(Hart& hart, const Operands&) { return hart.sfence_vma(); }

using rows::general;

constexpr InsnRow kRows[] = {
    general<supervisor_return>("sret", "0001000 00010 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
    general<machine_return>("mret", "0011000 00010 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
    general<wait_for_interrupt>("wfi", "0001000 00101 00000 000 00000 1110011", Format::kNone, EndsBlock::kYes),
    general<fence_translations>("sfence.vma", "0001001 ttttt sssss 000 00000 1110011", Format::kSfence,
                                EndsBlock::kYes),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_priv_rows() { return kRows; }

}  // namespace retrov
