#include "core/disasm.hpp"

#include "core/insn.hpp"
#include "tests/catch.hpp"

namespace retrov {
namespace {

std::string text(u32 raw) { return disassemble(raw, VirtAddr{0x80000000}); }

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
