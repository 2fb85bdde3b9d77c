// What the integer and bit-manipulation instructions compute: values worked out by hand from the manual. All rows on
// many operands are in tests/isa_table_test.cpp. Covers core/isa/rv_i, core/isa/rv_m, core/isa/rv_zba,
// core/isa/rv_zbb, core/isa/rv_zbc, core/isa/rv_zbs.
#include "tests/catch.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kMin = u64{1} << 63;
constexpr u64 kMax = kMin - 1;
constexpr u64 kOnes = ~u64{0};
constexpr u64 kWordMin = 0xffffffff80000000;

struct Case {
  std::string_view name;
  u64 a, b, result;
};

constexpr Case kCases[] = {
    {"add", kOnes, 1, 0},
    {"sub", 0, 1, kOnes},
    {"sll", 1, 63, kMin},
    {"sll", 1, 64, 1},
    {"srl", kMin, 63, 1},
    {"sra", kMin, 63, kOnes},
    {"sra", kMax, 62, 1},
    {"slt", kMin, 0, 1},
    {"slt", 0, kMin, 0},
    {"sltu", kMin, 0, 0},
    {"sltu", 0, kMin, 1},
    {"xor", 0xff00, 0x0ff0, 0xf0f0},
    {"or", 0xff00, 0x0ff0, 0xfff0},
    {"and", 0xff00, 0x0ff0, 0x0f00},
    {"addw", 0x7fffffff, 1, kWordMin},
    {"addw", 0xffffffff, 1, 0},
    {"subw", 0, 1, kOnes},
    {"sllw", 1, 31, kWordMin},
    {"sllw", 1, 32, 1},
    {"srlw", 0xffffffff80000000, 31, 1},
    {"srlw", 0x80000000, 0, kWordMin},
    {"sraw", 0x80000000, 31, kOnes},
    {"mul", kMin, kOnes, kMin},
    {"mulh", kMin, kMin, u64{1} << 62},
    {"mulh", kOnes, kOnes, 0},
    {"mulh", kOnes, 1, kOnes},
    {"mulhsu", kOnes, kOnes, kOnes},
    {"mulhsu", 1, kOnes, 0},
    {"mulhu", kOnes, kOnes, kOnes - 1},
    {"mulw", 0x10000, 0x8000, kWordMin},
    {"div", 7, static_cast<u64>(-2), static_cast<u64>(-3)},
    {"div", kMin, kOnes, kMin},
    {"div", 5, 0, kOnes},
    {"divu", 5, 0, kOnes},
    {"divu", kOnes, 2, kMax},
    {"rem", static_cast<u64>(-7), 2, kOnes},
    {"rem", 7, static_cast<u64>(-2), 1},
    {"rem", kMin, kOnes, 0},
    {"rem", 5, 0, 5},
    {"remu", 5, 0, 5},
    {"remu", kOnes, 10, 5},
    {"divw", 0x80000000, kOnes, kWordMin},
    {"divw", 0x500000007, 0x300000000, kOnes},
    {"divuw", 0x80000000, 1, kWordMin},
    {"divuw", 7, 0, kOnes},
    {"remw", 0x80000000, kOnes, 0},
    {"remw", 0x180000001, 0x100000000, kWordMin + 1},
    {"remuw", 0x80000001, 0, kWordMin + 1},
    {"remuw", 0xffffffff, 10, 5},
    {"sh1add", 3, 100, 106},
    {"sh2add", 3, 100, 112},
    {"sh3add", u64{1} << 61, 100, 100},
    {"add.uw", kOnes, 1, u64{1} << 32},
    {"sh1add.uw", kOnes, 0, 0x1fffffffe},
    {"sh2add.uw", 0x100000001, 0, 4},
    {"sh3add.uw", 0xffffffff80000000, 1, 0x400000001},
    {"andn", 0xff, 0x0f, 0xf0},
    {"orn", 0, 0, kOnes},
    {"xnor", 0xff, 0xf0, ~u64{0x0f}},
    {"max", kMin, 1, 1},
    {"maxu", kMin, 1, kMin},
    {"min", kMin, 1, kMin},
    {"minu", kMin, 1, 1},
    {"rol", kMin | 2, 1, 5},
    {"ror", 5, 1, kMin | 2},
    {"rol", 0x1234, 64, 0x1234},
    {"rolw", 0x80000001, 1, 3},
    {"rolw", 0xffffffff40000000, 1, kWordMin},
    {"rorw", 1, 1, kWordMin},
    {"rorw", 0x80000000, 32, kWordMin},
    {"clmul", 3, 3, 5},
    {"clmul", kOnes, kOnes, 0x5555555555555555},
    {"clmulh", kOnes, kOnes, 0x5555555555555555},
    {"clmulh", kMin, kMin, u64{1} << 62},
    {"clmulr", kMin, kMin, kMin},
    {"clmulr", kOnes, kOnes, 0xaaaaaaaaaaaaaaaa},
    {"bclr", kOnes, 64, kOnes - 1},
    {"bext", kMin, 63, 1},
    {"bext", kMin, 62, 0},
    {"binv", 0, 127, kMin},
    {"bset", 0, 32, u64{1} << 32},
};

