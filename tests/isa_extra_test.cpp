// Extensions beyond RV64GC and B, on a bare hart. Covers core/isa/rv_zicond, core/isa/rv_zcb, core/isa/rv_zacas,
// core/isa/rv_zawrs, core/isa/rv_svinval.
#include "tests/catch.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kData = kTestRam + 0x1000;

Operands operands_of(u32 raw) { return decode_operands(find_insn(raw)->format, raw); }

std::string name_of(u32 raw, ExtensionSet extensions = default_extensions()) {
  const InsnRow* row = find_insn(raw, extensions);
  return row == nullptr ? "illegal" : std::string(row->name);
}

}  // namespace

TEST_CASE("isa_extra: Zicond keeps a value or zeroes it", "[isa_extra]") {
  IsaHart machine;
  CHECK(machine.reg_reg("czero.eqz", 7, 0) == 0);
  CHECK(machine.reg_reg("czero.eqz", 7, u64{1} << 63) == 7);
  CHECK(machine.reg_reg("czero.nez", 7, 0) == 7);
  CHECK(machine.reg_reg("czero.nez", 7, u64{1} << 63) == 0);
  CHECK(name_of(0x0e005033) == "czero.eqz");
  CHECK(name_of(0x0e007033) == "czero.nez");
}

TEST_CASE("isa_extra: Zcb loads and stores", "[isa_extra]") {
  IsaHart machine;
  machine.put(kData, 0xfedcba9876f48281);
  machine.hart.x[8] = kData;
  const auto load = [&](u32 raw) {
    REQUIRE_FALSE(machine.step(raw));
    return machine.hart.x[9];
  };
  CHECK(load(0x8004) == 0x81);                // c.lbu s1, 0(s0)
  CHECK(load(0x8044) == 0x82);                // c.lbu s1, 1(s0)
  CHECK(load(0x8024) == 0xf4);                // c.lbu s1, 2(s0)
  CHECK(load(0x8064) == 0x76);                // c.lbu s1, 3(s0)
  CHECK(load(0x8404) == 0x8281);              // c.lhu s1, 0(s0)
  CHECK(load(0x8424) == 0x76f4);              // c.lhu s1, 2(s0)
  CHECK(load(0x8444) == 0xffffffffffff8281);  // c.lh s1, 0(s0)
  CHECK(load(0x8464) == 0x76f4);              // c.lh s1, 2(s0)
  machine.hart.x[9] = 0x123456789abcdef0;
  REQUIRE_FALSE(machine.step(0x8844));  // c.sb s1, 1(s0)
  CHECK(machine.get(kData) == 0xfedcba9876f4f081);
  REQUIRE_FALSE(machine.step(0x8c24));  // c.sh s1, 2(s0)
  CHECK(machine.get(kData) == 0xfedcba98def0f081);
}

TEST_CASE("isa_extra: Zcb extends, complements and multiplies one register", "[isa_extra]") {
  struct Case {
    u32 raw;
    const char* name;
    u64 result;
  };
  constexpr u64 kBefore = 0x123456789abc8ef0;
  const Case cases[] = {{0x9c61, "c.zext.b", 0xf0},       {0x9c65, "c.sext.b", 0xfffffffffffffff0},
                        {0x9c69, "c.zext.h", 0x8ef0},     {0x9c6d, "c.sext.h", 0xffffffffffff8ef0},
                        {0x9c71, "c.zext.w", 0x9abc8ef0}, {0x9c75, "c.not", ~kBefore},
                        {0x9c45, "c.mul", kBefore * 3}};
  for (const Case& c : cases) {
    INFO(c.name);
    IsaHart machine;
    machine.hart.x[8] = kBefore;
    machine.hart.x[9] = 3;
    CHECK(name_of(c.raw) == c.name);
    REQUIRE_FALSE(machine.step(c.raw));
    CHECK(machine.hart.x[8] == c.result);
    CHECK(machine.hart.pc == kTestRam + 2);
  }
}

TEST_CASE("isa_extra: what Zcb stands for must be there, too", "[isa_extra]") {
  const auto without = [](Extension extension) { return without_extension(default_extensions(), extension); };
  for (const u32 raw : {0x9c65u, 0x9c69u, 0x9c6du}) CHECK(name_of(raw, without(Extension::kZbb)) == "illegal");
  CHECK(name_of(0x9c71, without(Extension::kZba)) == "illegal");
  CHECK(name_of(0x9c45, without(Extension::kM)) == "illegal");
  CHECK(name_of(0x9c61, without(Extension::kZbb)) == "c.zext.b");
  CHECK(name_of(0x9c61, without(Extension::kZcb)) == "illegal");
}

TEST_CASE("isa_extra: amocas compares as wide as it is, and rd receives what was there", "[isa_extra]") {
  IsaHart machine;
  Hart& hart = machine.hart;
  hart.x[1] = kData;
  hart.x[2] = 0x1111111122222222;
  machine.put(kData, 0xaaaaaaaa80000000);
  hart.x[3] = 0x0123456780000000;  // The upper half takes no part.
  REQUIRE_FALSE(machine.step("amocas.w", {0, 3, 1, 2}));
  CHECK(hart.x[3] == 0xffffffff80000000);
  CHECK(machine.get(kData) == 0xaaaaaaaa22222222);
  hart.x[3] = 5;
  REQUIRE_FALSE(machine.step("amocas.w", {0, 3, 1, 2}));
  CHECK(hart.x[3] == 0x22222222);
  CHECK(machine.get(kData) == 0xaaaaaaaa22222222);
  REQUIRE_FALSE(machine.step("amocas.d", {0, 3, 1, 2}));
  CHECK(hart.x[3] == 0xaaaaaaaa22222222);
  REQUIRE_FALSE(machine.step("amocas.d", {0, 3, 1, 2}));
  CHECK(machine.get(kData) == 0x1111111122222222);
}

