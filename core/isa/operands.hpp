// From values to meanings. Most instructions are a pure function of one or two numbers; what they compute is said once
// as such a function (core/isa/meaning_*.hpp), and the templates here feed it from registers and immediates. Registers
// are read before the destination is written, because both may be the same.
#pragma once

#include "core/hart.hpp"

namespace retrov::isa {

constexpr u64 sign_extend_word(u64 value) { return static_cast<u64>(i64{static_cast<i32>(static_cast<u32>(value))}); }
constexpr u64 immediate(const Operands& operands) { return static_cast<u64>(i64{operands.imm}); }
inline u64 rs1(const Hart& hart, const Operands& operands) { return hart.x[operands.rs1]; }
inline u64 rs2(const Hart& hart, const Operands& operands) { return hart.x[operands.rs2]; }
/// The address of a load or store; also what jalr jumps to, but for bit 0.
inline u64 rs1_plus_immediate(const Hart& hart, const Operands& operands) {
  return rs1(hart, operands) + immediate(operands);
}

/// kValue: u64(u64, u64).
template <auto kValue>
void reg_reg(Hart& hart, const Operands& operands) {
  hart.x[operands.rd] = kValue(rs1(hart, operands), rs2(hart, operands));
}

template <auto kValue>
void reg_imm(Hart& hart, const Operands& operands) {
  hart.x[operands.rd] = kValue(rs1(hart, operands), immediate(operands));
}

/// kValue: u64(u64).
template <auto kValue>
void unary(Hart& hart, const Operands& operands) {
  hart.x[operands.rd] = kValue(rs1(hart, operands));
}

/// kCondition: bool(u64, u64).
template <auto kCondition>
bool when(const Hart& hart, const Operands& operands) {
  return kCondition(rs1(hart, operands), rs2(hart, operands));
}

}  // namespace retrov::isa
