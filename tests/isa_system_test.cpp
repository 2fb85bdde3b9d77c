// Instructions that are more than a sum: jumps, memory, atomics, CSRs, fences, hints. Covers core/isa/rv_i,
// core/isa/rv_i_aligned, core/isa/rv_a, core/isa/rv_c, core/isa/rv_zicsr, core/isa/rv_zifencei, core/isa/rv_priv.
#include "tests/catch.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kData = kTestRam + 0x1000;
constexpr u16 kMscratch = 0x340, kMip = 0x344, kMcycle = 0xb00, kCycle = 0xc00, kNowhere = 0x7c0;

u32 csr_word(u32 funct3, u32 rd, u32 rs1, u32 number) {
  return number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73;
}
constexpr u32 kRw = 1, kRs = 2, kRc = 3, kRwi = 5, kRsi = 6, kRci = 7;

}  // namespace

TEST_CASE("isa_system: jumps link behind themselves, whatever their length", "[isa_system]") {
  IsaHart machine;
  REQUIRE_FALSE(machine.step(0x800000ef));  // jal ra, -1 MiB
  CHECK(machine.hart.pc == kTestRam - 0x100000);
  CHECK(machine.hart.x[1] == kTestRam + 4);

  machine.hart.pc = kTestRam;
  machine.hart.x[10] = kTestRam + 0x101;
  REQUIRE_FALSE(machine.step(0x9502));  // c.jalr a0
  CHECK(machine.hart.pc == kTestRam + 0x100);
  CHECK(machine.hart.x[1] == kTestRam + 2);

  machine.hart.pc = kTestRam;
  machine.hart.x[1] = kTestRam + 0x200;
  REQUIRE_FALSE(machine.step(0xffc080e7));  // jalr ra, -4(ra): the target is read first
  CHECK(machine.hart.pc == kTestRam + 0x1fc);
  CHECK(machine.hart.x[1] == kTestRam + 4);
}

TEST_CASE("isa_system: branches compare as their names say", "[isa_system]") {
  struct Case {
    const char* name;
    u64 a, b;
    bool taken;
  };
  const Case cases[] = {
      {"beq", 1, 1, true},      {"beq", 1, 2, false},      {"bne", 1, 2, true},      {"bne", 1, 1, false},
      {"blt", ~0ull, 0, true},  {"blt", 0, 0, false},      {"bge", 0, ~0ull, true},  {"bge", 0, 0, true},
      {"bltu", 0, ~0ull, true}, {"bltu", ~0ull, 0, false}, {"bgeu", ~0ull, 0, true}, {"bgeu", 0, ~0ull, false},
  };
  for (const Case& c : cases) {
    INFO(c.name << " " << c.a << " " << c.b);
    IsaHart machine;
    machine.hart.x[1] = c.a;
    machine.hart.x[2] = c.b;
    REQUIRE_FALSE(machine.step(c.name, {-64, 0, 1, 2}));
    CHECK(machine.hart.pc == (c.taken ? kTestRam - 64 : kTestRam + 4));
  }
  IsaHart machine;
  machine.hart.x[8] = 1;
  REQUIRE_FALSE(machine.step(0xd001));  // c.beqz s0
  CHECK(machine.hart.pc == kTestRam + 2);
}

TEST_CASE("isa_system: auipc adds to its own address", "[isa_system]") {
  IsaHart machine;
  machine.hart.pc = kTestRam + 0x20;
  REQUIRE_FALSE(machine.step(0xfffff517));  // auipc a0, -1
  CHECK(machine.hart.x[10] == kTestRam + 0x20 - 0x1000);
}

TEST_CASE("isa_system: loads extend as their names say", "[isa_system]") {
  IsaHart machine;
  machine.put(kData, 0xfedcba9876543281);
  machine.hart.x[1] = kData + 16;
  const auto load = [&](const char* name) {
    REQUIRE_FALSE(machine.step(name, {-16, 3, 1}));
    return machine.hart.x[3];
  };
  CHECK(load("lb") == 0xffffffffffffff81);
  CHECK(load("lbu") == 0x81);
  CHECK(load("lh") == 0x3281);
  CHECK(load("lhu") == 0x3281);
  CHECK(load("lw") == 0x76543281);
  machine.hart.x[1] = kData + 20;
  CHECK(load("lh") == 0xffffffffffffba98);
  CHECK(load("lhu") == 0xba98);
  CHECK(load("lw") == 0xfffffffffedcba98);
  CHECK(load("lwu") == 0xfedcba98);
  machine.hart.x[1] = kData + 16;
  CHECK(load("ld") == 0xfedcba9876543281);
}

