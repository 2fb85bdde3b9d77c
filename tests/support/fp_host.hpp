// The host's floating point as the model that fp is compared with, and the operands that are worth comparing.
//
// Only IEEE 754 is taken from the host: every operation goes through volatile values between two calls, so that no
// compiler folds it, moves it across a change of the rounding mode or fuses it. NaN results are made canonical, and
// whatever RISC-V defines beyond IEEE 754 is not asked of the host.
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <iterator>
#include <type_traits>

#include "core/fp.hpp"
#include "core/types.hpp"

namespace retrov::fp_test {

template <class F>
using Host = typename fp::Format<F>::Host;

template <class F>
Host<F> to_host(F a) {
  return std::bit_cast<Host<F>>(a.bits);
}

template <class F>
F canonical(Host<F> a) {
  if (std::isnan(a)) return fp::canonical_nan<F>();
  return F{std::bit_cast<typename fp::Format<F>::Bits>(a)};
}

// The four modes that the host has; it lacks rounding to nearest with ties away.
inline constexpr fp::Round kHostRounds[] = {fp::Round::kNearestEven, fp::Round::kTowardZero, fp::Round::kDown,
                                            fp::Round::kUp};

inline int host_round(fp::Round round) {
  switch (round) {
    case fp::Round::kTowardZero: return FE_TOWARDZERO;
    case fp::Round::kDown: return FE_DOWNWARD;
    case fp::Round::kUp: return FE_UPWARD;
    default: return FE_TONEAREST;
  }
}

inline u8 host_flags() {
  const int raised = std::fetestexcept(FE_ALL_EXCEPT);
  u8 flags = 0;
  if ((raised & FE_INEXACT) != 0) flags |= fp::kInexact;
  if ((raised & FE_UNDERFLOW) != 0) flags |= fp::kUnderflow;
  if ((raised & FE_OVERFLOW) != 0) flags |= fp::kOverflow;
  if ((raised & FE_DIVBYZERO) != 0) flags |= fp::kDivideByZero;
  if ((raised & FE_INVALID) != 0) flags |= fp::kInvalid;
  return flags;
}

template <class T>
struct Outcome {
  T value;
  u8 flags;
};

// Runs `operation` in a rounding mode of the host; it has to read and write volatile values.
template <class Operation>
auto on_host(fp::Round round, Operation operation) {
  std::fesetround(host_round(round));
  std::feclearexcept(FE_ALL_EXCEPT);
  const auto value = operation();
  const u8 flags = host_flags();
  std::fesetround(FE_TONEAREST);
  return Outcome<std::remove_const_t<decltype(value)>>{value, flags};
}

enum class Operation : u8 { kAdd, kSub, kMul, kDiv, kSqrt, kFma };

inline constexpr Operation kOperations[] = {Operation::kAdd, Operation::kSub,  Operation::kMul,
                                            Operation::kDiv, Operation::kSqrt, Operation::kFma};

// As the host computes it in its type H. Infinity times zero plus a quiet NaN is left open by IEEE 754.
template <class H>
Outcome<H> compute_on_host(Operation operation, fp::Round round, H a, H b, H c) {
  const volatile H x = a;
  const volatile H y = b;
  const volatile H z = c;
  return on_host(round, [&]() -> H {
    volatile H result = 0;
    switch (operation) {
      case Operation::kAdd: result = x + y; break;
      case Operation::kSub: result = x - y; break;
      case Operation::kMul: result = x * y; break;
      case Operation::kDiv: result = x / y; break;
      case Operation::kSqrt: result = std::sqrt(x); break;
      case Operation::kFma: result = std::fma(x, y, z); break;
    }
    return result;
  });
}

// The function of fp's interface, which may take the host path.
template <class F>
F compute(Operation operation, F a, F b, F c, fp::Env& env) {
  switch (operation) {
    case Operation::kAdd: return fp::add(a, b, env);
    case Operation::kSub: return fp::sub(a, b, env);
    case Operation::kMul: return fp::mul(a, b, env);
    case Operation::kDiv: return fp::div(a, b, env);
    case Operation::kSqrt: return fp::sqrt(a, env);
    case Operation::kFma: return fp::fma(a, b, c, env);
  }
  return {};
}

template <class F>
F compute_soft(Operation operation, F a, F b, F c, fp::Env& env) {
  switch (operation) {
    case Operation::kAdd: return fp::soft::add(a, b, env);
    case Operation::kSub: return fp::soft::sub(a, b, env);
    case Operation::kMul: return fp::soft::mul(a, b, env);
    case Operation::kDiv: return fp::soft::div(a, b, env);
    case Operation::kSqrt: return fp::soft::sqrt(a, env);
    case Operation::kFma: return fp::soft::fma(a, b, c, env);
  }
  return {};
}

// Operands where implementations go wrong. The same sequence in every run.
template <class F>
class Operands {
 public:
  using L = fp::Layout<F>;
  using Bits = typename L::Bits;

