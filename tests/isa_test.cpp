// What the integer and bit-manipulation instructions compute: values worked out by hand from the manual, and for random
// operands a second formulation, bit by bit where that is possible. Covers core/isa/rv_i, core/isa/rv_m,
// core/isa/rv_zba, core/isa/rv_zbb, core/isa/rv_zbc, core/isa/rv_zbs.
#include <array>
#include <vector>

#include "tests/catch.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kMin = u64{1} << 63;
constexpr u64 kMax = kMin - 1;
constexpr u64 kOnes = ~u64{0};
constexpr u64 kWordMin = 0xffffffff80000000;

// --- by hand
// -----------------------------------------------------------------------------------------------------------

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

// --- a second formulation
// ------------------------------------------------------------------------------------------------

bool bit(u64 a, unsigned index) { return (a >> index & 1) != 0; }

u64 extended_word(u64 a) { return bit(a, 31) ? a | 0xffffffff00000000 : a & 0xffffffff; }

/// Schoolbook: halves of 32 bits.
u64 high_product(u64 a, u64 b) {
  const u64 a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const u64 middle = a1 * b0 + (a0 * b0 >> 32);
  const u64 other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}
/// Signed operands: each negative one adds 2^64 times the other too much.
u64 high_signed(u64 a, u64 b) { return high_product(a, b) - (bit(a, 63) ? b : 0) - (bit(b, 63) ? a : 0); }
u64 high_mixed(u64 a, u64 b) { return high_product(a, b) - (bit(a, 63) ? b : 0); }

struct Division {
  u64 quotient, remainder;
};

/// Long division, bit by bit.
Division divide(u64 a, u64 b, unsigned width) {
  Division result{0, 0};
  for (unsigned i = width; i-- > 0;) {
    const bool carry = bit(result.remainder, 63);
    result.remainder = result.remainder << 1 | u64{bit(a, i)};
    if (carry || result.remainder >= b) {
      result.remainder -= b;
      result.quotient |= u64{1} << i;
    }
  }
  return result;
}

u64 magnitude(u64 a) { return bit(a, 63) ? 0 - a : a; }

Division divide_signed(u64 a, u64 b) {
  if (b == 0) return {kOnes, a};
  Division result = divide(magnitude(a), magnitude(b), 64);
  if (bit(a, 63) != bit(b, 63)) result.quotient = 0 - result.quotient;
  if (bit(a, 63)) result.remainder = 0 - result.remainder;
  return result;
}

Division divide_unsigned(u64 a, u64 b, unsigned width) {
  if (b == 0) return {kOnes, a};
  return divide(a, b, width);
}

/// Sums of partial products without carries; bit i + j of the result for bits i and j of the operands.
u64 carry_less(u64 a, u64 b, unsigned from) {
  u64 result = 0;
  for (unsigned i = 0; i < 64; ++i) {
    for (unsigned j = 0; j < 64; ++j) {
      if (bit(a, i) && bit(b, j) && i + j >= from && i + j < from + 64) result ^= u64{1} << (i + j - from);
    }
  }
  return result;
}

u64 rotated(u64 a, u64 count, unsigned width) {
  u64 result = 0;
  for (unsigned i = 0; i < width; ++i) result |= u64{bit(a, i)} << ((i + count) % width);
  return result;
}

bool less_signed(u64 a, u64 b) { return bit(a, 63) == bit(b, 63) ? a < b : bit(a, 63); }
u64 word(u64 a) { return a & 0xffffffff; }

struct Formulation {
  std::string_view name;
  u64 (*value)(u64 a, u64 b);
};

