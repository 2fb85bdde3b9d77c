// Addition, multiplication, division, square root and fused multiply-add in integers.
#include "core/fp.hpp"

#include <utility>

#include "core/fp_round.hpp"
#include "core/types.hpp"

namespace retrov::fp {

using detail::Unpacked;

namespace {

// An exact zero sum of operands of different signs is +0, rounding down -0 (IEEE 754, section 6.3).
bool zero_sum_is_negative(bool a_negative, bool b_negative, Round round) {
  return a_negative == b_negative ? a_negative : round == Round::kDown;
}

// The square root of a number in [2^126, 2^128), rounded down, with a sticky lowest bit. One bit of the root a turn.
u64 square_root_jam(u128 value) {
  u128 rest = value;
  u128 root = 0;  // The root so far, at the weight that makes `root + bit` the next thing to subtract.
  for (u128 bit = u128{1} << 126; bit != 0; bit >>= 2) {
    const u128 trial = root + bit;
    root >>= 1;
    if (rest >= trial) {
      rest -= trial;
      root += bit;
    }
  }
  return static_cast<u64>(root) | (rest != 0 ? 1 : 0);
}

// a * b with a significand in [2^125, 2^127): bit 126 stands for 1, and a bit is left free for a carry.
struct Product {
  bool negative;
  i32 exponent;
  u128 significand;
};

Product multiply(Unpacked a, Unpacked b) {
  return {a.negative != b.negative, a.exponent + b.exponent + 1, u128{a.significand >> 1} * b.significand};
}

// The sum of a product and a number, neither of them zero.
template <Number F>
F add_to_product(Product product, Unpacked addend, Env& env) {
  // Guard bits: a product ends in at least 21 zero bits and an addend in far more, so that when the exponents are
  // close enough for leading digits to cancel, nothing has been jammed.
  Product big = product;
  Product small{addend.negative, addend.exponent, u128{addend.significand} << 63};
  if (big.exponent < small.exponent) std::swap(big, small);
  const u128 aligned = detail::shift_right_jam(small.significand, big.exponent - small.exponent);

  bool negative = big.negative;
  u128 sum = 0;
  if (big.negative == small.negative) {
    sum = big.significand + aligned;
  } else if (big.significand >= aligned) {
    sum = big.significand - aligned;
  } else {
    // A product below 1 may have the larger exponent and yet be the smaller number.
    sum = aligned - big.significand;
    negative = small.negative;
  }
  if (sum == 0) return detail::zero<F>(zero_sum_is_negative(big.negative, small.negative, env.round));

  const auto high = static_cast<u64>(sum >> 64);
  const i32 shift = high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<u64>(sum));
  return detail::round_pack<F>({negative, big.exponent + 1 - shift, detail::jam_to_64(sum << shift)}, env);
}

}  // namespace

namespace soft {

template <Number F>
F add(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) return detail::nan_result(env, a, b);
  if (is_infinite(a)) return is_infinite(b) && a.bits != b.bits ? detail::invalid<F>(env) : a;
  if (is_infinite(b)) return b;

  Unpacked big = detail::unpack(a);
  Unpacked small = detail::unpack(b);
  if (big.exponent < small.exponent || (big.exponent == small.exponent && big.significand < small.significand)) {
    std::swap(big, small);
  }
  // One bit is left free for a carry.
  const u64 high = big.significand >> 1;
  const u64 low = detail::shift_right_jam(small.significand >> 1, big.exponent - small.exponent);
  const u64 sum = big.negative == small.negative ? high + low : high - low;
  if (sum == 0) return detail::zero<F>(zero_sum_is_negative(big.negative, small.negative, env.round));
  return detail::normalize_round_pack<F>({big.negative, big.exponent + 1, sum}, env);
}

template <Number F>
F sub(F a, F b, Env& env) {
  return soft::add(a, detail::negated(b), env);
}

