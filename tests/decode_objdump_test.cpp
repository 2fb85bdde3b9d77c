// Decoding against binutils: the name and the operands of all 16-bit encodings and of random fillings of every 32-bit
// row, as objdump prints them. Covers core/decode and the tables of core/isa.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/insn.hpp"
#include "core/isa/tables.hpp"
#include "tests/catch.hpp"
#include "tests/support/paths.hpp"

namespace retrov {
namespace {

namespace fs = std::filesystem;

std::string x(unsigned number) { return "x" + std::to_string(number & 31); }
std::string f(unsigned number) { return "f" + std::to_string(number); }

std::string hex(u64 value) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string rounding(i32 imm) {
  constexpr std::array<const char*, 8> kNames = {",rne", ",rtz", ",rdn", ",rup", ",rmm", ",unknown", ",unknown", ""};
  return kNames[static_cast<u32>(imm) & 7];
}

/// Of fli, by the manual's table; %a is how binutils writes them.
std::string constant(unsigned number) {
  constexpr std::array<double, 30> kValues = {-1,    0,      0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125,
                                              0.25,  0.3125, 0.375,   0.4375,  0.5,    0.625,  0.75,   0.875,
                                              1,     1.25,   1.5,     1.75,    2,      2.5,    3,      4,
                                              8,     16,     128,     256,     32768,  65536};
  if (number == 1 || number >= kValues.size()) return number == 1 ? "min" : number == 30 ? "inf" : "nan";
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%a", kValues[number]);
  return text.data();
}

std::string place(u64 at, const Operands& o) { return hex(at + static_cast<u64>(i64{o.imm})).substr(2); }

/// Operands as objdump -M no-aliases,numeric writes them. `at` is the address of the instruction.
std::string objdump_operands(Format format, const Operands& o, u64 at) {
  const std::string imm = std::to_string(o.imm);
  const std::string d = x(o.rd), s = x(o.rs1), t = x(o.rs2);
  const std::string memory = imm + "(" + s + ")";
  const u32 upper = static_cast<u32>(o.imm) >> 12;
  switch (format) {
    case Format::kR:
      return d + "," + s + "," + t;
    case Format::kI:
    case Format::kCAddi4Spn:
      return d + "," + s + "," + imm;
    case Format::kShift:
    case Format::kShiftW:
      return d + "," + s + "," + hex(static_cast<u32>(o.imm));
    case Format::kS:
    case Format::kCSw:
    case Format::kCSd:
    case Format::kCSwsp:
    case Format::kCSdsp:
      return t + "," + memory;
    case Format::kB:
      return s + "," + t + "," + place(at, o);
    case Format::kU:
    case Format::kCLui:
      return d + "," + hex(upper);
    case Format::kJ:
      return d + "," + place(at, o);
    case Format::kUnary:
      return d + "," + s;
    case Format::kCsr:
      return d + "," + hex(static_cast<u32>(o.imm)) + "," + s;
    case Format::kCsrImm:
      return d + "," + hex(static_cast<u32>(o.imm)) + "," + std::to_string(o.rs1);
    case Format::kAmo:
      return d + "," + t + ",(" + s + ")";
    case Format::kLr:
      return d + ",(" + s + ")";
    case Format::kSfence:
      return s + "," + t;
    case Format::kFR:
      return f(o.rd) + "," + f(o.rs1) + "," + f(o.rs2) + rounding(o.imm);
    case Format::kFR4:
      return f(o.rd) + "," + f(o.rs1) + "," + f(o.rs2) + "," + f(static_cast<u32>(o.imm) >> 3) + rounding(o.imm);
    case Format::kFUnary:
      return f(o.rd) + "," + f(o.rs1) + rounding(o.imm);
    case Format::kFCompare:
      return d + "," + f(o.rs1) + "," + f(o.rs2);
    case Format::kFToInt:
      return d + "," + f(o.rs1) + rounding(o.imm);
    case Format::kIntToF:
      return f(o.rd) + "," + s + rounding(o.imm);
    case Format::kFNoRm:
      return f(o.rd) + "," + f(o.rs1) + "," + f(o.rs2);
    case Format::kFLoad:
    case Format::kCFld:
    case Format::kCFldsp:
      return f(o.rd) + "," + memory;
    case Format::kFStore:
    case Format::kCFsd:
    case Format::kCFsdsp:
      return f(o.rs2) + "," + memory;
    case Format::kCI:
    case Format::kCI16Sp:
    case Format::kCBAndi:
      return d + "," + imm;
    case Format::kCShift:
    case Format::kCBShift:
      return d + "," + hex(static_cast<u32>(o.imm));
    case Format::kCLw:
    case Format::kCLd:
    case Format::kCLwsp:
    case Format::kCLdsp:
      return d + "," + memory;
    case Format::kCB:
      return s + "," + place(at, o);
    case Format::kCJ:
      return place(at, o);
    case Format::kCJr:
    case Format::kCJalr:
      return s;
    case Format::kCA:
    case Format::kCMv:
    case Format::kCAdd:
      return d + "," + t;
    case Format::kFToIntNoRm:
      return d + "," + f(o.rs1);
    case Format::kIntToFNoRm:
      return f(o.rd) + "," + s;
    case Format::kFli:
      return f(o.rd) + "," + constant(o.rs1);
    case Format::kBlock:
      return "(" + s + ")";
    case Format::kPrefetch:
    case Format::kCLb:
    case Format::kCLh:
      return (format == Format::kPrefetch ? "" : d + ",") + memory;
    case Format::kCSb:
    case Format::kCSh:
      return t + "," + memory;
    case Format::kCUnary:
      return d;
    case Format::kNone:
    case Format::kFence:
      return "";
  }
  return "?";
}

struct Listed {
  std::string name, operands;
};

/// Which binutils to ask. The system's are Debian 12's at least, and know no Zfa,
/// Zicond, Zacas and Zcb.
enum class Binutils : bool { kSystem, kNewer };

/// What objdump says of these encodings, in their order and from address 0 on.
std::vector<Listed> objdump(const std::vector<u32>& encodings, Binutils which = Binutils::kSystem) {
  const fs::path folder = fs::temp_directory_path() / ("retrov-decode-" + hex(reinterpret_cast<u64>(&encodings)));
  fs::create_directories(folder);
  {
    std::ofstream source(folder / "a.s");
    for (const u32 raw : encodings) source << ".insn " << insn_length_bytes(raw) << ", " << hex(raw) << "\n";
  }
  const bool newer = which == Binutils::kNewer;
  const std::string find = newer ? "B=$('" + test::source_dir() + "/scripts/newer-binutils')/ && " : "B= && ";
  const std::string march = std::string("rv64gc_zba_zbb_zbc_zbs_zfh_zihintpause_zicbom_zicbop_zicboz_zawrs_svinval") +
                            (newer ? "_zfa_zicond_zacas_zcb" : "");
  const std::string command = find + "cd '" + folder.string() + "' && \"${B}riscv64-linux-gnu-as\" -march=" + march +
                              " a.s -o a.o && \"${B}riscv64-linux-gnu-objdump\" -d -M no-aliases,numeric a.o >a.txt";
  const int status = std::system(command.c_str());
  std::vector<Listed> result;
  std::ifstream listing(folder / "a.txt");
  // "   2:<tab>0005                <tab>c.addi<tab>x0,1"; behind a blank comes what the operands lead to.
  for (std::string line; std::getline(listing, line);) {
    std::array<std::string, 4> columns;
    std::size_t column = 0;
    for (const char c : line) {
      if (c == '\t' && column < 3) {
        ++column;
      } else {
        columns[column] += c;
      }
    }
    if (column >= 2) result.push_back({columns[2], columns[3].substr(0, columns[3].find(' '))});
  }
  fs::remove_all(folder);
  REQUIRE(status == 0);
  REQUIRE(result.size() == encodings.size());
  return result;
}

bool may_have_rounding(Format format) {
  return format == Format::kFR || format == Format::kFR4 || format == Format::kFUnary || format == Format::kFToInt ||
         format == Format::kIntToF;
}

/// Conversions that never round: binutils knows them with rm = 0 alone, the manual with every mode that exists.
bool is_exact(std::string_view name) {
  return name == "fcvt.d.w" || name == "fcvt.d.wu" || name == "fcvt.d.s" || name == "fcvt.s.h" || name == "fcvt.d.h";
}

/// A 32-bit encoding of the row with random operands, as far as binutils knows their values.
u32 filled(const InsnRow& row, u32 random) {
  const Encoding& encoding = row.encoding;
  // Fields of fences that only we ignore, as the manual demands.
  if (row.format == Format::kFence || row.name == "fence.i") return encoding.match;
  u32 raw = encoding.match | (random & ~encoding.mask);
  if (!may_have_rounding(row.format) || (encoding.mask & 0x7000) != 0) return raw;
  if (is_exact(row.name)) raw &= ~u32{0x7000};
  if ((raw & 0x7000) >= 0x5000) raw |= 0x7000;
  return raw;
}

std::string without_last_operand(const std::string& operands) { return operands.substr(0, operands.rfind(',')); }

bool same_operands(const InsnRow& row, u32 raw, u64 at, const std::string& theirs) {
  const Operands operands = decode_operands(row.format, raw);
  const bool is_address = row.format == Format::kI && (row.kind == Kind::kLoad || row.kind == Kind::kJumpIndirect);
  const Format format = is_address ? Format::kCLw : row.format;
  const std::string ours = objdump_operands(format, operands, at);
  if (ours == theirs) return true;
  if (row.format == Format::kCsr || row.format == Format::kCsrImm) {
    // theirs has a name: compare the rest; the number is in decode_test.
    return ours.substr(0, ours.find(',')) == theirs.substr(0, theirs.find(',')) &&
           ours.substr(ours.rfind(',')) == theirs.substr(theirs.rfind(','));
  }
  // Binutils writes no rounding mode where there is no such field, or where it changes nothing.
  return may_have_rounding(row.format) && (raw & 0x7000) <= 0x1000 && without_last_operand(ours) == theirs;
}

bool is_known_to(Binutils which, const InsnRow& row) {
  if (which == Binutils::kNewer) return true;
  for (const std::span<const InsnRow> rows : {rv_zfa_rows(), rv_zfa_double_rows(), rv_zfa_half_rows(), rv_zicond_rows(),
                                              rv_zacas_rows()}) {
    if (&row >= rows.data() && &row < rows.data() + rows.size()) return false;
  }
  return true;
}

void compare_random_fillings(Binutils which, unsigned least_rows) {
  constexpr unsigned kFillings = 60;
  std::vector<u32> encodings;
  u64 random = 88172645463325252;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      if (!is_known_to(which, row)) continue;
      for (unsigned i = 0; i < kFillings && row.encoding.bits == 32; ++i) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        encodings.push_back(filled(row, static_cast<u32>(random >> 16)));
      }
    }
  }
  CHECK(encodings.size() > least_rows * kFillings);
  const std::vector<Listed> listed = objdump(encodings, which);
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const u32 raw = encodings[i];
    const Listed& theirs = listed[i];
    const InsnRow* row = find_insn(raw);
    INFO(hex(raw) << ": " << theirs.name << " " << theirs.operands);
    REQUIRE(row != nullptr);
    // .aq, .rl, .aqrl: order, of which there is only one.
    const std::string name(row->name);
    const bool is_atomic = row->format == Format::kAmo || row->format == Format::kLr;
    if (is_atomic ? theirs.name.substr(0, name.size()) != name : theirs.name != name) FAIL("we say " << name);
    if (row->format != Format::kFence && !same_operands(*row, raw, 4 * i, theirs.operands)) {
      FAIL("we say " << objdump_operands(row->format, decode_operands(row->format, raw), 4 * i));
    }
  }
}

