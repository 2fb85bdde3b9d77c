// Half precision by another road than core/fp's: every result is an exact integer or fraction, and rounding it is a
// search among all half-precision numbers. Nothing is shared with the code under test but the names of its types.
// Operands that are no numbers, division by zero and the sign of a zero are the host's, in double, where every
// half-precision number has its place.
#pragma once

#include <cmath>

#include "core/fp.hpp"
#include "core/types.hpp"
#include "tests/support/fp_host.hpp"

namespace retrov::fp_test {

/// Magnitudes of half precision in units of 2^-26, in which the middles between neighbours are whole: the subnormal
/// ones are multiples of 2^-24. 0x7c00 stands for 2^16, which would be next.
inline u64 half_units(u32 magnitude) {
  const u32 exponent = magnitude >> 10;
  const u64 units24 = exponent == 0 ? magnitude : u64{(magnitude & 0x3ff) | 0x400} << (exponent - 1);
  return units24 << 2;
}

inline double half_to_double(fp::F16 a) {
  const u64 sign = u64{a.bits & 0x8000u} << 48;
  const u32 magnitude = a.bits & 0x7fff;
  // The quiet bit in its place, and payload enough that a signaling NaN is no infinity.
  if (magnitude >= 0x7c00) return std::bit_cast<double>(sign | u64{0x7ff} << 52 | u64{magnitude & 0x3ff} << 42);
  return std::bit_cast<double>(sign | std::bit_cast<u64>(std::ldexp(static_cast<double>(half_units(magnitude)), -26)));
}

/// Rounds a positive magnitude. compare(c) is the sign of magnitude - c * 2^-26.
template <class Compare>
Outcome<fp::F16> round_to_half(bool negative, fp::Round round, Compare compare) {
  const auto goes_up = [&](u64 lower, u64 middle, bool odd) {
    switch (round) {
      case fp::Round::kNearestEven: return compare(middle) > 0 || (compare(middle) == 0 && odd);
      case fp::Round::kNearestMaxMagnitude: return compare(middle) >= 0;
      case fp::Round::kDown: return negative && compare(lower) > 0;
      case fp::Round::kUp: return !negative && compare(lower) > 0;
      case fp::Round::kTowardZero: break;
    }
    return false;
  };
  u32 low = 0;  // The largest finite number that is not above.
  for (u32 bit = 0x4000; bit != 0; bit >>= 1) {
    if ((low | bit) < 0x7c00 && compare(half_units(low | bit)) >= 0) low |= bit;
  }
  const u64 below = half_units(low), above = half_units(low + 1);
  const u32 result = low + (goes_up(below, (below + above) / 2, (low & 1) != 0) ? 1 : 0);
  u8 flags = compare(below) != 0 ? fp::kInexact : 0;
  if (result == 0x7c00 || compare(half_units(0x7c00)) >= 0) flags |= fp::kOverflow;
  // Tiny, unless with an exponent of its own it would round up to 2^-14: from above 2^-14 - 2^-25, whose last bit is 1.
  constexpr u64 kSmallest = u64{1} << 12;
  const bool reaches_it = compare(kSmallest - 2) > 0 && goes_up(kSmallest - 2, kSmallest - 1, true);
  if (flags != 0 && compare(kSmallest) < 0 && !reaches_it) flags |= fp::kUnderflow;
  return {fp::F16{static_cast<u16>(result | (negative ? 0x8000u : 0u))}, flags};
}

template <class T>
int sign_of_difference(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

inline Outcome<fp::F16> half_from_double(double value, fp::Round round) {
  const double magnitude = std::fabs(value);
  return round_to_half(std::signbit(value), round, [&](u64 units) {
    return sign_of_difference(magnitude, std::ldexp(static_cast<double>(units), -26));
  });
}

/// What is no finite non-zero number: as the host has it.
inline fp::F16 half_from_special(double value) {
  if (std::isnan(value)) return fp::F16{0x7e00};
  const u32 sign = std::signbit(value) ? 0x8000 : 0;
  return fp::F16{static_cast<u16>(sign | (std::isinf(value) ? 0x7c00u : 0u))};
}

/// a, b, c finite; b not 0 if it divides, a not negative if its root is taken.
inline Outcome<fp::F16> compute_half_exactly(Operation operation, fp::Round round, fp::F16 a, fp::F16 b, fp::F16 c,
                                             double zero) {
  const auto units24 = [](fp::F16 x) {
    const auto magnitude = static_cast<i64>(half_units(x.bits & 0x7fff) >> 2);
    return (x.bits & 0x8000) != 0 ? -magnitude : magnitude;
  };
  __extension__ using Wide = __int128;
  const Wide x = units24(a), y = units24(b), z = units24(c);
  // numerator * 2^26 / denominator is the result in units of 2^-26; of a root, its square.
  Wide numerator = 0, denominator = 1;
  switch (operation) {
    case Operation::kAdd: numerator = x + y, denominator = Wide{1} << 24; break;
    case Operation::kSub: numerator = x - y, denominator = Wide{1} << 24; break;
    case Operation::kMul: numerator = x * y, denominator = Wide{1} << 48; break;
    case Operation::kFma: numerator = x * y + (z << 24), denominator = Wide{1} << 48; break;
    case Operation::kDiv: numerator = y < 0 ? -x : x, denominator = y < 0 ? -y : y; break;
    case Operation::kSqrt: numerator = x, denominator = 1; break;
  }
  if (numerator == 0) return {half_from_special(zero), 0};
  const bool negative = numerator < 0;
  const Wide magnitude = negative ? -numerator : numerator;
  return round_to_half(negative, round, [&](u64 units) {
    if (operation == Operation::kSqrt) return sign_of_difference(magnitude << 28, Wide{units} * Wide{units});
    // 2^48 divides both sides of a product, which would not fit otherwise.
    if (denominator == Wide{1} << 48) return sign_of_difference(magnitude, Wide{units} << 22);
    return sign_of_difference(magnitude << 26, Wide{units} * denominator);
  });
}

inline Outcome<fp::F16> compute_half(Operation operation, fp::Round round, fp::F16 a, fp::F16 b, fp::F16 c) {
  const double x = half_to_double(a), y = half_to_double(b), z = half_to_double(c);
  const auto host = compute_on_host<double>(operation, round, x, y, z);
  const bool is_binary = operation != Operation::kSqrt, is_ternary = operation == Operation::kFma;
  bool special = !std::isfinite(x) || (is_binary && !std::isfinite(y)) || (is_ternary && !std::isfinite(z));
  special = special || (operation == Operation::kDiv && y == 0) || (operation == Operation::kSqrt && x < 0);
  if (!special) return compute_half_exactly(operation, round, a, b, c, host.value);
  Outcome<fp::F16> result{half_from_special(host.value), host.flags};
  const bool open = (std::isinf(x) && y == 0) || (x == 0 && std::isinf(y));
  if (is_ternary && open) result.flags |= fp::kInvalid;
  return result;
}

}  // namespace retrov::fp_test
