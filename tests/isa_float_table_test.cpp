// Every row of F, D, Zfh and Zfa on numbers that all formats have, so that a row with another operation, format, sign
// or order of operands than its name says is found. Results are computed in double, exactly; that core/fp rounds and
// raises flags as it must is tested there. Covers core/isa/rv_f, core/isa/rv_d, core/isa/rv_zfh, core/isa/rv_zfa.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "tests/catch.hpp"
#include "tests/support/float_hart.hpp"
#include "tests/support/fp_half_oracle.hpp"

namespace retrov {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// As a parameter: a NaN that signals. Doubles that pass through here as numbers are quiet.
enum class Special : bool { kNo, kSignalingNan };

struct Operand {
  double value;
  Special special = Special::kNo;
};

constexpr Operand kOperands[] = {{0},         {-0.0},       {1},    {-1}, {1.5},   {-2.5},
                                 {2},         {3},          {0.5},  {-4}, {1024},  {0.0625},
                                 {kInfinity}, {-kInfinity}, {kNan}, {9},  {-0.25}, {kNan, Special::kSignalingNan}};

/// In an f register, boxed; the value must be one of the format's, or it is rounded to nearest.
u64 encode(char format, const Operand& a) {
  const bool signals = a.special == Special::kSignalingNan;
  switch (format) {
    case 'h': {
      const u64 box = ~u64{0} << 16;
      if (std::isnan(a.value)) return box | (signals ? 0x7c01 : 0x7e00);
      if (a.value == 0 || std::isinf(a.value)) return box | fp_test::half_from_special(a.value).bits;
      return box | fp_test::half_from_double(a.value, fp::Round::kNearestEven).value.bits;
    }
    case 's': {
      const u64 box = ~u64{0} << 32;
      if (std::isnan(a.value)) return box | (signals ? 0x7f800001 : 0x7fc00000);
      return box | std::bit_cast<u32>(static_cast<float>(a.value));
    }
    default:
      if (std::isnan(a.value)) return signals ? 0x7ff0000000000001 : 0x7ff8000000000000;
      return std::bit_cast<u64>(a.value);
  }
}

bool is_nan(const Operand& a) { return std::isnan(a.value); }
bool signals(const Operand& a) { return a.special == Special::kSignalingNan; }

/// "fmadd.s": "fmadd" and 's'. In "fcvt.w.s" the middle belongs to the stem: "fcvt.w".
std::string stem_of(std::string_view name) { return std::string(name.substr(0, name.rfind('.'))); }
char format_of(std::string_view name) { return name.back(); }

using Value = std::function<double(double, double, double)>;

const std::map<std::string, Value>& arithmetic() {
  static const std::map<std::string, Value> values = {
      {"fadd", [](double a, double b, double) { return a + b; }},
      {"fsub", [](double a, double b, double) { return a - b; }},
      {"fmul", [](double a, double b, double) { return a * b; }},
      {"fdiv", [](double a, double b, double) { return a / b; }},
      {"fsqrt", [](double a, double, double) { return std::sqrt(a); }},
      {"fround", [](double a, double, double) { return std::nearbyint(a); }},
      {"froundnx", [](double a, double, double) { return std::nearbyint(a); }},
      {"fmadd", [](double a, double b, double c) { return std::fma(a, b, c); }},
      {"fmsub", [](double a, double b, double c) { return std::fma(a, b, -c); }},
      {"fnmsub", [](double a, double b, double c) { return std::fma(-a, b, c); }},
      {"fnmadd", [](double a, double b, double c) { return std::fma(-a, b, -c); }},
  };
  return values;
}

/// Of quotients and roots: no rounding in any format. The rest is exact for kOperands.
bool is_exact(const std::string& stem, double a, double b, double result) {
  if (!std::isfinite(result)) return true;
  const double scaled = std::ldexp(result, 10);
  const bool is_short = scaled == std::floor(scaled) && std::fabs(result) <= 2048;
  if (stem == "fdiv") return is_short && std::fma(result, b, -a) == 0;
  if (stem == "fsqrt") return is_short && result * result == a;
  return true;
}

using Choice = std::function<double(double, double)>;

/// Of two numbers, neither a NaN.
const std::map<std::string, Choice>& choices() {
  static const Choice least = [](double a, double b) { return a < b || (a == b && std::signbit(a)) ? a : b; };
  static const Choice most = [](double a, double b) { return a > b || (a == b && !std::signbit(a)) ? a : b; };
  static const std::map<std::string, Choice> values = {
      {"fmin", least}, {"fminm", least}, {"fmax", most}, {"fmaxm", most}};
  return values;
}

using Relation = std::function<bool(double, double)>;

const std::map<std::string, Relation>& relations() {
  static const std::map<std::string, Relation> values = {
      {"feq", std::equal_to<>()}, {"flt", std::less<>()},        {"fle", std::less_equal<>()},
      {"fltq", std::less<>()},    {"fleq", std::less_equal<>()},
  };
  return values;
}

constexpr u64 kSignBit[] = {u64{1} << 15, u64{1} << 31, u64{1} << 63};
u64 sign_bit(char format) { return kSignBit[format == 'h' ? 0 : format == 's' ? 1 : 2]; }

/// All rows with a stem among the keys, as (name, stem, format, what the map says).
template <class Map, class Function>
unsigned for_each_of(const Map& map, Function function) {
  unsigned rows = 0;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (row.name.find('.') == std::string_view::npos || row.name[0] != 'f') continue;
      const auto found = map.find(stem_of(row.name));
      if (found == map.end()) continue;
      INFO(row.name);
      function(row.name, found->first, format_of(row.name), found->second);
      ++rows;
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("isa_float_table: arithmetic is that of its name, in its format, on its operands", "[isa_float_table]") {
  FloatHart machine;
  unsigned compared = 0;
  const auto compare = [&](std::string_view name, const std::string& stem, char format, const Value& value) {
    for (const Operand& a : kOperands) {
      for (const Operand& b : kOperands) {
        for (const Operand& c : {kOperands[0], kOperands[3], kOperands[5], kOperands[6], kOperands[12]}) {
          const double expected = value(a.value, b.value, c.value);
          if (!is_exact(stem, a.value, b.value, expected)) continue;
          const u64 ours = machine.floats(name, encode(format, a), encode(format, b), encode(format, c));
          ++compared;
          if (ours == encode(format, {expected})) continue;
          FAIL(name << " " << a.value << " " << b.value << " " << c.value << ": " << std::hex << ours);
        }
      }
    }
  };
  CHECK(for_each_of(arithmetic(), compare) == 3 * 11);
  CHECK(compared > 30'000);
}

TEST_CASE("isa_float_table: selections and comparisons treat NaNs as their names say", "[isa_float_table]") {
  FloatHart machine;
  CHECK(for_each_of(choices(), [&](std::string_view name, const std::string& stem, char format, const Choice& choice) {
          const bool prefers_nan = stem.back() == 'm';
          for (const Operand& a : kOperands) {
            for (const Operand& b : kOperands) {
              Operand expected{is_nan(a) ? b.value : is_nan(b) ? a.value : choice(a.value, b.value)};
              if (prefers_nan && (is_nan(a) || is_nan(b))) expected.value = kNan;
              const u8 flags = signals(a) || signals(b) ? fp::kInvalid : 0;
              CHECK(machine.flags(name, encode(format, a), encode(format, b)) == flags);
              CHECK(machine.hart.f[3] == encode(format, expected));
            }
          }
        }) == 3 * 4);
  CHECK(for_each_of(relations(), [&](std::string_view name, const std::string& stem, char format, const Relation& is) {
          const bool is_quiet = stem == "feq" || stem.back() == 'q';
          for (const Operand& a : kOperands) {
            for (const Operand& b : kOperands) {
              const bool invalid = signals(a) || signals(b) || (!is_quiet && (is_nan(a) || is_nan(b)));
              CHECK(machine.flags(name, encode(format, a), encode(format, b)) == (invalid ? fp::kInvalid : 0));
              CHECK(machine.hart.x[3] == u64{is(a.value, b.value)});
            }
          }
        }) == 3 * 5);
}

TEST_CASE("isa_float_table: signs are injected, classes told", "[isa_float_table]") {
  using Sign = std::function<bool(bool, bool)>;
  const std::map<std::string, Sign> signs = {{"fsgnj", [](bool, bool b) { return b; }},
                                             {"fsgnjn", [](bool, bool b) { return !b; }},
                                             {"fsgnjx", [](bool a, bool b) { return a != b; }}};
  FloatHart machine;
  CHECK(for_each_of(signs, [&](std::string_view name, const std::string&, char format, const Sign& negative) {
          const u64 bit = sign_bit(format);
          for (const Operand& a : kOperands) {
            for (const Operand& b : kOperands) {
              const u64 x = encode(format, a), y = encode(format, b);
              const u64 expected = (x & ~bit) | (negative((x & bit) != 0, (y & bit) != 0) ? bit : 0);
              CHECK(machine.floats(name, x, y) == expected);
            }
          }
        }) == 3 * 3);
  // The manual's table of classes, each by a number that is of it; the smallest subnormal has the bits 1.
  for (const char format : {'h', 's', 'd'}) {
    const std::string name = std::string("fclass.") + format;
    const u64 bit = sign_bit(format), tiny = (encode(format, {0}) & ~bit) | 1;
    const u64 classes[] = {
        encode(format, {-kInfinity}), encode(format, {-1}),        tiny | bit,
        encode(format, {-0.0}),       encode(format, {0}),         tiny,
        encode(format, {1}),          encode(format, {kInfinity}), encode(format, {kNan, Special::kSignalingNan}),
        encode(format, {kNan})};
    for (unsigned i = 0; i < 10; ++i) CHECK(machine.floats(name, classes[i]) == u64{1} << i);
  }
}

TEST_CASE("isa_float_table: integers come and go with the width and sign of the name", "[isa_float_table]") {
  FloatHart machine;
  struct Integer {
    const char* name;
    double low, high;
    bool is_word, is_signed;
  };
  constexpr double two31 = 0x1p31, two32 = 0x1p32, two63 = 0x1p63, two64 = 0x1p64;
  const Integer integers[] = {{"w", -two31, two31 - 1, true, true},
                              {"wu", 0, two32 - 1, true, false},
                              {"l", -two63, two63, false, true},
                              {"lu", 0, two64, false, false}};
  const auto as_integer = [](const Integer& integer, double value) -> u64 {
    if (std::isnan(value) || value >= integer.high) {
      if (integer.is_word) return integer.is_signed ? 0x7fffffff : ~u64{0};
      return integer.is_signed ? ~u64{0} >> 1 : ~u64{0};
    }
    if (value <= integer.low) return integer.is_signed ? ~u64{0} << (integer.is_word ? 31 : 63) : 0;
    const u64 magnitude = static_cast<u64>(std::fabs(value));
    const u64 bits = value < 0 ? 0 - magnitude : magnitude;
    return integer.is_word && (bits >> 31 & 1) != 0 ? bits | ~u64{0} << 32 : bits;
  };
  const double values[] = {0,           -1,         5,         2048,       -2048,        two31, -two31,
                           two31 * 1.5, two32,      two32 * 4, -two32 * 4, two63 * 0.75, two63, two63 * 1.25,
                           -two63,      -two63 * 2, two64,     kInfinity,  -kInfinity,   kNan};
  const u64 numbers[] = {0,
                         1,
                         5,
                         2048,
                         ~u64{0},
                         ~u64{4},
                         u64{1} << 31,
                         u64{1} << 63,
                         0x1'0000'0003,
                         0x7fffffff,
                         0xffffffff,
                         0xc000000000000000};
  for (const char format : {'h', 's', 'd'}) {
    for (const Integer& integer : integers) {
      const std::string to = std::string("fcvt.") + integer.name + "." + format;
      const std::string from = std::string("fcvt.") + format + "." + integer.name;
      for (const double value : values) {
        if (format == 'h' && std::isfinite(value) && std::fabs(value) > 2048) continue;
        INFO(to << " " << value);
        CHECK(machine.floats(to, encode(format, {value})) == as_integer(integer, value));
      }
      for (const u64 number : numbers) {
        INFO(from << " " << std::hex << number);
        const u64 word = number & 0xffffffff;
        const bool negative = integer.is_signed && (number >> (integer.is_word ? 31 : 63) & 1) != 0;
        const double width = integer.is_word ? two32 : two64;
        const double value = static_cast<double>(integer.is_word ? word : number) - (negative ? width : 0);
        // All but the numbers of 64 ones are exact in double, so that they are rounded once.
        if (!integer.is_word && number >= ~u64{4}) continue;
        CHECK(machine.from_integer(from, number) == encode(format, {value}));
      }
    }
  }
  CHECK(machine.from_integer("fcvt.d.l", ~u64{0}) == encode('d', {-1}));
  CHECK(machine.from_integer("fcvt.s.l", ~u64{4}) == encode('s', {-5}));
  CHECK(machine.from_integer("fcvt.h.l", ~u64{4}) == encode('h', {-5}));
}

TEST_CASE("isa_float_table: formats convert into each other, moves take bits, constants are the manual's",
          "[isa_float_table]") {
  FloatHart machine;
  for (const char to : {'h', 's', 'd'}) {
    for (const char from : {'h', 's', 'd'}) {
      if (to == from) continue;
      const std::string name = std::string("fcvt.") + to + "." + from;
      for (const Operand& a : kOperands) {
        INFO(name << " " << a.value);
        CHECK(machine.flags(name, encode(from, a)) == (signals(a) ? fp::kInvalid : 0));
        CHECK(machine.hart.f[3] == encode(to, {a.value}));
      }
    }
  }
  const u64 bits = 0x8123456789abcdef;
  CHECK(machine.floats("fmv.x.h", bits) == 0xffffffffffffcdef);
  CHECK(machine.floats("fmv.x.w", bits) == 0xffffffff89abcdef);
  CHECK(machine.floats("fmv.x.d", bits) == bits);
  CHECK(machine.from_integer("fmv.h.x", bits) == 0xffffffffffffcdef);
  CHECK(machine.from_integer("fmv.w.x", bits) == 0xffffffff89abcdef);
  CHECK(machine.from_integer("fmv.d.x", bits) == bits);
  constexpr std::array<double, 30> kConstants = {
      -1,    0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75,
      0.875, 1, 1.25,    1.5,     1.75,   2,      2.5,    3,     4,    8,      16,    128,    256, 32768, 65536};
  for (const char format : {'h', 's', 'd'}) {
    for (u8 i = 0; i < 32; ++i) {
      INFO(format << " " << int{i});
      Operand expected{i == 30 ? kInfinity : i == 31 ? kNan : kConstants.at(i)};
      if (i == 1) expected.value = format == 'h' ? 0x1p-14 : format == 's' ? 0x1p-126 : 0x1p-1022;
      if (i == 29 && format == 'h') expected.value = kInfinity;
      REQUIRE_FALSE(machine.step(std::string("fli.") + format, {0, 3, i}));
      CHECK(machine.hart.f[3] == encode(format, expected));
    }
  }
}

}  // namespace retrov
