// Floating point (core/fp, core/fp_arith, core/fp_host) against the host, in value and in every flag.
#include "core/fp.hpp"

#include <bit>
#include <cmath>
#include <cstdio>
#include <string>

#include "tests/catch.hpp"
#include "tests/support/fp_host.hpp"

namespace retrov {
namespace {

using fp::Env;
using fp::F32;
using fp::F64;
using fp::Round;
using fp_test::Operation;
using fp_test::Operands;
using fp_test::Outcome;

constexpr Round kAllRounds[] = {Round::kNearestEven, Round::kTowardZero, Round::kDown, Round::kUp,
                                Round::kNearestMaxMagnitude};

constexpr int kSamples = 40'000;  // Per operation, rounding mode and format.

constexpr F64 kOne{0x3ff0000000000000};
constexpr F64 kMinNormal{0x0010000000000000};
constexpr F64 kMaxFinite{0x7fefffffffffffff};
constexpr F64 kInfinity{0x7ff0000000000000};
constexpr F64 kQuietNan{0x7ff8000000000000};
constexpr F64 kSignalingNan{0x7ff0000000000001};
constexpr F64 kPlusZero{0};
constexpr F64 kMinusZero{0x8000000000000000};

F64 f64(double value) { return F64{std::bit_cast<u64>(value)}; }

template <class F>
F negated(F a) {
  return F{static_cast<typename fp::Format<F>::Bits>(a.bits ^ fp::Layout<F>::kSign)};
}

template <class... Values>
std::string hex(Values... values) {
  std::string text;
  char buffer[32];
  const auto append = [&](u64 value) {
    std::snprintf(buffer, sizeof buffer, "%016llx ", static_cast<unsigned long long>(value));
    text += buffer;
  };
  (append(static_cast<u64>(values)), ...);
  return text;
}

// One assertion for each of millions of samples would take longer than the samples.
template <class F>
void require_same(const char* what, int operation, Round round, F a, F b, F c, Outcome<F> expected, Outcome<F> got) {
  if (expected.value.bits == got.value.bits && expected.flags == got.flags) return;
  INFO(what << ", operation " << operation << ", rounding " << static_cast<int>(round) << ", operands "
            << hex(a.bits, b.bits, c.bits) << "expected " << hex(expected.value.bits, expected.flags) << "got "
            << hex(got.value.bits, got.flags));
  FAIL();
}

// What fp makes of an operation, starting with no flags.
template <class F>
Outcome<F> run(Operation operation, Round round, F a, F b = {}, F c = {}) {
  Env env{round, 0};
  const F value = fp_test::compute(operation, a, b, c, env);
  return {value, env.flags};
}

template <class F>
void check(Outcome<F> got, F value, int flags) {
  CHECK(hex(got.value.bits) == hex(value.bits));
  CHECK(int{got.flags} == flags);
}

// The host's outcome, with the one flag that IEEE 754 leaves open and RISC-V does not.
template <class F>
Outcome<F> expect_from_host(Operation operation, Round round, F a, F b, F c) {
  const auto host =
      fp_test::compute_on_host(operation, round, fp_test::to_host(a), fp_test::to_host(b), fp_test::to_host(c));
  Outcome<F> expected{fp_test::canonical<F>(host.value), host.flags};
  const bool open = (fp::is_infinite(a) && fp::is_zero(b)) || (fp::is_zero(a) && fp::is_infinite(b));
  if (operation == Operation::kFma && open) expected.flags |= fp::kInvalid;
  return expected;
}

}  // namespace

TEMPLATE_TEST_CASE("fp: arithmetic has the host's results and flags in the four modes of the host", "[fp]", F32, F64) {
  using F = TestType;
  Operands<F> operands(1);
  for (const Operation operation : fp_test::kOperations) {
    for (const Round round : fp_test::kHostRounds) {
      for (int i = 0; i < kSamples; ++i) {
        const F a = operands.one();
        const F b = operands.partner(a);
        const F c = operands.addend(a, b);
        const Outcome<F> expected = expect_from_host(operation, round, a, b, c);
        const int number = static_cast<int>(operation);
        require_same("no flags before", number, round, a, b, c, expected, run(operation, round, a, b, c));

        Env env{round, fp::kInexact};
        const F value = fp_test::compute(operation, a, b, c, env);
        const Outcome<F> accumulated{expected.value, static_cast<u8>(expected.flags | fp::kInexact)};
        require_same("inexact before", number, round, a, b, c, accumulated, Outcome<F>{value, env.flags});
      }
    }
  }
  SUCCEED();
}

TEMPLATE_TEST_CASE("fp: the host path cannot be told from the integer path", "[fp]", F32, F64) {
  using F = TestType;
  Operands<F> operands(2);
  for (const Operation operation : fp_test::kOperations) {
    for (int i = 0; i < 5 * kSamples; ++i) {
      const F a = operands.one();
      const F b = operands.partner(a);
      const F c = operands.addend(a, b);
      const auto before = static_cast<u8>(fp::kInexact | operands.below(32));
      Env fast{Round::kNearestEven, before};
      Env soft{Round::kNearestEven, before};
      const F value = fp_test::compute(operation, a, b, c, fast);
      const F reference = fp_test::compute_soft(operation, a, b, c, soft);
      require_same("host path", static_cast<int>(operation), Round::kNearestEven, a, b, c,
                   Outcome<F>{reference, soft.flags}, Outcome<F>{value, fast.flags});
    }
  }
  SUCCEED();
}

TEST_CASE("fp: the host path is closed to whatever could raise a flag", "[fp]") {
  const Env open{Round::kNearestEven, fp::kInexact};
  CHECK(fp::detail::host_may_try(open, kOne, kMinNormal));
  CHECK(fp::detail::host_may_try(open, kPlusZero, kMinusZero, kMaxFinite));
  CHECK_FALSE(fp::detail::host_may_try(open, kOne, F64{kMinNormal.bits - 1}));
  CHECK_FALSE(fp::detail::host_may_try(open, kInfinity, kOne));
  CHECK_FALSE(fp::detail::host_may_try(open, kOne, kOne, kQuietNan));
  CHECK_FALSE(fp::detail::host_may_try(Env{Round::kNearestEven, fp::kOverflow}, kOne));
  CHECK_FALSE(fp::detail::host_may_try(Env{Round::kNearestMaxMagnitude, fp::kInexact}, kOne));
  CHECK(fp::detail::host_result_holds(negated(kMaxFinite)));
  CHECK(fp::detail::host_result_holds(F64{kMinNormal.bits + 1}));
  CHECK_FALSE(fp::detail::host_result_holds(kMinNormal));
  CHECK_FALSE(fp::detail::host_result_holds(kMinusZero));
  CHECK_FALSE(fp::detail::host_result_holds(kInfinity));
  CHECK_FALSE(fp::detail::host_result_holds(kQuietNan));
}

// A tie is known exactly: computed in double and rounded toward zero, a result of single operands is exact and half
// way between two singles only if the true result is. Elsewhere both nearest modes agree, and so do their flags.
TEST_CASE("fp: ties go away from zero in the mode that the host lacks", "[fp]") {
  Operands<F32> operands(3);
  int ties = 0;
  for (const Operation operation : fp_test::kOperations) {
    for (int i = 0; i < 2 * kSamples; ++i) {
      const F32 a = operands.one();
      const F32 b = operands.partner(a);
      const F32 c = operands.addend(a, b);
      Outcome<F32> expected = expect_from_host(operation, Round::kNearestEven, a, b, c);
      if (!fp::is_nan(expected.value) && (expected.flags & fp::kInexact) != 0) {
        const F32 truncated = expect_from_host(operation, Round::kTowardZero, a, b, c).value;
        const F32 next{truncated.bits + 1};
        const double upper = fp::is_infinite(next) ? std::copysign(0x1p128, fp_test::to_host(next))
                                                   : double{fp_test::to_host(next)};
        const double middle = (double{fp_test::to_host(truncated)} + upper) / 2;
        const auto wide = fp_test::compute_on_host<double>(operation, Round::kTowardZero, fp_test::to_host(a),
                                                           fp_test::to_host(b), fp_test::to_host(c));
        if (wide.flags == 0 && wide.value == middle) {
          expected.value = next;
          ++ties;
        }
      }
      const Round round = Round::kNearestMaxMagnitude;
      require_same("ties away", static_cast<int>(operation), round, a, b, c, expected, run(operation, round, a, b, c));
    }
  }
  CHECK(ties > 1000);
}

TEST_CASE("fp: a tie is rounded by each mode in its own way", "[fp]") {
  struct Case {
    double a, b;
    double results[5];  // In the order of the encoding.
  };
  const double next = 1 + 0x1p-52;
  const Case cases[] = {
      {1, 0x1p-53, {1, 1, 1, next, next}},
      {-1, -0x1p-53, {-1, -1, -next, -1, -next}},
      {next, 0x1p-53, {1 + 0x1p-51, next, next, 1 + 0x1p-51, 1 + 0x1p-51}},
      {1, -0x1p-54, {1, 1 - 0x1p-53, 1 - 0x1p-53, 1, 1}},
  };
  for (const Case& c : cases) {
    for (const Round round : kAllRounds) {
      check(run(Operation::kAdd, round, f64(c.a), f64(c.b)), f64(c.results[static_cast<int>(round)]), fp::kInexact);
    }
  }
}

TEST_CASE("fp: overflow gives infinity or the largest number as the mode says", "[fp]") {
  const int flags = fp::kOverflow | fp::kInexact;
  const F64 results[] = {kInfinity, kMaxFinite, kMaxFinite, kInfinity, kInfinity};
  const F64 negative_results[] = {kInfinity, kMaxFinite, kInfinity, kMaxFinite, kInfinity};
  for (const Round round : kAllRounds) {
    const int index = static_cast<int>(round);
    check(run(Operation::kMul, round, kMaxFinite, f64(2)), results[index], flags);
    check(run(Operation::kMul, round, kMaxFinite, f64(-2)), negated(negative_results[index]), flags);
  }
  // Half a unit above the largest number is where the nearest modes begin to overflow.
  check(run(Operation::kAdd, Round::kNearestEven, kMaxFinite, f64(0x1p970)), kInfinity, flags);
  check(run(Operation::kAdd, Round::kNearestMaxMagnitude, kMaxFinite, f64(0x1p970)), kInfinity, flags);
  check(run(Operation::kAdd, Round::kNearestEven, kMaxFinite, f64(0x1p969)), kMaxFinite, fp::kInexact);
}

TEST_CASE("fp: tininess is detected after rounding", "[fp]") {
  const F64 above_one{kOne.bits + 1};
  // 2^-1022 * (1 - 2^-104) rounds to the smallest normal with any exponent range: inexact, not tiny.
  check(run(Operation::kMul, Round::kNearestEven, F64{kMinNormal.bits + 1}, f64(1 - 0x1p-52)), kMinNormal,
        fp::kInexact);
  // 2^-1022 * (1 - 2^-53) has 53 bits of its own below the smallest normal: tiny, though the result is not.
  check(run(Operation::kMul, Round::kNearestEven, kMinNormal, f64(1 - 0x1p-53)), kMinNormal,
        fp::kInexact | fp::kUnderflow);
  // Tiny and exact raises nothing.
  check(run(Operation::kMul, Round::kNearestEven, kMinNormal, f64(0.5)), F64{kMinNormal.bits / 2}, 0);
  check(run(Operation::kMul, Round::kUp, F64{1}, f64(0x1p-1000)), F64{1}, fp::kInexact | fp::kUnderflow);
  check(run(Operation::kMul, Round::kDown, F64{1}, f64(0x1p-1000)), kPlusZero, fp::kInexact | fp::kUnderflow);
  check(run(Operation::kDiv, Round::kTowardZero, kMinNormal, above_one), F64{kMinNormal.bits - 1},
        fp::kInexact | fp::kUnderflow);
}

TEST_CASE("fp: NaN results are canonical and only the due operations are invalid", "[fp]") {
  const F64 payload{0xfff8dead0000beef};
  for (const Round round : kAllRounds) {
    check(run(Operation::kAdd, round, payload, kOne), kQuietNan, 0);
    check(run(Operation::kAdd, round, kOne, kSignalingNan), kQuietNan, fp::kInvalid);
    check(run(Operation::kSub, round, kInfinity, kInfinity), kQuietNan, fp::kInvalid);
    check(run(Operation::kMul, round, kInfinity, kMinusZero), kQuietNan, fp::kInvalid);
    check(run(Operation::kDiv, round, kPlusZero, kMinusZero), kQuietNan, fp::kInvalid);
    check(run(Operation::kDiv, round, kOne, kMinusZero), negated(kInfinity), fp::kDivideByZero);
    check(run(Operation::kDiv, round, kInfinity, kPlusZero), kInfinity, 0);
    check(run(Operation::kSqrt, round, negated(kOne)), kQuietNan, fp::kInvalid);
    check(run(Operation::kSqrt, round, kMinusZero), kMinusZero, 0);
    check(run(Operation::kFma, round, kInfinity, kPlusZero, payload), kQuietNan, fp::kInvalid);
    check(run(Operation::kFma, round, kInfinity, kOne, payload), kQuietNan, 0);
    check(run(Operation::kFma, round, kInfinity, kOne, negated(kInfinity)), kQuietNan, fp::kInvalid);
    check(run(Operation::kFma, round, kOne, kOne, kSignalingNan), kQuietNan, fp::kInvalid);
  }
}

TEST_CASE("fp: an exact zero sum is negative only when rounding down", "[fp]") {
  for (const Round round : kAllRounds) {
    const F64 zero = round == Round::kDown ? kMinusZero : kPlusZero;
    check(run(Operation::kSub, round, kOne, kOne), zero, 0);
    check(run(Operation::kAdd, round, kMinusZero, kPlusZero), zero, 0);
    check(run(Operation::kAdd, round, kMinusZero, kMinusZero), kMinusZero, 0);
    check(run(Operation::kFma, round, f64(3), f64(2), f64(-6)), zero, 0);
    check(run(Operation::kFma, round, kPlusZero, f64(2), kMinusZero), zero, 0);
  }
}

TEMPLATE_TEST_CASE("fp: comparisons order numbers as the host does and NaN as the manual does", "[fp]", F32, F64) {
  using F = TestType;
  Operands<F> operands(4);
  for (int i = 0; i < 5 * kSamples; ++i) {
    const F a = operands.one();
    const F b = operands.partner(a);
    const auto x = fp_test::to_host(a);
    const auto y = fp_test::to_host(b);
    const bool unordered = fp::is_nan(a) || fp::is_nan(b);
    const bool signaling = fp::is_signaling_nan(a) || fp::is_signaling_nan(b);
    Env quiet;
    Env less;
    Env less_equal;
    const bool same = fp::eq(a, b, quiet) == (x == y) && fp::lt(a, b, less) == (x < y) &&
                      fp::le(a, b, less_equal) == (x <= y) && quiet.flags == (signaling ? fp::kInvalid : 0) &&
                      less.flags == (unordered ? fp::kInvalid : 0) && less_equal.flags == less.flags;
    if (!same) {
      INFO(hex(a.bits, b.bits));
      FAIL();
    }
  }
  SUCCEED();
}

TEST_CASE("fp: minimum and maximum prefer a number to a NaN and -0 to +0", "[fp]") {
  struct Case {
    F64 a, b, min, max;
    u8 flags;
  };
  const Case cases[] = {
      {kOne, f64(2), kOne, f64(2), 0},
      {negated(kOne), f64(-2), f64(-2), negated(kOne), 0},
      {negated(kInfinity), F64{1}, negated(kInfinity), F64{1}, 0},
      {kMinusZero, kPlusZero, kMinusZero, kPlusZero, 0},
      {kPlusZero, kMinusZero, kMinusZero, kPlusZero, 0},
      {kOne, F64{0xfff8000000000001}, kOne, kOne, 0},
      {kSignalingNan, kOne, kOne, kOne, fp::kInvalid},
      {F64{0xfff8000000000001}, kQuietNan, kQuietNan, kQuietNan, 0},
      {kSignalingNan, kQuietNan, kQuietNan, kQuietNan, fp::kInvalid},
  };
  for (const Case& c : cases) {
    Env low;
    Env high;
    check(Outcome<F64>{fp::min(c.a, c.b, low), low.flags}, c.min, c.flags);
    check(Outcome<F64>{fp::max(c.a, c.b, high), high.flags}, c.max, c.flags);
    check(Outcome<F64>{fp::min(c.b, c.a, low), low.flags}, c.min, c.flags);
    check(Outcome<F64>{fp::max(c.b, c.a, high), high.flags}, c.max, c.flags);
  }
}

TEST_CASE("fp: each class has its own bit", "[fp]") {
  const F64 in_order[] = {negated(kInfinity), negated(kOne), F64{0x8000000000000001}, kMinusZero,    kPlusZero,
                          F64{1},             kOne,          kInfinity,               kSignalingNan, kQuietNan};
  for (u32 i = 0; i < 10; ++i) CHECK(fp::classify(in_order[i]) == 1u << i);
  CHECK(fp::classify(F64{kMinNormal.bits - 1}) == 1u << 5);
  CHECK(fp::classify(kMinNormal) == 1u << 6);
  CHECK(fp::classify(F64{0xfff7ffffffffffff}) == 1u << 8);
  CHECK(fp::classify(F32{0x807fffff}) == 1u << 2);
  CHECK(fp::classify(F32{0x7fc00000}) == 1u << 9);
}

}  // namespace retrov
