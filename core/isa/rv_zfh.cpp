// Zfhmin and Zfh: half precision (unprivileged manual, chapter Zfh). Zfhmin moves and converts; Zfh computes as well.
#include "core/isa/meaning_float.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;
using fp::F16;
using fp::F32;
using fp::F64;

constexpr InsnRow kMinimalRows[] = {
    load<LoadFloat<2>>("flh", "iiiiiiiiiiii sssss 001 ddddd 0000111", Format::kFLoad),
    store<StoreFloat<2>>("fsh", "iiiiiii ttttt sssss 001 iiiii 0100111", Format::kFStore),
    fallible<convert<F32, F16>>("fcvt.s.h", "0100000 00010 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<convert<F16, F32>>("fcvt.h.s", "0100010 00000 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<move_to_integer<F16>>("fmv.x.h", "1110010 00000 sssss 000 ddddd 1010011", Format::kFToIntNoRm),
    fallible<move_from_integer<F16>>("fmv.h.x", "1111010 00000 sssss 000 ddddd 1010011", Format::kIntToFNoRm),
};
static_assert(well_formed(kMinimalRows));

/// Where there is D as well.
constexpr InsnRow kDoubleRows[] = {
    fallible<convert<F64, F16>>("fcvt.d.h", "0100001 00010 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<convert<F16, F64>>("fcvt.h.d", "0100010 00001 sssss mmm ddddd 1010011", Format::kFUnary),
};
static_assert(well_formed(kDoubleRows));

constexpr InsnRow kRows[] = {
    fallible<fused<F16, Sign::kKeep, Sign::kKeep>>("fmadd.h", "uuuuu 10 ttttt sssss mmm ddddd 1000011", Format::kFR4),
    fallible<fused<F16, Sign::kKeep, Sign::kNegate>>("fmsub.h", "uuuuu 10 ttttt sssss mmm ddddd 1000111", Format::kFR4),
    fallible<fused<F16, Sign::kNegate, Sign::kKeep>>("fnmsub.h", "uuuuu 10 ttttt sssss mmm ddddd 1001011",
                                                     Format::kFR4),
    fallible<fused<F16, Sign::kNegate, Sign::kNegate>>("fnmadd.h", "uuuuu 10 ttttt sssss mmm ddddd 1001111",
                                                       Format::kFR4),

    fallible<binary<F16, fp::add<F16>>>("fadd.h", "0000010 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F16, fp::sub<F16>>>("fsub.h", "0000110 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F16, fp::mul<F16>>>("fmul.h", "0001010 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F16, fp::div<F16>>>("fdiv.h", "0001110 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<unary_float<F16, fp::sqrt<F16>>>("fsqrt.h", "0101110 00000 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<inject_sign<F16, sign_of_second<F16>>>("fsgnj.h", "0010010 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<inject_sign<F16, negated_sign_of_second<F16>>>("fsgnjn.h", "0010010 ttttt sssss 001 ddddd 1010011",
                                                            Format::kFNoRm),
    fallible<inject_sign<F16, product_of_signs<F16>>>("fsgnjx.h", "0010010 ttttt sssss 010 ddddd 1010011",
                                                      Format::kFNoRm),
    fallible<select<F16, fp::min<F16>>>("fmin.h", "0010110 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<select<F16, fp::max<F16>>>("fmax.h", "0010110 ttttt sssss 001 ddddd 1010011", Format::kFNoRm),
    fallible<compare<F16, fp::le<F16>>>("fle.h", "1010010 ttttt sssss 000 ddddd 1010011", Format::kFCompare),
    fallible<compare<F16, fp::lt<F16>>>("flt.h", "1010010 ttttt sssss 001 ddddd 1010011", Format::kFCompare),
    fallible<compare<F16, fp::eq<F16>>>("feq.h", "1010010 ttttt sssss 010 ddddd 1010011", Format::kFCompare),
    fallible<classify<F16>>("fclass.h", "1110010 00000 sssss 001 ddddd 1010011", Format::kFToIntNoRm),

    fallible<to_integer<i32, F16>>("fcvt.w.h", "1100010 00000 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u32, F16>>("fcvt.wu.h", "1100010 00001 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<i64, F16>>("fcvt.l.h", "1100010 00010 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u64, F16>>("fcvt.lu.h", "1100010 00011 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<from_integer<F16, i32>>("fcvt.h.w", "1101010 00000 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F16, u32>>("fcvt.h.wu", "1101010 00001 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F16, i64>>("fcvt.h.l", "1101010 00010 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F16, u64>>("fcvt.h.lu", "1101010 00011 sssss mmm ddddd 1010011", Format::kIntToF),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_zfhmin_rows() { return kMinimalRows; }
std::span<const InsnRow> rv_zfhmin_double_rows() { return kDoubleRows; }
std::span<const InsnRow> rv_zfh_rows() { return kRows; }

}  // namespace retrov
