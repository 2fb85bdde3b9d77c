// What the instructions of F, D, Zfh and Zfa do, for a format N (fp::F16, fp::F32, fp::F64). All are fallible: illegal
// while mstatus.FS is off, or with a reserved rounding mode (unprivileged manual, chapter F). FS becomes dirty when an
// f register is written or a flag is newly raised.
//
// What calls the library with an Env of its own is not to be inlined into a handler: a local whose address has left the
// function keeps compilers from making the jump to the next handler a tail call.
#pragma once

#include <optional>
#include <type_traits>

#include "core/fp.hpp"
#include "core/isa/operands.hpp"

namespace retrov::isa {

template <fp::Number N>
inline constexpr unsigned kWidth = 8 * sizeof(N);
/// What is above a number in an f register.
template <fp::Number N>
inline constexpr u64 kBox = kWidth<N> == 64 ? 0 : ~u64{0} << (kWidth<N> & 63);

/// A number in a wider register is NaN-boxed; what is not boxed reads as the canonical NaN ("NaN Boxing of Narrower
/// Values").
template <fp::Number N>
N unbox(u64 value) {
  if ((value & kBox<N>) != kBox<N>) return fp::canonical_nan<N>();
  return {static_cast<typename fp::Format<N>::Bits>(value)};
}

template <fp::Number N>
u64 box(N number) {
  return number.bits | kBox<N>;
}

template <fp::Number N>
N frs1(const Hart& hart, const Operands& operands) {
  return unbox<N>(hart.f[operands.rs1]);
}
template <fp::Number N>
N frs2(const Hart& hart, const Operands& operands) {
  return unbox<N>(hart.f[operands.rs2]);
}
/// kFR4 has it above the rounding mode.
template <fp::Number N>
N frs3(const Hart& hart, const Operands& operands) {
  return unbox<N>(hart.f[static_cast<u32>(operands.imm) >> 3]);
}

template <fp::Number N>
void set_frd(Hart& hart, const Operands& operands, N value) {
  hart.f[operands.rd] = box(value);
  hart.fp_dirty();
}

inline void set_flags(Hart& hart, const fp::Env& env) {
  if (env.flags == hart.csr.fflags) return;
  hart.csr.fflags = env.flags;
  hart.fp_dirty();
}

/// The rounding mode and the flags so far; nothing if the instruction is illegal. rm = 7 means frm, which may be
/// reserved itself.
inline std::optional<fp::Env> environment(const Hart& hart, const Operands& operands) {
  constexpr u32 kDynamic = 7;
  u32 rm = static_cast<u32>(operands.imm) & 7;
  if (rm == kDynamic) rm = hart.csr.frm;
  if (!hart.fp_enabled() || rm > static_cast<u32>(fp::Round::kNearestMaxMagnitude)) return std::nullopt;
  return fp::Env{static_cast<fp::Round>(rm), hart.csr.fflags};
}

/// kOperation: N(N, N, Env&).
template <class N, auto kOperation>
[[gnu::noinline]] bool binary(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  const N result = kOperation(frs1<N>(hart, operands), frs2<N>(hart, operands), *env);
  set_flags(hart, *env);
  set_frd(hart, operands, result);
  return true;
}

/// kOperation: N(N, Env&).
template <class N, auto kOperation>
[[gnu::noinline]] bool unary_float(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  const N result = kOperation(frs1<N>(hart, operands), *env);
  set_flags(hart, *env);
  set_frd(hart, operands, result);
  return true;
}

template <fp::Number N>
constexpr N negate(N a) {
  a.bits ^= fp::Layout<N>::kSign;
  return a;
}

enum class Sign : bool { kKeep, kNegate };

/// fmadd, fmsub, fnmsub, fnmadd: a * b + c with the product or the addend negated.
template <class N, Sign kProduct, Sign kAddend>
[[gnu::noinline]] bool fused(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  N a = frs1<N>(hart, operands);
  N c = frs3<N>(hart, operands);
  if (kProduct == Sign::kNegate) a = negate(a);
  if (kAddend == Sign::kNegate) c = negate(c);
  const N result = fp::fma(a, frs2<N>(hart, operands), c, *env);
  set_flags(hart, *env);
  set_frd(hart, operands, result);
  return true;
}

/// fmin, fmax and their kind. kOperation: N(N, N, Env&). Rounding mode and its field play no part.
template <class N, auto kOperation>
[[gnu::noinline]] bool select(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  fp::Env env{fp::Round::kNearestEven, hart.csr.fflags};
  const N result = kOperation(frs1<N>(hart, operands), frs2<N>(hart, operands), env);
  set_flags(hart, env);
  set_frd(hart, operands, result);
  return true;
}

/// kOperation: bool(N, N, Env&).
template <class N, auto kOperation>
[[gnu::noinline]] bool compare(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  fp::Env env{fp::Round::kNearestEven, hart.csr.fflags};
  const bool result = kOperation(frs1<N>(hart, operands), frs2<N>(hart, operands), env);
  set_flags(hart, env);
  hart.x[operands.rd] = u64{result};
  return true;
}

/// The sign that fsgnj, fsgnjn and fsgnjx give.
template <class N>
using Bits = typename fp::Format<N>::Bits;
template <class N>
constexpr Bits<N> sign_of_second(N, N b) {
  return b.bits;
}
template <class N>
constexpr Bits<N> negated_sign_of_second(N, N b) {
  return static_cast<Bits<N>>(~b.bits);
}
template <class N>
constexpr Bits<N> product_of_signs(N a, N b) {
  return static_cast<Bits<N>>(a.bits ^ b.bits);
}

/// kSign: Bits(N, N), of which the sign bit counts.
template <class N, auto kSign>
bool inject_sign(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  const N a = frs1<N>(hart, operands);
  const u64 sign = kSign(a, frs2<N>(hart, operands)) & fp::Layout<N>::kSign;
  set_frd(hart, operands, N{static_cast<Bits<N>>((a.bits & fp::Layout<N>::kMagnitude) | sign)});
  return true;
}

template <class N>
bool classify(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  hart.x[operands.rd] = fp::classify(frs1<N>(hart, operands));
  return true;
}

/// kConvert: Integer(N, Env&). Words are sign-extended, unsigned ones as well.
template <class N, auto kConvert>
[[gnu::noinline]] bool to_integer_by(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  const auto result = kConvert(frs1<N>(hart, operands), *env);
  set_flags(hart, *env);
  hart.x[operands.rd] = sizeof result == 4 ? sign_extend_word(static_cast<u64>(result)) : static_cast<u64>(result);
  return true;
}
template <class Integer, class N>
inline constexpr auto to_integer = to_integer_by<N, fp::to_integer<Integer, N>>;

template <class N, class Integer>
[[gnu::noinline]] bool from_integer(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  const N result = fp::from_integer<N>(static_cast<Integer>(rs1(hart, operands)), *env);
  set_flags(hart, *env);
  set_frd(hart, operands, result);
  return true;
}

/// Between formats.
template <class To, class From>
[[gnu::noinline]] bool convert(Hart& hart, const Operands& operands) {
  std::optional<fp::Env> env = environment(hart, operands);
  if (!env) return false;
  const To result = fp::convert<To>(frs1<From>(hart, operands), *env);
  set_flags(hart, *env);
  set_frd(hart, operands, result);
  return true;
}

/// fmv.x.h, fmv.x.w, fmv.x.d: the bits, whether boxed or not, with copies of the sign above.
template <class N>
bool move_to_integer(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  const auto bits = static_cast<std::make_signed_t<Bits<N>>>(hart.f[operands.rs1]);
  hart.x[operands.rd] = static_cast<u64>(i64{bits});
  return true;
}

template <class N>
bool move_from_integer(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  set_frd(hart, operands, N{static_cast<Bits<N>>(rs1(hart, operands))});
  return true;
}

/// fli: rs1 is the number of a constant.
template <class N>
[[gnu::noinline]] bool load_constant(Hart& hart, const Operands& operands) {
  if (!hart.fp_enabled()) return false;
  set_frd(hart, operands, fp::constant<N>(operands.rs1));
  return true;
}

}  // namespace retrov::isa