  explicit Operands(u64 seed) : state_(seed) {}

  u64 random() {
    state_ += 0x9e3779b97f4a7c15;
    u64 z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  u64 below(u64 bound) { return random() % bound; }

  F one() {
    switch (below(8)) {
      case 0: return F{static_cast<Bits>(random())};
      case 1: return edge();
      case 2: return make(0);                // Subnormal.
      case 3: return make(1 + below(4));  // About the smallest normal.
      case 4: return make(L::kExponentMask - 1 - below(4));  // About overflow.
      case 5: return make(below(L::kExponentMask));
      default: return make(static_cast<u64>(L::kMaxExponent) - 3 + below(7));  // About 1.
    }
  }

  // A partner for `a`: close to it, so that a difference cancels, or with an exponent that brings the sum or the
  // product to a border.
  F partner(F a) {
    const u64 field = (a.bits & L::kMagnitude) >> L::kFractionBits;
    const u64 precision = L::kFractionBits + 3;
    switch (below(8)) {
      case 0: return F{static_cast<Bits>(a.bits + below(5) - 2)};
      case 1: return F{static_cast<Bits>((a.bits ^ L::kSign) + below(5) - 2)};
      case 2: return make(field + below(2 * precision) - precision);
      case 3: return make(static_cast<u64>(L::kMaxExponent) - field + below(4) - 2);  // a * b tiny.
      case 4: return make(3 * static_cast<u64>(L::kMaxExponent) - field + below(4) - 2);
      case 5: return make(field + static_cast<u64>(L::kMaxExponent) + below(4) - 2);  // a / b tiny.
      case 6: return make(field - static_cast<u64>(L::kMaxExponent) + below(4) - 2);
      default: return one();
    }
  }

  // An addend for the product of `a` and `b`: near its negation, or some bits away from it.
  F addend(F a, F b) {
    fp::Env env{fp::Round::kTowardZero, 0};
    const F near = fp::soft::mul(a, b, env);
    return below(4) == 0 ? one() : partner(near);
  }

 private:
  F edge() {
    constexpr Bits kOne = Bits{static_cast<Bits>(L::kMaxExponent)} << L::kFractionBits;
    constexpr Bits kEdges[] = {0,
                               1,
                               L::kHidden - 1,
                               L::kHidden,
                               L::kHidden + 1,
                               kOne - 1,
                               kOne,
                               kOne + 1,
                               L::kInfinity - 1,
                               L::kInfinity,
                               L::kInfinity + 1,  // A signaling NaN.
                               L::kCanonicalNan,
                               L::kMagnitude};
    const Bits sign = below(2) != 0 ? L::kSign : Bits{0};
    return F{static_cast<Bits>(kEdges[below(std::size(kEdges))] | sign)};
  }

  // Random, or with long runs of equal bits at either end: the makings of ties and carries.
  u64 fraction() {
    const u64 shift = below(L::kFractionBits + 1);
    switch (below(5)) {
      case 0: return u64{1} << shift;
      case 1: return ~u64{0} << shift;
      case 2: return ~u64{0} >> (63 - shift);
      case 3: return random() << shift;
      default: return random();
    }
  }

  // One random number after the other: arguments of a call would be made in an order that compilers choose.
  F make(u64 exponent_field) {
    const u64 field = exponent_field & L::kExponentMask;
    const u64 sign = below(2) != 0 ? L::kSign : 0;
    return F{static_cast<Bits>(sign | (field << L::kFractionBits) | (fraction() & (L::kHidden - 1)))};
  }

  u64 state_;
};

}  // namespace retrov::fp_test
