// What surrounds the arithmetic of F, D, Zfh and Zfa: NaN boxing, rounding modes, flags, FS. The arithmetic itself is
// core/fp's. Covers core/isa/rv_f, core/isa/rv_d, core/isa/rv_zfh, core/isa/rv_zfa.
#include "tests/catch.hpp"
#include "tests/support/float_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kBox = u64{0xffffffff} << 32;
constexpr u64 kOneS = kBox | 0x3f800000, kTwoS = kBox | 0x40000000, kThreeS = kBox | 0x40400000;
constexpr u64 kNanS = kBox | 0x7fc00000;
constexpr u64 kOneD = 0x3ff0000000000000, kTwoD = 0x4000000000000000, kThreeD = 0x4008000000000000;
constexpr u64 kBoxH = ~u64{0} << 16;
constexpr u64 kOneH = kBoxH | 0x3c00, kTwoH = kBoxH | 0x4000, kThreeH = kBoxH | 0x4200, kNanH = kBoxH | 0x7e00;
constexpr u64 kSign = u64{1} << 63;
constexpr u64 kData = kTestRam + 0x1000;
constexpr u8 kInexact = 1, kDivideByZero = 8, kInvalid = 16;
constexpr i32 kDynamic = 7;

bool is_float(const InsnRow& row) {
  const std::string_view name = row.name.substr(0, 2) == "c." ? row.name.substr(2) : row.name;
  return name[0] == 'f' && name.substr(0, 5) != "fence";
}

}  // namespace

TEST_CASE("isa_float: arithmetic of both formats", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.floats("fadd.s", kOneS, kTwoS) == kThreeS);
  CHECK(machine.floats("fsub.s", kThreeS, kTwoS) == kOneS);
  CHECK(machine.floats("fmul.s", kOneS, kTwoS) == kTwoS);
  CHECK(machine.floats("fdiv.s", kTwoS, kOneS) == kTwoS);
  CHECK(machine.floats("fsqrt.s", kBox | 0x40800000) == kTwoS);
  CHECK(machine.floats("fadd.d", kOneD, kTwoD) == kThreeD);
  CHECK(machine.floats("fsub.d", kThreeD, kTwoD) == kOneD);
  CHECK(machine.floats("fmul.d", kOneD, kTwoD) == kTwoD);
  CHECK(machine.floats("fdiv.d", kTwoD, kOneD) == kTwoD);
  CHECK(machine.floats("fsqrt.d", 0x4010000000000000) == kTwoD);
}

TEST_CASE("isa_float: fused operations differ in signs only", "[isa_float]") {
  FloatHart machine;
  const u64 five = 0x4014000000000000, one = kOneD;
  // 2 * 3 and 1: 7, 5, -5, -7.
  CHECK(machine.floats("fmadd.d", kTwoD, kThreeD, one) == 0x401c000000000000);
  CHECK(machine.floats("fmsub.d", kTwoD, kThreeD, one) == five);
  CHECK(machine.floats("fnmsub.d", kTwoD, kThreeD, one) == (five | kSign));
  CHECK(machine.floats("fnmadd.d", kTwoD, kThreeD, one) == (0x401c000000000000 | kSign));
  CHECK(machine.floats("fmadd.s", kTwoS, kOneS, kOneS) == kThreeS);
  CHECK(machine.floats("fnmadd.s", kTwoS, kOneS, kOneS) == (kThreeS | 0x80000000));
  CHECK(machine.floats("fmadd.s", kTwoS, kOneS, 0x3f800000) == kNanS);  // rs3 is not boxed
}