/// What one may know and the other not.
bool is_explained(u32 raw, const InsnRow* row, const Listed& theirs) {
  // Returns from U-mode and HS-mode of drafts; the manual has them no more.
  if (row == nullptr) return theirs.name == "uret" || theirs.name == "hret";
  if (is_exact(row->name)) return (raw & 0x7000) != 0;
  // Opcode and funct3 of fence and fence.i: the reserved fields beside them are to be ignored.
  return (raw & 0x707f) == 0x000f || (raw & 0x707f) == 0x100f;
}

}  // namespace

TEST_CASE("decode_objdump: every 16-bit encoding means what binutils says", "[decode_objdump]") {
  std::vector<u32> encodings;
  for (u32 raw = 0; raw < 0x10000; ++raw) {
    if ((raw & 3) != 3) encodings.push_back(raw);
  }
  const std::vector<Listed> listed = objdump(encodings, Binutils::kNewer);
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const u32 raw = encodings[i];
    const Listed& theirs = listed[i];
    const InsnRow* row = find_insn(raw);
    INFO(hex(raw) << ": " << theirs.name << " " << theirs.operands);
    // Binutils prints c.addi16sp with immediate 0, which the manual reserves.
    const bool is_illegal = theirs.name[0] == '.' || theirs.name == "c.unimp" || raw == 0x6101;
    if ((row == nullptr) != is_illegal) FAIL("legal for one only");
    if (row == nullptr) continue;
    // A shift by 0 had a name for RV128: c.slli64, without a count.
    if (theirs.name == std::string(row->name) + "64") continue;
    if (theirs.name != row->name) FAIL("we say " << row->name);
    if (!same_operands(*row, raw, 2 * i, theirs.operands)) {
      FAIL("we say " << objdump_operands(row->format, decode_operands(row->format, raw), 2 * i));
    }
  }
}

