// F: single precision (unprivileged manual, chapter F).
#include "core/isa/meaning_float.hpp"
#include "core/isa/meaning_memory.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;
using fp::F32;

constexpr InsnRow kRows[] = {
    load<LoadFloat<4>>("flw", "iiiiiiiiiiii sssss 010 ddddd 0000111", Format::kFLoad),
    store<StoreFloat<4>>("fsw", "iiiiiii ttttt sssss 010 iiiii 0100111", Format::kFStore),

    fallible<fused<F32, Sign::kKeep, Sign::kKeep>>("fmadd.s", "uuuuu 00 ttttt sssss mmm ddddd 1000011", Format::kFR4),
    fallible<fused<F32, Sign::kKeep, Sign::kNegate>>("fmsub.s", "uuuuu 00 ttttt sssss mmm ddddd 1000111", Format::kFR4),
    fallible<fused<F32, Sign::kNegate, Sign::kKeep>>("fnmsub.s", "uuuuu 00 ttttt sssss mmm ddddd 1001011",
                                                     Format::kFR4),
    fallible<fused<F32, Sign::kNegate, Sign::kNegate>>("fnmadd.s", "uuuuu 00 ttttt sssss mmm ddddd 1001111",
                                                       Format::kFR4),

    fallible<binary<F32, fp::add<F32>>>("fadd.s", "0000000 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F32, fp::sub<F32>>>("fsub.s", "0000100 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F32, fp::mul<F32>>>("fmul.s", "0001000 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<binary<F32, fp::div<F32>>>("fdiv.s", "0001100 ttttt sssss mmm ddddd 1010011", Format::kFR),
    fallible<unary_float<F32, fp::sqrt<F32>>>("fsqrt.s", "0101100 00000 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<inject_sign<F32, sign_of_second<F32>>>("fsgnj.s", "0010000 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<inject_sign<F32, negated_sign_of_second<F32>>>("fsgnjn.s", "0010000 ttttt sssss 001 ddddd 1010011",
                                                            Format::kFNoRm),
    fallible<inject_sign<F32, product_of_signs<F32>>>("fsgnjx.s", "0010000 ttttt sssss 010 ddddd 1010011",
                                                      Format::kFNoRm),
    fallible<select<F32, fp::min<F32>>>("fmin.s", "0010100 ttttt sssss 000 ddddd 1010011", Format::kFNoRm),
    fallible<select<F32, fp::max<F32>>>("fmax.s", "0010100 ttttt sssss 001 ddddd 1010011", Format::kFNoRm),
    fallible<compare<F32, fp::le<F32>>>("fle.s", "1010000 ttttt sssss 000 ddddd 1010011", Format::kFCompare),
    fallible<compare<F32, fp::lt<F32>>>("flt.s", "1010000 ttttt sssss 001 ddddd 1010011", Format::kFCompare),
    fallible<compare<F32, fp::eq<F32>>>("feq.s", "1010000 ttttt sssss 010 ddddd 1010011", Format::kFCompare),
    fallible<classify<F32>>("fclass.s", "1110000 00000 sssss 001 ddddd 1010011", Format::kFToIntNoRm),

    fallible<to_integer<i32, F32>>("fcvt.w.s", "1100000 00000 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u32, F32>>("fcvt.wu.s", "1100000 00001 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<i64, F32>>("fcvt.l.s", "1100000 00010 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<to_integer<u64, F32>>("fcvt.lu.s", "1100000 00011 sssss mmm ddddd 1010011", Format::kFToInt),
    fallible<from_integer<F32, i32>>("fcvt.s.w", "1101000 00000 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F32, u32>>("fcvt.s.wu", "1101000 00001 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F32, i64>>("fcvt.s.l", "1101000 00010 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<from_integer<F32, u64>>("fcvt.s.lu", "1101000 00011 sssss mmm ddddd 1010011", Format::kIntToF),
    fallible<move_to_integer<F32>>("fmv.x.w", "1110000 00000 sssss 000 ddddd 1010011", Format::kFToIntNoRm),
    fallible<move_from_integer<F32>>("fmv.w.x", "1111000 00000 sssss 000 ddddd 1010011", Format::kIntToFNoRm),
};
static_assert(well_formed(kRows));

}  // namespace

std::span<const InsnRow> rv_f_rows() { return kRows; }

}  // namespace retrov
