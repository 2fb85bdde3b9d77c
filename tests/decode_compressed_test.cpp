// Which of the 65,536 halfwords are instructions: the manual's tables "Instruction listing for RVC" of chapter C and
// the listing of chapter Zc, written down here again without looking at the rows, against what a hart executes. Covers
// core/isa/rv_c and core/isa/rv_zcb as far as what they leave out.
#include "core/engine/engine.hpp"
#include "core/insn.hpp"
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

/// A line of the tables: "100 1 11 *** 10 *** 01", a star for every bit that is free.
struct Listed {
  std::string_view bits;
  const char* what;
};

bool fits(std::string_view bits, u32 halfword) {
  u32 bit = u32{1} << 15;
  for (const char c : bits) {
    if (c == ' ') continue;
    if (c != '*' && (c == '1') != ((halfword & bit) != 0)) return false;
    bit >>= 1;
  }
  return true;
}

template <class Lines>
const char* listed_in(const Lines& lines, u32 halfword) {
  for (const Listed& line : lines) {
    if (fits(line.bits, halfword)) return line.what;
  }
  return nullptr;
}

/// What the tables mark as reserved, or as an illegal instruction. Reserved for custom use or hints is not among them:
/// where nothing else is defined a hint is the instruction it looks like.
constexpr Listed kReserved[] = {
    {"000 00000000 *** 00", "c.addi4spn with immediate 0, and all zeros"},
    {"100 011 *** 1 * *** 00", "behind c.sh"},
    {"100 1** *** ** *** 00", "quadrant 0 beyond Zcb"},
    {"001 * 00000 ***** 01", "c.addiw with rd = x0"},
    {"011 0 ***** 00000 01", "c.lui and c.addi16sp with immediate 0"},
    {"100 1 11 *** 11 110 01", "behind c.not"},
    {"100 1 11 *** 11 111 01", "behind c.not"},
    {"010 * 00000 ***** 10", "c.lwsp with rd = x0"},
    {"011 * 00000 ***** 10", "c.ldsp with rd = x0"},
    {"100 0 00000 00000 10", "c.jr with rs1 = x0"},
};

/// What is left, of RV64 with D and Zcb.
constexpr Listed kInstructions[] = {
    {"000 ******** *** 00", "c.addi4spn"},  {"001 *** *** ** *** 00", "c.fld"},
    {"010 *** *** ** *** 00", "c.lw"},      {"011 *** *** ** *** 00", "c.ld"},
    {"100 000 *** ** *** 00", "c.lbu"},     {"100 001 *** 0 * *** 00", "c.lhu"},
    {"100 001 *** 1 * *** 00", "c.lh"},     {"100 010 *** ** *** 00", "c.sb"},
    {"100 011 *** 0 * *** 00", "c.sh"},     {"101 *** *** ** *** 00", "c.fsd"},
    {"110 *** *** ** *** 00", "c.sw"},      {"111 *** *** ** *** 00", "c.sd"},
    {"000 * ***** ***** 01", "c.addi"},     {"001 * ***** ***** 01", "c.addiw"},
    {"010 * ***** ***** 01", "c.li"},       {"011 * 00010 ***** 01", "c.addi16sp"},
    {"011 * ***** ***** 01", "c.lui"},      {"100 * 00 *** ***** 01", "c.srli"},
    {"100 * 01 *** ***** 01", "c.srai"},    {"100 * 10 *** ***** 01", "c.andi"},
    {"100 0 11 *** 00 *** 01", "c.sub"},    {"100 0 11 *** 01 *** 01", "c.xor"},
    {"100 0 11 *** 10 *** 01", "c.or"},     {"100 0 11 *** 11 *** 01", "c.and"},
    {"100 1 11 *** 00 *** 01", "c.subw"},   {"100 1 11 *** 01 *** 01", "c.addw"},
    {"100 1 11 *** 10 *** 01", "c.mul"},    {"100 1 11 *** 11 000 01", "c.zext.b"},
    {"100 1 11 *** 11 001 01", "c.sext.b"}, {"100 1 11 *** 11 010 01", "c.zext.h"},
    {"100 1 11 *** 11 011 01", "c.sext.h"}, {"100 1 11 *** 11 100 01", "c.zext.w"},
    {"100 1 11 *** 11 101 01", "c.not"},    {"101 *********** 01", "c.j"},
    {"110 *** *** ***** 01", "c.beqz"},     {"111 *** *** ***** 01", "c.bnez"},
    {"000 * ***** ***** 10", "c.slli"},     {"001 * ***** ***** 10", "c.fldsp"},
    {"010 * ***** ***** 10", "c.lwsp"},     {"011 * ***** ***** 10", "c.ldsp"},
    {"100 0 ***** 00000 10", "c.jr"},       {"100 0 ***** ***** 10", "c.mv"},
    {"100 1 00000 00000 10", "c.ebreak"},   {"100 1 ***** 00000 10", "c.jalr"},
    {"100 1 ***** ***** 10", "c.add"},      {"101 ****** ***** 10", "c.fsdsp"},
    {"110 ****** ***** 10", "c.swsp"},      {"111 ****** ***** 10", "c.sdsp"},
};

