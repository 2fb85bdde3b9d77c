// Conversions between formats and to and from integers, minimum and maximum, classification.
#include "core/fp.hpp"

#include <limits>
#include <type_traits>

#include "core/fp_round.hpp"
#include "core/types.hpp"

namespace retrov::fp {

using detail::Unpacked;

namespace {

// Rounds to an integer of type I and saturates (chapter F, table "Domains of float-to-integer conversions"). Out of
// range raises invalid and not inexact.
template <class I, Number F>
I to_integer(F a, Env& env) {
  using Limits = std::numeric_limits<I>;
  const auto out_of_range = [&](bool negative) {
    env.flags |= kInvalid;
    return negative ? Limits::min() : Limits::max();
  };
  if (is_nan(a)) return out_of_range(false);
  const bool negative = is_negative(a);
  if (is_infinite(a)) return out_of_range(negative);
  const Unpacked x = detail::unpack(a);
  if (x.exponent > 63) return out_of_range(negative);

  // 64 bits of integer and 64 of fraction.
  const u128 fixed = detail::shift_right_jam(u128{x.significand} << 64, 63 - x.exponent);
  const auto whole = static_cast<u64>(fixed >> 64);
  const auto lost = static_cast<u64>(fixed);
  const bool away = detail::rounds_away(env.round, negative, (whole & 1) != 0, lost, u64{1} << 63);
  const u128 magnitude = u128{whole} + (away ? 1 : 0);
  const u128 limit = negative ? u128{0} - static_cast<u128>(Limits::min()) : static_cast<u128>(Limits::max());
  if (magnitude > limit) return out_of_range(negative);
  if (lost != 0) env.flags |= kInexact;
  const auto low = static_cast<u64>(magnitude);
  return static_cast<I>(negative ? u64{0} - low : low);
}

template <Number F>
F from_magnitude(bool negative, u64 magnitude, Env& env) {
  return detail::normalize_round_pack<F>({negative, 63, magnitude}, env);
}

template <Number F>
F from_signed(i64 value, Env& env) {
  const auto bits = static_cast<u64>(value);
  return value < 0 ? from_magnitude<F>(true, u64{0} - bits, env) : from_magnitude<F>(false, bits, env);
}

template <Number To, Number From>
To convert(From a, Env& env) {
  if (is_nan(a)) return is_signaling_nan(a) ? detail::invalid<To>(env) : canonical_nan<To>();
  if (is_infinite(a)) return detail::infinity<To>(is_negative(a));
  return detail::round_pack<To>(detail::unpack(a), env);
}

// Which of two operands wins by the rules for NaN; nothing if both are numbers.
template <Number F>
struct NanChoice {
  bool decided = false;
  F result;
};

template <Number F>
NanChoice<F> choose_number(F a, F b, Env& env) {
  if (is_signaling_nan(a) || is_signaling_nan(b)) env.flags |= kInvalid;
  if (is_nan(a) && is_nan(b)) return {true, canonical_nan<F>()};
  if (is_nan(a)) return {true, b};
  if (is_nan(b)) return {true, a};
  return {};
}

// A total order of the numbers, with -0 below +0.
template <Number F>
bool below(F a, F b) {
  if (is_zero(a) && is_zero(b)) return is_negative(a) && !is_negative(b);
  return detail::less(a, b);
}

}  // namespace

template <Number F>
F min(F a, F b, Env& env) {
  const NanChoice<F> choice = choose_number(a, b, env);
  if (choice.decided) return choice.result;
  return below(b, a) ? b : a;
}

template <Number F>
F max(F a, F b, Env& env) {
  const NanChoice<F> choice = choose_number(a, b, env);
  if (choice.decided) return choice.result;
  return below(a, b) ? b : a;
}

template <Number F>
u32 classify(F a) {
  using L = Layout<F>;
  if (is_nan(a)) return is_signaling_nan(a) ? 1u << 8 : 1u << 9;
  const bool negative = is_negative(a);
  if (is_infinite(a)) return negative ? 1u << 0 : 1u << 7;
  if (is_zero(a)) return negative ? 1u << 3 : 1u << 4;
  if ((a.bits & L::kMagnitude) < L::kHidden) return negative ? 1u << 2 : 1u << 5;
  return negative ? 1u << 1 : 1u << 6;
}

template <Number F>
i32 to_i32(F a, Env& env) {
  return to_integer<i32>(a, env);
}

template <Number F>
u32 to_u32(F a, Env& env) {
  return to_integer<u32>(a, env);
}

template <Number F>
i64 to_i64(F a, Env& env) {
  return to_integer<i64>(a, env);
}

template <Number F>
u64 to_u64(F a, Env& env) {
  return to_integer<u64>(a, env);
}

F32 f32_from_i32(i32 value, Env& env) { return from_signed<F32>(value, env); }
F32 f32_from_u32(u32 value, Env& env) { return from_magnitude<F32>(false, value, env); }
F32 f32_from_i64(i64 value, Env& env) { return from_signed<F32>(value, env); }
F32 f32_from_u64(u64 value, Env& env) { return from_magnitude<F32>(false, value, env); }
F64 f64_from_i32(i32 value, Env& env) { return from_signed<F64>(value, env); }
F64 f64_from_u32(u32 value, Env& env) { return from_magnitude<F64>(false, value, env); }
F64 f64_from_i64(i64 value, Env& env) { return from_signed<F64>(value, env); }
F64 f64_from_u64(u64 value, Env& env) { return from_magnitude<F64>(false, value, env); }

F32 f64_to_f32(F64 a, Env& env) { return convert<F32>(a, env); }
F64 f32_to_f64(F32 a, Env& env) { return convert<F64>(a, env); }

template F32 min(F32, F32, Env&);
template F64 min(F64, F64, Env&);
template F32 max(F32, F32, Env&);
template F64 max(F64, F64, Env&);
template u32 classify(F32);
template u32 classify(F64);
template i32 to_i32(F32, Env&);
template i32 to_i32(F64, Env&);
template u32 to_u32(F32, Env&);
template u32 to_u32(F64, Env&);
template i64 to_i64(F32, Env&);
template i64 to_i64(F64, Env&);
template u64 to_u64(F32, Env&);
template u64 to_u64(F64, Env&);

}  // namespace retrov::fp
