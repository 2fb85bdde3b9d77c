// What every CSR is after reset, and what it keeps of ones and of zeros (privileged manual, chapters 2 to 4; the
// choices are docs/machine.md's): core/csr, one row per register or family, and no register without a row.
#include <map>
#include <string>

#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

struct Kept {
  const char* name;  ///< Of a family without its number.
  u64 reset, ones, zeros;
};

constexpr u64 kAll = ~u64{0};
constexpr u64 kXlen = u64{2} << 32 | u64{2} << 34;  // mstatus.UXL and SXL
constexpr u64 kUxl = u64{2} << 32;
constexpr u64 kSd = u64{1} << 63;
constexpr u64 kEnvOnes = 0xf1;  // FIOM, CBIE, CBCFE, CBZE

constexpr Kept kTable[] = {
    {"fflags", 0, 0x1f, 0},
    {"frm", 0, 7, 0},
    {"fcsr", 0, 0xff, 0},
    {"sstatus", kUxl | 0x2000, kSd | kUxl | 0xc6122, kUxl},
    {"sie", 0, 0x222, 0},
    {"stvec", 0, 0, 0},  // Mode 3 is none.
    {"scounteren", 0, 0xffffffff, 0},
    {"senvcfg", 0, kEnvOnes, 0},
    {"sscratch", 0, kAll, 0},
    {"sepc", 0, ~u64{1}, 0},
    {"scause", 0, kAll, 0},
    {"stval", 0, kAll, 0},
    {"sip", 0, 0x002, 0},
    {"stimecmp", kAll, kAll, 0},
    {"satp", 0, 0, 0},  // Mode 15 is none.
    {"mstatus", kXlen | 0x2000, kSd | kXlen | 0x7e79aa, kXlen},
    {"misa", 0x800000000014112d, 0x800000000014112d, 0x800000000014112d},
    {"medeleg", 0, 0xb3ff, 0},
    {"mideleg", 0x222, 0x222, 0},
    {"mie", 0, 0xaaa, 0},
    {"mtvec", 0, 0, 0},
    {"mcounteren", 0, 0xffffffff, 0},
    {"menvcfg", u64{3} << 61, u64{7} << 61 | kEnvOnes, 0},
    {"mcountinhibit", 0, 5, 0},
    {"mhpmevent", 0, 0, 0},
    {"mscratch", 0, kAll, 0},
    {"mepc", 0, ~u64{1}, 0},
    {"mcause", 0, kAll, 0},
    {"mtval", 0, kAll, 0},
    {"mip", 0, 0x222, 0},
    {"pmpcfg0", 0, 0x9f9f9f9f9f9f9f9f, 0x9f9f9f9f9f9f9f9f},  // The ones lock it.
    {"pmpcfg2", 0, 0x9f9f9f9f9f9f9f9f, 0x9f9f9f9f9f9f9f9f},
    {"pmpaddr", 0, (u64{1} << 54) - 1, 0},
    {"tselect", 0, 0, 0},
    {"tdata1", 0, 0, 0},
    {"tdata2", 0, 0, 0},
    {"tdata3", 0, 0, 0},
    {"mcycle", 0, kAll, 0},
    {"minstret", 0, kAll, 0},
    {"mhpmcounter", 0, 0, 0},
};

/// Numbers with bits 11:10 set are read-only (2.1).
constexpr Kept kReadOnly[] = {
    {"cycle", 0, 0, 0},      {"time", 0, 0, 0},    {"instret", 0, 0, 0},  {"hpmcounter", 0, 0, 0},
    {"mvendorid", 0, 0, 0},  {"marchid", 0, 0, 0}, {"mimpid", 1, 1, 1},   {"mhartid", 0, 0, 0},
    {"mconfigptr", 0, 0, 0},
};

std::string without_number(const std::string& name) { return name.substr(0, name.find_last_not_of("0123456789") + 1); }

template <std::size_t kCount>
const Kept* find(const Kept (&table)[kCount], const std::string& name) {
  for (const Kept& row : table) {
    if (row.name == name || row.name == without_number(name)) return &row;
  }
  return nullptr;
}

/// As firmware finds it, but with floating point on and the supervisor's interrupts delegated, so that all is seen.
struct Fixture : BareHart {
  Fixture() {
    write(0x300, u64{1} << 13);
    write(0x303, 0x222);
  }
  /// What the instruction behind the write reads.
  std::optional<u64> kept(u16 number, u64 value) {
    if (!write(number, value)) return std::nullopt;
    ++hart.position.steps;
    const std::optional<u64> result = read(number);
    hart.position = hart.slice_start = {};
    return result;
  }
};

