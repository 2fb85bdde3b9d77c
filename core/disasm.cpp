#include "core/disasm.hpp"

#include <capstone/capstone.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/insn.hpp"
#include "core/registers.hpp"

namespace retrov {
namespace {

std::string hex(u64 value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + digits;
}

std::string signed_number(i32 value) { return std::to_string(value); }

/// Registers 0 to 31 as operands; a destination in slot 32 is x0.
const std::string& integer_name(unsigned number) { return register_list()[number & 31].name; }
const std::string& float_name(unsigned number) { return register_list()[kFirstFloat + number].name; }

std::string csr_text(u16 number) {
  const std::string_view name = csr_name(number);
  return name.empty() ? hex(number) : std::string(name);
}

/// Operands in the order of the assembler. d s t: integer registers; D S T R: f registers rd, rs1, rs2, rs3; i: a
/// signed number; x: an unsigned number; U: the upper 20 bits; m: offset and base register; a: base register; p: a
/// target; c: CSR; u: the number in rs1; k: a constant of Zfa, by that number; r: rounding mode, unless it is dynamic;
/// P Q: what a fence orders.
constexpr std::string_view operand_letters(Format format) {
  switch (format) {
    case Format::kNone:
      return "";
    case Format::kFence:
      return "PQ";
    case Format::kR:
      return "dst";
    case Format::kI:
    case Format::kCAddi4Spn:
      return "dsi";
    case Format::kShift:
    case Format::kShiftW:
      return "dsx";
    case Format::kS:
    case Format::kCSw:
    case Format::kCSd:
    case Format::kCSwsp:
    case Format::kCSdsp:
      return "tm";
    case Format::kB:
      return "stp";
    case Format::kU:
    case Format::kCLui:
      return "dU";
    case Format::kJ:
      return "dp";
    case Format::kUnary:
      return "ds";
    case Format::kCsr:
      return "dcs";
    case Format::kCsrImm:
      return "dcu";
    case Format::kAmo:
      return "dta";
    case Format::kLr:
      return "da";
    case Format::kSfence:
      return "st";
    case Format::kFR:
      return "DSTr";
    case Format::kFR4:
      return "DSTRr";
    case Format::kFUnary:
      return "DSr";
    case Format::kFCompare:
      return "dST";
    case Format::kFToInt:
      return "dSr";
    case Format::kIntToF:
      return "Dsr";
    case Format::kFToIntNoRm:
      return "dS";
    case Format::kIntToFNoRm:
      return "Ds";
    case Format::kFli:
      return "Dk";
    case Format::kFNoRm:
      return "DST";
    case Format::kFLoad:
    case Format::kCFld:
    case Format::kCFldsp:
      return "Dm";
    case Format::kFStore:
    case Format::kCFsd:
    case Format::kCFsdsp:
      return "Tm";
    case Format::kCI:
    case Format::kCI16Sp:
    case Format::kCBAndi:
      return "di";
    case Format::kCShift:
    case Format::kCBShift:
      return "dx";
    case Format::kCLw:
    case Format::kCLd:
    case Format::kCLwsp:
    case Format::kCLdsp:
    case Format::kCLb:
    case Format::kCLh:
      return "dm";
    case Format::kCB:
      return "sp";
    case Format::kCJ:
      return "p";
    case Format::kCJr:
    case Format::kCJalr:
      return "s";
    case Format::kBlock:
      return "a";
    case Format::kPrefetch:
      return "m";
    case Format::kCUnary:
      return "d";
    case Format::kCSb:
    case Format::kCSh:
      return "tm";
    case Format::kCA:
    case Format::kCMv:
    case Format::kCAdd:
      return "dt";
  }
  return "";
}

std::string fence_set(u32 bits) {
  std::string text;
  for (const char letter : std::string_view("iorw")) {
    if ((bits & 8) != 0) text += letter;
    bits <<= 1;
  }
  return text.empty() ? "0" : text;
}

/// Zfa's constants in the words and hexadecimal numbers of binutils.
std::string constant_text(unsigned number) {
  constexpr std::array<const char*, 32> kTexts = {
      "-0x1p+0",  "min",       "0x1p-16",   "0x1p-15", "0x1p-8",    "0x1p-7",  "0x1p-4",    "0x1p-3",
      "0x1p-2",   "0x1.4p-2",  "0x1.8p-2",  "0x1.cp-2", "0x1p-1",   "0x1.4p-1", "0x1.8p-1", "0x1.cp-1",
      "0x1p+0",   "0x1.4p+0",  "0x1.8p+0",  "0x1.cp+0", "0x1p+1",   "0x1.4p+1", "0x1.8p+1", "0x1p+2",
      "0x1p+3",   "0x1p+4",    "0x1p+7",    "0x1p+8",   "0x1p+15",  "0x1p+16",  "inf",      "nan"};
  return kTexts.at(number);
}

u64 target(VirtAddr pc, const Operands& operands) { return pc.value + static_cast<u64>(i64{operands.imm}); }

std::string operand_text(char letter, const Operands& operands, VirtAddr pc) {
  constexpr std::array<const char*, 8> kRounding = {"rne", "rtz", "rdn", "rup", "rmm", "5", "6", ""};
  const auto imm = static_cast<u32>(operands.imm);
  switch (letter) {
    case 'd':
      return integer_name(operands.rd);
    case 's':
      return integer_name(operands.rs1);
    case 't':
      return integer_name(operands.rs2);
    case 'D':
      return float_name(operands.rd);
    case 'S':
      return float_name(operands.rs1);
    case 'T':
      return float_name(operands.rs2);
    case 'R':
      return float_name(imm >> 3);
    case 'i':
      return signed_number(operands.imm);
    case 'x':
      return hex(imm);
    case 'U':
      return hex(imm >> 12);
    case 'm':
      return signed_number(operands.imm) + "(" + integer_name(operands.rs1) + ")";
    case 'a':
      return "(" + integer_name(operands.rs1) + ")";
    case 'p':
      return hex(target(pc, operands));
    case 'c':
      return csr_text(static_cast<u16>(imm));
    case 'u':
      return hex(operands.rs1);
    case 'r':
      return kRounding[imm & 7];
    case 'k':
      return constant_text(operands.rs1);
    case 'P':
      return fence_set(imm >> 4);
    case 'Q':
      return fence_set(imm);
  }
  RV_CHECK(!"an operand letter");
  return {};
}

std::string from_row(const InsnRow& row, const Operands& operands, VirtAddr pc) {
  constexpr std::array<const char*, 4> kOrder = {"", ".rl", ".aq", ".aqrl"};
  std::string text(row.name);
  if (row.format == Format::kAmo || row.format == Format::kLr) text += kOrder[static_cast<u32>(operands.imm) & 3];
  const bool is_load = row.kind == Kind::kLoad && row.format == Format::kI;
  const char* separator = " ";
  for (const char letter : is_load ? "dm" : operand_letters(row.format)) {
    const std::string operand = operand_text(letter, operands, pc);
    if (operand.empty()) continue;
    text += separator + operand;
    separator = ", ";
  }
  return text;
}

struct Text {
  std::string mnemonic, operands;
};

std::optional<Text> ask_capstone(u32 raw) {
  csh handle = 0;
  if (cs_open(CS_ARCH_RISCV, static_cast<cs_mode>(CS_MODE_RISCV64 | CS_MODE_RISCVC), &handle) != CS_ERR_OK) return {};
  std::array<u8, 4> bytes{};
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(raw >> (8 * i));
  cs_insn* insn = nullptr;
  std::optional<Text> text;
  const std::size_t count = cs_disasm(handle, bytes.data(), insn_length_bytes(raw), 0, 1, &insn);
  if (count == 1) text = Text{insn->mnemonic, insn->op_str};
  if (insn != nullptr) cs_free(insn, count);
  cs_close(&handle);
  return text;
}

/// Capstone gives the distance; people want the place.
void make_target_absolute(Text& text, u64 place) {
  const std::size_t comma = text.operands.rfind(", ");
  text.operands.resize(comma == std::string::npos ? 0 : comma + 2);
  text.operands += hex(place);
}

/// The machine's name, or the number. Capstone does not know all of them, and takes pmpaddr13 for pmpaddr14. The CSR
/// is the first operand of csrw and its kind, the second of csrr and csrrw; rdtime and fscsr have it in their name.
void name_csr(Text& text, u16 number) {
  if (text.mnemonic.substr(0, 3) != "csr") return;
  const bool is_second = text.mnemonic.substr(0, 4) == "csrr";
  const std::size_t begin = is_second ? text.operands.find(", ") + 2 : 0;
  const std::size_t end = std::min(text.operands.find(", ", begin), text.operands.size());
  text.operands.replace(begin, end - begin, csr_text(number));
}

}  // namespace

std::optional<std::string> disassemble_by_row(u32 raw, VirtAddr pc) {
  const InsnRow* row = find_insn(raw);
  if (row == nullptr) return std::nullopt;
  return from_row(*row, decode_operands(row->format, raw), pc);
}

std::optional<std::string> disassemble_by_capstone(u32 raw, VirtAddr pc) {
  const InsnRow* row = find_insn(raw);
  std::optional<Text> text = ask_capstone(raw);
  if (row == nullptr || !text) return std::nullopt;
  const Operands operands = decode_operands(row->format, raw);
  if (row->kind == Kind::kBranch || row->kind == Kind::kJump) make_target_absolute(*text, target(pc, operands));
  const bool names_csr = row->format == Format::kCsr || row->format == Format::kCsrImm;
  if (names_csr) name_csr(*text, static_cast<u16>(operands.imm));
  return text->operands.empty() ? text->mnemonic : text->mnemonic + " " + text->operands;
}

std::string disassemble(u32 raw, VirtAddr pc) {
  const bool is_short = insn_length_bytes(raw) == 2;
  if (is_short) raw &= 0xffff;
  const InsnRow* row = find_insn(raw);
  if (row == nullptr) return (is_short ? ".2byte " : ".4byte ") + hex(raw);
  // Capstone 5 takes pause for a fence and prefetches for ori, and does not know fences that order nothing.
  const bool is_hint = row->name == "pause" || row->format == Format::kPrefetch;
  const std::optional<std::string> text = is_hint ? std::nullopt : disassemble_by_capstone(raw, pc);
  if (!text || text->find("unknown") != std::string::npos) return disassemble_by_row(raw, pc).value();
  return *text;
}

}  // namespace retrov