template <Number F>
F mul(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) return detail::nan_result(env, a, b);
  const bool negative = is_negative(a) != is_negative(b);
  if (is_infinite(a) || is_infinite(b)) {
    return is_zero(a) || is_zero(b) ? detail::invalid<F>(env) : detail::infinity<F>(negative);
  }
  if (is_zero(a) || is_zero(b)) return detail::zero<F>(negative);
  const Unpacked x = detail::unpack(a);
  const Unpacked y = detail::unpack(b);
  const u64 significand = detail::jam_to_64(u128{x.significand} * y.significand);
  return detail::normalize_round_pack<F>({negative, x.exponent + y.exponent + 1, significand}, env);
}

template <Number F>
F div(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) return detail::nan_result(env, a, b);
  const bool negative = is_negative(a) != is_negative(b);
  if (is_infinite(a)) return is_infinite(b) ? detail::invalid<F>(env) : detail::infinity<F>(negative);
  if (is_infinite(b)) return detail::zero<F>(negative);
  if (is_zero(b)) {
    if (is_zero(a)) return detail::invalid<F>(env);
    env.flags |= kDivideByZero;
    return detail::infinity<F>(negative);
  }
  if (is_zero(a)) return detail::zero<F>(negative);
  const Unpacked x = detail::unpack(a);
  const Unpacked y = detail::unpack(b);
  const u128 dividend = u128{x.significand} << 63;
  const auto quotient = static_cast<u64>(dividend / y.significand);  // In (2^62, 2^64).
  const bool exact = u128{quotient} * y.significand == dividend;
  return detail::normalize_round_pack<F>({negative, x.exponent - y.exponent, quotient | (exact ? 0 : 1)}, env);
}

template <Number F>
F sqrt(F a, Env& env) {
  if (is_nan(a)) return detail::nan_result(env, a);
  if (is_zero(a)) return a;
  if (is_negative(a)) return detail::invalid<F>(env);
  if (is_infinite(a)) return a;
  const Unpacked x = detail::unpack(a);
  const bool odd = (x.exponent & 1) != 0;
  const u128 radicand = u128{x.significand} << (odd ? 64 : 63);
  // The even exponent is halved exactly.
  return detail::round_pack<F>({false, (x.exponent - (odd ? 1 : 0)) / 2, square_root_jam(radicand)}, env);
}

template <Number F>
F fma(F a, F b, F c, Env& env) {
  // Infinity times zero is invalid even with a quiet NaN as addend, a choice IEEE 754 leaves open and RISC-V makes
  // (chapter F, "Single-Precision Floating-Point Computational Instructions").
  if ((is_infinite(a) && is_zero(b)) || (is_zero(a) && is_infinite(b))) return detail::invalid<F>(env);
  if (is_nan(a) || is_nan(b) || is_nan(c)) return detail::nan_result(env, a, b, c);
  const bool negative = is_negative(a) != is_negative(b);
  if (is_infinite(a) || is_infinite(b)) {
    if (is_infinite(c) && is_negative(c) != negative) return detail::invalid<F>(env);
    return detail::infinity<F>(negative);
  }
  if (is_infinite(c)) return c;
  if (is_zero(a) || is_zero(b)) {
    if (!is_zero(c)) return c;
    return detail::zero<F>(zero_sum_is_negative(negative, is_negative(c), env.round));
  }
  const Product product = multiply(detail::unpack(a), detail::unpack(b));
  if (is_zero(c)) {
    const u64 significand = detail::jam_to_64(product.significand << 1);
    return detail::normalize_round_pack<F>({negative, product.exponent, significand}, env);
  }
  return add_to_product<F>(product, detail::unpack(c), env);
}

template F16 add(F16, F16, Env&);
template F32 add(F32, F32, Env&);
template F64 add(F64, F64, Env&);
template F16 sub(F16, F16, Env&);
template F32 sub(F32, F32, Env&);
template F64 sub(F64, F64, Env&);
template F16 mul(F16, F16, Env&);
template F32 mul(F32, F32, Env&);
template F64 mul(F64, F64, Env&);
template F16 div(F16, F16, Env&);
template F32 div(F32, F32, Env&);
template F64 div(F64, F64, Env&);
template F16 sqrt(F16, Env&);
template F32 sqrt(F32, Env&);
template F64 sqrt(F64, Env&);
template F16 fma(F16, F16, F16, Env&);
template F32 fma(F32, F32, F32, Env&);
template F64 fma(F64, F64, F64, Env&);

}  // namespace soft
}  // namespace retrov::fp
