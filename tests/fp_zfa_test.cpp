// What Zfa adds (core/fp_zfa) against the host.
#include <array>
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
using fp_test::Operands;

constexpr Round kAllRounds[] = {Round::kNearestEven, Round::kTowardZero, Round::kDown, Round::kUp,
                                Round::kNearestMaxMagnitude};

double to_double(F16 a) { return fp_test::half_to_double(a); }
double to_double(F32 a) { return fp_test::to_host(a); }
double to_double(F64 a) { return fp_test::to_host(a); }

/// Of a value that the format has.
template <class F>
F from_double(double value) {
  if constexpr (std::is_same_v<F, F64>) return F64{std::bit_cast<u64>(value)};
  else if constexpr (std::is_same_v<F, F32>) return F32{std::bit_cast<u32>(static_cast<float>(value))};
  else if (value == 0 || std::isinf(value)) return fp_test::half_from_special(value);
  else return fp_test::half_from_double(value, Round::kTowardZero).value;
}

/// Exact in any mode, as std::rint would not be with every compiler.
double rounded(double x, Round round) {
  double whole = std::trunc(x);
  const double rest = std::fabs(x - whole);
  const double away = whole + std::copysign(1.0, x);
  switch (round) {
    case Round::kNearestEven: whole = rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) != 0) ? away : whole; break;
    case Round::kNearestMaxMagnitude: whole = rest >= 0.5 ? away : whole; break;
    case Round::kDown: whole = std::floor(x); break;
    case Round::kUp: whole = std::ceil(x); break;
    case Round::kTowardZero: break;
  }
  return std::copysign(whole, x);
}

template <class F>
void check_rounding(F a, Round round) {
  const double x = to_double(a);
  u8 flags = fp::is_signaling_nan(a) ? fp::kInvalid : u8{0};
  F expected = fp::canonical_nan<F>();
  u8 exact_flags = flags;
  if (!std::isnan(x)) {
    const double whole = std::isinf(x) ? x : rounded(x, round);
    expected = from_double<F>(whole);
    if (whole != x) exact_flags |= fp::kInexact;
  }
  Env env{round, 0}, exact_env{round, 0}, marked{round, fp::kInexact};
  const bool same = fp::round(a, env).bits == expected.bits && env.flags == flags &&
                    fp::round_exact(a, exact_env).bits == expected.bits && exact_env.flags == exact_flags &&
                    fp::round(a, marked).bits == expected.bits && marked.flags == (flags | fp::kInexact);
  if (same) return;
  INFO("mode " << static_cast<int>(round) << std::hex << " of " << u64{a.bits} << ", expected " << u64{expected.bits});
  FAIL();
}

}  // namespace

TEMPLATE_TEST_CASE("fp_zfa: a number is rounded to an integer as the mode says", "[fp_zfa]", F32, F64) {
  using F = TestType;
  using L = fp::Layout<F>;
  Operands<F> operands(21);
  for (const Round round : kAllRounds) {
    for (int i = 0; i < 100'000; ++i) {
      F a = operands.one();
      // Half of the samples where there are digits on both sides of the point.
      if (i % 2 == 0) {
        const u64 field = static_cast<u64>(L::kMaxExponent - 3) + operands.below(L::kFractionBits + 6);
        a.bits = static_cast<typename L::Bits>((a.bits & ~L::kInfinity) | field << L::kFractionBits);
      }
      check_rounding(a, round);
    }
  }
  SUCCEED();
}

TEST_CASE("fp_zfa: every half-precision number is rounded to an integer as the mode says", "[fp_zfa]") {
  for (const Round round : kAllRounds) {
    for (u32 bits = 0; bits < 0x10000; ++bits) check_rounding(F16{static_cast<u16>(bits)}, round);
  }
  SUCCEED();
}

