#include "core/fp.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "tests/catch.hpp"
#include "tests/support/fp_host.hpp"

namespace retrov {
namespace {

using fp::Env;
using fp::F32;
using fp::F64;
using fp::Round;
using fp_test::Operands;
using fp_test::Outcome;

constexpr int kSamples = 100'000;

// The host only rounds to an integral value; the range is looked at here, in double, where every bound is exact.
template <class I, class F>
Outcome<I> expect_integer(F a, Round round) {
  using Limits = std::numeric_limits<I>;
  if (fp::is_nan(a)) return {Limits::max(), fp::kInvalid};
  const double x = fp_test::to_host(a);
  // Called through a pointer: g++ expands rint into additions that are right in the nearest mode only.
  double (*const volatile round_to_integral)(double) = std::rint;
  const auto whole = fp_test::on_host(round, [&] { return round_to_integral(x); });
  const double bound = std::ldexp(1.0, Limits::digits);
  if (whole.value >= bound) return {Limits::max(), fp::kInvalid};
  if (whole.value < (Limits::is_signed ? -bound : 0.0)) return {Limits::min(), fp::kInvalid};
  return {static_cast<I>(whole.value), static_cast<u8>(whole.value != x ? fp::kInexact : 0)};
}

template <class I, class F>
void compare_to_integer() {
  Operands<F> operands(5);
  for (const Round round : fp_test::kHostRounds) {
    for (int i = 0; i < kSamples; ++i) {
      F a = operands.one();
      // Half of the samples near the range of the integers and their halves.
      if (i % 2 == 0) {
        using L = fp::Layout<F>;
        const auto field = static_cast<u64>(L::kMaxExponent - 3) + operands.below(70);
        a.bits = static_cast<typename L::Bits>((a.bits & ~L::kInfinity) | (field << L::kFractionBits));
      }
      Env env{round, 0};
      const I value = fp::to_integer<I>(a, env);
      const Outcome<I> expected = expect_integer<I>(a, round);
      if (value != expected.value || env.flags != expected.flags) {
        INFO("rounding " << static_cast<int>(round) << std::hex << ", operand " << a.bits << ", expected "
                         << expected.value << " " << int{expected.flags} << ", got " << value << " "
                         << int{env.flags});
        FAIL();
      }
    }
  }
}

// Every compiler's conversion from u64 is a sequence of its own, not always right in every mode; halving with a sticky
// bit leaves one conversion and an exact doubling.
template <class H, class I>
H host_from_integer(const volatile I& value) {
  if constexpr (std::is_same_v<I, u64>) {
    const u64 bits = value;
    if (bits >> 63 != 0) {
      const volatile auto half = static_cast<i64>((bits >> 1) | (bits & 1));
      const volatile H converted = static_cast<H>(half);
      return converted * 2;
    }
    const volatile auto small = static_cast<i64>(bits);
    return static_cast<H>(small);
  } else {
    const volatile auto wide = static_cast<i64>(value);
    return static_cast<H>(wide);
  }
}

template <class I, class F>
void compare_from_integer() {
  using H = fp_test::Host<F>;
  Operands<F> operands(6);
  for (const Round round : fp_test::kHostRounds) {
    for (int i = 0; i < kSamples; ++i) {
      // Runs of ones and zeros around the last bit kept make the ties.
      u64 bits = operands.random() >> operands.below(64);
      if (i % 3 == 0) bits &= ~u64{0} << operands.below(64);
      if (i % 5 == 0) bits = ~bits;
      const volatile I value = static_cast<I>(bits);
      const auto host = fp_test::on_host(round, [&] {
        const volatile H result = host_from_integer<H>(value);
        return H{result};
      });
      Env env{round, 0};
      const F got = fp::from_integer<F, I>(value, env);
      if (got.bits != fp_test::canonical<F>(host.value).bits || env.flags != host.flags) {
        INFO("rounding " << static_cast<int>(round) << std::hex << ", operand " << I{value} << ", got " << got.bits
                         << " " << int{env.flags});
        FAIL();
      }
    }
  }
}

template <class To, class From>
void compare_formats() {
  using H = fp_test::Host<To>;
  Operands<From> operands(7);
  for (const Round round : fp_test::kHostRounds) {
    for (int i = 0; i < kSamples; ++i) {
      From a = operands.one();
      // Half of the samples within and about the exponents of single precision.
      if (i % 2 == 0) {
        using L = fp::Layout<From>;
        const u64 field = (static_cast<u64>(L::kMaxExponent) - 160 + operands.below(320)) & L::kExponentMask;
        a.bits = static_cast<typename L::Bits>((a.bits & ~L::kInfinity) | (field << L::kFractionBits));
      }
      const volatile auto x = fp_test::to_host(a);
      const auto host = fp_test::on_host(round, [&] {
        const volatile H result = static_cast<H>(x);
        return H{result};
      });
      Env env{round, 0};
      const To got = fp::convert<To>(a, env);
      if (got.bits != fp_test::canonical<To>(host.value).bits || env.flags != host.flags) {
        INFO("rounding " << static_cast<int>(round) << std::hex << ", operand " << a.bits << ", got " << got.bits
                         << " " << int{env.flags});
        FAIL();
      }
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("fp: a number becomes the integer that the mode says, or the nearest limit", "[fp]", F32, F64) {
  compare_to_integer<i32, TestType>();
  compare_to_integer<u32, TestType>();
  compare_to_integer<i64, TestType>();
  compare_to_integer<u64, TestType>();
  SUCCEED();
}

TEST_CASE("fp: a conversion to an integer out of range is invalid and nothing else", "[fp]") {
  struct Case {
    double value;
    Round round;
    i32 to_i32;
    u32 to_u32;
    i64 to_i64;
    u64 to_u64;
    u8 flags[4];
  };
  constexpr u8 kNx = fp::kInexact;
  constexpr u8 kNv = fp::kInvalid;
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const i32 max32 = std::numeric_limits<i32>::max();
  const i32 min32 = std::numeric_limits<i32>::min();
  const i64 max64 = std::numeric_limits<i64>::max();
  const i64 min64 = std::numeric_limits<i64>::min();
  const Case cases[] = {
      {nan, Round::kNearestEven, max32, ~u32{0}, max64, ~u64{0}, {kNv, kNv, kNv, kNv}},
      {-nan, Round::kNearestEven, max32, ~u32{0}, max64, ~u64{0}, {kNv, kNv, kNv, kNv}},
      {infinity, Round::kTowardZero, max32, ~u32{0}, max64, ~u64{0}, {kNv, kNv, kNv, kNv}},
      {-infinity, Round::kTowardZero, min32, 0, min64, 0, {kNv, kNv, kNv, kNv}},
      {-1.0, Round::kTowardZero, -1, 0, -1, 0, {0, kNv, 0, kNv}},
      {-0.75, Round::kTowardZero, 0, 0, 0, 0, {kNx, kNx, kNx, kNx}},
      {-0.75, Round::kNearestEven, -1, 0, -1, 0, {kNx, kNv, kNx, kNv}},
      {-0.5, Round::kNearestEven, 0, 0, 0, 0, {kNx, kNx, kNx, kNx}},
      {-0.5, Round::kNearestMaxMagnitude, -1, 0, -1, 0, {kNx, kNv, kNx, kNv}},
      {0.5, Round::kNearestMaxMagnitude, 1, 1, 1, 1, {kNx, kNx, kNx, kNx}},
      {2.5, Round::kNearestEven, 2, 2, 2, 2, {kNx, kNx, kNx, kNx}},
      {2.5, Round::kNearestMaxMagnitude, 3, 3, 3, 3, {kNx, kNx, kNx, kNx}},
      {0x1.fffffffdp30, Round::kTowardZero, max32, 0x7fffffff, 0x7fffffff, 0x7fffffff, {kNx, kNx, kNx, kNx}},
      {0x1.ffffffffp30, Round::kUp, max32, 0x80000000, 0x80000000, 0x80000000, {kNv, kNx, kNx, kNx}},
      {-0x1p31, Round::kDown, min32, 0, -0x80000000ll, 0, {0, kNv, 0, kNv}},
      {0x1p63, Round::kDown, max32, ~u32{0}, max64, u64{1} << 63, {kNv, kNv, kNv, 0}},
      {-0x1p63, Round::kDown, min32, 0, min64, 0, {kNv, kNv, 0, kNv}},
      {0x1p64, Round::kDown, max32, ~u32{0}, max64, ~u64{0}, {kNv, kNv, kNv, kNv}},
  };
  for (const Case& c : cases) {
    INFO(c.value << " rounded by mode " << static_cast<int>(c.round));
    const F64 a{std::bit_cast<u64>(c.value)};
    Env env[4] = {{c.round, 0}, {c.round, 0}, {c.round, 0}, {c.round, 0}};
    CHECK(fp::to_integer<i32>(a, env[0]) == c.to_i32);
    CHECK(fp::to_integer<u32>(a, env[1]) == c.to_u32);
    CHECK(fp::to_integer<i64>(a, env[2]) == c.to_i64);
    CHECK(fp::to_integer<u64>(a, env[3]) == c.to_u64);
    for (int i = 0; i < 4; ++i) CHECK(int{env[i].flags} == int{c.flags[i]});
  }
}

TEMPLATE_TEST_CASE("fp: an integer becomes the number that the mode says", "[fp]", F32, F64) {
  compare_from_integer<i32, TestType>();
  compare_from_integer<u32, TestType>();
  compare_from_integer<i64, TestType>();
  compare_from_integer<u64, TestType>();
  Env env{Round::kNearestMaxMagnitude, 0};
  CHECK(fp::from_integer<F32>(u32{0x1000001}, env).bits == 0x4b800001);  // A tie, even below.
  CHECK(fp::from_integer<F64>(i64{-0x20000000000001}, env).bits == 0xc340000000000001);
  CHECK(int{env.flags} == fp::kInexact);
}

TEST_CASE("fp: the formats convert into each other as on the host", "[fp]") {
  compare_formats<F32, F64>();
  compare_formats<F64, F32>();
  Env env{Round::kNearestMaxMagnitude, 0};
  CHECK(fp::convert<F32>(F64{std::bit_cast<u64>(1 + 0x1p-24)}, env).bits == 0x3f800001);
  CHECK(int{env.flags} == fp::kInexact);
}

TEST_CASE("fp: a host that rounds otherwise or flushes subnormals is found out", "[fp]") {
  CHECK(fp::host_rounding_is_sane());
  for (const Round round : {Round::kTowardZero, Round::kDown, Round::kUp}) {
    const auto answer = fp_test::on_host(round, [] { return fp::host_rounding_is_sane(); });
    CHECK_FALSE(answer.value);
  }
#if defined(__SSE2__)
  const unsigned before = _mm_getcsr();
  for (const unsigned bit : {0x8000u, 0x0040u}) {  // Flush to zero, denormals are zero.
    _mm_setcsr(before | bit);
    const bool sane = fp::host_rounding_is_sane();
    _mm_setcsr(before);
    CHECK_FALSE(sane);
  }
#endif
  CHECK(fp::host_rounding_is_sane());
}

}  // namespace retrov
