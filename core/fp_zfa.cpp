// What Zfa adds: constants, rounding to integers, the modular conversion, the minimum that prefers a NaN.
#include <array>

#include "core/fp.hpp"
#include "core/fp_round.hpp"
#include "core/types.hpp"

namespace retrov::fp {

using detail::Unpacked;

namespace {

constexpr unsigned kSmallestNormal = 1, kInfinityIndex = 30, kNanIndex = 31;

// quarters / 4 * 2^exponent, from index 2 on (chapter Zfa, table "Immediate values loaded by the FLI.S instruction").
struct Constant {
  i8 exponent;
  u8 quarters;
};
constexpr std::array<Constant, 28> kConstants = {{
    {-16, 4}, {-15, 4}, {-8, 4}, {-7, 4}, {-4, 4}, {-3, 4}, {-2, 4}, {-2, 5}, {-2, 6}, {-2, 7},
    {-1, 4},  {-1, 5},  {-1, 6}, {-1, 7}, {0, 4},  {0, 5},  {0, 6},  {0, 7},  {1, 4},  {1, 5},
    {1, 6},   {2, 4},   {3, 4},  {4, 4},  {7, 4},  {8, 4},  {15, 4}, {16, 4},
}};

}  // namespace

template <Number F>
F constant(unsigned index) {
  if (index == kSmallestNormal) return F{Layout<F>::kHidden};
  if (index == kInfinityIndex) return detail::infinity<F>(false);
  if (index == kNanIndex) return canonical_nan<F>();
  const Constant chosen = index == 0 ? Constant{0, 4} : kConstants.at(index - 2);
  Env env;  // 2^16 overflows in half precision: to infinity, as it shall.
  return detail::round_pack<F>({index == 0, chosen.exponent, u64{chosen.quarters} << 61}, env);
}

i32 to_i32_modulo(F64 a, Env& env) {
  Env truncating{Round::kTowardZero, env.flags};
  const i32 saturated = to_integer<i32>(a, truncating);
  env.flags = truncating.flags;
  if (is_nan(a) || is_infinite(a)) return 0;
  const Unpacked x = detail::unpack(a);
  if (x.exponent < 31) return saturated;
  // Bit 63 of the significand has the weight 2^exponent; from 2^95 on every bit is beyond the lowest 32.
  if (x.exponent >= 64 + 31) return 0;
  const i32 shift = x.exponent - 63;
  const u64 magnitude = shift < 0 ? x.significand >> -shift : x.significand << shift;
  return static_cast<i32>(static_cast<u32>(x.negative ? u64{0} - magnitude : magnitude));
}

template <Number F>
F round_exact(F a, Env& env) {
  if (is_nan(a)) return detail::nan_result(env, a);
  if (is_infinite(a)) return a;
  const Unpacked x = detail::unpack(a);
  if (x.exponent >= Layout<F>::kFractionBits) return a;  // An integer already.
  const detail::Whole whole = detail::round_to_whole(x, env.round);
  if (whole.inexact) env.flags |= kInexact;
  return detail::from_magnitude<F>(x.negative, static_cast<u64>(whole.magnitude), env);
}

template <Number F>
F round(F a, Env& env) {
  const u8 before = env.flags;
  const F result = round_exact(a, env);
  env.flags = static_cast<u8>(before | (env.flags & ~kInexact));
  return result;
}

template <Number F>
F min_or_nan(F a, F b, Env& env) {
  return is_nan(a) || is_nan(b) ? detail::nan_result(env, a, b) : fp::min(a, b, env);
}

template <Number F>
F max_or_nan(F a, F b, Env& env) {
  return is_nan(a) || is_nan(b) ? detail::nan_result(env, a, b) : fp::max(a, b, env);
}

template F16 constant<F16>(unsigned);
template F16 round_exact(F16, Env&);
template F16 round(F16, Env&);
template F16 min_or_nan(F16, F16, Env&);
template F16 max_or_nan(F16, F16, Env&);
template F32 constant<F32>(unsigned);
template F32 round_exact(F32, Env&);
template F32 round(F32, Env&);
template F32 min_or_nan(F32, F32, Env&);
template F32 max_or_nan(F32, F32, Env&);
template F64 constant<F64>(unsigned);
template F64 round_exact(F64, Env&);
template F64 round(F64, Env&);
template F64 min_or_nan(F64, F64, Env&);
template F64 max_or_nan(F64, F64, Env&);

}  // namespace retrov::fp