TEST_CASE("isa_extra: amocas with rd = x0 compares with zero", "[isa_extra]") {
  IsaHart machine;
  Hart& hart = machine.hart;
  hart.x[1] = kData;
  hart.x[2] = 7;
  hart.x[32] = 0x5555;  // What an earlier write to x0 has left.
  REQUIRE_FALSE(machine.step("amocas.d", {0, 32, 1, 2}));
  CHECK(machine.get(kData) == 7);
  REQUIRE_FALSE(machine.step("amocas.d", {0, 32, 1, 2}));
  CHECK(hart.x[0] == 0);
}

TEST_CASE("isa_extra: amocas.q takes pairs of registers, and x0 as a pair of zeros", "[isa_extra]") {
  IsaHart machine;
  Hart& hart = machine.hart;
  machine.put(kData, 10);
  machine.put(kData + 8, 11);
  hart.x[1] = kData;
  hart.x[4] = 10;
  hart.x[5] = 12;
  hart.x[6] = 20;
  hart.x[7] = 21;
  REQUIRE_FALSE(machine.step("amocas.q", {0, 4, 1, 6}));
  CHECK(hart.x[4] == 10);
  CHECK(hart.x[5] == 11);
  CHECK(machine.get(kData) == 10);
  REQUIRE_FALSE(machine.step("amocas.q", {0, 4, 1, 6}));
  CHECK(machine.get(kData) == 20);
  CHECK(machine.get(kData + 8) == 21);
  hart.x[4] = 20;
  hart.x[5] = 21;
  hart.x[1] = kData;
  REQUIRE_FALSE(machine.step("amocas.q", {0, 4, 1, 0}));  // x1 is no part of the pair x0
  CHECK(machine.get(kData) == 0);
  CHECK(machine.get(kData + 8) == 0);
  REQUIRE_FALSE(machine.step("amocas.q", {0, 32, 1, 6}));
  CHECK(machine.get(kData) == 20);
  CHECK(hart.x[1] == kData);
}

TEST_CASE("isa_extra: amocas faults as a store, compares or not", "[isa_extra]") {
  IsaHart machine;
  machine.hart.x[3] = machine.hart.x[4] = 99;
  for (const char* name : {"amocas.w", "amocas.d", "amocas.q"}) {
    INFO(name);
    machine.hart.x[1] = kData + 2;
    Trap trap = machine.step(name, {0, 4, 1, 2});
    CHECK(trap.cause == Cause::kStoreMisaligned);
    CHECK(trap.value == kData + 2);
    machine.hart.x[1] = 0x1000;
    trap = machine.step(name, {0, 4, 1, 2});
    CHECK(trap.cause == Cause::kStoreAccessFault);
    CHECK(trap.value == 0x1000);
    CHECK(machine.hart.x[4] == 99);
  }
  machine.hart.x[1] = kData + 8;
  CHECK(machine.step("amocas.q", {0, 4, 1, 2}).cause == Cause::kStoreMisaligned);
}

TEST_CASE("isa_extra: odd registers of amocas.q are reserved", "[isa_extra]") {
  constexpr u32 kQuad = 0x2800402f;
  CHECK(name_of(kQuad | 2 << 7 | 4 << 20) == "amocas.q");
  CHECK(name_of(kQuad | 3 << 7 | 4 << 20) == "illegal");
  CHECK(name_of(kQuad | 2 << 7 | 5 << 20) == "illegal");
  CHECK(operands_of(kQuad).rd == 32);
}

TEST_CASE("isa_extra: a wait for a reservation gives up the turn and ends, in any mode", "[isa_extra]") {
  for (const Priv priv : {Priv::kUser, Priv::kSupervisor, Priv::kMachine}) {
    for (const u32 raw : {0x00d00073u, 0x01d00073u}) {
      IsaHart machine;
      machine.hart.csr.mstatus |= mstatus::kTw;
      machine.set_privilege(priv);
      REQUIRE_FALSE(machine.step(raw));
      CHECK(machine.hart.turn_over);
      CHECK(machine.hart.leave);
      CHECK_FALSE(machine.hart.waiting);
    }
  }
  CHECK(name_of(0x00d00073) == "wrs.nto");
  CHECK(name_of(0x01d00073) == "wrs.sto");
}

TEST_CASE("isa_extra: Svinval is for those who manage translations; TVM takes only sinval.vma", "[isa_extra]") {
  constexpr u32 kInvalidate = 0x16000073, kBefore = 0x18000073, kAfter = 0x18100073;
  IsaHart machine;
  const auto runs = [&](u32 raw) { return !machine.step(raw); };
  CHECK((runs(kInvalidate) && runs(kBefore) && runs(kAfter)));
  machine.set_privilege(Priv::kSupervisor);
  CHECK((runs(kInvalidate) && runs(kBefore) && runs(kAfter)));
  machine.hart.csr.mstatus |= mstatus::kTvm;
  CHECK_FALSE(runs(kInvalidate));
  CHECK((runs(kBefore) && runs(kAfter)));
  machine.set_privilege(Priv::kUser);
  CHECK_FALSE(runs(kInvalidate));
  CHECK_FALSE(runs(kBefore));
  CHECK_FALSE(runs(kAfter));
  CHECK(name_of(kInvalidate) == "sinval.vma");
  CHECK(name_of(0x26000073) == "illegal");  // hinval.vvma
}

}  // namespace retrov