TEST_CASE("decode_objdump: every 32-bit row with random operands means what binutils says", "[decode_objdump]") {
  compare_random_fillings(Binutils::kSystem, 215);
}

TEST_CASE("decode_objdump: a word that differs from a row in one fixed bit is legal for both or for neither",
          "[decode_objdump]") {
  std::vector<u32> encodings;
  u64 random = 2463534242;
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) {
      for (unsigned bit = 2; bit < row.encoding.bits && row.encoding.bits == 32; ++bit) {
        if ((row.encoding.mask >> bit & 1) == 0) continue;
        for (unsigned i = 0; i < 2; ++i) {
          random ^= random << 13;
          random ^= random >> 7;
          random ^= random << 17;
          const u32 raw = filled(row, static_cast<u32>(random >> 16)) ^ u32{1} << bit;
          if (insn_length_bytes(raw) == 4 && (raw & 0x1f) != 0x1f) encodings.push_back(raw);
        }
      }
    }
  }
  const std::vector<Listed> listed = objdump(encodings, Binutils::kNewer);
  for (std::size_t i = 0; i < encodings.size(); ++i) {
    const u32 raw = encodings[i];
    const Listed& theirs = listed[i];
    const InsnRow* row = find_insn(raw);
    const bool they_know = theirs.name[0] != '.';
    if (they_know == (row != nullptr) || is_explained(raw, row, theirs)) continue;
    FAIL(hex(raw) << " is " << (row == nullptr ? "illegal" : row->name) << ", they say " << theirs.name);
  }
  CHECK(encodings.size() > 8'000);
}

TEST_CASE("decode_objdump: a newer binutils agrees, and knows all rows", "[decode_objdump]") {
  compare_random_fillings(Binutils::kNewer, 215 + 21);
}

}  // namespace retrov
