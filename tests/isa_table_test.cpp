// Every row of the integer instructions on corners and random operands, against tests/support/integer_oracle.hpp: no
// row can be left out, because a row without a second formulation fails. Covers the integer rows of core/isa, and
// loads, stores and atomics of all widths.
#include <array>
#include <set>

#include "tests/catch.hpp"
#include "tests/support/integer_oracle.hpp"
#include "tests/support/isa_hart.hpp"

namespace retrov {
namespace {

using integer_oracle::Formulation;
using integer_oracle::formulation_of;

constexpr u64 kData = kTestRam + 0x8000;

/// xorshift64: the same numbers on every run.
class Numbers {
 public:
  u64 next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  u64 state_ = 0x9e3779b97f4a7c15;
};

bool has_immediate(Format format) {
  static const std::set<Format> formats = {Format::kI,      Format::kShift,   Format::kShiftW,   Format::kU,
                                           Format::kCI,     Format::kCI16Sp,  Format::kCLui,     Format::kCShift,
                                           Format::kCBAndi, Format::kCBShift, Format::kCAddi4Spn};
  return formats.count(format) != 0;
}

/// An encoding of the row, or 0 if these random bits make it another's.
u32 random_encoding(const InsnRow& row, u64 random) {
  const u32 bits = row.encoding.bits == 16 ? 0xffff : ~u32{0};
  const u32 raw = row.encoding.match | (static_cast<u32>(random >> 20) & ~row.encoding.mask & bits);
  return row.accepts == nullptr || row.accepts(raw) ? raw : 0;
}

bool computes(const InsnRow& row) {
  return row.kind == Kind::kAlu && row.format != Format::kFence && row.format != Format::kPrefetch;
}

template <class Function>
void for_each_row(Function function) {
  for (const InsnTable& table : insn_tables()) {
    for (const InsnRow& row : table) function(row);
  }
}

}  // namespace

TEST_CASE("isa_table: every row that computes an integer has a second formulation, which agrees", "[isa_table]") {
  const std::vector<u64> numbers = integer_oracle::samples();
  constexpr std::array<i32, 14> kImmediates = {0, 1, 2, 5, 31, 32, 47, 48, 63, -1, -32, 2047, -2048, -0x7ffff000};
  IsaHart machine;
  unsigned rows = 0;
  for_each_row([&](const InsnRow& row) {
    if (!computes(row)) return;
    ++rows;
    const Formulation* formulation = formulation_of(row.name);
    INFO(row.name);
    REQUIRE(formulation != nullptr);
    for (const u64 a : numbers) {
      const auto compare = [&](u64 ours, u64 b) {
        const u64 theirs = formulation->value(a, b);
        if (ours != theirs) FAIL(std::hex << a << " " << b << ": " << ours << " or " << theirs);
      };
      if (has_immediate(row.format)) {
        for (const i32 imm : kImmediates) compare(machine.reg_imm(row.name, a, imm), static_cast<u64>(i64{imm}));
      } else {
        for (const u64 b : numbers) compare(machine.reg_reg(row, a, b), b);
      }
    }
  });
  CHECK(rows == 29 + 13 + 8 + 24 + 3 + 8 + 2 + 7 + 18);
}

TEST_CASE("isa_table: a row that computes writes its destination from its operands and nothing else", "[isa_table]") {
  const std::vector<u64> numbers = integer_oracle::samples();
  Numbers random;
  IsaHart machine;
  Hart& hart = machine.hart;
  for_each_row([&](const InsnRow& row) {
    if (!computes(row)) return;
    for (unsigned i = 0; i < 200; ++i) {
      const u32 raw = random_encoding(row, random.next());
      if (raw == 0) continue;
      for (unsigned x = 1; x < 32; ++x) hart.x[x] = numbers[random.next() % numbers.size()];
      const Operands operands = decode_operands(row.format, raw);
      auto expected = hart.x;
      const u64 b = has_immediate(row.format) ? static_cast<u64>(i64{operands.imm}) : hart.x[operands.rs2];
      expected[operands.rd] = formulation_of(row.name)->value(hart.x[operands.rs1], b);
      const u64 pc = hart.pc;
      const bool trapped = static_cast<bool>(machine.step(row, operands));
      if (trapped || hart.x != expected || hart.pc != pc + insn_length_bytes(raw) || hart.leave) {
        FAIL(row.name << " " << std::hex << raw);
      }
    }
  });
}

TEST_CASE("isa_table: branches are taken when their names say, with and without C", "[isa_table]") {
  using integer_oracle::less_signed;
  struct Condition {
    std::string_view name;
    bool (*holds)(u64 a, u64 b);
  };
  constexpr Condition kConditions[] = {
      {"beq", [](u64 a, u64 b) { return (a ^ b) == 0; }},
      {"bne", [](u64 a, u64 b) { return (a ^ b) != 0; }},
      {"blt", [](u64 a, u64 b) { return less_signed(a, b); }},
      {"bge", [](u64 a, u64 b) { return !less_signed(a, b); }},
      {"bltu", [](u64 a, u64 b) { return b > a; }},
      {"bgeu", [](u64 a, u64 b) { return !(b > a); }},
      {"c.beqz", [](u64 a, u64) { return a == 0; }},
      {"c.bnez", [](u64 a, u64) { return a != 0; }},
  };
  const std::vector<u64> numbers = integer_oracle::samples();
  IsaHart machine;
  Hart& hart = machine.hart;
  unsigned rows = 0;
  for_each_row([&](const InsnRow& row) {
    if (row.format != Format::kB && row.format != Format::kCB) return;
    ++rows;
    for (const Condition& condition : kConditions) {
      if (condition.name != row.name) continue;
      for (const u64 a : numbers) {
        for (const u64 b : numbers) {
          hart.pc = kTestRam;
          hart.x[1] = a;
          hart.x[2] = b;
          const u8 second = row.format == Format::kCB ? 0 : 2;
          REQUIRE_FALSE(machine.step(row, {-128, 0, 1, second}));
          const u64 expected = condition.holds(a, b) ? kTestRam - 128 : kTestRam + row.encoding.bits / 8;
          if (hart.pc != expected) FAIL(row.name << " " << std::hex << a << " " << b);
        }
      }
    }
  });
  CHECK(rows == 6 + 6 + 2);
}

TEST_CASE("isa_table: loads and stores have the width, the extension and the address of their rows", "[isa_table]") {
  struct Width {
    std::string_view letters;  ///< Behind "c.", "l", "s", "fl" and "fs".
    unsigned bytes;
  };
  constexpr Width kWidths[] = {{"b", 1}, {"h", 2}, {"w", 4}, {"d", 8}, {"bu", 1}, {"hu", 2}, {"wu", 4}};
  Numbers random;
  IsaHart machine;
  Hart& hart = machine.hart;
  hart.csr.mstatus |= mstatus::kFs;
  unsigned rows = 0;
  for_each_row([&](const InsnRow& row) {
    if (row.kind != Kind::kLoad && row.kind != Kind::kStore) return;
    ++rows;
    std::string name(row.name.substr(0, 2) == "c." ? row.name.substr(2) : row.name);
    if (name.size() > 3 && name.substr(name.size() - 2) == "sp") name.resize(name.size() - 2);
    const bool is_float = name[0] == 'f';
    if (is_float) name.erase(0, 1);
    unsigned bytes = 0;
    for (const Width& width : kWidths) {
      if (width.letters == name.substr(1)) bytes = width.bytes;
    }
    REQUIRE(bytes != 0);
    const u64 ones = bytes == 8 ? 0 : ~u64{0} << (8 * bytes);
    for (unsigned i = 0; i < 300; ++i) {
      const u32 raw = random_encoding(row, random.next());
      const Operands operands = decode_operands(row.format, raw);
      if (raw == 0 || operands.rs1 == 0) continue;
      for (unsigned x = 1; x < 32; ++x) hart.x[x] = random.next();
      for (u64& number : hart.f) number = random.next();
      const u64 at = kData + 8 * (random.next() % 64) + random.next() % (9 - bytes);
      hart.x[operands.rs1] = at - static_cast<u64>(i64{operands.imm});
      const u64 word_at = at & ~u64{7}, before = random.next();
      const unsigned shift = 8 * static_cast<unsigned>(at - word_at);
      machine.put(word_at, before);
      auto expected_x = hart.x;
      auto expected_f = hart.f;
      u64 expected = before;
      if (row.kind == Kind::kLoad) {
        const u64 value = before >> shift & ~ones;
        const bool negative = (value >> (8 * bytes - 1)) != 0;
        if (is_float) {
          expected_f[operands.rd] = value | ones;
        } else {
          expected_x[operands.rd] = negative && name.back() != 'u' ? value | ones : value;
        }
      } else {
        const u64 value = is_float ? hart.f[operands.rs2] : hart.x[operands.rs2];
        expected = (before & ~(~ones << shift)) | (value & ~ones) << shift;
      }
      const Trap trap = machine.step(row, operands);
      if (trap || hart.x != expected_x || hart.f != expected_f || machine.get(word_at) != expected) {
        FAIL(row.name << " " << std::hex << raw << " at " << at);
      }
    }
  });
  CHECK(rows == 11 + 8 + 4 + 2 + 2 + 2 + 5);
}

TEST_CASE("isa_table: atomics combine what is in memory with rs2, in their width", "[isa_table]") {
  using integer_oracle::less_signed;
  struct Combination {
    std::string_view stem;
    u64 (*value)(u64 old, u64 operand);  ///< Both sign-extended.
  };
  constexpr Combination kCombinations[] = {
      {"amoswap", [](u64, u64 b) { return b; }},
      {"amoadd", [](u64 a, u64 b) { return integer_oracle::sum(a, b, false); }},
      {"amoxor", [](u64 a, u64 b) { return (a | b) - (a & b); }},
      {"amoand", [](u64 a, u64 b) { return ~(~a | ~b); }},
      {"amoor", [](u64 a, u64 b) { return ~(~a & ~b); }},
      {"amomin", [](u64 a, u64 b) { return less_signed(a, b) ? a : b; }},
      {"amomax", [](u64 a, u64 b) { return less_signed(a, b) ? b : a; }},
      {"amominu", [](u64 a, u64 b) { return a > b ? b : a; }},
      {"amomaxu", [](u64 a, u64 b) { return a > b ? a : b; }},
  };
  const std::vector<u64> numbers = integer_oracle::samples();
  IsaHart machine;
  Hart& hart = machine.hart;
  for (const Combination& combination : kCombinations) {
    for (const bool is_word : {true, false}) {
      const InsnRow& row = row_named(std::string(combination.stem) + (is_word ? ".w" : ".d"));
      for (const u64 memory : numbers) {
        for (const u64 operand : numbers) {
          machine.put(kData, memory);
          hart.x[1] = kData;
          hart.x[2] = operand;
          REQUIRE_FALSE(machine.step(row, {0, 3, 1, 2}));
          const u64 old = is_word ? integer_oracle::extended_word(memory) : memory;
          const u64 value = combination.value(old, is_word ? integer_oracle::extended_word(operand) : operand);
          const u64 expected = is_word ? memory - integer_oracle::word(memory) + integer_oracle::word(value) : value;
          if (hart.x[3] != old || machine.get(kData) != expected) FAIL(row.name << std::hex << memory << operand);
        }
      }
    }
  }
}

TEST_CASE("isa_table: compare-and-swap stores rs2 where memory equals rd, in its width", "[isa_table]") {
  const std::vector<u64> numbers = integer_oracle::samples();
  IsaHart machine;
  Hart& hart = machine.hart;
  for (const bool is_word : {true, false}) {
    const InsnRow& row = row_named(is_word ? "amocas.w" : "amocas.d");
    for (const u64 memory : numbers) {
      for (const u64 expected : numbers) {
        machine.put(kData, memory);
        hart.x[1] = kData;
        hart.x[2] = 0x0123456789abcdef;
        hart.x[3] = expected;
        REQUIRE_FALSE(machine.step(row, {0, 3, 1, 2}));
        using integer_oracle::word;
        const bool equal = is_word ? word(memory) == word(expected) : memory == expected;
        const u64 stored = is_word ? memory - word(memory) + 0x89abcdef : hart.x[2];
        const u64 old = is_word ? integer_oracle::extended_word(memory) : memory;
        if (hart.x[3] != old || machine.get(kData) != (equal ? stored : memory)) FAIL(row.name << std::hex << memory);
      }
    }
  }
}

}  // namespace retrov