TEST_CASE("isa_system: stores write their width and no more", "[isa_system]") {
  struct Case {
    const char* name;
    u64 result;
  };
  const Case cases[] = {
      {"sb", 0x1111111111111188}, {"sh", 0x1111111111117788}, {"sw", 0x1111111155667788}, {"sd", 0x1122334455667788}};
  for (const Case& c : cases) {
    INFO(c.name);
    IsaHart machine;
    machine.put(kData, 0x1111111111111111);
    machine.hart.x[1] = kData - 2047;
    machine.hart.x[2] = 0x1122334455667788;
    REQUIRE_FALSE(machine.step(c.name, {2047, 0, 1, 2}));
    CHECK(machine.get(kData) == c.result);
  }
}

TEST_CASE("isa_system: atomics combine, and give the old value sign-extended", "[isa_system]") {
  struct Case {
    const char* name;
    u64 memory, operand, after, rd;
  };
  const Case cases[] = {
      {"amoswap.w", 0xaaaaaaaa80000000, 0x1ffffffff, 0xaaaaaaaaffffffff, 0xffffffff80000000},
      {"amoadd.w", 0xaaaaaaaaffffffff, 2, 0xaaaaaaaa00000001, ~u64{0}},
      {"amoxor.w", 0x000000000000ff00, 0x0ff0, 0xf0f0, 0xff00},
      {"amoand.w", 0xffffffff0000ff00, 0x0ff0, 0xffffffff00000f00, 0xff00},
      {"amoor.w", 0x000000000000ff00, 0xffffffff00000ff0, 0xfff0, 0xff00},
      {"amomin.w", 0x80000000, 1, 0x80000000, 0xffffffff80000000},
      {"amomax.w", 0x80000000, 0x100000001, 1, 0xffffffff80000000},
      {"amominu.w", 0x80000000, 0xffffffff00000001, 1, 0xffffffff80000000},
      {"amomaxu.w", 0x80000000, 1, 0x80000000, 0xffffffff80000000},
      {"amomaxu.w", 0x80000000, 0x90000000, 0x90000000, 0xffffffff80000000},
      {"amoswap.d", 1, 2, 2, 1},
      {"amoadd.d", ~u64{0}, 2, 1, ~u64{0}},
      {"amoxor.d", 0xff00, 0x0ff0, 0xf0f0, 0xff00},
      {"amoand.d", 0xff00, 0x0ff0, 0x0f00, 0xff00},
      {"amoor.d", 0xff00, 0x0ff0, 0xfff0, 0xff00},
      {"amomin.d", 1, ~u64{0}, ~u64{0}, 1},
      {"amomax.d", 1, ~u64{0}, 1, 1},
      {"amominu.d", 1, ~u64{0}, 1, 1},
      {"amomaxu.d", 1, ~u64{0}, ~u64{0}, 1},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    IsaHart machine;
    machine.put(kData, c.memory);
    machine.hart.x[1] = kData;
    machine.hart.x[2] = c.operand;
    REQUIRE_FALSE(machine.step(c.name, {0, 2, 1, 2}));  // rd is rs2
    CHECK(machine.get(kData) == c.after);
    CHECK(machine.hart.x[2] == c.rd);
  }
}

TEST_CASE("isa_system: a misaligned atomic traps and changes nothing", "[isa_system]") {
  IsaHart machine;
  machine.hart.x[1] = kData + 2;
  machine.hart.x[3] = 7;
  for (const char* name : {"amoadd.w", "amoadd.d", "sc.w", "sc.d"}) {
    const Trap trap = machine.step(name, {0, 3, 1, 2});
    CHECK(trap.cause == Cause::kStoreMisaligned);
    CHECK(trap.value == kData + 2);
  }
  CHECK(machine.step("lr.d", {0, 3, 1}).cause == Cause::kLoadMisaligned);
  CHECK(machine.hart.x[3] == 7);
  CHECK(machine.hart.pc == kTestRam);
}

