// Prints a hash of results and flags for each operation of core/fp, format and rounding mode, over operands that are
// the same everywhere: fp_builds.py compares what different compilers, options and processors make of it. The argument
// is how many samples each hash has.
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "core/fp.hpp"
#include "tests/support/fp_host.hpp"

namespace {

using namespace retrov;
using fp::Env;
using fp::F16;
using fp::F32;
using fp::F64;
using fp::Round;

constexpr Round kRounds[] = {Round::kNearestEven, Round::kTowardZero, Round::kDown, Round::kUp,
                             Round::kNearestMaxMagnitude};

u64 samples = 0;

u64 bits_of(F16 a) { return a.bits; }
u64 bits_of(F32 a) { return a.bits; }
u64 bits_of(F64 a) { return a.bits; }
template <class I>
u64 bits_of(I a) {
  return static_cast<u64>(a);
}

/// compute: something with bits(F a, F b, F c, u64 integer, Env&).
template <class F, class Compute>
void print(const char* name, Compute compute) {
  for (const Round round : kRounds) {
    fp_test::Operands<F> operands(31);
    u64 hash = 0xcbf29ce484222325;
    for (u64 i = 0; i < samples; ++i) {
      const F a = operands.one(), b = operands.partner(a), c = operands.addend(a, b);
      const u64 integer = operands.random() >> operands.below(64);
      // Inexact opens the host's path.
      Env env{round, static_cast<u8>(i % 4 == 0 ? 0 : fp::kInexact)};
      hash = (hash ^ bits_of(compute(a, b, c, integer, env))) * 0x100000001b3;
      hash = ((hash ^ hash >> 29) ^ env.flags) * 0x100000001b3;
    }
    std::printf("%s.%u mode %d: %016llx\n", name, unsigned{8 * sizeof(F)}, static_cast<int>(round),
                static_cast<unsigned long long>(hash));
  }
}

template <class F>
void print_arithmetic() {
  print<F>("add", [](F a, F b, F, u64, Env& env) { return fp::add(a, b, env); });
  print<F>("sub", [](F a, F b, F, u64, Env& env) { return fp::sub(a, b, env); });
  print<F>("mul", [](F a, F b, F, u64, Env& env) { return fp::mul(a, b, env); });
  print<F>("div", [](F a, F b, F, u64, Env& env) { return fp::div(a, b, env); });
  print<F>("sqrt", [](F a, F, F, u64, Env& env) { return fp::sqrt(a, env); });
  print<F>("fma", [](F a, F b, F c, u64, Env& env) { return fp::fma(a, b, c, env); });
  print<F>("round", [](F a, F, F, u64, Env& env) { return fp::round(a, env); });
  print<F>("round_exact", [](F a, F, F, u64, Env& env) { return fp::round_exact(a, env); });
}

template <class F>
void print_comparisons() {
  print<F>("compare", [](F a, F b, F, u64, Env& env) {
    const unsigned loud = fp::eq(a, b, env) | fp::lt(a, b, env) << 1 | fp::le(a, b, env) << 2;
    return loud | fp::lt_quiet(a, b, env) << 3 | fp::le_quiet(a, b, env) << 4 | fp::classify(a) << 5;
  });
  print<F>("min", [](F a, F b, F, u64, Env& env) { return fp::min(a, b, env); });
  print<F>("max", [](F a, F b, F, u64, Env& env) { return fp::max(a, b, env); });
  print<F>("min_or_nan", [](F a, F b, F, u64, Env& env) { return fp::min_or_nan(a, b, env); });
  print<F>("max_or_nan", [](F a, F b, F, u64, Env& env) { return fp::max_or_nan(a, b, env); });
}

template <class F, class I>
void print_integer(const char* to, const char* from) {
  print<F>(to, [](F a, F, F, u64, Env& env) { return fp::to_integer<I>(a, env); });
  print<F>(from, [](F, F, F, u64 integer, Env& env) { return fp::from_integer<F>(static_cast<I>(integer), env); });
}

template <class F, class To>
void print_format(const char* to) {
  if constexpr (!std::is_same_v<F, To>) {
    print<F>(to, [](F a, F, F, u64, Env& env) { return fp::convert<To>(a, env); });
  }
}

template <class F>
void print_all() {
  print_arithmetic<F>();
  print_comparisons<F>();
  print_integer<F, i32>("to_i32", "from_i32");
  print_integer<F, u32>("to_u32", "from_u32");
  print_integer<F, i64>("to_i64", "from_i64");
  print_integer<F, u64>("to_u64", "from_u64");
  print_format<F, F16>("to_half");
  print_format<F, F32>("to_single");
  print_format<F, F64>("to_double");
}

}  // namespace

int main(int, char** argv) {
  samples = std::strtoull(argv[1], nullptr, 10);
  if (!fp::host_rounding_is_sane()) return 1;
  print_all<F16>();
  print_all<F32>();
  print_all<F64>();
  print<F64>("to_i32_modulo", [](F64 a, F64, F64, u64, Env& env) { return fp::to_i32_modulo(a, env); });
}
