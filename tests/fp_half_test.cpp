// Half precision (core/fp_arith, core/fp_convert for F16) against exact arithmetic: every number for what has one
// operand, many for what has more.
#include <array>
#include <limits>
#include <type_traits>

#include "core/fp.hpp"
#include "tests/catch.hpp"
#include "tests/support/fp_half_oracle.hpp"
#include "tests/support/fp_host.hpp"

namespace retrov {
namespace {

using fp::Env;
using fp::F16;
using fp::F32;
using fp::F64;
using fp::Round;
using fp_test::Operation;
using fp_test::Outcome;

constexpr Round kAllRounds[] = {Round::kNearestEven, Round::kTowardZero, Round::kDown, Round::kUp,
                                Round::kNearestMaxMagnitude};

template <class T>
u64 bits_of(T value) {
  if constexpr (std::is_integral_v<T>) return static_cast<u64>(value);
  else return value.bits;
}

/// One assertion for each of millions of samples would take longer than the samples.
template <class T>
void require_same(const char* what, Round round, u64 operand, Outcome<T> expected, T value, u8 flags) {
  if (bits_of(expected.value) == bits_of(value) && expected.flags == flags) return;
  INFO(what << " in mode " << static_cast<int>(round) << std::hex << " of " << operand << ": expected "
            << bits_of(expected.value) << " " << int{expected.flags} << ", got " << bits_of(value) << " "
            << int{flags});
  FAIL();
}

template <class Check>
void for_all_halves(Check check) {
  for (const Round round : kAllRounds) {
    for (u32 bits = 0; bits < 0x10000; ++bits) check(F16{static_cast<u16>(bits)}, round);
  }
}

/// To an integer in double, where nothing overflows and every half has its place.
double whole(double x, Round round) {
  switch (round) {
    case Round::kTowardZero: return std::trunc(x);
    case Round::kDown: return std::floor(x);
    case Round::kUp: return std::ceil(x);
    case Round::kNearestMaxMagnitude: return std::round(x);
    case Round::kNearestEven: break;
  }
  const double below = std::floor(x), rest = x - below;
  return rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0) ? below + 1 : below;
}

template <class I>
void compare_to_integer() {
  using Limits = std::numeric_limits<I>;
  for_all_halves([](F16 a, Round round) {
    const double x = fp_test::half_to_double(a);
    Outcome<I> expected{Limits::max(), fp::kInvalid};
    if (x < 0 && (std::isinf(x) || (!Limits::is_signed && whole(x, round) < 0))) expected.value = Limits::min();
    else if (std::isfinite(x)) expected = {static_cast<I>(whole(x, round)), whole(x, round) != x};
    Env env{round, 0};
    const I value = fp::to_integer<I>(a, env);
    require_same("to an integer", round, a.bits, expected, value, env.flags);
  });
}

template <class I>
void compare_from_integer(I value, Round round) {
  __extension__ using Wide = __int128;
  const bool negative = value < 0;
  const Wide magnitude = negative ? -Wide{value} : Wide{value};
  Outcome<F16> expected{F16{0}, 0};
  if (value != 0) {
    expected = fp_test::round_to_half(
        negative, round, [&](u64 units) { return fp_test::sign_of_difference(magnitude << 26, Wide{units}); });
  }
  Env env{round, 0};
  const F16 got = fp::from_integer<F16>(value, env);
  require_same("from an integer", round, static_cast<u64>(value), expected, got, env.flags);
}

template <class Wide>
void compare_from(Wide a, double value, Round round) {
  Outcome<F16> expected;
  if (fp::is_nan(a)) expected = {F16{0x7e00}, fp::is_signaling_nan(a) ? fp::kInvalid : u8{0}};
  else if (std::isinf(value) || value == 0) expected = {fp_test::half_from_special(value), 0};
  else expected = fp_test::half_from_double(value, round);
  Env env{round, 0};
  const F16 got = fp::convert<F16>(a, env);
  require_same("from a wider format", round, a.bits, expected, got, env.flags);
}

void compare_from_single(u32 bits, Round round) {
  compare_from(F32{bits}, double{std::bit_cast<float>(bits)}, round);
}
void compare_from_double(u64 bits, Round round) { compare_from(F64{bits}, std::bit_cast<double>(bits), round); }

}  // namespace

TEST_CASE("fp_half: square roots of all numbers in all modes", "[fp_half]") {
  for_all_halves([](F16 a, Round round) {
    Env env{round, 0};
    const F16 got = fp::sqrt(a, env);
    require_same("root", round, a.bits, fp_test::compute_half(Operation::kSqrt, round, a, {}, {}), got, env.flags);
  });
  SUCCEED();
}

TEST_CASE("fp_half: arithmetic has the exact results, rounded, and their flags", "[fp_half]") {
  constexpr int kSamples = 100'000;
  fp_test::Operands<F16> operands(11);
  for (const Operation operation : fp_test::kOperations) {
    if (operation == Operation::kSqrt) continue;
    for (const Round round : kAllRounds) {
      for (int i = 0; i < kSamples; ++i) {
        const F16 a = operands.one(), b = operands.partner(a), c = operands.addend(a, b);
        const Outcome<F16> expected = fp_test::compute_half(operation, round, a, b, c);
        Env env{round, 0};
        const F16 got = fp_test::compute(operation, a, b, c, env);
        const u64 all = u64{static_cast<u8>(operation)} << 48 | u64{a.bits} << 32 | u64{b.bits} << 16 | c.bits;
        require_same("arithmetic (operation, a, b, c)", round, all, expected, got, env.flags);
      }
    }
  }
  SUCCEED();
}

