// Zifencei. Stores to code take effect at once on every hart (docs/machine.md, "Memory"), so fence.i only ends the
// block.
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

Trap fence_instructions(Hart& hart, const Operands&) {
  hart.leave = true;
  return {};
}

constexpr InsnRow kRows[] = {
    // The unused fields are reserved for finer fences and to be ignored (unprivileged manual, chapter Zifencei).
    rows::general<fence_instructions>("fence.i", "iiiiiiiiiiii sssss 001 ddddd 0001111", Format::kNone,
                                      EndsBlock::kYes),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zifencei_rows() { return kRows; }

}  // namespace retrov