constexpr Formulation kFormulations[] = {
    {"mul", [](u64 a, u64 b) { return (a >> 32) * (b << 32) + (a & 0xffffffff) * b; }},
    {"mulh", high_signed},
    {"mulhu", high_product},
    {"mulhsu", high_mixed},
    {"mulw", [](u64 a, u64 b) { return extended_word(word(a) * word(b)); }},
    {"div", [](u64 a, u64 b) { return divide_signed(a, b).quotient; }},
    {"rem", [](u64 a, u64 b) { return divide_signed(a, b).remainder; }},
    {"divu", [](u64 a, u64 b) { return divide_unsigned(a, b, 64).quotient; }},
    {"remu", [](u64 a, u64 b) { return divide_unsigned(a, b, 64).remainder; }},
    {"divw", [](u64 a, u64 b) { return extended_word(divide_signed(extended_word(a), extended_word(b)).quotient); }},
    {"remw", [](u64 a, u64 b) { return extended_word(divide_signed(extended_word(a), extended_word(b)).remainder); }},
    {"divuw", [](u64 a, u64 b) { return extended_word(divide_unsigned(word(a), word(b), 32).quotient); }},
    {"remuw", [](u64 a, u64 b) { return extended_word(divide_unsigned(word(a), word(b), 32).remainder); }},
    {"slt", [](u64 a, u64 b) { return u64{less_signed(a, b)}; }},
    {"sltu", [](u64 a, u64 b) { return u64{a < b}; }},
    {"sll", [](u64 a, u64 b) { return rotated(a, b % 64, 64) & (kOnes << b % 64); }},
    {"srl", [](u64 a, u64 b) { return rotated(a, 64 - b % 64, 64) & ~(b % 64 == 0 ? 0 : kOnes << (64 - b % 64)); }},
    {"sraw", [](u64 a, u64 b) { return extended_word(extended_word(a) >> b % 32 & 0xffffffff); }},
    {"sllw", [](u64 a, u64 b) { return extended_word(word(a) << b % 32); }},
    {"rol", [](u64 a, u64 b) { return rotated(a, b % 64, 64); }},
    {"ror", [](u64 a, u64 b) { return rotated(a, 64 - b % 64, 64); }},
    {"rolw", [](u64 a, u64 b) { return extended_word(rotated(a, b % 32, 32)); }},
    {"rorw", [](u64 a, u64 b) { return extended_word(rotated(a, 32 - b % 32, 32)); }},
    {"clmul", [](u64 a, u64 b) { return carry_less(a, b, 0); }},
    {"clmulr", [](u64 a, u64 b) { return carry_less(a, b, 63); }},
    {"clmulh", [](u64 a, u64 b) { return carry_less(a, b, 64); }},
    {"max", [](u64 a, u64 b) { return less_signed(a, b) ? b : a; }},
    {"min", [](u64 a, u64 b) { return less_signed(a, b) ? a : b; }},
    {"andn", [](u64 a, u64 b) { return a - (a & b); }},
    {"orn", [](u64 a, u64 b) { return ~(b & ~a); }},
    {"xnor", [](u64 a, u64 b) { return (a & b) | ~(a | b); }},
    {"sh3add.uw", [](u64 a, u64 b) { return word(a) * 8 + b; }},
    {"binv", [](u64 a, u64 b) { return bit(a, b % 64) ? a - (u64{1} << b % 64) : a + (u64{1} << b % 64); }},
};

u64 count_if_bit(u64 a, unsigned width) {
  u64 result = 0;
  for (unsigned i = 0; i < width; ++i) result += bit(a, i);
  return result;
}

u64 first_bit_from(u64 a, unsigned width, bool from_top) {
  for (unsigned i = 0; i < width; ++i) {
    if (bit(a, from_top ? width - 1 - i : i)) return i;
  }
  return width;
}

u64 each_byte(u64 a, u64 (*map)(u64 byte, unsigned index)) {
  u64 result = 0;
  for (unsigned i = 0; i < 8; ++i) result |= map(a >> 8 * i & 0xff, i);
  return result;
}

constexpr Formulation kUnaryFormulations[] = {
    {"clz", [](u64 a, u64) { return first_bit_from(a, 64, true); }},
    {"clzw", [](u64 a, u64) { return first_bit_from(a, 32, true); }},
    {"ctz", [](u64 a, u64) { return first_bit_from(a, 64, false); }},
    {"ctzw", [](u64 a, u64) { return first_bit_from(a, 32, false); }},
    {"cpop", [](u64 a, u64) { return count_if_bit(a, 64); }},
    {"cpopw", [](u64 a, u64) { return count_if_bit(a, 32); }},
    {"orc.b", [](u64 a, u64) { return each_byte(a, [](u64 b, unsigned i) { return (b ? u64{0xff} : 0) << 8 * i; }); }},
    {"rev8", [](u64 a, u64) { return each_byte(a, [](u64 b, unsigned i) { return b << (56 - 8 * i); }); }},
    {"sext.b", [](u64 a, u64) { return (a & 0xff) - (bit(a, 7) ? 0x100 : 0); }},
    {"sext.h", [](u64 a, u64) { return (a & 0xffff) - (bit(a, 15) ? 0x10000 : 0); }},
};

/// Corners and numbers of all magnitudes.
std::vector<u64> samples() {
  std::vector<u64> result = {0,    1,          2,          kOnes,      kMin,        kMax,     kMin + 1,
                             0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, kWordMin, kOnes - 1};
  u64 state = 0x2545f4914f6cdd1d;
  for (unsigned i = 0; i < 40; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    result.push_back(state >> (i * 7 % 64));
  }
  return result;
}

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

TEST_CASE("isa: a second formulation gives the same results", "[isa]") {
  IsaHart machine;
  const std::vector<u64> numbers = samples();
  for (const Formulation& formulation : kFormulations) {
    const InsnRow& row = row_named(formulation.name);
    for (const u64 a : numbers) {
      for (const u64 b : numbers) {
        const u64 ours = machine.reg_reg(row, a, b), theirs = formulation.value(a, b);
        if (ours == theirs) continue;
        FAIL(row.name << " " << std::hex << a << " " << b << ": " << ours << " or " << theirs);
      }
    }
  }
  for (const Formulation& formulation : kUnaryFormulations) {
    for (const u64 a : numbers) {
      INFO(formulation.name << " " << std::hex << a);
      CHECK(machine.reg_reg(formulation.name, a, 0) == formulation.value(a, 0));
    }
  }
}

TEST_CASE("isa: the destination may be a source", "[isa]") {
  IsaHart machine;
  machine.hart.x[1] = 5;
  REQUIRE_FALSE(machine.step("sub", {0, 1, 1, 1}));
  CHECK(machine.hart.x[1] == 0);
}

}  // namespace retrov
