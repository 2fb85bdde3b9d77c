// The inside of integer floating point, for core/fp_*.cpp only: taking a number apart and rounding it back.
//
// Every format is computed in one form, a 64-bit significand whose top bit is set, so that the arithmetic is written
// once. Whatever does not fit is kept as a sticky lowest bit ("jammed"): as long as it lies below the rounding bit it
// decides ties and inexactness exactly as the lost bits would have.
#pragma once

#include <bit>

#include "core/fp.hpp"
#include "core/types.hpp"

namespace retrov::fp::detail {

// (-1)^negative * significand / 2^63 * 2^exponent. A zero has significand 0 and the smallest exponent there is.
struct Unpacked {
  bool negative = false;
  i32 exponent = 0;
  u64 significand = 0;
};

inline constexpr i32 kZeroExponent = -(1 << 20);

[[nodiscard]] constexpr u64 shift_right_jam(u64 value, i32 count) {
  if (count >= 64) return value != 0 ? 1 : 0;
  const u64 lost = value & ((u64{1} << count) - 1);
  return (value >> count) | (lost != 0 ? 1 : 0);
}

[[nodiscard]] constexpr u128 shift_right_jam(u128 value, i32 count) {
  if (count >= 128) return value != 0 ? 1 : 0;
  const u128 lost = value & ((u128{1} << count) - 1);
  return (value >> count) | (lost != 0 ? 1 : 0);
}

[[nodiscard]] constexpr u64 jam_to_64(u128 value) {
  return static_cast<u64>(value >> 64) | (static_cast<u64>(value) != 0 ? 1 : 0);
}

template <Number F>
[[nodiscard]] constexpr F zero(bool negative) {
  return F{negative ? Layout<F>::kSign : typename Layout<F>::Bits{0}};
}

template <Number F>
[[nodiscard]] constexpr F infinity(bool negative) {
  return F{static_cast<typename Layout<F>::Bits>(zero<F>(negative).bits | Layout<F>::kInfinity)};
}

template <Number F>
[[nodiscard]] constexpr F negated(F a) {
  return F{static_cast<typename Layout<F>::Bits>(a.bits ^ Layout<F>::kSign)};
}

template <Number F>
[[nodiscard]] constexpr F invalid(Env& env) {
  env.flags |= kInvalid;
  return canonical_nan<F>();
}

// The result of an operation with a NaN among its operands: RISC-V propagates no payload (chapter F, "NaN Generation
// and Propagation").
template <Number F, std::same_as<F>... Fs>
[[nodiscard]] constexpr F nan_result(Env& env, F a, Fs... rest) {
  if (is_signaling_nan(a) || (is_signaling_nan(rest) || ...)) env.flags |= kInvalid;
  return canonical_nan<F>();
}

// Of a finite number.
template <Number F>
[[nodiscard]] constexpr Unpacked unpack(F a) {
  using L = Layout<F>;
  const u64 fraction = a.bits & (L::kHidden - 1);
  const auto field = static_cast<i32>((a.bits & L::kMagnitude) >> L::kFractionBits);
  if (field != 0) return {is_negative(a), field - L::kMaxExponent, (fraction | L::kHidden) << (63 - L::kFractionBits)};
  if (fraction == 0) return {is_negative(a), kZeroExponent, 0};
  const i32 shift = std::countl_zero(fraction);
  return {is_negative(a), L::kMinExponent + (63 - L::kFractionBits) - shift, fraction << shift};
}

// Whether the magnitude grows to the next representable one. `lost` holds the bits below the last one kept, `half`
// is the weight of a tie.
[[nodiscard]] constexpr bool rounds_away(Round round, bool negative, bool odd, u64 lost, u64 half) {
  switch (round) {
    case Round::kNearestEven: return lost > half || (lost == half && odd);
    case Round::kTowardZero: return false;
    case Round::kDown: return negative && lost != 0;
    case Round::kUp: return !negative && lost != 0;
    case Round::kNearestMaxMagnitude: return lost >= half;
  }
  return false;
}

template <Number F>
[[nodiscard]] constexpr F overflowed(bool negative, Env& env) {
  env.flags |= kOverflow | kInexact;
  // Rounding a value beyond every finite one: it goes away from zero unless the mode forbids it.
  if (rounds_away(env.round, negative, true, 3, 2)) return infinity<F>(negative);
  return F{static_cast<typename Layout<F>::Bits>(infinity<F>(negative).bits - 1)};
}

// Rounds to the format and sets overflow, underflow and inexact. The significand is normalised or zero; zero keeps
// the sign given.
template <Number F>
[[nodiscard]] constexpr F round_pack(Unpacked value, Env& env) {
  using L = Layout<F>;
  using Bits = typename L::Bits;
  constexpr i32 kDropped = 63 - L::kFractionBits;
  constexpr u64 kHalf = u64{1} << (kDropped - 1);
  constexpr u64 kLostMask = (u64{1} << kDropped) - 1;
  const auto away = [&](u64 significand) {
    const bool odd = ((significand >> kDropped) & 1) != 0;
    return rounds_away(env.round, value.negative, odd, significand & kLostMask, kHalf);
  };

  if (value.significand == 0) return zero<F>(value.negative);
  if (value.exponent > L::kMaxExponent) return overflowed<F>(value.negative, env);

  u64 significand = value.significand;
  u64 field = 0;  // The exponent field less one: the hidden bit adds the one, also when rounding makes it appear.
  bool tiny = false;
  if (value.exponent >= L::kMinExponent) {
    field = static_cast<u64>(value.exponent - L::kMinExponent);
  } else {
    // Tiny after rounding: below the smallest normal even if rounded with an unbounded exponent, which only a carry
    // out of a significand of all ones can prevent.
    const bool carries = (significand | kLostMask) == ~u64{0} && away(significand);
    tiny = value.exponent < L::kMinExponent - 1 || !carries;
    significand = shift_right_jam(significand, L::kMinExponent - value.exponent);
  }

  const u64 lost = significand & kLostMask;
  const u64 kept = (significand >> kDropped) + (away(significand) ? 1 : 0);
  const u64 magnitude = (field << L::kFractionBits) + kept;
  if (magnitude >= L::kInfinity) return overflowed<F>(value.negative, env);
  if (lost != 0) env.flags |= static_cast<u8>(kInexact | (tiny ? kUnderflow : 0));
  return F{static_cast<Bits>(zero<F>(value.negative).bits | static_cast<Bits>(magnitude))};
}

// As round_pack, for a significand that may have leading zeros; its binary point stays below bit 63.
template <Number F>
[[nodiscard]] constexpr F normalize_round_pack(Unpacked value, Env& env) {
  if (value.significand != 0) {
    const i32 shift = std::countl_zero(value.significand);
    value.significand <<= shift;
    value.exponent -= shift;
  }
  return round_pack<F>(value, env);
}

// A finite number rounded to an integer.
struct Whole {
  u128 magnitude = 0;
  bool inexact = false;
};

// Of a number below 2^64.
[[nodiscard]] constexpr Whole round_to_whole(const Unpacked& value, Round round) {
  // 64 bits of integer and 64 of fraction.
  const u128 fixed = shift_right_jam(u128{value.significand} << 64, 63 - value.exponent);
  const auto whole = static_cast<u64>(fixed >> 64);
  const auto lost = static_cast<u64>(fixed);
  const bool away = rounds_away(round, value.negative, (whole & 1) != 0, lost, u64{1} << 63);
  return {u128{whole} + (away ? 1 : 0), lost != 0};
}

// The number of that magnitude, or the nearest one.
template <Number F>
[[nodiscard]] constexpr F from_magnitude(bool negative, u64 magnitude, Env& env) {
  return normalize_round_pack<F>({negative, 63, magnitude}, env);
}

}  // namespace retrov::fp::detail