TEST_CASE("isa_system: a store-conditional succeeds once after a load-reserved", "[isa_system]") {
  IsaHart machine;
  machine.put(kData, 0x80000000);
  machine.hart.x[1] = kData;
  machine.hart.x[2] = 5;
  REQUIRE_FALSE(machine.step("lr.w", {0, 3, 1}));
  CHECK(machine.hart.x[3] == 0xffffffff80000000);
  REQUIRE_FALSE(machine.step("sc.w", {0, 3, 1, 2}));
  CHECK(machine.hart.x[3] == 0);
  CHECK(machine.get(kData) == 5);
  machine.hart.x[2] = 6;
  REQUIRE_FALSE(machine.step("sc.w", {0, 3, 1, 2}));
  CHECK(machine.hart.x[3] == 1);
  CHECK(machine.get(kData) == 5);
}

TEST_CASE("isa_system: a store-conditional of another width fails", "[isa_system]") {
  IsaHart machine;
  machine.hart.x[1] = kData;
  machine.hart.x[2] = 5;
  REQUIRE_FALSE(machine.step("lr.d", {0, 3, 1}));
  REQUIRE_FALSE(machine.step("sc.w", {0, 3, 1, 2}));
  CHECK(machine.hart.x[3] == 1);
  CHECK(machine.get(kData) == 0);
}

TEST_CASE("isa_system: CSR instructions swap, set and clear", "[isa_system]") {
  IsaHart machine;
  Hart& hart = machine.hart;
  hart.csr.mscratch = 0xf0;
  hart.x[1] = 0x3c;
  REQUIRE_FALSE(machine.step(csr_word(kRs, 3, 1, kMscratch)));
  CHECK(hart.x[3] == 0xf0);
  CHECK(hart.csr.mscratch == 0xfc);
  REQUIRE_FALSE(machine.step(csr_word(kRc, 3, 1, kMscratch)));
  CHECK(hart.x[3] == 0xfc);
  CHECK(hart.csr.mscratch == 0xc0);
  REQUIRE_FALSE(machine.step(csr_word(kRw, 1, 1, kMscratch)));  // rd is rs1
  CHECK(hart.x[1] == 0xc0);
  CHECK(hart.csr.mscratch == 0x3c);
  REQUIRE_FALSE(machine.step(csr_word(kRwi, 3, 31, kMscratch)));
  CHECK(hart.csr.mscratch == 31);
  REQUIRE_FALSE(machine.step(csr_word(kRci, 3, 3, kMscratch)));
  CHECK(hart.csr.mscratch == 28);
  REQUIRE_FALSE(machine.step(csr_word(kRsi, 0, 1, kMscratch)));
  CHECK(hart.csr.mscratch == 29);
  CHECK(hart.x[0] == 0);
}

TEST_CASE("isa_system: set and clear write only if the field rs1 is not 0", "[isa_system]") {
  IsaHart machine;
  machine.hart.x[1] = 0;
  CHECK_FALSE(machine.step(csr_word(kRs, 3, 0, kCycle)));
  CHECK_FALSE(machine.step(csr_word(kRc, 3, 0, kCycle)));
  CHECK_FALSE(machine.step(csr_word(kRsi, 3, 0, kCycle)));
  CHECK_FALSE(machine.step(csr_word(kRci, 3, 0, kCycle)));
  // cycle is read-only: any write is illegal, also that of a register that holds 0.
  for (const u32 word : {csr_word(kRs, 3, 1, kCycle), csr_word(kRc, 3, 1, kCycle), csr_word(kRsi, 3, 1, kCycle),
                         csr_word(kRw, 0, 0, kCycle), csr_word(kRwi, 0, 0, kCycle)}) {
    machine.hart.x[3] = 99;
    CHECK(machine.step(word).cause == Cause::kIllegalInstruction);
    CHECK(machine.hart.x[3] == 99);
  }
  CHECK(machine.step(csr_word(kRw, 0, 1, kNowhere)).cause == Cause::kIllegalInstruction);
  CHECK(machine.step(csr_word(kRs, 3, 0, kNowhere)).cause == Cause::kIllegalInstruction);
}

TEST_CASE("isa_system: writing a counter gives the value before", "[isa_system]") {
  IsaHart machine;
  machine.hart.position = Position{1000};
  machine.hart.x[1] = 5;
  REQUIRE_FALSE(machine.step(csr_word(kRw, 3, 1, kMcycle)));
  CHECK(machine.hart.x[3] == 1000);
}

