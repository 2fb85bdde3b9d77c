// Bit-exact RISC-V floating point (unprivileged manual, chapters F, D, Zfh and Zfa): results, NaN values, all five
// rounding modes and all five flags are those of the manual on every host, because they are part of the machine's
// state.
//
// The meaning of each operation is its integer version in `soft`. The functions of the same name outside `soft`
// may use the host's arithmetic instead, and only where nobody can tell: rounding is to nearest even, the inexact
// flag is already set, the operands are zero or normal, and the result is finite and strictly above the smallest
// normal. Then the host's flags, its NaN payloads and its idea of when a result is tiny cannot matter. This holds
// only while the host itself rounds to nearest and keeps subnormals: see host_rounding_is_sane.
//
// Another format is one more Format<> and one more line of instantiations in each fp_*.cpp.
#pragma once

#include <bit>
#include <concepts>
#include <type_traits>

#include "core/types.hpp"

namespace retrov::fp {

// In the encoding of frm and of the rm field. The encodings 5, 6 and 7 are illegal or "dynamic" and are resolved
// by the caller before it comes here.
enum class Round : u8 { kNearestEven = 0, kTowardZero = 1, kDown = 2, kUp = 3, kNearestMaxMagnitude = 4 };

// The bits of fflags.
inline constexpr u8 kInexact = 1;
inline constexpr u8 kUnderflow = 2;
inline constexpr u8 kOverflow = 4;
inline constexpr u8 kDivideByZero = 8;
inline constexpr u8 kInvalid = 16;

// The raw bits of a number. Distinct types, so that a register and the number in it are not mixed up.
struct F16 {
  u16 bits = 0;
};
struct F32 {
  u32 bits = 0;
};
struct F64 {
  u64 bits = 0;
};

// Rounding mode in, flags in and out. Flags accumulate. Passing in the flags that fcsr already holds is what opens
// the host path; leaving them 0 gives the same results, slower.
struct Env {
  Round round = Round::kNearestEven;
  u8 flags = 0;
};

// What a format is made of. Host is the host's type of the same format, or void if it is to be computed in integers.
template <class F>
struct Format;

template <>
struct Format<F16> {
  using Bits = u16;
  using Host = void;
  static constexpr int kExponentBits = 5;
  static constexpr int kFractionBits = 10;
};

template <>
struct Format<F32> {
  using Bits = u32;
  using Host = float;
  static constexpr int kExponentBits = 8;
  static constexpr int kFractionBits = 23;
};

template <>
struct Format<F64> {
  using Bits = u64;
  using Host = double;
  static constexpr int kExponentBits = 11;
  static constexpr int kFractionBits = 52;
};

template <class F>
concept Number = requires {
  typename Format<F>::Bits;
};

// What follows from a Format.
template <Number F>
struct Layout {
  using Bits = typename Format<F>::Bits;
  static constexpr int kExponentBits = Format<F>::kExponentBits;
  static constexpr int kFractionBits = Format<F>::kFractionBits;
  static constexpr int kMaxExponent = (1 << (kExponentBits - 1)) - 1;  // Also the bias.
  static constexpr int kMinExponent = 1 - kMaxExponent;
  static constexpr u32 kExponentMask = (u32{1} << kExponentBits) - 1;
  static constexpr Bits kHidden = Bits{1} << kFractionBits;  // Also the smallest normal.
  static constexpr Bits kQuiet = Bits{1} << (kFractionBits - 1);
  static constexpr Bits kSign = Bits{1} << (kFractionBits + kExponentBits);
  static constexpr Bits kMagnitude = kSign - 1;
  static constexpr Bits kInfinity = Bits{kExponentMask} << kFractionBits;
  static constexpr Bits kCanonicalNan = kInfinity | kQuiet;
};

template <Number F>
[[nodiscard]] constexpr F canonical_nan() {
  return F{Layout<F>::kCanonicalNan};
}

template <Number F>
[[nodiscard]] constexpr bool is_negative(F a) {
  return (a.bits & Layout<F>::kSign) != 0;
}

template <Number F>
[[nodiscard]] constexpr bool is_zero(F a) {
  return (a.bits & Layout<F>::kMagnitude) == 0;
}

template <Number F>
[[nodiscard]] constexpr bool is_infinite(F a) {
  return (a.bits & Layout<F>::kMagnitude) == Layout<F>::kInfinity;
}

template <Number F>
[[nodiscard]] constexpr bool is_nan(F a) {
  return (a.bits & Layout<F>::kMagnitude) > Layout<F>::kInfinity;
}

template <Number F>
[[nodiscard]] constexpr bool is_signaling_nan(F a) {
  return is_nan(a) && (a.bits & Layout<F>::kQuiet) == 0;
}

// The reference: integers only. `fma` is a * b + c with one rounding; infinity times zero raises invalid even when
// c is a quiet NaN. Tininess is detected after rounding.
namespace soft {
template <Number F>
[[nodiscard]] F add(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F sub(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F mul(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F div(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F sqrt(F a, Env& env);
template <Number F>
[[nodiscard]] F fma(F a, F b, F c, Env& env);
}  // namespace soft

namespace detail {

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ == 0
inline constexpr bool kHostIsPrecise = true;
#else
inline constexpr bool kHostIsPrecise = false;  // Excess precision rounds twice.
#endif

#if defined(__FMA__) || defined(__aarch64__)
inline constexpr bool kHostFuses = true;
#else
inline constexpr bool kHostFuses = false;  // A library's emulation is not ours to trust.
#endif

template <Number F>
inline constexpr bool kOnHost = kHostIsPrecise && !std::is_void_v<typename Format<F>::Host>;

template <Number F>
[[nodiscard]] constexpr bool is_zero_or_normal(F a) {
  using L = Layout<F>;
  const auto magnitude = static_cast<typename L::Bits>(a.bits & L::kMagnitude);
  // One unsigned comparison: below the smallest normal wraps around.
  return static_cast<typename L::Bits>(magnitude - L::kHidden) < L::kInfinity - L::kHidden || magnitude == 0;
}

template <Number F, std::same_as<F>... Fs>
[[nodiscard]] constexpr bool host_may_try(const Env& env, F a, Fs... rest) {
  return env.round == Round::kNearestEven && (env.flags & kInexact) != 0 && is_zero_or_normal(a) &&
         (is_zero_or_normal(rest) && ...);
}

// Zero, the smallest normal and everything below may hide an underflow; infinity and NaN hide the other flags.
template <Number F>
[[nodiscard]] constexpr bool host_result_holds(F result) {
  using L = Layout<F>;
  const auto magnitude = static_cast<typename L::Bits>(result.bits & L::kMagnitude);
  return static_cast<typename L::Bits>(magnitude - L::kHidden - 1) < L::kInfinity - L::kHidden - 1;
}

template <Number F>
[[nodiscard]] constexpr auto to_host(F a) {
  return std::bit_cast<typename Format<F>::Host>(a.bits);
}

template <Number F>
[[nodiscard]] constexpr F from_host(typename Format<F>::Host a) {
  return F{std::bit_cast<typename Format<F>::Bits>(a)};
}

// Less-than of two numbers that are no NaN; the zeros are equal.
template <Number F>
[[nodiscard]] constexpr bool less(F a, F b) {
  if (is_negative(a) != is_negative(b)) return is_negative(a) && !(is_zero(a) && is_zero(b));
  return is_negative(a) ? b.bits < a.bits : a.bits < b.bits;
}

}  // namespace detail

template <Number F>
[[nodiscard]] inline F add(F a, F b, Env& env) {
  if constexpr (detail::kOnHost<F>) {
    if (detail::host_may_try(env, a, b)) [[likely]] {
      const F result = detail::from_host<F>(detail::to_host(a) + detail::to_host(b));
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::add(a, b, env);
}

template <Number F>
[[nodiscard]] inline F sub(F a, F b, Env& env) {
  if constexpr (detail::kOnHost<F>) {
    if (detail::host_may_try(env, a, b)) [[likely]] {
      const F result = detail::from_host<F>(detail::to_host(a) - detail::to_host(b));
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::sub(a, b, env);
}

template <Number F>
[[nodiscard]] inline F mul(F a, F b, Env& env) {
  if constexpr (detail::kOnHost<F>) {
    if (detail::host_may_try(env, a, b)) [[likely]] {
      const F result = detail::from_host<F>(detail::to_host(a) * detail::to_host(b));
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::mul(a, b, env);
}

template <Number F>
[[nodiscard]] inline F div(F a, F b, Env& env) {
  if constexpr (detail::kOnHost<F>) {
    if (detail::host_may_try(env, a, b) && !is_zero(b)) [[likely]] {
      const F result = detail::from_host<F>(detail::to_host(a) / detail::to_host(b));
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::div(a, b, env);
}

template <Number F>
[[nodiscard]] inline F fma(F a, F b, F c, Env& env) {
  if constexpr (detail::kOnHost<F> && detail::kHostFuses) {
    if (detail::host_may_try(env, a, b, c)) [[likely]] {
      using Host = typename Format<F>::Host;
      F result;
      if constexpr (std::same_as<Host, float>) {
        result = detail::from_host<F>(__builtin_fmaf(detail::to_host(a), detail::to_host(b), detail::to_host(c)));
      } else {
        result = detail::from_host<F>(__builtin_fma(detail::to_host(a), detail::to_host(b), detail::to_host(c)));
      }
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::fma(a, b, c, env);
}

// Out of line: compilers guard the host's instruction with a call to the library.
template <Number F>
[[nodiscard]] F sqrt(F a, Env& env);

// Quiet equality: only a signaling NaN is invalid.
template <Number F>
[[nodiscard]] constexpr bool eq(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) {
    if (is_signaling_nan(a) || is_signaling_nan(b)) env.flags |= kInvalid;
    return false;
  }
  return a.bits == b.bits || (is_zero(a) && is_zero(b));
}

// Signaling comparison: any NaN is invalid.
template <Number F>
[[nodiscard]] constexpr bool lt(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) {
    env.flags |= kInvalid;
    return false;
  }
  return detail::less(a, b);
}

// Signaling comparison: any NaN is invalid.
template <Number F>
[[nodiscard]] constexpr bool le(F a, F b, Env& env) {
  if (is_nan(a) || is_nan(b)) {
    env.flags |= kInvalid;
    return false;
  }
  return !detail::less(b, a);
}

// As lt and le, but only a signaling NaN is invalid (Zfa).
template <Number F>
[[nodiscard]] constexpr bool lt_quiet(F a, F b, Env& env) {
  if (!is_nan(a) && !is_nan(b)) return detail::less(a, b);
  if (is_signaling_nan(a) || is_signaling_nan(b)) env.flags |= kInvalid;
  return false;
}

template <Number F>
[[nodiscard]] constexpr bool le_quiet(F a, F b, Env& env) {
  if (!is_nan(a) && !is_nan(b)) return !detail::less(b, a);
  if (is_signaling_nan(a) || is_signaling_nan(b)) env.flags |= kInvalid;
  return false;
}

// minimumNumber and maximumNumber of IEEE 754-2019: a NaN loses against a number, -0 is below +0, two NaNs give
// the canonical one, and only a signaling NaN is invalid.
template <Number F>
[[nodiscard]] F min(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F max(F a, F b, Env& env);

// minimum and maximum of IEEE 754-2019: as above, but a NaN wins (Zfa).
template <Number F>
[[nodiscard]] F min_or_nan(F a, F b, Env& env);
template <Number F>
[[nodiscard]] F max_or_nan(F a, F b, Env& env);

// The ten-bit mask of fclass, exactly one bit set.
template <Number F>
[[nodiscard]] u32 classify(F a);

// To i32, u32, i64 or u64. Out of range gives the nearest limit and a NaN gives the largest integer, with kInvalid as
// the only flag. The caller sign-extends 32-bit results, also those to u32.
template <std::integral I, Number F>
[[nodiscard]] I to_integer(F a, Env& env);
template <Number F, std::integral I>
[[nodiscard]] F from_integer(I value, Env& env);
template <Number To, Number From>
[[nodiscard]] To convert(From a, Env& env);

// fcvtmod.w.d (Zfa): toward zero whatever the mode, and modulo 2^32 where to_integer would saturate; infinity and NaN
// give 0. The flags are those of to_integer.
[[nodiscard]] i32 to_i32_modulo(F64 a, Env& env);

// The value that fli loads for a number from 0 to 31 (Zfa).
template <Number F>
[[nodiscard]] F constant(unsigned index);

// To an integer in the same format (Zfa): roundToIntegralExact of IEEE 754, and the same without the inexact flag.
template <Number F>
[[nodiscard]] F round_exact(F a, Env& env);
template <Number F>
[[nodiscard]] F round(F a, Env& env);

// Whether the host rounds to nearest even, without excess precision, and neither flushes subnormal results nor reads
// subnormal operands as zero, on the calling thread. Asserted on entering the run loop: a library may have changed it.
[[nodiscard]] bool host_rounding_is_sane();

}  // namespace retrov::fp
