// The instruction tables, and the proof at compile time that the rows of one table do not overlap. A file of core/isa
// has one table, or several where some rows need a second extension or are hints. A new extension is its file, a row in
// core/extensions.cpp, one line here and one in insn_tables() (core/decode.cpp).
#pragma once

#include <span>

#include "core/insn.hpp"

namespace retrov {

[[nodiscard]] std::span<const InsnRow> rv_i_rows();
[[nodiscard]] std::span<const InsnRow> rv_i_jump_rows();
[[nodiscard]] std::span<const InsnRow> rv_i_aligned_jump_rows();
[[nodiscard]] std::span<const InsnRow> rv_zihintpause_rows();
[[nodiscard]] std::span<const InsnRow> rv_m_rows();
[[nodiscard]] std::span<const InsnRow> rv_a_rows();
[[nodiscard]] std::span<const InsnRow> rv_f_rows();
[[nodiscard]] std::span<const InsnRow> rv_d_rows();
[[nodiscard]] std::span<const InsnRow> rv_zca_rows();
[[nodiscard]] std::span<const InsnRow> rv_zcd_rows();
[[nodiscard]] std::span<const InsnRow> rv_zicsr_rows();
[[nodiscard]] std::span<const InsnRow> rv_zifencei_rows();
[[nodiscard]] std::span<const InsnRow> rv_zcb_rows();
[[nodiscard]] std::span<const InsnRow> rv_zcb_zbb_rows();
[[nodiscard]] std::span<const InsnRow> rv_zcb_zba_rows();
[[nodiscard]] std::span<const InsnRow> rv_zcb_m_rows();
[[nodiscard]] std::span<const InsnRow> rv_zicond_rows();
[[nodiscard]] std::span<const InsnRow> rv_zicbom_rows();
[[nodiscard]] std::span<const InsnRow> rv_zicboz_rows();
[[nodiscard]] std::span<const InsnRow> rv_zicbop_rows();
[[nodiscard]] std::span<const InsnRow> rv_zacas_rows();
[[nodiscard]] std::span<const InsnRow> rv_zawrs_rows();
[[nodiscard]] std::span<const InsnRow> rv_svinval_rows();
[[nodiscard]] std::span<const InsnRow> rv_zba_rows();
[[nodiscard]] std::span<const InsnRow> rv_zbb_rows();
[[nodiscard]] std::span<const InsnRow> rv_zbc_rows();
[[nodiscard]] std::span<const InsnRow> rv_zbs_rows();
[[nodiscard]] std::span<const InsnRow> rv_priv_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfhmin_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfhmin_double_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfh_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfa_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfa_double_rows();
[[nodiscard]] std::span<const InsnRow> rv_zfa_half_rows();

/// Some bits match both.
constexpr bool overlap(const Encoding& a, const Encoding& b) {
  return a.bits == b.bits && ((a.match ^ b.match) & a.mask & b.mask) == 0;
}

/// The low two bits are fixed, and tell the length (unprivileged manual, "Expanded Instruction-Length Encoding").
constexpr bool says_its_length(const Encoding& encoding) {
  return (encoding.mask & 3) == 3 && ((encoding.match & 3) == 3) == (encoding.bits == 32);
}

/// Rows with `accepts` may overlap others; that they exclude each other is left to tests/decode_test.cpp.
constexpr bool well_formed(std::span<const InsnRow> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!says_its_length(rows[i].encoding)) return false;
    for (std::size_t j = 0; j < i; ++j) {
      const bool conditional = rows[i].accepts != nullptr || rows[j].accepts != nullptr;
      if (!conditional && overlap(rows[i].encoding, rows[j].encoding)) return false;
    }
  }
  return true;
}

}  // namespace retrov
