// Handlers made from meanings, and the jump from op to op. Every slow path is a tail call to a function that is not
// inlined, so that the fast paths need no stack frame; all functions on the way have the handler's signature, so that
// the calls between them can be tail calls. Where the compiler does not guarantee those (-O0, sanitizers), the same
// handlers return to a trampoline instead.
//
// Budget: at a handler, `budget` is what remains after the whole block. `base` is the virtual address of the block's
// start; block building has made what is relative to the pc relative to the base (core/engine/code_cache.cpp, rebase).
#pragma once

#include <cstring>
#include <type_traits>

#include "core/engine/op.hpp"
#include "core/hart.hpp"

#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_UNDEFINED__)
#define RV_TRAMPOLINE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define RV_TRAMPOLINE 1
#endif
#endif

#if defined(__clang__) && !defined(RV_TRAMPOLINE)
#define RV_TAIL [[clang::musttail]] return
#else
#define RV_TAIL return
#endif

namespace retrov::engine {

using Execute = Trap (*)(Hart&, const Operands&);

// Slow paths, in dispatch.cpp. Each ends the threaded run, or goes on by itself.
void stop_before_taken(const Op* op, Hart* hart, i64 budget, u64 base);
void stop_before_fall(const Op* op, Hart* hart, i64 budget, u64 base);
/// Ends the run with hart.pc = base: no cached page or block there.
void stop_at_base(const Op* op, Hart* hart, i64 budget, u64 base);
/// A breakpoint's address is about to be executed.
void stop_at_breakpoint(const Op* op, Hart* hart, i64 budget, u64 base);
/// The stop set of the run has a breakpoint at `pc` that holds at `position`; notes the hit.
bool stops_at_breakpoint(Hart& hart, u64 pc, u64 position);
/// Stands in a link whose target is in another page.
const Op* far_stub();
/// The instruction was found illegal before it changed anything.
void trap_illegal(const Op* op, Hart* hart, i64 budget, u64 base);
/// Sets pc, next_pc and position for the instruction in hand.
void make_exact(const Op* op, Hart* hart, i64 budget, u64 base);
/// After an execute outside the fast path: true if the block may go on; else the run has ended (trap, stop or leave).
bool may_go_on(const Op* op, Hart* hart, i64 budget, Trap trap);

/// Jumps to the handler of `op`.
inline void go(const Op* op, Hart* hart, i64 budget, u64 base) {
#ifdef RV_TRAMPOLINE
  hart->run.op = op;
  hart->run.budget = budget;
  hart->run.base = base;
#else
  RV_TAIL op->handler(op, hart, budget, base);
#endif
}

inline i32 length_of(const Op* first) { return reinterpret_cast<const BlockHeader*>(first)[-1].length; }

/// Enters the block behind `op`, which starts at `base`.
inline void enter_taken(const Op* op, Hart* hart, i64 budget, u64 base) {
  const Op* target = links_of(op).taken;
  const i64 left = budget - length_of(target);
  if (left < 0) [[unlikely]] RV_TAIL stop_before_taken(op, hart, budget, base);
  RV_TAIL go(target, hart, left, base);
}

inline void enter_fall(const Op* op, Hart* hart, i64 budget, u64 base) {
  const Op* target = links_of(op).fall;
  const i64 left = budget - length_of(target);
  if (left < 0) [[unlikely]] RV_TAIL stop_before_fall(op, hart, budget, base);
  RV_TAIL go(target, hart, left, base);
}


/// Enters the block at `base`, wherever it is.
inline void enter_anywhere(const Op* op, Hart* hart, i64 budget, u64 base);

/// Runs `execute` with everything exact; then goes on, leaves or traps.
template <Execute kExecute>
[[gnu::noinline]] void general(const Op* op, Hart* hart, i64 budget, u64 base) {
  make_exact(op, hart, budget, base);
  const Trap trap = kExecute(*hart, op->operands);
  if (!may_go_on(op, hart, budget, trap)) [[unlikely]] return;
  RV_TAIL go(op + 1, hart, budget, base);
}

template <auto kMeaning>
void alu(const Op* op, Hart* hart, i64 budget, u64 base) {
  kMeaning(*hart, op->operands);
  RV_TAIL go(op + 1, hart, budget, base);
}

template <auto kMeaning>
void pc_relative(const Op* op, Hart* hart, i64 budget, u64 base) {
  hart->x[op->operands.rd] = kMeaning(base, op->operands);
  RV_TAIL go(op + 1, hart, budget, base);
}

/// Rebased: imm is the target and rd (in halfwords) the fall-through, both from the base. Two separate dispatches,
/// never a select: a quarter of the speed hangs on it (docs/adr/0009).
template <auto kMeaning>
void branch(const Op* op, Hart* hart, i64 budget, u64 base) {
  if (kMeaning(*hart, op->operands)) {
    RV_TAIL enter_taken(op, hart, budget, base + static_cast<u64>(i64{op->operands.imm}));
  }
  RV_TAIL enter_fall(op, hart, budget, base + 2 * u64{op->operands.rd});
}

/// Rebased: imm is the target, rs1 (in halfwords) the return address, from the base.
inline void jump(const Op* op, Hart* hart, i64 budget, u64 base) {
  hart->x[op->operands.rd] = base + 2 * u64{op->operands.rs1};
  RV_TAIL enter_taken(op, hart, budget, base + static_cast<u64>(i64{op->operands.imm}));
}

/// Rebased: rs2 (in halfwords) is the return address, from the base.
template <auto kMeaning>
void jump_indirect(const Op* op, Hart* hart, i64 budget, u64 base) {
  const u64 target = kMeaning(*hart, op->operands);
  hart->x[op->operands.rd] = base + 2 * u64{op->operands.rs2};
  RV_TAIL enter_anywhere(op, hart, budget, target);
}

template <unsigned kBytes>
using Word = std::conditional_t<kBytes == 1, u8,
                                std::conditional_t<kBytes == 2, u16, std::conditional_t<kBytes == 4, u32, u64>>>;

template <class L>
Trap execute_load(Hart& hart, const Operands& operands) {
  if (!L::allowed(hart)) return Hart::illegal();
  u64 value = 0;
  if (const Trap trap = hart.load(L::address(hart, operands), L::kBytes, value)) return trap;
  L::finish(hart, operands, value);
  return {};
}

template <class L>
void load(const Op* op, Hart* hart, i64 budget, u64 base) {
  const u8* host = hart->context->read.probe(L::address(*hart, op->operands), L::kBytes);
  if (host == nullptr || !L::allowed(*hart)) [[unlikely]] RV_TAIL general<execute_load<L>>(op, hart, budget, base);
  Word<L::kBytes> value;
  std::memcpy(&value, host, sizeof value);
  L::finish(*hart, op->operands, value);
  RV_TAIL go(op + 1, hart, budget, base);
}

template <class S>
Trap execute_store(Hart& hart, const Operands& operands) {
  if (!S::allowed(hart)) return Hart::illegal();
  return hart.store(S::address(hart, operands), S::kBytes, S::value(hart, operands));
}

/// A page in the write cache is dirty already and holds nothing that a write could make stale, so nobody is told.
template <class S>
void store(const Op* op, Hart* hart, i64 budget, u64 base) {
  u8* host = hart->context->write.probe(S::address(*hart, op->operands), S::kBytes);
  if (host == nullptr || !S::allowed(*hart)) [[unlikely]] RV_TAIL general<execute_store<S>>(op, hart, budget, base);
  const auto value = static_cast<Word<S::kBytes>>(S::value(*hart, op->operands));
  std::memcpy(host, &value, sizeof value);
  RV_TAIL go(op + 1, hart, budget, base);
}

template <auto kMeaning>
void fallible(const Op* op, Hart* hart, i64 budget, u64 base) {
  if (!kMeaning(*hart, op->operands)) [[unlikely]] RV_TAIL trap_illegal(op, hart, budget, base);
  RV_TAIL go(op + 1, hart, budget, base);
}

}  // namespace retrov::engine

#include "core/engine/code_cache.hpp"
