// Zacas: compare and swap (unprivileged manual, chapter Zacas). Where the comparison fails what is in memory is written
// again, so a page that may not be written faults, and D is set, whatever is compared.
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u8 kNoDestination = 32;

/// rd is read, too: slot 32 stands for x0.
u64 expected_value(const Hart& hart, const Operands& operands) {
  return operands.rd == kNoDestination ? 0 : hart.x[operands.rd];
}

template <class T>
Trap compare_and_swap(Hart& hart, const Operands& operands) {
  const T expected = static_cast<T>(expected_value(hart, operands));
  const u64 desired = rs2(hart, operands);
  const auto combine = [&](u64 old) { return static_cast<T>(old) == expected ? desired : old; };
  u64 old = 0;
  if (Trap trap = hart.amo(rs1(hart, operands), sizeof(T), old, combine)) return trap;
  hart.x[operands.rd] = static_cast<u64>(static_cast<i64>(static_cast<T>(old)));
  return {};
}

/// Two registers each, the even one low. With x0 the pair is zero, and its odd register plays no part.
Trap compare_and_swap_pair(Hart& hart, const Operands& operands) {
  const bool has_destination = operands.rd != kNoDestination;
  const auto pair_at = [&](unsigned first) {
    return first % kNoDestination == 0 ? Hart::Pair{} : Hart::Pair{hart.x[first], hart.x[first + 1]};
  };
  Hart::Pair value = pair_at(operands.rd);
  if (Trap trap = hart.compare_and_swap_pair(rs1(hart, operands), value, pair_at(operands.rs2))) return trap;
  if (has_destination) {
    hart.x[operands.rd] = value[0];
    hart.x[operands.rd + 1] = value[1];
  }
  return {};
}

constexpr InsnRow kRows[] = {
    general<compare_and_swap<i32>>("amocas.w", "00101 oo ttttt sssss 010 ddddd 0101111", Format::kAmo),
    general<compare_and_swap<i64>>("amocas.d", "00101 oo ttttt sssss 011 ddddd 0101111", Format::kAmo),
    // Odd registers are reserved.
    general<compare_and_swap_pair>("amocas.q", "00101 oo tttt0 sssss 100 dddd0 0101111", Format::kAmo),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zacas_rows() { return kRows; }

}  // namespace retrov
