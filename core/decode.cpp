// Finding the row of an encoding, and taking its operands out of the bits (unprivileged manual, "Base Instruction
// Formats" and chapter C, "Compressed Instruction Formats").
#include <array>
#include <vector>

#include "core/check.hpp"
#include "core/insn.hpp"
#include "core/isa/tables.hpp"

namespace retrov {
namespace {

// --- finding rows ----------------------------------------------------------------------------------------------------

constexpr unsigned kWordSlots = 256;
constexpr unsigned kSlots = kWordSlots + 32;

/// Major opcode and funct3; for compressed instructions quadrant and funct3.
constexpr unsigned slot_of(u32 raw) {
  if ((raw & 3) == 3) return (raw >> 2 & 31) << 3 | (raw >> 12 & 7);
  return kWordSlots + ((raw & 3) << 3 | (raw >> 13 & 7));
}

/// The bits that a slot fixes, and their values.
constexpr Encoding slot_encoding(unsigned slot) {
  if (slot < kWordSlots) return {(slot >> 3) << 2 | 3 | (slot & 7) << 12, 0x707f, 32};
  return {(slot - kWordSlots) >> 3 | (slot & 7) << 13, 0xe003, 16};
}

/// The rows of each slot, one slot after the other, with what is compared first close together.
class Index {
 public:
  Index() {
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      first_[slot] = static_cast<u16>(candidates_.size());
      for (const InsnTable& table : insn_tables()) {
        for (const InsnRow& row : table) {
          if (!overlap(row.encoding, slot_encoding(slot))) continue;
          candidates_.push_back({row.encoding.match, row.encoding.mask, &row, &table});
        }
      }
    }
    RV_CHECK(candidates_.size() <= 0xffff);
    first_[kSlots] = static_cast<u16>(candidates_.size());
  }

  [[nodiscard]] const InsnRow* find(u32 raw, ExtensionSet extensions) const {
    const unsigned slot = slot_of(raw);
    const Candidate* const end = candidates_.data() + first_[slot + 1];
    for (const Candidate* candidate = candidates_.data() + first_[slot]; candidate != end; ++candidate) {
      if ((raw & candidate->mask) != candidate->match) continue;
      if (!extensions.has_all(candidate->table->needs) || extensions.has_any(candidate->table->unless)) continue;
      if (candidate->row->accepts == nullptr || candidate->row->accepts(raw)) return candidate->row;
    }
    return nullptr;
  }