TEST_CASE("isa_float: an unboxed single is the canonical NaN, but moves and stores take its bits", "[isa_float]") {
  FloatHart machine;
  const u64 unboxed = 0x3f800000;
  CHECK(machine.floats("fadd.s", unboxed, kOneS) == kNanS);
  CHECK(machine.floats("fsgnj.s", unboxed, kOneS) == kNanS);
  CHECK(machine.floats("fsgnjn.s", kOneS, unboxed) == (kOneS | 0x80000000));
  CHECK(machine.floats("fmin.s", unboxed, kOneS) == kOneS);
  CHECK(machine.floats("fclass.s", unboxed) == 1u << 9);
  CHECK(machine.floats("feq.s", unboxed, unboxed) == 0);
  CHECK(machine.floats("fcvt.w.s", unboxed) == 0x7fffffff);
  CHECK(machine.floats("fcvt.d.s", unboxed) == 0x7ff8000000000000);
  CHECK(machine.floats("fmv.x.w", unboxed) == unboxed);
  CHECK(machine.floats("fmv.x.w", 0x80000000) == 0xffffffff80000000);
  machine.hart.x[1] = kData;
  machine.hart.f[2] = 0x0123456789abcdef;
  REQUIRE_FALSE(machine.step("fsw", {0, 0, 1, 2}));
  CHECK(machine.get(kData) == 0x89abcdef);
}

TEST_CASE("isa_float: results of single precision are boxed", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.from_integer("fmv.w.x", 0x123456783f800000) == kOneS);
  CHECK(machine.from_integer("fcvt.s.w", 1) == kOneS);
  CHECK(machine.floats("fcvt.s.d", kOneD) == kOneS);
  machine.put(kData, 0x1111111140000000);
  machine.hart.x[1] = kData;
  REQUIRE_FALSE(machine.step("flw", {0, 3, 1}));
  CHECK(machine.hart.f[3] == kTwoS);
  REQUIRE_FALSE(machine.step("fld", {0, 3, 1}));
  CHECK(machine.hart.f[3] == 0x1111111140000000);
}

TEST_CASE("isa_float: signs are injected without looking at the number", "[isa_float]") {
  FloatHart machine;
  const u64 nan = 0x7ff0000000000001;
  CHECK(machine.floats("fsgnj.d", nan, kSign) == (nan | kSign));
  CHECK(machine.floats("fsgnjn.d", nan, kSign) == nan);
  CHECK(machine.floats("fsgnjx.d", nan | kSign, kSign) == nan);
  CHECK(machine.floats("fsgnjx.d", nan, kSign) == (nan | kSign));
  CHECK(machine.hart.csr.fflags == 0);
}

TEST_CASE("isa_float: comparisons and selections", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.floats("flt.d", kOneD, kTwoD) == 1);
  CHECK(machine.floats("fle.d", kTwoD, kOneD) == 0);
  CHECK(machine.floats("fle.d", 0, kSign) == 1);
  CHECK(machine.floats("feq.s", kOneS, kOneS) == 1);
  CHECK(machine.floats("fmin.d", kSign, 0) == kSign);
  CHECK(machine.floats("fmax.d", kSign, 0) == 0);
  CHECK(machine.floats("fmax.s", kOneS, kTwoS) == kTwoS);
  CHECK(machine.flags("flt.d", 0x7ff8000000000000, kOneD) == kInvalid);
  CHECK(machine.flags("feq.d", 0x7ff8000000000000, kOneD) == 0);
  CHECK(machine.floats("fclass.d", kSign | 0x7ff0000000000000) == 1);
}

TEST_CASE("isa_float: half precision computes, boxed in 64 bits", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.floats("fadd.h", kOneH, kTwoH) == kThreeH);
  CHECK(machine.floats("fsub.h", kThreeH, kTwoH) == kOneH);
  CHECK(machine.floats("fmul.h", kOneH, kTwoH) == kTwoH);
  CHECK(machine.floats("fdiv.h", kTwoH, kOneH) == kTwoH);
  CHECK(machine.floats("fsqrt.h", kBoxH | 0x4400) == kTwoH);
  CHECK(machine.floats("fmadd.h", kTwoH, kOneH, kOneH) == kThreeH);
  CHECK(machine.floats("fmsub.h", kTwoH, kTwoH, kOneH) == kThreeH);
  CHECK(machine.floats("fnmsub.h", kTwoH, kTwoH, kOneH) == (kThreeH | 0x8000));
  CHECK(machine.floats("fnmadd.h", kTwoH, kOneH, kOneH) == (kThreeH | 0x8000));
  CHECK(machine.floats("fmax.h", kTwoH, kOneH) == kTwoH);
  CHECK(machine.floats("fmin.h", kTwoH, kOneH) == kOneH);
  CHECK(machine.floats("fsgnjn.h", kTwoH, kOneH) == (kTwoH | 0x8000));
  CHECK(machine.floats("fsgnjx.h", kTwoH, kOneH | 0x8000) == (kTwoH | 0x8000));
  CHECK(machine.floats("fsgnj.h", kTwoH | 0x8000, kOneH) == kTwoH);
  CHECK(machine.floats("flt.h", kOneH, kTwoH) == 1);
  CHECK(machine.floats("fle.h", kTwoH, kOneH) == 0);
  CHECK(machine.floats("feq.h", kTwoH, kTwoH) == 1);
  CHECK(machine.floats("fclass.h", kOneH) == 1u << 6);
}

