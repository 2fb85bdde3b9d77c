#include "core/disasm.hpp"

#include <set>

#include "core/csr.hpp"
#include "core/insn.hpp"
#include "tests/catch.hpp"

namespace retrov {
namespace {

std::string text(u32 raw) { return disassemble(raw, VirtAddr{0x80000000}); }

/// With all numbers in decimal: Capstone writes those above nine in hexadecimal, and counts of shifts likewise.
std::string in_decimal(const std::string& line) {
  std::string result;
  for (std::size_t i = 0; i < line.size();) {
    std::size_t digits = 0;
    if (line.compare(i, 2, "0x") == 0) {
      result += std::to_string(std::stoull(line.substr(i), &digits, 16));
    } else {
      result += line[i];
      digits = 1;
    }
    i += digits;
  }
  return result;
}

/// Words for which Capstone writes an alias (ret, beqz, not, csrr …): those with x0, ra, a register twice, or an
/// immediate of 0, 1 or -1. Compressed instructions have none but c.nop.
bool may_be_alias(const InsnRow& row, u32 raw, const Operands& operands) {
  if (insn_length_bytes(raw) == 2) return row.name == "c.addi" && operands.rd == 32;
  const bool has_special = operands.rd % 32 <= 1 || operands.rs1 <= 1 || operands.rs2 == 1;
  const bool reads_second = row.format == Format::kR || row.format == Format::kB || row.format == Format::kSfence;
  const bool has_zero = reads_second && operands.rs2 == 0;
  const bool has_small = row.format == Format::kI && operands.imm >= -1 && operands.imm <= 1;
  return has_special || has_zero || has_small || operands.rs1 == operands.rs2;
}

/// Conversions that never round, of which Capstone does not show the mode 0.
std::string without_mode(const InsnRow& row, std::string line) {
  const std::size_t end = line.size() < 5 ? 0 : line.size() - 5;
  const bool is_exact = row.name == "fcvt.d.w" || row.name == "fcvt.d.wu" || row.name == "fcvt.d.s";
  if (is_exact && line.substr(end) == ", rne") line.resize(end);
  return line;
}

}  // namespace

TEST_CASE("disasm: the usual instructions read as the assembler writes them", "[disasm]") {
  CHECK(text(0x00c58533) == "add a0, a1, a2");
  CHECK(text(0x852e) == "c.mv a0, a1");
  CHECK(text(0x00008067) == "ret");
  CHECK(text(0x06c5a52f) == "amoadd.w.aqrl a0, a2, (a1)");
  CHECK(text(0xc2259553) == "fcvt.l.d a0, fa1, rtz");
}

TEST_CASE("disasm: targets are absolute", "[disasm]") {
  CHECK(text(0x800000ef) == "jal 0x7ff00000");
  CHECK(text(0xb001) == "c.j 0x7ffff800");
  CHECK(text(0xd001) == "c.beqz s0, 0x7fffff00");
  CHECK(text(0x00050463) == "beqz a0, 0x80000008");
  CHECK(disassemble(0x80000fef, VirtAddr{0}) == "jal t6, 0xfffffffffff00000");
}

TEST_CASE("disasm: CSRs have the machine's names, or numbers", "[disasm]") {
  CHECK(text(0x30001073) == "csrw mstatus, zero");
  CHECK(text(0x14d02573) == "csrr a0, stimecmp");
  CHECK(text(0x30a5f573) == "csrrci a0, menvcfg, 0xb");
  CHECK(text(0x3bd02573) == "csrr a0, pmpaddr13");
  CHECK(text(0x3bd51073) == "csrw pmpaddr13, a0");
  CHECK(text(0x3bd595f3) == "csrrw a1, pmpaddr13, a1");
  CHECK(text(0xc0102573) == "rdtime a0");
  CHECK(text(0x7c002573) == "csrr a0, 0x7c0");
  CHECK(text(0x7c00a573) == "csrrs a0, 0x7c0, ra");
}

TEST_CASE("disasm: what Capstone does not know comes from our rows", "[disasm]") {
  CHECK(text(0x20c5a533) == "sh1add a0, a1, a2");
  CHECK(text(0x60051513) == "clz a0, a0");
  CHECK(text(0x03f59513 | 0x60004000) == "rori a0, a1, 0x3f");
  CHECK(text(0x0100000f) == "pause");
  CHECK(text(0x0ff0000f) == "fence");
  CHECK(text(0x0310000f) == "fence rw, w");
  CHECK(text(0x0d00000f) == "fence iow, 0");
  CHECK(text(0x8330000f) == "fence.tso");
  CHECK(text(0x4005) == "c.li zero, 1");
  CHECK(text(0x6005) == "c.lui zero, 0x1");
  CHECK(text(0x12c58073) == "sfence.vma a1, a2");
  CHECK(text(0x9c61) == "c.zext.b s0");
  CHECK(text(0x8c24) == "c.sh s1, 2(s0)");
  CHECK(text(0x0045200f) == "cbo.zero (a0)");
  CHECK(text(0x02056013) == "prefetch.i 32(a0)");
  CHECK(text(0x28c5a52f) == "amocas.w a0, a2, (a1)");
}

TEST_CASE("disasm: half precision and Zfa read as binutils writes them", "[disasm]") {
  CHECK(text(0x04c58553) == "fadd.h fa0, fa1, fa2, rne");
  CHECK(text(0x04c5f553) == "fadd.h fa0, fa1, fa2");
  CHECK(text(0xe4059553) == "fclass.h a0, fa1");
  CHECK(text(0xe4058553) == "fmv.x.h a0, fa1");
  CHECK(text(0xf4058553) == "fmv.h.x fa0, a1");
  CHECK(text(0x00459507) == "flh fa0, 4(a1)");
  CHECK(text(0xf4108553) == "fli.h fa0, min");
  CHECK(text(0xf0180553) == "fli.s fa0, 0x1p+0");
  CHECK(text(0xf21f8553) == "fli.d fa0, nan");
  CHECK(text(0xc2859553) == "fcvtmod.w.d a0, fa1, rtz");
  CHECK(text(0x4445f553) == "fround.h fa0, fa1");
}

TEST_CASE("disasm: illegal encodings are data", "[disasm]") {
  CHECK(text(0x0000) == ".2byte 0x0");
  CHECK(text(0x9c79) == ".2byte 0x9c79");
  CHECK(text(0xabcd9c79) == ".2byte 0x9c79");
  CHECK(text(0xffffffff) == ".4byte 0xffffffff");
}

TEST_CASE("disasm: our rows read as Capstone writes what it knows", "[disasm]") {
  constexpr VirtAddr kPc{0x80000000};
  std::set<std::string_view> names;
  u64 random = 88172645463325252;
  const auto next = [&random] {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return static_cast<u32>(random >> 16);
  };
  const auto compare = [&](u32 raw) {
    const InsnRow* row = find_insn(raw);
    const bool is_hint = row == nullptr || row->name == "pause" || row->format == Format::kPrefetch;
    const std::optional<std::string> theirs = disassemble_by_capstone(raw, kPc);
    if (is_hint || !theirs || theirs->find("unknown") != std::string::npos) return;
    const Operands operands = decode_operands(row->format, raw);
    const bool names_csr = row->format == Format::kCsr || row->format == Format::kCsrImm;
    if (may_be_alias(*row, raw, operands)) return;
    // Capstone has names for registers that this machine has not, and aliases for fflags, frm and fcsr.
    if (names_csr && (operands.imm <= 3 || find_csr(static_cast<u16>(operands.imm)) == nullptr)) return;
    const std::string ours = without_mode(*row, disassemble_by_row(raw, kPc).value());
    if (in_decimal(ours) != in_decimal(*theirs)) FAIL(ours << " or " << *theirs);
    names.insert(row->name);
  };
  for (u32 raw = 0; raw < 0x10000; ++raw) {
    if ((raw & 3) != 3) compare(raw);
  }
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      for (unsigned i = 0; i < 200 && row.encoding.bits == 32; ++i) {
        u32 raw = row.encoding.match | (next() & ~row.encoding.mask);
        if (row.format == Format::kCsr || row.format == Format::kCsrImm) {
          raw = (raw & 0xfffff) | u32{csr_rows()[next() % csr_rows().size()].number} << 20;
        }
        compare(raw);
      }
    }
  }
  CHECK(names.size() > 170);
}

TEST_CASE("disasm: what is ordered is said of atomics", "[disasm]") {
  CHECK(text(0x2cc5a52f) == "amocas.w.aq a0, a2, (a1)");
  CHECK(text(0x2ec5a52f) == "amocas.w.aqrl a0, a2, (a1)");
}

TEST_CASE("disasm: every row has a text that starts with a word and has no empty operand", "[disasm]") {
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      const std::string line = text(row.encoding.match | (~row.encoding.mask & 0x01f58fe0));
      INFO(row.name << ": " << line);
      CHECK(line.size() >= 2);
      CHECK(line.find(", ,") == std::string::npos);
      CHECK(line.find("unknown") == std::string::npos);
      CHECK(line.back() != ' ');
      CHECK(line.back() != ',');
    }
  }
}

}  // namespace retrov
