// Zicbom, Zicboz and Zicbop: cache blocks (unprivileged manual, chapter CMO). There is no cache, so what manages a
// block only checks whether it may; zeroing writes. A prefetch is an ORI to x0, and where Zicbop is absent no more.
#include "core/isa/operands.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

template <CacheBlock kWhat>
Trap on_block(Hart& hart, const Operands& operands) {
  return hart.cache_block(rs1(hart, operands), kWhat);
}

void nothing_fetched(Hart&, const Operands&) {}

constexpr InsnRow kManagementRows[] = {
    general<on_block<CacheBlock::kInvalidate>>("cbo.inval", "000000000000 sssss 010 00000 0001111", Format::kBlock),
    general<on_block<CacheBlock::kClean>>("cbo.clean", "000000000001 sssss 010 00000 0001111", Format::kBlock),
    general<on_block<CacheBlock::kClean>>("cbo.flush", "000000000010 sssss 010 00000 0001111", Format::kBlock),
};
static_assert(well_formed(kManagementRows));

constexpr InsnRow kZeroRows[] = {
    general<on_block<CacheBlock::kZero>>("cbo.zero", "000000000100 sssss 010 00000 0001111", Format::kBlock),
};
static_assert(well_formed(kZeroRows));

constexpr InsnRow kPrefetchRows[] = {
    alu<nothing_fetched>("prefetch.i", "iiiiiii 00000 sssss 110 00000 0010011", Format::kPrefetch),
    alu<nothing_fetched>("prefetch.r", "iiiiiii 00001 sssss 110 00000 0010011", Format::kPrefetch),
    alu<nothing_fetched>("prefetch.w", "iiiiiii 00011 sssss 110 00000 0010011", Format::kPrefetch),
};
static_assert(well_formed(kPrefetchRows));

}  // namespace

std::span<const InsnRow> rv_zicbom_rows() { return kManagementRows; }
std::span<const InsnRow> rv_zicboz_rows() { return kZeroRows; }
std::span<const InsnRow> rv_zicbop_rows() { return kPrefetchRows; }

}  // namespace retrov
