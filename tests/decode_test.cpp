// Decoding: that each encoding has at most one row, which encodings are legal, and what their operands are. Covers
// core/isa/rv_i, rv_i_aligned, rv_m, rv_a, rv_f, rv_d, rv_c, rv_zba, rv_zbb, rv_zbc, rv_zbs, rv_zfh, rv_zfa, rv_zicsr,
// rv_zifencei, rv_zicond, rv_zicbo, rv_zacas, rv_zawrs, rv_zcb, rv_svinval, rv_priv as tables.
#include <set>
#include <string>

#include "core/insn.hpp"
#include "core/isa/tables.hpp"
#include "tests/catch.hpp"

namespace retrov {
namespace {

bool matches(const InsnRow& row, u32 raw) {
  if (insn_length_bytes(raw) * 8 != row.encoding.bits) return false;
  return (raw & row.encoding.mask) == row.encoding.match && (row.accepts == nullptr || row.accepts(raw));
}

/// Of a machine that has everything.
bool is_there(const InsnTable& table) { return !ExtensionSet::everything().has_any(table.unless); }

/// By comparing with every row, which is what find_insn must be equal to. A hint goes before what it is where absent.
std::vector<const InsnRow*> all_matches(u32 raw) {
  std::vector<const InsnRow*> result;
  bool is_hint = false;
  for (const InsnTable& table : insn_tables()) {
    if (!is_there(table) || (is_hint && !table.hints)) continue;
    for (const InsnRow& row : table) {
      if (matches(row, raw)) result.push_back(&row);
    }
    is_hint = table.hints && !result.empty();
  }
  return result;
}

std::string name_of(u32 raw) {
  const InsnRow* row = find_insn(raw);
  return row == nullptr ? "illegal" : std::string(row->name);
}

Operands operands_of(u32 raw) {
  const InsnRow* row = find_insn(raw);
  REQUIRE(row != nullptr);
  return decode_operands(row->format, raw);
}

bool are(const Operands& operands, unsigned rd, unsigned rs1, unsigned rs2, i32 imm) {
  return operands.rd == rd && operands.rs1 == rs1 && operands.rs2 == rs2 && operands.imm == imm && operands.index == 0;
}

/// xorshift64: the same words on every run.
class Words {
 public:
  u32 next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<u32>(state_ >> 16);
  }

 private:
  u64 state_ = 0x9e3779b97f4a7c15;
};

}  // namespace

