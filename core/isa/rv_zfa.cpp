// Zfa: additional floating-point instructions (unprivileged manual, chapter Zfa), for the formats that there are.
// fmvh.x.d and fmvp.d.x are for RV32 only.
#include "core/isa/meaning_float.hpp"
#include "core/isa/rows.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

using namespace isa;
using namespace rows;
using fp::F16;
using fp::F32;
using fp::F64;

/// With F.
constexpr InsnRow kRows[] = {
    fallible<load_constant<F32>>("fli.s", "1111000 00001 sssss 000 ddddd 1010011", Format::kFli),
    fallible<select<F32, fp::min_or_nan<F32>>>("fminm.s", "0010100 ttttt sssss 010 ddddd 1010011", Format::kFNoRm),
    fallible<select<F32, fp::max_or_nan<F32>>>("fmaxm.s", "0010100 ttttt sssss 011 ddddd 1010011", Format::kFNoRm),
    fallible<unary_float<F32, fp::round<F32>>>("fround.s", "0100000 00100 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<unary_float<F32, fp::round_exact<F32>>>("froundnx.s", "0100000 00101 sssss mmm ddddd 1010011",
                                                     Format::kFUnary),
    fallible<compare<F32, fp::le_quiet<F32>>>("fleq.s", "1010000 ttttt sssss 100 ddddd 1010011", Format::kFCompare),
    fallible<compare<F32, fp::lt_quiet<F32>>>("fltq.s", "1010000 ttttt sssss 101 ddddd 1010011", Format::kFCompare),
};
static_assert(well_formed(kRows));

/// With D.
constexpr InsnRow kDoubleRows[] = {
    fallible<load_constant<F64>>("fli.d", "1111001 00001 sssss 000 ddddd 1010011", Format::kFli),
    fallible<select<F64, fp::min_or_nan<F64>>>("fminm.d", "0010101 ttttt sssss 010 ddddd 1010011", Format::kFNoRm),
    fallible<select<F64, fp::max_or_nan<F64>>>("fmaxm.d", "0010101 ttttt sssss 011 ddddd 1010011", Format::kFNoRm),
    fallible<unary_float<F64, fp::round<F64>>>("fround.d", "0100001 00100 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<unary_float<F64, fp::round_exact<F64>>>("froundnx.d", "0100001 00101 sssss mmm ddddd 1010011",
                                                     Format::kFUnary),
    fallible<compare<F64, fp::le_quiet<F64>>>("fleq.d", "1010001 ttttt sssss 100 ddddd 1010011", Format::kFCompare),
    fallible<compare<F64, fp::lt_quiet<F64>>>("fltq.d", "1010001 ttttt sssss 101 ddddd 1010011", Format::kFCompare),
    fallible<to_integer_by<F64, fp::to_i32_modulo>>("fcvtmod.w.d", "1100001 01000 sssss 001 ddddd 1010011",
                                                    Format::kFToInt),
};
static_assert(well_formed(kDoubleRows));

/// With Zfh.
constexpr InsnRow kHalfRows[] = {
    fallible<load_constant<F16>>("fli.h", "1111010 00001 sssss 000 ddddd 1010011", Format::kFli),
    fallible<select<F16, fp::min_or_nan<F16>>>("fminm.h", "0010110 ttttt sssss 010 ddddd 1010011", Format::kFNoRm),
    fallible<select<F16, fp::max_or_nan<F16>>>("fmaxm.h", "0010110 ttttt sssss 011 ddddd 1010011", Format::kFNoRm),
    fallible<unary_float<F16, fp::round<F16>>>("fround.h", "0100010 00100 sssss mmm ddddd 1010011", Format::kFUnary),
    fallible<unary_float<F16, fp::round_exact<F16>>>("froundnx.h", "0100010 00101 sssss mmm ddddd 1010011",
                                                     Format::kFUnary),
    fallible<compare<F16, fp::le_quiet<F16>>>("fleq.h", "1010010 ttttt sssss 100 ddddd 1010011", Format::kFCompare),
    fallible<compare<F16, fp::lt_quiet<F16>>>("fltq.h", "1010010 ttttt sssss 101 ddddd 1010011", Format::kFCompare),
};
static_assert(well_formed(kHalfRows));

}  // namespace

std::span<const InsnRow> rv_zfa_rows() { return kRows; }
std::span<const InsnRow> rv_zfa_double_rows() { return kDoubleRows; }
std::span<const InsnRow> rv_zfa_half_rows() { return kHalfRows; }

}  // namespace retrov
