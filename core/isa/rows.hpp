// Row makers: one per kind of meaning. `alu<add>("add", "0000000 ttttt sssss 000 ddddd 0110011", Format::kR)` is all
// there is to say about an instruction; both ways to execute it are made here.
#pragma once

#include "core/engine/dispatch.hpp"
#include "core/insn.hpp"

namespace retrov::rows {

using Accepts = bool (*)(u32 raw);

template <auto kMeaning>
Trap execute_alu(Hart& hart, const Operands& operands) {
  kMeaning(hart, operands);
  return {};
}

template <auto kMeaning>
Trap execute_pc_relative(Hart& hart, const Operands& operands) {
  hart.x[operands.rd] = kMeaning(hart.pc, operands);
  return {};
}

template <auto kMeaning>
Trap execute_branch(Hart& hart, const Operands& operands) {
  if (kMeaning(hart, operands)) hart.next_pc = hart.pc + static_cast<u64>(i64{operands.imm});
  return {};
}

inline Trap execute_jump(Hart& hart, const Operands& operands) {
  hart.x[operands.rd] = hart.next_pc;
  hart.next_pc = hart.pc + static_cast<u64>(i64{operands.imm});
  return {};
}

template <auto kMeaning>
Trap execute_jump_indirect(Hart& hart, const Operands& operands) {
  const u64 target = kMeaning(hart, operands);
  hart.x[operands.rd] = hart.next_pc;
  hart.next_pc = target;
  return {};
}

template <auto kMeaning>
Trap execute_fallible(Hart& hart, const Operands& operands) {
  return kMeaning(hart, operands) ? Trap{} : Hart::illegal();
}

constexpr InsnRow make(std::string_view name, std::string_view encoding, Format format, Kind kind, Execute execute,
                       Handler handler, Accepts accepts) {
  return {name, pattern(encoding), format, kind, EndsBlock::kNo, execute, handler, accepts};
}

template <auto kMeaning>
constexpr InsnRow alu(std::string_view name, std::string_view encoding, Format format, Accepts accepts = nullptr) {
  return make(name, encoding, format, Kind::kAlu, execute_alu<kMeaning>, engine::alu<kMeaning>, accepts);
}

template <auto kMeaning>
constexpr InsnRow pc_relative(std::string_view name, std::string_view encoding, Format format) {
  return make(name, encoding, format, Kind::kPcRelative, execute_pc_relative<kMeaning>, engine::pc_relative<kMeaning>,
              nullptr);
}

template <auto kMeaning>
constexpr InsnRow branch(std::string_view name, std::string_view encoding, Format format) {
  return make(name, encoding, format, Kind::kBranch, execute_branch<kMeaning>, engine::branch<kMeaning>, nullptr);
}

constexpr InsnRow jump(std::string_view name, std::string_view encoding, Format format) {
  return make(name, encoding, format, Kind::kJump, execute_jump, engine::jump, nullptr);
}

template <auto kMeaning>
constexpr InsnRow jump_indirect(std::string_view name, std::string_view encoding, Format format,
                                Accepts accepts = nullptr) {
  return make(name, encoding, format, Kind::kJumpIndirect, execute_jump_indirect<kMeaning>,
              engine::jump_indirect<kMeaning>, accepts);
}

template <class L>
constexpr InsnRow load(std::string_view name, std::string_view encoding, Format format, Accepts accepts = nullptr) {
  return make(name, encoding, format, Kind::kLoad, engine::execute_load<L>, engine::load<L>, accepts);
}

template <class S>
constexpr InsnRow store(std::string_view name, std::string_view encoding, Format format, Accepts accepts = nullptr) {
  return make(name, encoding, format, Kind::kStore, engine::execute_store<S>, engine::store<S>, accepts);
}

template <auto kMeaning>
constexpr InsnRow fallible(std::string_view name, std::string_view encoding, Format format) {
  return make(name, encoding, format, Kind::kFallible, execute_fallible<kMeaning>, engine::fallible<kMeaning>, nullptr);
}

template <auto kMeaning>
constexpr InsnRow general(std::string_view name, std::string_view encoding, Format format,
                          EndsBlock ends_block = EndsBlock::kNo) {
  InsnRow row = make(name, encoding, format, Kind::kGeneral, kMeaning, engine::general<kMeaning>, nullptr);
  row.ends_block = ends_block;
  return row;
}

}  // namespace retrov::rows
