// Zicsr (unprivileged manual, chapter Zicsr): one atomic read and write of a CSR. Which CSRs exist and what they accept
// is core/csr.cpp's; here is only when there is a read and when there is a write.
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u16 kMip = 0x344;
constexpr u8 kNoDestination = 32;

u16 csr_number(const Operands& operands) { return static_cast<u16>(operands.imm); }

/// kCsr: from a register. kCsrImm: the field itself.
template <Format kFormat>
u64 source(const Hart& hart, const Operands& operands) {
  return kFormat == Format::kCsrImm ? u64{operands.rs1} : rs1(hart, operands);
}

/// With rd = x0 the CSR is not read, and so has none of the effects of a read.
template <Format kFormat>
Trap swap(Hart& hart, const Operands& operands) {
  const u64 value = source<kFormat>(hart, operands);
  u64 old = 0;
  if (operands.rd != kNoDestination) {
    if (Trap trap = hart.csr_read(csr_number(operands), old)) return trap;
  }
  if (Trap trap = hart.csr_write(csr_number(operands), value)) return trap;
  hart.x[operands.rd] = old;
  return {};
}

/// What set and clear start from: the value read, except that of mip.SEIP only the bit that software wrote takes part,
/// not the interrupt controller's level (privileged manual, 3.1.9).
u64 modified_value(const Hart& hart, u16 number, u64 old) {
  return number == kMip ? (old & ~irq::kSeip) | (hart.csr.mip & irq::kSeip) : old;
}

enum class Change : bool { kSet, kClear };

/// With the field rs1 = 0 the CSR is not written; a register that holds 0 does write.
template <Format kFormat, Change kChange>
Trap modify(Hart& hart, const Operands& operands) {
  const u16 number = csr_number(operands);
  const u64 bits = source<kFormat>(hart, operands);
  u64 old = 0;
  if (Trap trap = hart.csr_read(number, old)) return trap;
  if (operands.rs1 != 0) {
    const u64 start = modified_value(hart, number, old);
    const u64 value = kChange == Change::kSet ? start | bits : start & ~bits;
    if (Trap trap = hart.csr_write(number, value)) return trap;
  }
  hart.x[operands.rd] = old;
  return {};
}

constexpr InsnRow kRows[] = {
    general<swap<Format::kCsr>>("csrrw", "cccccccccccc sssss 001 ddddd 1110011", Format::kCsr),
    general<modify<Format::kCsr, Change::kSet>>("csrrs", "cccccccccccc sssss 010 ddddd 1110011", Format::kCsr),
    general<modify<Format::kCsr, Change::kClear>>("csrrc", "cccccccccccc sssss 011 ddddd 1110011", Format::kCsr),
    general<swap<Format::kCsrImm>>("csrrwi", "cccccccccccc uuuuu 101 ddddd 1110011", Format::kCsrImm),
    general<modify<Format::kCsrImm, Change::kSet>>("csrrsi", "cccccccccccc uuuuu 110 ddddd 1110011", Format::kCsrImm),
    general<modify<Format::kCsrImm, Change::kClear>>("csrrci", "cccccccccccc uuuuu 111 ddddd 1110011", Format::kCsrImm),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zicsr_rows() { return kRows; }

}  // namespace retrov
