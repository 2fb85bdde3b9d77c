// Svinval: invalidation in three parts (privileged manual, chapter Svinval). Translations are always fresh, so what
// remains is who may (the two fences know no TVM).
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

Trap invalidate(Hart& hart, const Operands&) { return hart.sfence_vma(); }
Trap order_invalidations(Hart& hart, const Operands&) { return hart.priv == Priv::kUser ? Hart::illegal() : Trap{}; }

using rows::general;

constexpr InsnRow kRows[] = {
    general<invalidate>("sinval.vma", "0001011 ttttt sssss 000 00000 1110011", Format::kSfence, EndsBlock::kYes),
    general<order_invalidations>("sfence.w.inval", "0001100 00000 00000 000 00000 1110011", Format::kNone,
                                 EndsBlock::kYes),
    general<order_invalidations>("sfence.inval.ir", "0001100 00001 00000 000 00000 1110011", Format::kNone,
                                 EndsBlock::kYes),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_svinval_rows() { return kRows; }

}  // namespace retrov