TEST_CASE("fp_zfa: the modular conversion takes the low word of the integer", "[fp_zfa]") {
  using L = fp::Layout<F64>;
  Operands<F64> operands(22);
  for (int i = 0; i < 300'000; ++i) {
    F64 a = operands.one();
    if (i % 4 != 0) {
      const u64 field = static_cast<u64>(L::kMaxExponent - 2) + operands.below(100);
      a.bits = (a.bits & ~L::kInfinity) | field << L::kFractionBits;
    }
    const double x = to_double(a);
    u32 expected = 0;
    u8 flags = fp::kInvalid;
    if (std::isfinite(x)) {
      const double whole = std::trunc(x);
      const double low = std::fmod(std::fabs(whole), 0x1p32);  // Exact.
      expected = static_cast<u32>(static_cast<u64>(low));
      if (x < 0) expected = 0 - expected;
      if (whole >= -0x1p31 && whole < 0x1p31) flags = whole != x ? fp::kInexact : 0;
    }
    Env env{Round::kUp, 0};
    const i32 got = fp::to_i32_modulo(a, env);
    if (static_cast<u32>(got) != expected || env.flags != flags || env.round != Round::kUp) {
      INFO(std::hex << a.bits << ": expected " << expected << " " << int{flags} << ", got " << got << " "
                    << int{env.flags});
      FAIL();
    }
  }
  SUCCEED();
}

TEMPLATE_TEST_CASE("fp_zfa: the constants are those of the manual's table", "[fp_zfa]", F16, F32, F64) {
  using F = TestType;
  constexpr std::array<double, 30> kValues = {-1,  0,    0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25,  0.3125,
                                              0.375, 0.4375, 0.5, 0.625,   0.75,   0.875,  1,      1.25,  1.5,   1.75,
                                              2,   2.5,  3,       4,       8,      16,     128,    256,   32768, 65536};
  for (unsigned i = 0; i < kValues.size(); ++i) {
    INFO(i);
    const bool beyond = std::is_same_v<F, F16> && i == 29;
    const F expected = i == 1   ? F{fp::Layout<F>::kHidden}
                       : beyond ? F{fp::Layout<F>::kInfinity}
                                : from_double<F>(kValues[i]);
    CHECK(u64{fp::constant<F>(i).bits} == u64{expected.bits});
  }
  CHECK(fp::constant<F>(30).bits == fp::Layout<F>::kInfinity);
  CHECK(fp::constant<F>(31).bits == fp::Layout<F>::kCanonicalNan);
}

TEMPLATE_TEST_CASE("fp_zfa: minimum, maximum and the quiet comparisons differ for NaN only", "[fp_zfa]", F16, F32,
                   F64) {
  using F = TestType;
  Operands<F> operands(23);
  int unordered = 0;
  for (int i = 0; i < 100'000; ++i) {
    const F a = operands.one(), b = operands.partner(a);
    const bool has_nan = std::isnan(to_double(a)) || std::isnan(to_double(b));
    const bool signals = fp::is_signaling_nan(a) || fp::is_signaling_nan(b);
    unordered += has_nan;
    Env env, ignored;
    const F low = fp::min_or_nan(a, b, env), high = fp::max_or_nan(a, b, env);
    const bool less = fp::lt_quiet(a, b, env), not_above = fp::le_quiet(a, b, env);
    const F nan = fp::canonical_nan<F>();
    const bool same = low.bits == (has_nan ? nan : fp::min(a, b, ignored)).bits &&
                      high.bits == (has_nan ? nan : fp::max(a, b, ignored)).bits &&
                      less == (to_double(a) < to_double(b)) && not_above == (to_double(a) <= to_double(b)) &&
                      env.flags == (signals ? fp::kInvalid : 0);
    if (!same) {
      INFO(std::hex << u64{a.bits} << " " << u64{b.bits});
      FAIL();
    }
  }
  CHECK(unordered > 1000);
}

TEST_CASE("fp_zfa: each of the four raises invalid for a signaling NaN", "[fp_zfa]") {
  const F32 nan{0x7f800001}, one{0x3f800000};
  Env env[4];
  (void)fp::min_or_nan(nan, one, env[0]);
  (void)fp::max_or_nan(one, nan, env[1]);
  (void)fp::lt_quiet(nan, one, env[2]);
  (void)fp::le_quiet(one, nan, env[3]);
  for (const Env& each : env) CHECK(int{each.flags} == fp::kInvalid);
}

}  // namespace retrov
