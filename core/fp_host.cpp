// What the host's arithmetic is trusted with out of line, and the test whether it may be trusted at all.
#include "core/fp.hpp"

#include <limits>

#include "core/types.hpp"

namespace retrov::fp {

namespace {

// In the host's own numbers; volatile, because the question is what the processor does now, not what the compiler
// computes.
template <class Host>
bool rounds_to_nearest_even() {
  const Host epsilon = std::numeric_limits<Host>::epsilon();
  const volatile Host one = 1;
  const volatile Host next = 1 + epsilon;
  const volatile Host half = epsilon / 2;     // A tie above 1.
  const volatile Host quarter = epsilon / 4;  // A tie below 1, where numbers are twice as dense.
  const volatile Host tie_to_one = one + half;
  const volatile Host tie_to_even = next + half;
  const volatile Host tie_from_below = one - quarter;
  const volatile Host negative_tie = -one - half;
  return tie_to_one == 1 && tie_to_even == 1 + 2 * epsilon && tie_from_below == 1 && negative_tie == -1;
}

template <class Host>
bool keeps_subnormals() {
  const volatile Host smallest_normal = std::numeric_limits<Host>::min();
  const volatile Host smallest = std::numeric_limits<Host>::denorm_min();
  const volatile Host two = 2;
  const volatile Host result = smallest_normal / two;  // Zero if results are flushed.
  const volatile Host operand = smallest * (two / std::numeric_limits<Host>::epsilon());  // Zero if operands are.
  return result != 0 && operand >= std::numeric_limits<Host>::min();
}

}  // namespace

bool host_rounding_is_sane() {
  return rounds_to_nearest_even<float>() && keeps_subnormals<float>() && rounds_to_nearest_even<double>() &&
         keeps_subnormals<double>();
}

template <Number F>
F sqrt(F a, Env& env) {
  if constexpr (detail::kOnHost<F>) {
    if (detail::host_may_try(env, a) && !is_negative(a)) [[likely]] {
      using Host = typename Format<F>::Host;
      F result;
      if constexpr (std::same_as<Host, float>) {
        result = detail::from_host<F>(__builtin_sqrtf(detail::to_host(a)));
      } else {
        result = detail::from_host<F>(__builtin_sqrt(detail::to_host(a)));
      }
      if (detail::host_result_holds(result)) [[likely]] return result;
    }
  }
  return soft::sqrt(a, env);
}

template F16 sqrt(F16, Env&);
template F32 sqrt(F32, Env&);
template F64 sqrt(F64, Env&);

}  // namespace retrov::fp
