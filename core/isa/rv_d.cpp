// D: double precision (unprivileged manual, chapter D).
#include "core/isa/meaning_float.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;
using fp::F32;
using fp::F64;

constexpr InsnRow kRows[] = {
    load<LoadFloat<8>>("fld", "iiiiiiiiiiii sssss 011 ddddd 0000111", Format::kFLoad),
    store<StoreFloat<8>>("fsd", "iiiiiii ttttt sssss 011 iiiii 0100111", Format::kFStore),

    fallible<fused<F64, Sign::kKeep, Sign::kKeep>>("fmadd.d", "uuuuu 01 ttttt sssss mmm ddddd 1000011", Format::kFR4),
    fallible<fused<F64, Sign::kKeep, Sign::kNegate>>("fmsub.d", "uuuuu 01 ttttt sssss mmm ddddd 1000111", Format::kFR4),
    fallible<fused<F64, Sign::kNegate, Sign::kKeep>>("fnmsub.d", "uuuuu 01 ttttt sssss mmm ddddd 1001011",
                                                     Format::kFR4),
    fallible<fused<F64, Sign::kNegate, Sign::kNegate>>("fnmadd.d", "uuuuu 01 ttttt sssss mmm ddddd 1001111",
                                                       Format::kFR4),

    fallible<binary<F64, fp::add<F64>>>("fadd.d", "0000001 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F64, fp::sub<F64>>>("fsub.d", "0000101 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F64, fp::mul<F64>>>("fmul.d", "0001001 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F64, fp::div<F64>>>("fdiv.d", "0001101 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<unary_float<F64, fp::sqrt<F64>>>("fsqrt.d", "0101101 00000 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<inject_sign<F64, sign_of_second<F64>>>("fsgnj.d", "0010001 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<inject_sign<F64, negated_sign_of_second<F64>>>("fsgnjn.d", "0010001 ttttt sssss 001 ddddd 1010011",
                                                            Format::kFNoRm),
    fallible<inject_sign<F64, product_of_signs<F64>>>("fsgnjx.d", "0010001 ttttt sssss 010 ddddd 1010011",
                                                      Format::kFNoRm),
    fallible<select<F64, fp::min<F64>>>("fmin.d", "0010101 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<select<F64, fp::max<F64>>>("fmax.d", "0010101 ttttt sssss 001 ddddd 1010011", Format::kFNoRm),
    fallible<compare<F64, fp::le<F64>>>("fle.d", "1010001 ttttt sssss 000 ddddd 1010011", Format::kFCompare),
    fallible<compare<F64, fp::lt<F64>>>("flt.d", "1010001 ttttt sssss 001 ddddd 1010011", Format::kFCompare),
    fallible<compare<F64, fp::eq<F64>>>("feq.d", "1010001 ttttt sssss 010 ddddd 1010011", Format::kFCompare),
    fallible<classify<F64>>("fclass.d", "1110001 00000 sssss 001 ddddd 1010011", Format::kFToIntNoRm),

    fallible<to_integer<i32, F64>>("fcvt.w.d", "1100001 00000 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u32, F64>>("fcvt.wu.d", "1100001 00001 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<i64, F64>>("fcvt.l.d", "1100001 00010 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u64, F64>>("fcvt.lu.d", "1100001 00011 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<from_integer<F64, i32>>("fcvt.d.w", "1101001 00000 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F64, u32>>("fcvt.d.wu", "1101001 00001 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F64, i64>>("fcvt.d.l", "1101001 00010 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F64, u64>>("fcvt.d.lu", "1101001 00011 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<convert<F32, F64>>("fcvt.s.d", "0100000 00001 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<convert<F64, F32>>("fcvt.d.s", "0100001 00000 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<move_to_integer<F64>>("fmv.x.d", "1110001 00000 sssss 000 ddddd 1010011", Format::kFToIntNoRm),
    fallible<move_from_integer<F64>>("fmv.d.x", "1111001 00000 sssss 000 ddddd 1010011", Format::kIntToFNoRm),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_d_rows() { return kRows; }

}  // namespace retrov
