// Zcb: more compressed instructions (unprivileged manual, chapter Zc). Some are there only with the extension whose
// instruction they stand for.
#include "core/isa/meaning_integer.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;

constexpr u64 zero_extend_byte(u64 a) { return static_cast<u8>(a); }
constexpr u64 zero_extend_half(u64 a) { return static_cast<u16>(a); }
constexpr u64 zero_extend_word(u64 a) { return static_cast<u32>(a); }
constexpr u64 sign_extend_byte(u64 a) { return static_cast<u64>(i64{static_cast<i8>(a)}); }
constexpr u64 sign_extend_half(u64 a) { return static_cast<u64>(i64{static_cast<i16>(a)}); }
constexpr u64 complement(u64 a) { return ~a; }
constexpr u64 product(u64 a, u64 b) { return a * b; }

constexpr InsnRow kRows[] = {
    load<LoadInteger<u8>>("c.lbu", "100 000 sss ii ddd 00", Format::kCLb),
    load<LoadInteger<u16>>("c.lhu", "100 001 sss 0 i ddd 00", Format::kCLh),
    load<LoadInteger<i16>>("c.lh", "100 001 sss 1 i ddd 00", Format::kCLh),
    store<StoreInteger<1>>("c.sb", "100 010 sss ii ttt 00", Format::kCSb),
    store<StoreInteger<2>>("c.sh", "100 011 sss 0 i ttt 00", Format::kCSh),
    alu<unary<zero_extend_byte>>("c.zext.b", "100 111 ddd 11 000 01", Format::kCUnary),
    alu<unary<complement>>("c.not", "100 111 ddd 11 101 01", Format::kCUnary),
};
static_assert(well_formed(kRows));

constexpr InsnRow kZbbRows[] = {
    alu<unary<sign_extend_byte>>("c.sext.b", "100 111 ddd 11 001 01", Format::kCUnary),
    alu<unary<zero_extend_half>>("c.zext.h", "100 111 ddd 11 010 01", Format::kCUnary),
    alu<unary<sign_extend_half>>("c.sext.h", "100 111 ddd 11 011 01", Format::kCUnary),
};
static_assert(well_formed(kZbbRows));

constexpr InsnRow kZbaRows[] = {
    alu<unary<zero_extend_word>>("c.zext.w", "100 111 ddd 11 100 01", Format::kCUnary),
};
static_assert(well_formed(kZbaRows));

constexpr InsnRow kMulRows[] = {
    alu<reg_reg<product>>("c.mul", "100 111 ddd 10 ttt 01", Format::kCA),
};
static_assert(well_formed(kMulRows));

}  // namespace

std::span<const InsnRow> rv_zcb_rows() { return kRows; }
std::span<const InsnRow> rv_zcb_zbb_rows() { return kZbbRows; }
std::span<const InsnRow> rv_zcb_zba_rows() { return kZbaRows; }
std::span<const InsnRow> rv_zcb_m_rows() { return kMulRows; }

}  // namespace retrov