TEST_CASE("fp_half: all numbers become the integers that the mode says", "[fp_half]") {
  compare_to_integer<i32>();
  compare_to_integer<u32>();
  compare_to_integer<i64>();
  compare_to_integer<u64>();
  SUCCEED();
}

TEST_CASE("fp_half: integers become the numbers that the mode says", "[fp_half]") {
  fp_test::Operands<F16> operands(12);
  for (const Round round : kAllRounds) {
    for (i32 value = -66'000; value < 66'000; ++value) {
      compare_from_integer<i32>(value, round);
      compare_from_integer<u64>(static_cast<u64>(value), round);
    }
    for (int i = 0; i < 20'000; ++i) {
      const u64 bits = operands.random() >> operands.below(64);
      compare_from_integer<i32>(static_cast<i32>(bits), round);
      compare_from_integer<u32>(static_cast<u32>(bits), round);
      compare_from_integer<i64>(static_cast<i64>(bits), round);
      compare_from_integer<u64>(bits, round);
    }
  }
  SUCCEED();
}

TEST_CASE("fp_half: all numbers are exact in the wider formats", "[fp_half]") {
  for_all_halves([](F16 a, Round round) {
    const double x = fp_test::half_to_double(a);
    const u8 flags = fp::is_nan(a) && (a.bits & 0x200) == 0 ? fp::kInvalid : u8{0};
    const Outcome<F64> wide{std::isnan(x) ? fp::canonical_nan<F64>() : F64{std::bit_cast<u64>(x)}, flags};
    const auto narrow = static_cast<float>(x);
    const Outcome<F32> single{std::isnan(x) ? fp::canonical_nan<F32>() : F32{std::bit_cast<u32>(narrow)}, flags};
    Env env_d{round, 0}, env_s{round, 0};
    const F64 got_d = fp::convert<F64>(a, env_d);
    const F32 got_s = fp::convert<F32>(a, env_s);
    require_same("to double", round, a.bits, wide, got_d, env_d.flags);
    require_same("to single", round, a.bits, single, got_s, env_s.flags);
  });
  SUCCEED();
}

// About each number and each middle between two of them, and anywhere.
TEST_CASE("fp_half: wider numbers are rounded once", "[fp_half]") {
  fp_test::Operands<F32> singles(13);
  fp_test::Operands<F64> doubles(14);
  for (const Round round : kAllRounds) {
    for (u32 magnitude = 0; magnitude <= 0x7c00; ++magnitude) {
      const u64 below = fp_test::half_units(magnitude), above = fp_test::half_units(magnitude + 1);
      for (const u64 units : {below, (below + above) / 2}) {
        const double value = std::ldexp(static_cast<double>(units), -26);
        const u32 s = std::bit_cast<u32>(static_cast<float>(value));
        const u64 d = std::bit_cast<u64>(value);
        for (const u32 near : {s, s + 1, s - (s != 0), s | 0x80000000}) compare_from_single(near, round);
        for (const u64 near : {d, d + 1, d - (d != 0), d | u64{1} << 63}) compare_from_double(near, round);
      }
    }
    for (int i = 0; i < 20'000; ++i) {
      compare_from_single(singles.one().bits, round);
      compare_from_double(doubles.one().bits, round);
    }
    // Tiny or not by what rounding makes of them with an exponent of their own.
    for (const double value : {0x1.ffcp-15, 0x1.ffdp-15, 0x1.ffep-15, 0x1.ffe001p-15, 0x1.fffp-15, 0x1.ffffp-15}) {
      compare_from_double(std::bit_cast<u64>(value), round);
      compare_from_double(std::bit_cast<u64>(-value), round);
    }
  }
  SUCCEED();
}

TEST_CASE("fp_half: comparisons and selections order numbers as double does", "[fp_half]") {
  fp_test::Operands<F16> operands(15);
  for (int i = 0; i < 300'000; ++i) {
    const F16 a = operands.one(), b = operands.partner(a);
    const double x = fp_test::half_to_double(a), y = fp_test::half_to_double(b);
    Env env;
    const bool below = x < y || (x == y && std::signbit(x) && !std::signbit(y));
    bool same = fp::eq(a, b, env) == (x == y) && fp::lt(a, b, env) == (x < y) && fp::le(a, b, env) == (x <= y);
    if (!std::isnan(x) && !std::isnan(y)) {
      same = same && fp::min(a, b, env).bits == (below ? a : b).bits && fp::max(b, a, env).bits == (below ? b : a).bits;
    }
    if (!same) {
      INFO(std::hex << a.bits << " " << b.bits);
      FAIL();
    }
  }
  Env env;
  CHECK(fp::min(F16{0x7d00}, F16{0x3c00}, env).bits == 0x3c00);
  CHECK(int{env.flags} == fp::kInvalid);
  CHECK(fp::max(F16{0xfe00}, F16{0x7e01}, env).bits == 0x7e00);
}

TEST_CASE("fp_half: each class has its own bit", "[fp_half]") {
  constexpr std::array<u16, 10> kInOrder = {0xfc00, 0xbc00, 0x8001, 0x8000, 0, 0x3ff, 0x400, 0x7c00, 0x7c01, 0x7e00};
  for (u32 i = 0; i < kInOrder.size(); ++i) CHECK(fp::classify(F16{kInOrder[i]}) == 1u << i);
}

}  // namespace retrov