TEST_CASE("isa_system: setting bits of mip does not latch the interrupt controller's level", "[isa_system]") {
  IsaHart machine;
  machine.lines->level = irq::kSeip;
  machine.hart.x[1] = irq::kSsip;
  REQUIRE_FALSE(machine.step(csr_word(kRs, 3, 1, kMip)));
  CHECK((machine.hart.x[3] & irq::kSeip) != 0);
  CHECK(machine.hart.csr.mip == irq::kSsip);
  machine.lines->level = 0;
  CHECK(machine.hart.mip() == irq::kSsip);
}

TEST_CASE("isa_system: fences let the machine go on as it should", "[isa_system]") {
  IsaHart machine;
  REQUIRE_FALSE(machine.step(0x0ff0000f));
  CHECK_FALSE(machine.hart.leave);
  CHECK_FALSE(machine.hart.turn_over);
  REQUIRE_FALSE(machine.step(0x0000100f));  // fence.i
  CHECK(machine.hart.leave);
  CHECK_FALSE(machine.hart.turn_over);
  REQUIRE_FALSE(machine.step(0x0100000f));  // pause
  CHECK(machine.hart.leave);
  CHECK(machine.hart.turn_over);
  CHECK(machine.hart.pc == kTestRam + 12);
}

TEST_CASE("isa_system: ebreak and ecall trap where they are", "[isa_system]") {
  IsaHart machine;
  machine.hart.pc = kTestRam + 0x40;
  for (const u32 raw : {0x00100073u, 0x9002u}) {
    const Trap trap = machine.step(raw);
    CHECK(trap.cause == Cause::kBreakpoint);
    CHECK(trap.value == kTestRam + 0x40);
  }
  CHECK(machine.step(0x00000073).cause == Cause::kEcallFromMachine);
  machine.set_privilege(Priv::kUser);
  CHECK(machine.step(0x00000073).cause == Cause::kEcallFromUser);
  CHECK(machine.step(0x30200073).cause == Cause::kIllegalInstruction);  // mret
  CHECK(machine.step(0x10200073).cause == Cause::kIllegalInstruction);  // sret
  CHECK(machine.step(0x12000073).cause == Cause::kIllegalInstruction);  // sfence.vma
  CHECK(machine.hart.pc == kTestRam + 0x40);
}

TEST_CASE("isa_system: mret returns to mepc with the privilege of MPP", "[isa_system]") {
  IsaHart machine;
  machine.hart.csr.mepc = kTestRam + 0x80;
  machine.hart.csr.mstatus &= ~mstatus::kMpp;
  REQUIRE_FALSE(machine.step(0x30200073));
  CHECK(machine.hart.pc == kTestRam + 0x80);
  CHECK(machine.hart.priv == Priv::kUser);
  CHECK(machine.hart.leave);
}

TEST_CASE("isa_system: sret returns to sepc with the privilege of SPP, from M-mode as well", "[isa_system]") {
  for (const Priv from : {Priv::kSupervisor, Priv::kMachine}) {
    IsaHart machine;
    machine.hart.csr.sepc = kTestRam + 0x80;
    machine.hart.csr.mepc = kTestRam + 0x40;
    machine.hart.csr.mstatus |= mstatus::kMpp;
    machine.set_privilege(from);
    REQUIRE_FALSE(machine.step(0x10200073));
    CHECK(machine.hart.pc == kTestRam + 0x80);
    CHECK(machine.hart.priv == Priv::kUser);
    CHECK((machine.hart.csr.mstatus & mstatus::kMpp) == mstatus::kMpp);
  }
}

TEST_CASE("isa_system: wfi waits and TW takes it; sfence.vma does neither, TVM takes it", "[isa_system]") {
  constexpr u32 kWfi = 0x10500073, kFence = 0x12000073;
  const auto runs = [](u32 raw, u64 status, bool& waiting) {
    IsaHart machine;
    machine.hart.csr.mstatus |= status;
    machine.set_privilege(Priv::kSupervisor);
    const Trap trap = machine.step(raw);
    waiting = machine.hart.waiting;
    return !trap;
  };
  bool waiting = false;
  CHECK((runs(kWfi, mstatus::kTvm, waiting) && waiting));
  CHECK((!runs(kWfi, mstatus::kTw, waiting) && !waiting));
  CHECK((runs(kFence, mstatus::kTw, waiting) && !waiting));
  CHECK((!runs(kFence, mstatus::kTvm, waiting) && !waiting));
}