constexpr u64 kCode = kTestRam + 0x100, kData = kTestRam + 0x8000;

/// A hart and an engine on a little RAM.
struct Runner {
  explicit Runner(EngineKind kind) {
    platform.engine = kind;
    harts.push_back(std::make_unique<Hart>(0, platform));
  }
  /// One step of the halfword on a hart whose registers all point to data.
  Trap step(u32 halfword) {
    Hart& hart = *harts[0];
    hart.reset(kCode);
    hart.csr.mstatus |= mstatus::kFs;
    for (unsigned i = 1; i < 32; ++i) hart.x[i] = kData;
    const std::array<u8, 2> bytes = {static_cast<u8>(halfword), static_cast<u8>(halfword >> 8)};
    memory.write(PhysAddr{kCode}, bytes, Writer::kLoader);
    const Engine::Result result = engine.run(hart, 1);
    return result.end == Hart::RunEnd::kTrap ? hart.run.trap : Trap{};
  }

  Memory memory{PhysAddr{kTestRam}, kTestRamBytes};
  Bus bus;
  TimeBase time;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::unique_ptr<Hart>> harts;
  Engine engine{memory, ExtensionSet::everything(), harts};
  Platform platform{memory, bus, time, engine.walks(), engine.code(), devices};
};

}  // namespace

TEST_CASE("decode_compressed: a halfword has the row that the manual's tables list, or none", "[decode_compressed]") {
  unsigned reserved = 0;
  for (u32 halfword = 0; halfword < 0x10000; ++halfword) {
    if ((halfword & 3) == 3) continue;
    const bool is_reserved = listed_in(kReserved, halfword) != nullptr;
    const char* expected = is_reserved ? "none" : listed_in(kInstructions, halfword);
    const InsnRow* row = find_insn(halfword);
    const std::string_view found = row == nullptr ? "none" : row->name;
    reserved += is_reserved;
    if (expected == nullptr || found != expected) FAIL(std::hex << halfword << " is " << found);
  }
  // By quadrant, in the order of the lines above.
  CHECK(reserved == (8 + 128 + 1024) + (64 + 32 + 8 + 8) + (64 + 64 + 1));
}

TEST_CASE("decode_compressed: every halfword runs, or traps as illegal with its bits", "[decode_compressed]") {
  for (const EngineKind kind : {EngineKind::kReference, EngineKind::kFast}) {
    Runner runner(kind);
    for (u32 halfword = 0; halfword < 0x10000; ++halfword) {
      if ((halfword & 3) == 3) continue;
      const Trap trap = runner.step(halfword);
      if (listed_in(kReserved, halfword) == nullptr) {
        const bool is_break = std::string_view(listed_in(kInstructions, halfword)) == "c.ebreak";
        if (trap.cause != (is_break ? Cause::kBreakpoint : Trap{}.cause)) FAIL(std::hex << halfword << " traps");
      } else if (trap.cause != Cause::kIllegalInstruction || trap.value != halfword) {
        FAIL(std::hex << halfword << " does not trap with its bits");
      }
    }
  }
}

}  // namespace retrov