TEST_CASE("priv_warl: every register has its reset value and keeps the bits that exist", "[priv_warl]") {
  for (const CsrRow& row : csr_rows()) {
    INFO(row.name);
    Fixture f;
    if (const Kept* expected = find(kTable, row.name)) {
      CHECK(f.read(row.number) == expected->reset);
      CHECK(f.kept(row.number, ~u64{0}) == expected->ones);
      CHECK(f.kept(row.number, 0) == expected->zeros);
    } else if (const Kept* fixed = find(kReadOnly, row.name)) {
      CHECK(row.number >> 10 == 3);
      CHECK(f.read(row.number) == fixed->reset);
      CHECK_FALSE(f.write(row.number, ~u64{0}));
      CHECK_FALSE(f.write(row.number, 0));
    } else {
      FAIL_CHECK("no row says what it keeps");
    }
  }
}

TEST_CASE("priv_warl: each bit is kept or not whatever the others are", "[priv_warl]") {
  // Registers whose fields do not depend on each other. One bit at a time, over zeros and taken out of ones.
  for (const char* name : {"sie", "scounteren", "sscratch", "sepc", "scause", "stval", "medeleg", "mideleg", "mie",
                           "mcounteren", "mcountinhibit", "mscratch", "mepc", "mcause", "mtval", "mip", "stimecmp"}) {
    const Kept* expected = find(kTable, name);
    REQUIRE(expected != nullptr);
    for (const CsrRow& row : csr_rows()) {
      if (row.name != name) continue;
      Fixture f;
      for (unsigned bit = 0; bit < 64; ++bit) {
        INFO(name << " bit " << bit);
        CHECK(f.kept(row.number, u64{1} << bit) == (expected->ones & u64{1} << bit));
        CHECK(f.kept(row.number, ~(u64{1} << bit)) == (expected->ones & ~(u64{1} << bit)));
      }
    }
  }
}

TEST_CASE("priv_warl: of the environments' CBIE the value 2 is none, the others are", "[priv_warl]") {
  for (const u16 number : {u16{0x30a}, u16{0x10a}}) {
    Fixture f;
    for (const u64 value : {u64{1}, u64{3}, u64{0}}) {
      CHECK((*f.keep(number, value << 4) >> 4 & 3) == value);
      CHECK((*f.keep(number, u64{2} << 4 | 1) >> 4 & 3) == value);
      CHECK((*f.read(number) & 1) == 1);
    }
  }
}

TEST_CASE("priv_warl: satp takes four modes with any root and ASID, and nothing else", "[priv_warl]") {
  Fixture f;
  for (u64 mode = 0; mode < 16; ++mode) {
    INFO("mode " << mode);
    const u64 before = *f.keep(0x180, u64{8} << 60 | 0x1234);
    const u64 value = mode << 60 | u64{0xbeef} << 44 | 0xfffffffffff;
    const bool exists = mode == 0 || (mode >= 8 && mode <= 10);
    CHECK(f.keep(0x180, value) == (exists ? value : before));
  }
}

TEST_CASE("priv_warl: vectors are aligned to four bytes in both modes", "[priv_warl]") {
  for (const u16 number : {u16{0x305}, u16{0x105}}) {
    Fixture f;
    for (const u64 base : {u64{0x80000004}, ~u64{3}, u64{0}}) {
      for (const u64 mode : {u64{0}, u64{1}}) CHECK(f.keep(number, base | mode) == (base | mode));
      for (const u64 mode : {u64{2}, u64{3}}) CHECK(f.keep(number, 0x1000 | mode) == (base | 1));
    }
  }
}

TEST_CASE("priv_warl: a locked entry of the protection stays in every mode of matching, off as well", "[priv_warl]") {
  for (u64 match = 0; match < 4; ++match) {
    INFO("match " << match);
    Fixture f;
    const u64 locked = 0x81 | match << 3;
    CHECK(f.keep(0x3b1, 0x100) == 0x100);
    CHECK(f.keep(0x3b2, 0x200) == 0x200);
    CHECK(f.keep(0x3a0, locked << 16) == locked << 16);
    CHECK(f.keep(0x3a0, 0x1f1f1f) == (locked << 16 | 0x1f1f));
    CHECK(f.keep(0x3b2, 7) == 0x200);
    CHECK(f.keep(0x3b1, 7) == (match == 1 ? 0x100 : 7));  // The base of a locked range.
    CHECK(f.keep(0x3b3, 7) == 7);
    f.hart.reset(kTestRam);
    CHECK(f.read(0x3a0) == 0);
    CHECK(f.keep(0x3b2, 7) == 7);
  }
}

}  // namespace
}  // namespace retrov