TEST_CASE("isa_float: half precision converts to and from everything else", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.floats("fcvt.s.h", kTwoH) == kTwoS);
  CHECK(machine.floats("fcvt.d.h", kTwoH) == kTwoD);
  CHECK(machine.floats("fcvt.h.s", kThreeS) == kThreeH);
  CHECK(machine.floats("fcvt.h.d", kThreeD) == kThreeH);
  for (const char* name : {"fcvt.w.h", "fcvt.l.h"}) CHECK(machine.floats(name, kThreeH | 0x8000) == ~u64{2});
  for (const char* name : {"fcvt.wu.h", "fcvt.lu.h"}) CHECK(machine.floats(name, kThreeH) == 3);
  CHECK(machine.floats("fcvt.wu.h", kBoxH | 0x7c00) == ~u64{0});  // 2^32 - 1, sign-extended
  CHECK(machine.floats("fcvt.w.h", kBoxH | 0x7c00) == 0x7fffffff);
  for (const char* name : {"fcvt.h.w", "fcvt.h.l"}) CHECK(machine.from_integer(name, ~u64{2}) == (kThreeH | 0x8000));
  for (const char* name : {"fcvt.h.wu", "fcvt.h.lu"}) CHECK(machine.from_integer(name, 3) == kThreeH);
  CHECK(machine.from_integer("fcvt.h.wu", 0x1'0000'0003) == kThreeH);
  CHECK(machine.from_integer("fcvt.h.lu", 0x1'0000'0003) == (kBoxH | 0x7c00));
}

TEST_CASE("isa_float: an unboxed half is a NaN, but moves and stores take its bits", "[isa_float]") {
  FloatHart machine;
  for (const u64 unboxed : {u64{0x3c00}, u64{0xffff3c00}, kOneH ^ u64{1} << 63, kOneH ^ u64{1} << 16}) {
    CHECK(machine.floats("fadd.h", unboxed, kOneH) == kNanH);
    CHECK(machine.floats("fadd.h", kOneH, unboxed) == kNanH);
    CHECK(machine.floats("fmadd.h", kOneH, kOneH, unboxed) == kNanH);
    CHECK(machine.floats("fcvt.s.h", unboxed) == kNanS);
    CHECK(machine.floats("fmv.x.h", unboxed) == 0x3c00);
  }
  CHECK(machine.floats("fmv.x.h", 0x8001) == 0xffffffffffff8001);
  CHECK(machine.from_integer("fmv.h.x", 0x123456789abc3c00) == kOneH);
  CHECK(machine.floats("fcvt.d.s", kOneH) == 0x7ff8000000000000);  // A boxed half is a NaN in single precision.
  machine.hart.x[1] = kData;
  machine.hart.f[2] = 0x0123456789abcdef;
  machine.put(kData, ~u64{0});
  REQUIRE_FALSE(machine.step("fsh", {0, 0, 1, 2}));
  CHECK(machine.get(kData) == 0xffffffffffffcdef);
  REQUIRE_FALSE(machine.step("flh", {0, 3, 1}));
  CHECK(machine.hart.f[3] == (kBoxH | 0xcdef));
}