struct UnaryCase {
  std::string_view name;
  u64 a, result;
};

constexpr UnaryCase kUnaryCases[] = {
    {"clz", 0, 64},
    {"clz", 1, 63},
    {"ctz", 0, 64},
    {"ctz", kMin, 63},
    {"cpop", kOnes, 64},
    {"cpop", 0, 0},
    {"clzw", 0xffffffff00000000, 32},
    {"clzw", 0x100000001, 31},
    {"ctzw", 0xffffffff00000000, 32},
    {"ctzw", 0x80000000, 31},
    {"cpopw", 0xf0000000f, 4},
    {"sext.b", 0x17f, 0x7f},
    {"sext.b", 0x80, 0xffffffffffffff80},
    {"sext.h", 0x8000, 0xffffffffffff8000},
    {"zext.h", kOnes, 0xffff},
    {"orc.b", 0x0001008000100200, 0x00ff00ff00ffff00},
    {"rev8", 0x0102030405060708, 0x0807060504030201},
};

struct ImmediateCase {
  std::string_view name;
  u64 a;
  i32 imm;
  u64 result;
};

constexpr ImmediateCase kImmediateCases[] = {
    {"addi", 0, -2048, static_cast<u64>(-2048)},
    {"slti", kMin, -1, 1},
    {"sltiu", 5, -1, 1},
    {"sltiu", 0, 1, 1},
    {"xori", 0, -1, kOnes},
    {"ori", 0x100, -2048, static_cast<u64>(-1792)},
    {"andi", kOnes, -2048, static_cast<u64>(-2048)},
    {"slli", 1, 63, kMin},
    {"srli", kMin, 63, 1},
    {"srai", kMin, 63, kOnes},
    {"addiw", 0x7fffffff, 1, kWordMin},
    {"addiw", 0x1ffffffff, 0, kOnes},
    {"slliw", 3, 31, kWordMin},
    {"srliw", kWordMin, 31, 1},
    {"sraiw", 0x80000000, 31, kOnes},
    {"lui", 0, -4096, static_cast<u64>(-4096)},
    {"slli.uw", kOnes, 4, 0xffffffff0},
    {"slli.uw", kOnes, 32, 0xffffffff00000000},
    {"rori", 5, 1, kMin | 2},
    {"roriw", 1, 1, kWordMin},
    {"bclri", kOnes, 63, kMax},
    {"bexti", 0x100, 8, 1},
    {"binvi", 1, 0, 0},
    {"bseti", 0, 63, kMin},
    {"c.li", 7, -32, static_cast<u64>(-32)},
    {"c.addiw", 0x7fffffff, 1, kWordMin},
    {"c.srai", kMin, 32, kWordMin},
    {"c.slli", 1, 32, u64{1} << 32},
};

}  // namespace

TEST_CASE("isa: instructions on two registers compute what the manual says", "[isa]") {
  IsaHart machine;
  for (const Case& c : kCases) {
    INFO(c.name << " " << std::hex << c.a << " " << c.b);
    CHECK(machine.reg_reg(c.name, c.a, c.b) == c.result);
  }
}

TEST_CASE("isa: instructions on one register compute what the manual says", "[isa]") {
  IsaHart machine;
  for (const UnaryCase& c : kUnaryCases) {
    INFO(c.name << " " << std::hex << c.a);
    CHECK(machine.reg_reg(c.name, c.a, 0) == c.result);
  }
}

TEST_CASE("isa: instructions with an immediate compute what the manual says", "[isa]") {
  IsaHart machine;
  for (const ImmediateCase& c : kImmediateCases) {
    INFO(c.name << " " << std::hex << c.a << " " << c.imm);
    CHECK(machine.reg_imm(c.name, c.a, c.imm) == c.result);
  }
}

TEST_CASE("isa: the destination may be a source", "[isa]") {
  IsaHart machine;
  machine.hart.x[1] = 5;
  REQUIRE_FALSE(machine.step("sub", {0, 1, 1, 1}));
  CHECK(machine.hart.x[1] == 0);
}

}  // namespace retrov
