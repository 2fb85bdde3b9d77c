// Instruction rows: an encoding spelt as in the manual, a name, a format, and one meaning. From the meaning the
// templates here make both ways to execute it: `execute`, which the reference engine and exact single steps call, and
// `handler`, which the threaded engine jumps through. There is no second interpreter that could disagree.
//
// A meaning is one of (see the row makers below):
//   alu            void f(Hart&, const Operands&)             cannot fail
//   pc_relative    u64 f(u64 pc, const Operands&)             the value of rd
//   branch         bool f(const Hart&, const Operands&)       taken? the target is pc + imm
//   jump           (none: rd = next pc, target pc + imm)
//   jump_indirect  u64 f(const Hart&, const Operands&)        the target; rd = next pc
//   load           struct: kBytes, allowed(Hart), address(Hart, Operands), finish(Hart&, Operands, u64 zero-extended)
//   store          struct: kBytes, allowed(Hart), address(Hart, Operands), value(Hart, Operands)
//   fallible       bool f(Hart&, const Operands&)             false: illegal instruction, nothing changed
//   general        Trap f(Hart&, const Operands&)             anything; pc, next_pc, position are exact; may set leave
#pragma once

#include <span>
#include <string_view>

#include "core/engine/op.hpp"
#include "core/extensions.hpp"
#include "core/hart.hpp"
#include "core/trap.hpp"

namespace retrov {

struct Encoding {
  u32 match = 0, mask = 0;
  unsigned bits = 0;  ///< 16 or 32.
};

/// "iiiiiiiiiiii sssss 000 ddddd 0010011": digits are fixed bits, letters operands, blanks ignored; most significant
/// first.
constexpr Encoding pattern(std::string_view text) {
  Encoding result;
  for (char c : text) {
    if (c == ' ') continue;
    result.match = result.match << 1 | u32(c == '1');
    result.mask = result.mask << 1 | u32(c == '0' || c == '1');
    ++result.bits;
  }
  if (result.bits != 16 && result.bits != 32) throw "an encoding has 16 or 32 bits";
  return result;
}

/// How operands are taken out of the bits (decode.cpp). Compressed formats yield the operands of the instruction they
/// stand for, so that they share its meaning.
enum class Format : u8 {
  kNone,
  kR,         ///< rd rs1 rs2 (integer)
  kI,         ///< rd rs1 imm12
  kShift,     ///< rd rs1 shamt6 in imm
  kShiftW,    ///< rd rs1 shamt5 in imm
  kS,         ///< rs1 rs2 imm12
  kB,         ///< rs1 rs2 imm13
  kU,         ///< rd imm (already shifted by 12)
  kJ,         ///< rd imm21
  kUnary,     ///< rd rs1 (Zbb)
  kFence,
  kBlock,     ///< rs1: an address in a cache block
  kPrefetch,  ///< rs1 imm12, its low five bits 0
  kCsr,       ///< rd rs1, CSR number in imm
  kCsrImm,    ///< rd, uimm5 in rs1 (a value, no register), CSR number in imm
  kAmo,       ///< rd rs1 rs2; aq/rl in imm bits 1:0
  kLr,        ///< rd rs1; aq/rl as in kAmo
  kSfence,    ///< rs1 rs2
  kFR,        ///< frd frs1 frs2, rm in imm bits 2:0
  kFR4,       ///< frd frs1 frs2 frs3, imm = rm | frs3 << 3
  kFUnary,    ///< frd frs1 (sqrt, fcvt.s.d …), rm in imm
  kFCompare,  ///< rd frs1 frs2
  kFToInt,    ///< rd frs1 (fcvt.w.s), rm in imm
  kIntToF,    ///< frd rs1, rm in imm
  kFToIntNoRm,  ///< rd frs1 (fmv.x.w, fclass)
  kIntToFNoRm,  ///< frd rs1 (fmv.w.x)
  kFli,       ///< frd, number of a constant in rs1
  kFNoRm,     ///< frd frs1 frs2 (fsgnj, fmin)
  kFLoad,     ///< frd rs1 imm12
  kFStore,    ///< rs1 frs2 imm12
  kCI, kCI16Sp, kCLui, kCShift, kCAddi4Spn, kCLw, kCLd, kCSw, kCSd, kCFld, kCFsd,
  kCLb, kCLh, kCSb, kCSh, kCUnary,
  kCLwsp, kCLdsp, kCFldsp, kCSwsp, kCSdsp, kCFsdsp,
  kCB, kCBShift, kCBAndi, kCA, kCJ, kCJr, kCJalr, kCMv, kCAdd,
};

enum class Kind : u8 { kAlu, kPcRelative, kBranch, kJump, kJumpIndirect, kLoad, kStore, kFallible, kGeneral };

/// A general instruction after which decoding must not go on: xRET, WFI, ECALL, FENCE.I, SFENCE.
enum class EndsBlock : bool { kNo, kYes };

/// Executes one instruction. hart.pc is its address, hart.next_pc the address behind it; on success the caller moves
/// hart.pc to hart.next_pc. An illegal instruction's trap value is filled in by the caller, who has the bits.
using Execute = Trap (*)(Hart&, const Operands&);

struct InsnRow {
  std::string_view name;  ///< As the assembler writes it: "addi", "c.addi", "amoadd.w".
  Encoding encoding;
  Format format;
  Kind kind;
  EndsBlock ends_block = EndsBlock::kNo;
  Execute execute;
  Handler handler;
  /// For encodings with conditions that fixed bits cannot say (c.lui: rd is neither 0 nor 2, imm not 0). Null: none.
  bool (*accepts)(u32 raw) = nullptr;
};

/// Rows that are there together: of a machine that has all of `needs` and nothing of `unless`.
struct InsnTable {
  ExtensionSet needs;
  std::span<const InsnRow> rows;
  ExtensionSet unless;
  /// Encodings that another row executes as something harmless where these are absent (PAUSE is a FENCE).
  bool hints = false;

  [[nodiscard]] auto begin() const { return rows.begin(); }
  [[nodiscard]] auto end() const { return rows.end(); }
  [[nodiscard]] std::size_t size() const { return rows.size(); }
  [[nodiscard]] const InsnRow& operator[](std::size_t index) const { return rows[index]; }
};

/// The rows of all extensions, in core/isa, hints first; else no two accept the same bits (tests/decode_test.cpp).
[[nodiscard]] std::span<const InsnTable> insn_tables();

/// The row that `raw` encodes (16 bits if its low two bits are not 11) on a machine with these extensions, or null for
/// an illegal instruction.
[[nodiscard]] const InsnRow* find_insn(u32 raw, ExtensionSet extensions);
/// On one that has everything.
[[nodiscard]] const InsnRow* find_insn(u32 raw);
[[nodiscard]] Operands decode_operands(Format format, u32 raw);
constexpr unsigned insn_length_bytes(u32 raw) { return (raw & 3) == 3 ? 4 : 2; }

}  // namespace retrov