TEST_CASE("isa_float: what Zfa adds, in all formats", "[isa_float]") {
  FloatHart machine;
  const auto constant = [&](std::string_view name, u8 number) {
    if (machine.step(name, {0, 3, number})) throw std::logic_error(std::string(name) + " trapped");
    return machine.hart.f[3];
  };
  CHECK(constant("fli.s", 16) == kOneS);
  CHECK(constant("fli.d", 20) == kTwoD);
  CHECK(constant("fli.h", 22) == kThreeH);
  CHECK(constant("fli.h", 1) == (kBoxH | 0x400));
  CHECK(constant("fli.d", 0) == (kOneD | kSign));
  for (const char* format : {"s", "d", "h"}) {
    const auto name = [&](const char* stem) { return std::string(stem) + "." + format; };
    const u64 nan = *format == 's' ? kNanS : *format == 'd' ? 0x7ff8000000000000 : kNanH;
    const u64 one = constant(name("fli"), 16), two = constant(name("fli"), 20);
    const u64 one_and_half = constant(name("fli"), 18);
    INFO(format);
    CHECK(machine.floats(name("fminm"), one, two) == one);
    CHECK(machine.floats(name("fmaxm"), one, two) == two);
    CHECK(machine.floats(name("fminm"), one, nan) == nan);
    CHECK(machine.floats(name("fmaxm"), nan, one) == nan);
    CHECK(machine.floats(name("fltq"), one, two) == 1);
    CHECK(machine.floats(name("fltq"), one, one) == 0);
    CHECK(machine.floats(name("fleq"), one, one) == 1);
    CHECK(machine.floats(name("fround"), one_and_half, 0, 0, 1) == one);
    CHECK(machine.floats(name("froundnx"), one_and_half, 0, 0, 3) == two);
    CHECK(machine.flags(name("fltq"), one, nan) == 0);
    CHECK(machine.flags(name("flt"), one, nan) == kInvalid);
    CHECK(machine.flags(name("fround"), one_and_half) == 0);
    CHECK(machine.flags(name("froundnx"), one_and_half) == kInexact);
  }
  CHECK(machine.floats("fcvtmod.w.d", 0x41efffffffe00000, 0, 0, 1) == ~u64{0});  // 2^32 - 1
  CHECK(machine.flags("fcvtmod.w.d", 0x41efffffffe00000, 0, 1) == kInvalid);
}

TEST_CASE("isa_float: conversions to words are sign-extended, also unsigned ones", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.floats("fcvt.w.d", kOneD | kSign) == ~u64{0});
  CHECK(machine.floats("fcvt.wu.d", 0x41efffffffe00000) == ~u64{0});             // 2^32 - 1
  CHECK(machine.floats("fcvt.wu.d", 0x41e0000000000000) == 0xffffffff80000000);  // 2^31
  CHECK(machine.floats("fcvt.l.d", 0x41efffffffe00000) == 0xffffffff);
  CHECK(machine.floats("fcvt.lu.d", 0x43e0000000000000) == u64{1} << 63);
  CHECK(machine.flags("fcvt.lu.d", kOneD | kSign) == kInvalid);
}

TEST_CASE("isa_float: conversions from integers take the width of their name", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.from_integer("fcvt.d.w", 0x1ffffffff) == (kOneD | kSign));
  CHECK(machine.from_integer("fcvt.d.wu", 0x1ffffffff) == 0x41efffffffe00000);
  CHECK(machine.from_integer("fcvt.d.l", 0x1ffffffff) == 0x41fffffffff00000);
  CHECK(machine.from_integer("fcvt.d.lu", u64{1} << 63) == 0x43e0000000000000);
  CHECK(machine.from_integer("fcvt.s.l", ~u64{0}) == (kOneS | 0x80000000));
  CHECK(machine.from_integer("fmv.d.x", 0x0123456789abcdef) == 0x0123456789abcdef);
  CHECK(machine.floats("fmv.x.d", 0x0123456789abcdef) == 0x0123456789abcdef);
}