 private:
  struct Candidate {
    u32 match, mask;
    const InsnRow* row;
    const InsnTable* table;
  };
  std::vector<Candidate> candidates_;
  std::array<u16, kSlots + 1> first_{};
};

// --- operands --------------------------------------------------------------------------------------------------------

constexpr u32 bits(u32 raw, unsigned high, unsigned low) { return raw >> low & ((u32{2} << (high - low)) - 1); }

constexpr i32 sign_extend(u32 value, unsigned width) { return static_cast<i32>(value << (32 - width)) >> (32 - width); }

constexpr i32 unsigned_immediate(u32 value) { return static_cast<i32>(value); }

constexpr u8 integer_destination(u32 number) { return static_cast<u8>(number == 0 ? 32 : number); }

constexpr i32 immediate_i(u32 raw) { return sign_extend(bits(raw, 31, 20), 12); }
constexpr i32 immediate_s(u32 raw) { return sign_extend(bits(raw, 31, 25) << 5 | bits(raw, 11, 7), 12); }
constexpr i32 immediate_b(u32 raw) {
  return sign_extend(bits(raw, 31, 31) << 12 | bits(raw, 7, 7) << 11 | bits(raw, 30, 25) << 5 | bits(raw, 11, 8) << 1,
                     13);
}
constexpr i32 immediate_j(u32 raw) {
  return sign_extend(
      bits(raw, 31, 31) << 20 | bits(raw, 19, 12) << 12 | bits(raw, 20, 20) << 11 | bits(raw, 30, 21) << 1, 21);
}

Operands word_operands(Format format, u32 raw) {
  const auto rd = static_cast<u8>(bits(raw, 11, 7));
  const auto rs1 = static_cast<u8>(bits(raw, 19, 15));
  const auto rs2 = static_cast<u8>(bits(raw, 24, 20));
  const u8 integer_rd = integer_destination(rd);
  const i32 rm = unsigned_immediate(bits(raw, 14, 12));
  switch (format) {
    case Format::kR:
      return {0, integer_rd, rs1, rs2};
    case Format::kI:
      return {immediate_i(raw), integer_rd, rs1};
    case Format::kShift:
      return {unsigned_immediate(bits(raw, 25, 20)), integer_rd, rs1};
    case Format::kShiftW:
      return {unsigned_immediate(bits(raw, 24, 20)), integer_rd, rs1};
    case Format::kS:
    case Format::kFStore:
      return {immediate_s(raw), 0, rs1, rs2};
    case Format::kB:
      return {immediate_b(raw), 0, rs1, rs2};
    case Format::kU:
      return {static_cast<i32>(raw & 0xfffff000), integer_rd};
    case Format::kJ:
      return {immediate_j(raw), integer_rd};
    case Format::kUnary:
      return {0, integer_rd, rs1};
    case Format::kLr:
      return {unsigned_immediate(bits(raw, 26, 25)), integer_rd, rs1};
    case Format::kBlock:
      return {0, 0, rs1};
    case Format::kPrefetch:
      return {immediate_s(raw & ~0xf80u), 0, rs1};
    case Format::kFence:
      return {unsigned_immediate(bits(raw, 31, 20))};
    case Format::kCsr:
    case Format::kCsrImm:
      return {unsigned_immediate(bits(raw, 31, 20)), integer_rd, rs1};
    case Format::kAmo:
      return {unsigned_immediate(bits(raw, 26, 25)), integer_rd, rs1, rs2};
    case Format::kSfence:
      return {0, 0, rs1, rs2};
    case Format::kFR:
      return {rm, rd, rs1, rs2};
    case Format::kFR4:
      return {rm | unsigned_immediate(bits(raw, 31, 27) << 3), rd, rs1, rs2};
    case Format::kFUnary:
    case Format::kIntToF:
      return {rm, rd, rs1};
    case Format::kFCompare:
      return {0, integer_rd, rs1, rs2};
    case Format::kFToInt:
      return {rm, integer_rd, rs1};
    case Format::kFToIntNoRm:
      return {0, integer_rd, rs1};
    case Format::kIntToFNoRm:
    case Format::kFli:
      return {0, rd, rs1};
    case Format::kFNoRm:
      return {0, rd, rs1, rs2};
    case Format::kFLoad:
      return {immediate_i(raw), rd, rs1};
    default:
      return {};
  }
}

// The scattered immediates of compressed instructions, named as in the manual's tables: "5:3 7:6" are the bits of the
// immediate, from the instruction's high ones to its low ones.

constexpr u32 compressed_imm6(u32 raw) { return bits(raw, 12, 12) << 5 | bits(raw, 6, 2); }
constexpr i32 compressed_addi16sp(u32 raw) {  // 9, 4 6 8:7 5
  return sign_extend(bits(raw, 12, 12) << 9 | bits(raw, 6, 6) << 4 | bits(raw, 5, 5) << 6 | bits(raw, 4, 3) << 7 |
                         bits(raw, 2, 2) << 5,
                     10);
}
constexpr i32 compressed_addi4spn(u32 raw) {  // 5:4 9:6 2 3
  return unsigned_immediate(bits(raw, 12, 11) << 4 | bits(raw, 10, 7) << 6 | bits(raw, 6, 6) << 2 |
                            bits(raw, 5, 5) << 3);
}
constexpr i32 compressed_word_offset(u32 raw) {  // 5:3, 2 6
  return unsigned_immediate(bits(raw, 12, 10) << 3 | bits(raw, 6, 6) << 2 | bits(raw, 5, 5) << 6);
}
constexpr i32 compressed_double_offset(u32 raw) {  // 5:3, 7:6
  return unsigned_immediate(bits(raw, 12, 10) << 3 | bits(raw, 6, 5) << 6);
}
constexpr i32 compressed_byte_offset(u32 raw) {  // 0 1
  return unsigned_immediate(bits(raw, 6, 6) | bits(raw, 5, 5) << 1);
}
constexpr i32 compressed_half_offset(u32 raw) { return unsigned_immediate(bits(raw, 5, 5) << 1); }
constexpr i32 compressed_word_load_sp(u32 raw) {  // 5, 4:2 7:6
  return unsigned_immediate(bits(raw, 12, 12) << 5 | bits(raw, 6, 4) << 2 | bits(raw, 3, 2) << 6);
}
constexpr i32 compressed_double_load_sp(u32 raw) {  // 5, 4:3 8:6
  return unsigned_immediate(bits(raw, 12, 12) << 5 | bits(raw, 6, 5) << 3 | bits(raw, 4, 2) << 6);
}
constexpr i32 compressed_word_store_sp(u32 raw) {  // 5:2 7:6
  return unsigned_immediate(bits(raw, 12, 9) << 2 | bits(raw, 8, 7) << 6);
}
constexpr i32 compressed_double_store_sp(u32 raw) {  // 5:3 8:6
  return unsigned_immediate(bits(raw, 12, 10) << 3 | bits(raw, 9, 7) << 6);
}
constexpr i32 compressed_branch(u32 raw) {  // 8 4:3, 7:6 2:1 5
  return sign_extend(bits(raw, 12, 12) << 8 | bits(raw, 11, 10) << 3 | bits(raw, 6, 5) << 6 | bits(raw, 4, 3) << 1 |
                         bits(raw, 2, 2) << 5,
                     9);
}
constexpr i32 compressed_jump(u32 raw) {  // 11 4 9:8 10 6 7 3:1 5
  return sign_extend(bits(raw, 12, 12) << 11 | bits(raw, 11, 11) << 4 | bits(raw, 10, 9) << 8 | bits(raw, 8, 8) << 10 |
                         bits(raw, 7, 7) << 6 | bits(raw, 6, 6) << 7 | bits(raw, 5, 3) << 1 | bits(raw, 2, 2) << 5,
                     12);
}

Operands compressed_operands(Format format, u32 raw) {
  constexpr u8 kRa = 1, kSp = 2;
  const auto full = static_cast<u8>(bits(raw, 11, 7));
  const auto full2 = static_cast<u8>(bits(raw, 6, 2));
  const auto high = static_cast<u8>(8 + bits(raw, 9, 7));  // rs1', rd' of CA and CB
  const auto low = static_cast<u8>(8 + bits(raw, 4, 2));   // rs2', rd' of CL and CIW
  const u8 rd = integer_destination(full);
  const u32 imm6 = compressed_imm6(raw);
  switch (format) {
    case Format::kCI:
      return {sign_extend(imm6, 6), rd, full};
    case Format::kCI16Sp:
      return {compressed_addi16sp(raw), kSp, kSp};
    case Format::kCLui:
      return {sign_extend(imm6 << 12, 18), rd};
    case Format::kCShift:
      return {unsigned_immediate(imm6), rd, full};
    case Format::kCAddi4Spn:
      return {compressed_addi4spn(raw), low, kSp};
    case Format::kCLw:
      return {compressed_word_offset(raw), low, high};
    case Format::kCLd:
    case Format::kCFld:
      return {compressed_double_offset(raw), low, high};
    case Format::kCLb:
      return {compressed_byte_offset(raw), low, high};
    case Format::kCLh:
      return {compressed_half_offset(raw), low, high};
    case Format::kCSb:
      return {compressed_byte_offset(raw), 0, high, low};
    case Format::kCSh:
      return {compressed_half_offset(raw), 0, high, low};
    case Format::kCUnary:
      return {0, high, high};
    case Format::kCSw:
      return {compressed_word_offset(raw), 0, high, low};
    case Format::kCSd:
    case Format::kCFsd:
      return {compressed_double_offset(raw), 0, high, low};
    case Format::kCLwsp:
      return {compressed_word_load_sp(raw), rd, kSp};
    case Format::kCLdsp:
      return {compressed_double_load_sp(raw), rd, kSp};
    case Format::kCFldsp:
      return {compressed_double_load_sp(raw), full, kSp};
    case Format::kCSwsp:
      return {compressed_word_store_sp(raw), 0, kSp, full2};
    case Format::kCSdsp:
    case Format::kCFsdsp:
      return {compressed_double_store_sp(raw), 0, kSp, full2};
    case Format::kCB:
      return {compressed_branch(raw), 0, high};
    case Format::kCBShift:
      return {unsigned_immediate(imm6), high, high};
    case Format::kCBAndi:
      return {sign_extend(imm6, 6), high, high};
    case Format::kCA:
      return {0, high, high, low};
    case Format::kCJ:
      return {compressed_jump(raw), integer_destination(0)};
    case Format::kCJr:
      return {0, integer_destination(0), full};
    case Format::kCJalr:
      return {0, kRa, full};
    case Format::kCMv:
      return {0, rd, 0, full2};
    case Format::kCAdd:
      return {0, rd, full, full2};
    default:
      return {};
  }
}

}  // namespace