TEST_CASE("isa_system: x0 stays 0, whatever an encoding names as destination", "[isa_system]") {
  IsaHart machine;
  u64 random = 0x853c49e6748fea9b;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (row.kind == Kind::kGeneral || row.kind == Kind::kStore) continue;
      for (unsigned i = 0; i < 50; ++i) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        const u32 rd_is_zero = row.encoding.bits == 32 ? ~u32{0xf80} : ~u32{0};
        const u32 raw = row.encoding.match | (static_cast<u32>(random >> 9) & ~row.encoding.mask & rd_is_zero);
        if (find_insn(raw) != &row) continue;
        machine.hart.x.fill(kData);
        machine.hart.x[0] = 0;
        machine.hart.csr.mstatus |= mstatus::kFs;
        static_cast<void>(machine.step(raw));
        if (machine.hart.x[0] != 0) FAIL(row.name << " wrote x0");
      }
    }
  }
  CHECK(machine.hart.x[0] == 0);
}

TEST_CASE("isa_system: hints change nothing but the pc", "[isa_system]") {
  // c.nop 1, c.addi ra 0, c.li x0, c.lui x0, c.mv x0, c.add x0 (ntl), c.slli x0, c.slli ra 0, c.srli s0 0,
  // addi x0 (prefetch is ori x0), lui x0, add x0, slti x0, sll x0, fence 0 0.
  const u32 hints[] = {0x0005, 0x0081,     0x4005,     0x6005,     0x8006,     0x9006,     0x0006,     0x0082,
                       0x8001, 0x00508013, 0x0000e013, 0x12345037, 0x00208033, 0x0050a013, 0x00209033, 0x0000000f};
  IsaHart machine;
  for (const u32 raw : hints) {
    INFO(std::hex << raw);
    Hart& hart = machine.hart;
    for (u64 i = 1; i < 32; ++i) hart.x[i] = 0x0123456789abcdef * i;
    const auto before = hart.x;
    const u64 pc = hart.pc;
    REQUIRE_FALSE(machine.step(raw));
    hart.x[32] = before[32];
    CHECK(hart.x == before);
    CHECK(hart.pc == pc + insn_length_bytes(raw));
    CHECK_FALSE(hart.leave);
  }
}

TEST_CASE("isa_system: without C a jump to half an instruction traps where it stands", "[isa_system]") {
  const ExtensionSet plain = without_extension(default_extensions(), Extension::kC);
  const auto step = [&](IsaHart& machine, u32 raw) {
    const InsnRow* row = find_insn(raw, plain);
    REQUIRE(row != nullptr);
    return machine.step(*row, decode_operands(row->format, raw));
  };
  struct Case {
    const char* what;
    u32 raw;
  };
  const Case cases[] = {{"jal ra, 6", 0x006000ef},  {"jalr ra, 2(a0)", 0x002500e7}, {"beq x0, x0, 6", 0x00000363},
                        {"bne a0, x0, 6", 0x00051363}, {"bge x0, x0, 6", 0x00005363}, {"bltu x0, a0, 6", 0x00a06363}};
  for (const Case& c : cases) {
    INFO(c.what);
    IsaHart machine;
    machine.hart.x[10] = kTestRam + 4;
    const Trap trap = step(machine, c.raw);
    CHECK(trap.cause == Cause::kInstructionMisaligned);
    CHECK(trap.value == kTestRam + 6);
    CHECK(machine.hart.pc == kTestRam);
    CHECK(machine.hart.x[1] == 0);
  }
  IsaHart machine;
  REQUIRE_FALSE(step(machine, 0x00001363));  // bne x0, x0, 6: not taken
  CHECK(machine.hart.pc == kTestRam + 4);
  REQUIRE_FALSE(step(machine, 0x008000ef));  // jal ra, 8
  CHECK(machine.hart.pc == kTestRam + 12);
  CHECK(machine.hart.x[1] == kTestRam + 8);
}

}  // namespace retrov