TEST_CASE("isa_float: the rounding mode is that of the instruction, or frm", "[isa_float]") {
  FloatHart machine;
  const u64 half = 0x3fe0000000000000;  // 0.5 to an integer
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, 0) == 0);
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, 3) == 1);
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, 4) == 1);
  machine.hart.csr.frm = 3;
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, kDynamic) == 1);
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, 2) == 0);
  machine.hart.csr.frm = 1;
  CHECK(machine.floats("fcvt.l.d", half, 0, 0, kDynamic) == 0);
}

TEST_CASE("isa_float: flags accumulate", "[isa_float]") {
  FloatHart machine;
  CHECK(machine.flags("fdiv.d", kOneD, 0) == kDivideByZero);
  machine.floats("fdiv.d", kOneD, kThreeD);
  CHECK(machine.hart.csr.fflags == (kDivideByZero | kInexact));
}

TEST_CASE("isa_float: reserved rounding modes are illegal and change nothing", "[isa_float]") {
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      const bool has_rounding = row.kind == Kind::kFallible && (row.encoding.mask & 0x7000) == 0;
      if (!has_rounding) continue;
      INFO(row.name);
      FloatHart machine;
      for (const i32 rm : {5, 6}) CHECK(machine.step(row, {rm, 3, 1, 2}).cause == Cause::kIllegalInstruction);
      for (const u8 frm : {u8{5}, u8{6}, u8{7}}) {
        machine.hart.csr.frm = frm;
        CHECK(machine.step(row, {kDynamic, 3, 1, 2}).cause == Cause::kIllegalInstruction);
        CHECK_FALSE(machine.step(row, {0, 3, 1, 2}));
        machine.set_fs(1);
      }
      machine.hart.csr.frm = 5;
      machine.hart.f[3] = 99;
      CHECK(machine.step(row, {kDynamic, 3, 1, 2}).cause == Cause::kIllegalInstruction);
      CHECK(machine.hart.f[3] == 99);
      CHECK_FALSE(machine.is_dirty());
    }
  }
}

TEST_CASE("isa_float: everything is illegal while FS is off", "[isa_float]") {
  unsigned count = 0;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (!is_float(row)) continue;
      INFO(row.name);
      ++count;
      FloatHart machine;
      machine.hart.x[1] = kData;
      machine.set_fs(0);
      CHECK(machine.step(row, {0, 3, 1, 2}).cause == Cause::kIllegalInstruction);
      CHECK(machine.hart.pc == kTestRam);
      machine.set_fs(1);
      CHECK_FALSE(machine.step(row, {0, 3, 1, 2}));
    }
  }
  CHECK(count == 30 + 32 + 4 + 34 + 22);
}

TEST_CASE("isa_float: FS becomes dirty when an f register is written or a flag newly raised", "[isa_float]") {
  const auto dirties = [](std::string_view name, u64 a, u64 b, u8 flags_before) {
    FloatHart machine;
    machine.hart.csr.fflags = flags_before;
    machine.hart.x[1] = kData;
    machine.floats(name, a, b);
    return machine.is_dirty();
  };
  CHECK(dirties("fadd.d", kOneD, kOneD, 0));
  CHECK(dirties("fsgnj.s", kOneS, kOneS, 0));
  CHECK(dirties("flw", 0, 0, 0));
  CHECK(dirties("fld", 0, 0, 0));
  CHECK(dirties("fmv.d.x", 0, 0, 0));
  CHECK_FALSE(dirties("fsd", 0, 0, 0));
  CHECK_FALSE(dirties("fmv.x.d", kOneD, 0, 0));
  CHECK_FALSE(dirties("fclass.d", kOneD, 0, 0));
  CHECK_FALSE(dirties("feq.d", kOneD, kOneD, 0));
  CHECK(dirties("flt.d", 0x7ff8000000000000, kOneD, 0));
  CHECK_FALSE(dirties("flt.d", 0x7ff8000000000000, kOneD, kInvalid));
  CHECK(dirties("fcvt.w.d", 0x3fe0000000000000, 0, 0));
  CHECK_FALSE(dirties("fcvt.w.d", 0x3fe0000000000000, 0, kInexact));
}

}  // namespace retrov