std::span<const InsnTable> insn_tables() {
  using enum Extension;
  static const std::array tables = {
      InsnTable{{kZihintpause}, rv_zihintpause_rows(), {}, true},
      InsnTable{{kZicbop}, rv_zicbop_rows(), {}, true},
      InsnTable{{kI}, rv_i_rows(), {}},
      InsnTable{{kC}, rv_i_jump_rows(), {}},
      InsnTable{{kI}, rv_i_aligned_jump_rows(), {kC}},
      InsnTable{{kM}, rv_m_rows(), {}},
      InsnTable{{kA}, rv_a_rows(), {}},
      InsnTable{{kF}, rv_f_rows(), {}},
      InsnTable{{kD}, rv_d_rows(), {}},
      InsnTable{{kZca}, rv_zca_rows(), {}},
      InsnTable{{kZcd}, rv_zcd_rows(), {}},
      InsnTable{{kZba}, rv_zba_rows(), {}},
      InsnTable{{kZbb}, rv_zbb_rows(), {}},
      InsnTable{{kZbc}, rv_zbc_rows(), {}},
      InsnTable{{kZbs}, rv_zbs_rows(), {}},
      InsnTable{{kZfhmin}, rv_zfhmin_rows(), {}},
      InsnTable{{kZfhmin, kD}, rv_zfhmin_double_rows(), {}},
      InsnTable{{kZfh}, rv_zfh_rows(), {}},
      InsnTable{{kZfa}, rv_zfa_rows(), {}},
      InsnTable{{kZfa, kD}, rv_zfa_double_rows(), {}},
      InsnTable{{kZfa, kZfh}, rv_zfa_half_rows(), {}},
      InsnTable{{kZicond}, rv_zicond_rows(), {}},
      InsnTable{{kZicbom}, rv_zicbom_rows(), {}},
      InsnTable{{kZicboz}, rv_zicboz_rows(), {}},
      InsnTable{{kZacas}, rv_zacas_rows(), {}},
      InsnTable{{kZawrs}, rv_zawrs_rows(), {}},
      InsnTable{{kZcb}, rv_zcb_rows(), {}},
      InsnTable{{kZcb, kZbb}, rv_zcb_zbb_rows(), {}},
      InsnTable{{kZcb, kZba}, rv_zcb_zba_rows(), {}},
      InsnTable{{kZcb, kM}, rv_zcb_m_rows(), {}},
      InsnTable{{kSvinval}, rv_svinval_rows(), {}},
      InsnTable{{kZicsr}, rv_zicsr_rows(), {}},
      InsnTable{{kI}, rv_priv_rows(), {}},
      InsnTable{{kZifencei}, rv_zifencei_rows(), {}},
  };
  return tables;
}

const InsnRow* find_insn(u32 raw, ExtensionSet extensions) {
  static const Index index;
  return index.find((raw & 3) == 3 ? raw : raw & 0xffff, extensions);
}

const InsnRow* find_insn(u32 raw) { return find_insn(raw, ExtensionSet::everything()); }

Operands decode_operands(Format format, u32 raw) {
  return insn_length_bytes(raw) == 2 ? compressed_operands(format, raw) : word_operands(format, raw);
}

}  // namespace retrov
