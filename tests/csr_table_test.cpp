// Every CSR number, at every privilege, against a list made from the privileged manual's tables "Currently allocated
// RISC-V CSR addresses" and what docs/machine.md chooses: which exist, who may read and write them, and which bits keep
// what is written. Covers core/csr as a table.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/csr.hpp"
#include "tests/catch.hpp"
#include "tests/support/bare_hart.hpp"

namespace retrov {
namespace {

constexpr u64 kOnes = ~u64{0};

/// What a register holds behind a write of zeros and one of ones, or of `full` where ones are no legal value.
struct Register {
  u16 number;
  const char* name;
  u64 zeros, ones;
  u64 full = kOnes;
  /// Registers that show some of the same bits.
  std::set<u16> views = {};
  /// Each bit can be written by itself.
  bool is_plain = true;
};

const std::vector<Register>& registers() {
  static const std::vector<Register> all = [] {
    constexpr u64 kXlen = u64{2} << 32, kSd = u64{1} << 63, kEnvironment = 0xf1;
    constexpr u64 kSv39 = u64{8} << 60 | kOnes >> 4;
    std::vector<Register> result = {
        {0x001, "fflags", 0, 0x1f, kOnes, {0x003, 0x100, 0x300}},
        {0x002, "frm", 0, 7, kOnes, {0x003, 0x100, 0x300}},
        {0x003, "fcsr", 0, 0xff, kOnes, {0x001, 0x002, 0x100, 0x300}},
        {0x100, "sstatus", kXlen, kXlen | kSd | 0xc6122, kOnes, {0x300}, false},
        {0x104, "sie", 0, 0x222, kOnes, {0x304}},
        {0x105, "stvec", 0, ~u64{2}, ~u64{2}, {}, false},
        {0x106, "scounteren", 0, 0xffffffff},
        {0x10a, "senvcfg", 0, kEnvironment, kOnes, {}, false},
        {0x140, "sscratch", 0, kOnes},
        {0x141, "sepc", 0, ~u64{1}},
        {0x142, "scause", 0, kOnes},
        {0x143, "stval", 0, kOnes},
        {0x144, "sip", 0, 2, kOnes, {0x344}},
        {0x14d, "stimecmp", 0, kOnes, kOnes, {0x144, 0x344}},
        {0x180, "satp", 0, kSv39, kSv39, {}, false},
        {0x300, "mstatus", kXlen | kXlen << 2, kXlen | kXlen << 2 | kSd | 0x7e79aa, kOnes, {0x100}, false},
        {0x301, "misa", 0x800000000014112d, 0x800000000014112d},
        {0x302, "medeleg", 0, 0xb3ff},
        {0x303, "mideleg", 0, 0x222, kOnes, {0x104, 0x144}},
        {0x304, "mie", 0, 0xaaa, kOnes, {0x104}},
        {0x305, "mtvec", 0, ~u64{2}, ~u64{2}, {}, false},
        {0x306, "mcounteren", 0, 0xffffffff},
        {0x30a, "menvcfg", 0, u64{7} << 61 | kEnvironment, kOnes, {0x144, 0x344}, false},
        {0x320, "mcountinhibit", 0, 5, kOnes, {0xb00, 0xb02, 0xc00, 0xc02}},
        {0x340, "mscratch", 0, kOnes},
        {0x341, "mepc", 0, ~u64{1}},
        {0x342, "mcause", 0, kOnes},
        {0x343, "mtval", 0, kOnes},
        {0x344, "mip", 0, 0x222, kOnes, {0x144}},
        {0x3a0, "pmpcfg0", 0, 0x9f9f9f9f9f9f9f9f, kOnes, {}, false},
        {0x3a2, "pmpcfg2", 0, 0x9f9f9f9f9f9f9f9f, kOnes, {}, false},
        {0x7a0, "tselect", 0, 0},
        {0x7a1, "tdata1", 0, 0},
        {0x7a2, "tdata2", 0, 0},
        {0x7a3, "tdata3", 0, 0},
        // A counter reads what was written from the next instruction on.
        {0xb00, "mcycle", kOnes, kOnes - 1, kOnes, {0xc00}, false},
        {0xb02, "minstret", kOnes, kOnes - 1, kOnes, {0xc02}, false},
        {0xc00, "cycle", 0, 0},
        {0xc01, "time", 0, 0},
        {0xc02, "instret", 0, 0},
        {0xf11, "mvendorid", 0, 0},
        {0xf12, "marchid", 0, 0},
        {0xf13, "mimpid", 1, 1},
        {0xf14, "mhartid", 0, 0},
        {0xf15, "mconfigptr", 0, 0},
    };
    static const auto several = [](const char* stem, unsigned from, unsigned to) {
      std::vector<std::string> names;
      for (unsigned i = from; i <= to; ++i) names.push_back(stem + std::to_string(i));
      return names;
    };
    static const auto addresses = several("pmpaddr", 0, 15), events = several("mhpmevent", 3, 31);
    static const auto counters = several("mhpmcounter", 3, 31), shadows = several("hpmcounter", 3, 31);
    for (u16 i = 0; i < 16; ++i) result.push_back({static_cast<u16>(0x3b0 + i), addresses[i].c_str(), 0, kOnes >> 10});
    for (u16 i = 0; i < 29; ++i) {
      result.push_back({static_cast<u16>(0x323 + i), events[i].c_str(), 0, 0});
      result.push_back({static_cast<u16>(0xb03 + i), counters[i].c_str(), 0, 0});
      result.push_back({static_cast<u16>(0xc03 + i), shadows[i].c_str(), 0, 0});
    }
    return result;
  }();
  return all;
}

bool is_read_only(u16 number) { return number >> 10 == 3; }

const Register* register_at(u16 number) {
  const auto found = std::find_if(registers().begin(), registers().end(),
                                  [number](const Register& each) { return each.number == number; });
  return found == registers().end() ? nullptr : &*found;
}

/// A hart whose registers can be made again what they were, which costs less than another hart.
struct Reusable : BareHart {
  Csrs initial = hart.csr;
  /// Of a write behind `initial`.
  std::optional<u64> kept(u16 number, u64 value) {
    hart.csr = initial;
    return keep(number, value);
  }
};

/// All that could be shut is open: FS, counters, stimecmp, delegation.
struct Open : Reusable {
  Open() {
    hart.csr.mstatus |= mstatus::kFs | mstatus::kSd;
    hart.csr.mcounteren = hart.csr.scounteren = 0xffffffff;
    hart.csr.menvcfg |= menvcfg::kStce;
    hart.csr.mideleg = 0x222;
    hart.csr.stimecmp = kOnes;
    initial = hart.csr;
  }
  [[nodiscard]] std::map<u16, u64> all() const {
    std::map<u16, u64> values;
    for (const CsrRow& row : csr_rows()) values[row.number] = hart.csr_peek(row.number).value_or(0);
    return values;
  }
};

/// With FS and delegation as far as the register needs them; else as behind a reset.
struct Fresh : Reusable {
  explicit Fresh(const Register& each) {
    if (each.number <= 0x003) hart.csr.mstatus |= mstatus::kFs | mstatus::kSd;
    if (each.number == 0x104 || each.number == 0x144) hart.csr.mideleg = 0x222;
    initial = hart.csr;
  }
};

}  // namespace

TEST_CASE("csr_table: a number exists if the list has it, for its privileges and above", "[csr_table]") {
  Open bare;
  unsigned found = 0;
  for (const Priv privilege : {Priv::kMachine, Priv::kSupervisor, Priv::kUser}) {
    for (u16 number = 0; number < 0x1000; ++number) {
      bare.hart.csr = bare.initial;
      bare.set_privilege(privilege);
      const bool exists = register_at(number) != nullptr;
      const bool permitted = exists && static_cast<unsigned>(privilege) >= (number >> 8 & 3u);
      if (bare.read(number).has_value() != permitted) FAIL(std::hex << "read of " << number);
      if (exists && csr_name(number) != register_at(number)->name) FAIL(csr_name(number));
      found += permitted;
      if (bare.write(number, 0) != (permitted && !is_read_only(number))) FAIL(std::hex << "write of " << number);
    }
  }
  const unsigned of_users = 3 + 3 + 29, of_supervisors = 12, of_machines = 45 - 6 - 12 + 16 + 2 * 29;
  CHECK(found == 3 * of_users + 2 * of_supervisors + of_machines);
}

TEST_CASE("csr_table: a register keeps the bits that the list says, and no other register changes", "[csr_table]") {
  for (const Register& each : registers()) {
    INFO(each.name);
    if (is_read_only(each.number)) {
      CHECK(BareHart().read(each.number) == each.zeros);
      continue;
    }
    Fresh fresh(each);
    CHECK(fresh.kept(each.number, each.full) == each.ones);
    CHECK(fresh.kept(each.number, 0) == each.zeros);
    for (unsigned bit = 0; bit < 64 && each.is_plain; ++bit) {
      const u64 value = u64{1} << bit;
      const u64 expected = each.zeros | (value & (each.ones & ~each.zeros));
      if (fresh.kept(each.number, value) != expected) FAIL("bit " << bit);
    }
    Open bare;
    const auto before = bare.all();
    CHECK(bare.write(each.number, each.full));
    for (const auto& [number, value] : bare.all()) {
      if (number == each.number || each.views.count(number) != 0) continue;
      INFO(csr_name(number));
      CHECK(value == before.at(number));
    }
  }
}

TEST_CASE("csr_table: fields with values of their own take those that exist and keep the old for others",
          "[csr_table]") {
  struct Field {
    u16 number;
    unsigned shift;
    std::vector<u64> values;  ///< Of all that the field's width has, those that exist.
    unsigned width;
  };
  const Field fields[] = {
      {0x300, 11, {0, 1, 3}, 2},     // mstatus.MPP
      {0x305, 0, {0, 1}, 2},         // mtvec.MODE
      {0x105, 0, {0, 1}, 2},         // stvec.MODE
      {0x30a, 4, {0, 1, 3}, 2},      // menvcfg.CBIE
      {0x10a, 4, {0, 1, 3}, 2},      // senvcfg.CBIE
      {0x180, 60, {0, 8, 9, 10}, 4}  // satp.MODE
  };
  Reusable bare;
  for (const Field& field : fields) {
    const u64 mask = (u64{1} << field.width) - 1;
    for (const u64 first : field.values) {
      for (u64 second = 0; second <= mask; ++second) {
        INFO(csr_name(field.number) << " " << first << " " << second);
        REQUIRE(bare.kept(field.number, first << field.shift).has_value());
        const auto after = bare.keep(field.number, second << field.shift);
        const bool exists = std::count(field.values.begin(), field.values.end(), second) != 0;
        CHECK((after.value_or(0) >> field.shift & mask) == (exists ? second : first));
      }
    }
  }
  // Of the bits of PMP entries each is its own but W, which needs R.
  for (unsigned entry = 0; entry < 16; ++entry) {
    for (u64 config = 0; config < 0x100; ++config) {
      const unsigned shift = 8 * (entry % 8);
      const u64 kept = config & 0x9f & ~((config & 1) == 0 ? u64{2} : 0);
      CHECK(bare.kept(entry < 8 ? 0x3a0 : 0x3a2, config << shift) == kept << shift);
      CHECK(bare.hart.csr.pmpcfg.at(entry) == kept);
    }
  }
}

TEST_CASE("csr_table: a locked entry keeps its configuration and address, a locked range its base", "[csr_table]") {
  constexpr u8 kLocked = 0x80, kTor = 0x08;
  for (u16 entry = 0; entry < 16; ++entry) {
    const u16 config = entry < 8 ? 0x3a0 : 0x3a2, address = static_cast<u16>(0x3b0 + entry);
    const unsigned shift = 8 * (entry % 8u);
    for (const u8 mode : {u8{0}, kTor, u8{0x10}, u8{0x18}}) {
      INFO(entry << " " << int{mode});
      BareHart bare;
      for (u16 i = 0; i < 16; ++i) bare.write(static_cast<u16>(0x3b0 + i), 100u + i);
      bare.write(config, u64{kLocked} << shift | u64{mode} << shift);
      CHECK(bare.keep(config, 0) == (u64{kLocked} | mode) << shift);
      CHECK(bare.keep(address, 7) == 100u + entry);
      if (entry > 0) CHECK(bare.keep(static_cast<u16>(address - 1), 7) == (mode == kTor ? 99u + entry : 7u));
      if (entry < 15) CHECK(bare.keep(static_cast<u16>(address + 1), 7) == 7u);
      // Without the lock all can be written again.
      BareHart open;
      open.write(config, u64{mode} << shift);
      CHECK(open.keep(address, 7) == 7u);
      if (entry > 0) CHECK(open.keep(static_cast<u16>(address - 1), 7) == 7u);
      CHECK(open.keep(config, u64{1} << shift) == u64{1} << shift);
    }
  }
}

TEST_CASE("csr_table: extensions bring their registers, each its own", "[csr_table]") {
  const std::map<Extension, std::vector<u16>> brought = {{Extension::kF, {0x001, 0x002, 0x003}},
                                                         {Extension::kSstc, {0x14d}},
                                                         {Extension::kZicntr, {0xc00, 0xc01, 0xc02}},
                                                         {Extension::kZihpm, {0xc03, 0xc04, 0xc10, 0xc1f}}};
  for (const ExtensionRow& row : extension_rows()) {
    if (row.may_change != Switch::kFree) continue;
    INFO(row.name);
    Open bare;
    bare.platform.extensions = without_extension(default_extensions(), row.id);
    for (const auto& [extension, numbers] : brought) {
      for (const u16 number : numbers) {
        INFO(csr_name(number));
        CHECK(bare.read(number).has_value() == bare.platform.extensions.has(extension));
      }
    }
  }
}

}  // namespace retrov
