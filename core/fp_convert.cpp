// Conversions between formats and to and from integers, minimum and maximum, classification.
#include "core/fp.hpp"

#include <limits>

#include "core/fp_round.hpp"
#include "core/types.hpp"

namespace retrov::fp {

using detail::Unpacked;

namespace {

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

// Chapter F, table "Domains of float-to-integer conversions". Out of range raises invalid and not inexact.
template <std::integral I, Number F>
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

  const detail::Whole whole = detail::round_to_whole(x, env.round);
  const u128 limit = negative ? u128{0} - static_cast<u128>(Limits::min()) : static_cast<u128>(Limits::max());
  if (whole.magnitude > limit) return out_of_range(negative);
  if (whole.inexact) env.flags |= kInexact;
  const auto low = static_cast<u64>(whole.magnitude);
  return static_cast<I>(negative ? u64{0} - low : low);
}

template <Number F, std::integral I>
F from_integer(I value, Env& env) {
  const auto bits = static_cast<u64>(value);
  return detail::from_magnitude<F>(value < 0, value < 0 ? u64{0} - bits : bits, env);
}

template <Number To, Number From>
To convert(From a, Env& env) {
  if (is_nan(a)) return is_signaling_nan(a) ? detail::invalid<To>(env) : canonical_nan<To>();
  if (is_infinite(a)) return detail::infinity<To>(is_negative(a));
  return detail::round_pack<To>(detail::unpack(a), env);
}

template F16 min(F16, F16, Env&);
template F16 max(F16, F16, Env&);
template u32 classify(F16);
template i32 to_integer(F16, Env&);
template u32 to_integer(F16, Env&);
template i64 to_integer(F16, Env&);
template u64 to_integer(F16, Env&);
template F16 from_integer(i32, Env&);
template F16 from_integer(u32, Env&);
template F16 from_integer(i64, Env&);
template F16 from_integer(u64, Env&);
template F16 convert(F32, Env&);
template F16 convert(F64, Env&);
template F32 min(F32, F32, Env&);
template F32 max(F32, F32, Env&);
template u32 classify(F32);
template i32 to_integer(F32, Env&);
template u32 to_integer(F32, Env&);
template i64 to_integer(F32, Env&);
template u64 to_integer(F32, Env&);
template F32 from_integer(i32, Env&);
template F32 from_integer(u32, Env&);
template F32 from_integer(i64, Env&);
template F32 from_integer(u64, Env&);
template F32 convert(F16, Env&);
template F32 convert(F64, Env&);
template F64 min(F64, F64, Env&);
template F64 max(F64, F64, Env&);
template u32 classify(F64);
template i32 to_integer(F64, Env&);
template u32 to_integer(F64, Env&);
template i64 to_integer(F64, Env&);
template u64 to_integer(F64, Env&);
template F64 from_integer(i32, Env&);
template F64 from_integer(u32, Env&);
template F64 from_integer(i64, Env&);
template F64 from_integer(u64, Env&);
template F64 convert(F16, Env&);
template F64 convert(F32, Env&);

}  // namespace retrov::fp