TEST_CASE("decode: every 16-bit pattern has at most one row, and find_insn finds it", "[decode]") {
  unsigned wrong = 0;
  for (u32 raw = 0; raw < 0x10000; ++raw) {
    if ((raw & 3) == 3) continue;
    const auto rows = all_matches(raw);
    const InsnRow* expected = rows.empty() ? nullptr : rows[0];
    if (rows.size() > 1 || find_insn(raw) != expected || find_insn(raw | 0xabcd0000) != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("decode: random 32-bit words have at most one row, and find_insn finds it", "[decode]") {
  Words words;
  unsigned wrong = 0, legal = 0;
  for (unsigned i = 0; i < 500'000; ++i) {
    const u32 raw = words.next() | 3;
    const auto rows = all_matches(raw);
    const InsnRow* expected = rows.empty() ? nullptr : rows[0];
    if (rows.size() > 1 || find_insn(raw) != expected) ++wrong;
    legal += expected != nullptr;
  }
  CHECK(wrong == 0);
  CHECK(legal > 100'000);
  CHECK(legal < 400'000);
}

TEST_CASE("decode: no two rows overlap, in one table or in two, unless a condition tells them apart", "[decode]") {
  std::vector<const InsnRow*> rows;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (is_there(table) && !table.hints) rows.push_back(&row);
    }
  }
  CHECK(rows.size() > 200);
  for (const InsnRow* a : rows) {
    for (const InsnRow* b : rows) {
      if (a == b || a->accepts != nullptr || b->accepts != nullptr) continue;
      INFO(a->name << " and " << b->name);
      CHECK_FALSE(overlap(a->encoding, b->encoding));
    }
  }
}

TEST_CASE("decode: names are unique on any machine, and rows complete", "[decode]") {
  std::set<std::string_view> names;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      INFO(row.name);
      CHECK(names.insert(row.name).second == is_there(table));
      CHECK(row.execute != nullptr);
      CHECK(row.handler != nullptr);
      CHECK((row.name.substr(0, 2) == "c.") == (row.encoding.bits == 16));
    }
  }
}

TEST_CASE("decode: every row is found by its own encoding, and not without its extension", "[decode]") {
  for (const InsnTable& table : insn_tables()) {
    ExtensionSet present = ExtensionSet::everything();
    for (const ExtensionRow& extension : extension_rows()) {
      if (table.unless.has(extension.id)) present.remove(extension.id);
    }
    ExtensionSet absent = present;
    for (const ExtensionRow& extension : extension_rows()) {
      if (table.needs.has(extension.id)) absent.remove(extension.id);
    }
    for (const InsnRow& row : table) {
      INFO(row.name);
      // Letters of the pattern set to ones satisfy every condition on fields that must not be zero.
      const u32 raw = row.encoding.match | ~row.encoding.mask;
      CHECK(find_insn(raw, present) == &row);
      const InsnRow* other = find_insn(raw, absent);
      CHECK(other != &row);
      if (!table.hints && !table.needs.has(Extension::kC)) CHECK(other == nullptr);
    }
  }
}

TEST_CASE("decode: PAUSE without Zihintpause is a fence, jumps without C look where they go", "[decode]") {
  CHECK(find_insn(0x0100000f, without_extension(default_extensions(), Extension::kZihintpause))->name == "fence");
  const ExtensionSet plain = without_extension(default_extensions(), Extension::kC);
  for (const u32 raw : {0x0000006fu, 0x00008067u, 0x00000063u, 0x00001063u, 0x00004063u, 0x00005063u, 0x00006063u,
                        0x00007063u}) {
    CHECK(find_insn(raw)->kind != Kind::kGeneral);
    CHECK(find_insn(raw, plain)->kind == Kind::kGeneral);
    CHECK(find_insn(raw, plain)->name == find_insn(raw)->name);
  }
}

TEST_CASE("decode: patterns are read most significant bit first", "[decode]") {
  constexpr Encoding addi = pattern("iiiiiiiiiiii sssss 000 ddddd 0010011");
  CHECK(addi.match == 0x13);
  CHECK(addi.mask == 0x707f);
  CHECK(addi.bits == 32);
  CHECK_THROWS(pattern("0000"));
}

TEST_CASE("decode: reserved compressed encodings are illegal", "[decode]") {
  const u32 reserved[] = {
      0x0000,  // all zeros: defined illegal
      0x0004,  // c.addi4spn with immediate 0
      0x9000,  // quadrant 0, funct3 100, 100
      0x8c40,  // c.sh with bit 6
      0x2001,  // c.addiw x0
      0x6081,  // c.lui ra, 0
      0x6101,  // c.addi16sp 0
      0x6001,  // c.lui x0, 0
      0x9c79,  // quadrant 1, funct3 100, 1 11 11 110
      0x4002,  // c.lwsp x0
      0x6002,  // c.ldsp x0
      0x8002,  // c.jr x0
  };
  for (const u32 raw : reserved) {
    INFO(std::hex << raw);
    CHECK(find_insn(raw) == nullptr);
  }
}

TEST_CASE("decode: compressed hints are legal and write nothing", "[decode]") {
  struct Hint {
    u32 raw;
    const char* name;
  };
  const Hint hints[] = {
      {0x0001, "c.nop"},        {0x0005, "c.nop 1"},      {0x0081, "c.addi ra, 0"}, {0x4005, "c.li x0, 1"},
      {0x6005, "c.lui x0, 1"},  {0x8006, "c.mv x0, ra"},  {0x9006, "c.add x0, ra"}, {0x0006, "c.slli x0, 1"},
      {0x0082, "c.slli ra, 0"}, {0x8001, "c.srli s0, 0"}, {0x8401, "c.srai s0, 0"}, {0x1002, "c.slli x0, 32"},
  };
  for (const Hint& hint : hints) {
    INFO(hint.name);
    const Operands operands = operands_of(hint.raw);
    const bool writes_nothing = operands.rd == 32 || (operands.rd == operands.rs1 && operands.imm == 0);
    CHECK(writes_nothing);
  }
}

TEST_CASE("decode: illegal words", "[decode]") {
  const u32 illegal[] = {
      0xffffffff,
      0x0000001f,               // longer than 32 bits
      0x00007003,               // load, funct3 111
      0x00002063,               // branch, funct3 010
      0x02001013 | 1u << 26,    // slli with bit 26
      0x0200101b,               // slliw with shamt 32
      0x00004073,               // system, funct3 100
      0x00200073,               // uret
      0x06000053,               // fadd.q
      0x00000000 | 0x0000002f,  // amo of a byte
      0x1010202f | 1u << 20,    // lr.w with rs2
  };
  for (const u32 raw : illegal) {
    INFO(std::hex << raw);
    CHECK(find_insn(raw) == nullptr);
  }
}

TEST_CASE("decode: fences of all kinds are legal, and one of them is pause", "[decode]") {
  CHECK(name_of(0x0ff0000f) == "fence");
  CHECK(name_of(0x8330000f) == "fence");  // fence.tso
  CHECK(name_of(0xfff0000f) == "fence");  // reserved fm
  CHECK(name_of(0x0100008f) == "fence");  // as pause, but rd is not 0
  CHECK(name_of(0x0100000f) == "pause");
  CHECK(name_of(0x0000100f) == "fence.i");
  CHECK(name_of(0x1230908f) == "fence.i");  // reserved fields
}

TEST_CASE("decode: a destination x0 is slot 32 for integers and f0 for floats", "[decode]") {
  CHECK(operands_of(0x00108033).rd == 32);  // add x0, ra, ra
  CHECK(operands_of(0x00000017).rd == 32);  // auipc x0
  CHECK(operands_of(0x0000006f).rd == 32);  // jal x0
  CHECK(operands_of(0x00008067).rd == 32);  // ret
  CHECK(operands_of(0x0000b003).rd == 32);  // ld x0, (ra)
  CHECK(operands_of(0x30001073).rd == 32);  // csrw mstatus, x0
  CHECK(operands_of(0x0000a02f).rd == 32);  // amoadd.w x0
  CHECK(operands_of(0x1000a02f).rd == 32);  // lr.w x0
  CHECK(operands_of(0xa2102053).rd == 32);  // feq.d x0, f0, f1
  CHECK(operands_of(0xe2000053).rd == 32);  // fmv.x.d x0, f0
  CHECK(operands_of(0x60001013).rd == 32);  // clz x0, x0
  CHECK(operands_of(0x02107053).rd == 0);   // fadd.d f0, f0, f1
  CHECK(operands_of(0x0000b007).rd == 0);   // fld f0, (ra)
  CHECK(operands_of(0xd2208053).rd == 0);   // fcvt.d.l f0, ra
  CHECK(operands_of(0x2002).rd == 0);       // c.fldsp f0
}

TEST_CASE("decode: operands of words", "[decode]") {
  CHECK(are(operands_of(0x00c58533), 10, 11, 12, 0));              // add a0, a1, a2
  CHECK(are(operands_of(0x80058513), 10, 11, 0, -2048));           // addi a0, a1, -2048
  CHECK(are(operands_of(0x03f59513), 10, 11, 0, 63));              // slli a0, a1, 63
  CHECK(are(operands_of(0x41f5d51b), 10, 11, 0, 31));              // sraiw a0, a1, 31
  CHECK(are(operands_of(0xfea5bfa3), 0, 11, 10, -1));              // sd a0, -1(a1)
  CHECK(are(operands_of(0x80b50063), 0, 10, 11, -4096));           // beq a0, a1, -4096
  CHECK(are(operands_of(0x7eb50fe3), 0, 10, 11, 4094));            // beq a0, a1, 4094
  CHECK(are(operands_of(0x80000537), 10, 0, 0, -0x7fffffff - 1));  // lui a0, 0x80000
  CHECK(are(operands_of(0x800000ef), 1, 0, 0, -1048576));          // jal ra, -1048576
  CHECK(are(operands_of(0x7ffff0ef), 1, 0, 0, 1048574));           // jal ra, 1048574
  CHECK(are(operands_of(0xfff500e7), 1, 10, 0, -1));               // jalr ra, -1(a0)
  CHECK(are(operands_of(0xfff5a573), 10, 11, 0, 0xfff));           // csrrs a0, 0xfff, a1
  CHECK(are(operands_of(0x300fd573), 10, 31, 0, 0x300));           // csrrwi a0, mstatus, 31
  CHECK(are(operands_of(0x06c5a52f), 10, 11, 12, 3));              // amoadd.w.aqrl a0, a2, (a1)
  CHECK(are(operands_of(0x12c58073), 0, 11, 12, 0));               // sfence.vma a1, a2
  CHECK(are(operands_of(0x6ac5f543), 10, 11, 12, 7 | 13 << 3));    // fmadd.d fa0, fa1, fa2, fa3, dyn
  CHECK(are(operands_of(0x02c5f553), 10, 11, 12, 7));              // fadd.d fa0, fa1, fa2, dyn
  CHECK(are(operands_of(0xc2259553), 10, 11, 0, 1));               // fcvt.l.d a0, fa1, rtz
}

TEST_CASE("decode: compressed operands are those of the instruction they stand for", "[decode]") {
  CHECK(are(operands_of(0x1141), 2, 2, 0, -16));       // c.addi sp, -16
  CHECK(are(operands_of(0x557d), 10, 10, 0, -1));      // c.li a0, -1
  CHECK(are(operands_of(0x7139), 2, 2, 0, -64));       // c.addi16sp sp, -64
  CHECK(are(operands_of(0x757d), 10, 0, 0, -0x1000));  // c.lui a0, 0xfffff
  CHECK(are(operands_of(0x1ffc), 15, 2, 0, 1020));     // c.addi4spn a5, sp, 1020
  CHECK(are(operands_of(0x5ffc), 15, 15, 0, 124));     // c.lw a5, 124(a5)
  CHECK(are(operands_of(0x7ffc), 15, 15, 0, 248));     // c.ld a5, 248(a5)
  CHECK(are(operands_of(0xfffc), 0, 15, 15, 248));     // c.sd a5, 248(a5)
  CHECK(are(operands_of(0x70fe), 1, 2, 0, 504));       // c.ldsp ra, 504(sp)
  CHECK(are(operands_of(0x50fe), 1, 2, 0, 252));       // c.lwsp ra, 252(sp)
  CHECK(are(operands_of(0xff86), 0, 2, 1, 504));       // c.sdsp ra, 504(sp)
  CHECK(are(operands_of(0xdf86), 0, 2, 1, 252));       // c.swsp ra, 252(sp)
  CHECK(are(operands_of(0xd001), 0, 8, 0, -256));      // c.beqz s0, -256
  CHECK(are(operands_of(0xb001), 32, 0, 0, -2048));    // c.j -2048
  CHECK(are(operands_of(0x8082), 32, 1, 0, 0));        // c.jr ra
  CHECK(are(operands_of(0x9502), 1, 10, 0, 0));        // c.jalr a0
  CHECK(are(operands_of(0x852e), 10, 0, 11, 0));       // c.mv a0, a1
  CHECK(are(operands_of(0x952e), 10, 10, 11, 0));      // c.add a0, a1
  CHECK(are(operands_of(0x9d0d), 10, 10, 11, 0));      // c.subw a0, a1
  CHECK(are(operands_of(0x957d), 10, 10, 0, 63));      // c.srai a0, 63
  CHECK(are(operands_of(0x997d), 10, 10, 0, -1));      // c.andi a0, -1
  CHECK(are(operands_of(0x157e), 10, 10, 0, 63));      // c.slli a0, 63
}

}  // namespace retrov
