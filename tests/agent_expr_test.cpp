// Covers gdbstub/agent_expr and gdbstub/agent_printf.
#include "gdbstub/agent_expr.hpp"

#include <map>
#include <random>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

/// Register n holds 100 + n, but for number 500, which is not there; 16 bytes of memory at 0x1000 and a string.
class TableHart final : public HartView {
 public:
  std::optional<u64> read_register(RegisterId id) const override {
    const auto number = static_cast<u64>(id);
    return number == 500 ? std::nullopt : std::optional(100 + number);
  }
  std::size_t read_memory(VirtAddr address, std::span<u8> out) const override {
    std::size_t done = 0;
    for (; done < out.size(); ++done) {
      const u64 offset = address.value + done - 0x1000;
      if (offset >= sizeof kBytes) break;
      out[done] = static_cast<u8>(kBytes[offset]);
    }
    return done;
  }

 private:
  static constexpr char kBytes[] = "\x88\x77\x66\x55\x44\x33\x22\xf1hello";
};

std::vector<u8> bytes(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
  }
  const auto result = parse_bytes(digits);
  REQUIRE(result.has_value());
  return *result;
}

AgentResult run(std::string_view hex) {
  return AgentExpression(bytes(hex), AgentUse::kCondition).evaluate(TableHart(), nullptr);
}

std::string refusal(std::string_view hex, AgentUse use = AgentUse::kCondition) {
  try {
    AgentExpression expression(bytes(hex), use);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// `printf` of a format, with the arguments given as they are pushed: the last one first.
std::string print_code(const std::string& pushed, std::string format, unsigned arguments) {
  format += '\0';
  std::string code = pushed + "22002200" + "34";
  append_hex_byte(code, static_cast<u8>(arguments));
  append_hex_byte(code, static_cast<u8>(format.size() >> 8));
  append_hex_byte(code, static_cast<u8>(format.size()));
  return code + hex_bytes(format) + "27";
}

std::string printed(const std::string& pushed, const std::string& format, unsigned arguments) {
  std::string text;
  const AgentExpression command(bytes(print_code(pushed, format, arguments)), AgentUse::kCommand);
  CHECK(command.evaluate(TableHart(), &text).fault.empty());
  return text;
}

constexpr const char* kMinusSeven = "25fffffffffffffff9";
constexpr const char* kSmallest = "258000000000000000";
constexpr const char* kMinusOne = "25ffffffffffffffff";

}  // namespace

TEST_CASE("agent_expr: each bytecode computes what gdb's manual says", "[agent_expr]") {
  struct Row {
    const char* name;
    std::string code;
    u64 value;
  };
  const std::string seven = kMinusSeven, smallest = kSmallest, minus_one = kMinusOne;
  for (const Row& row : {
           Row{"add", "2203 2204 02 27", 7},
           Row{"sub", "2203 2204 03 27", ~u64{0}},
           Row{"mul", seven + "2203 04 27", static_cast<u64>(-21)},
           Row{"div_signed", seven + "2202 05 27", static_cast<u64>(-3)},
           Row{"div_signed overflow", smallest + minus_one + "05 27", u64{1} << 63},
           Row{"div_unsigned", seven + "2202 06 27", 0x7ffffffffffffffc},
           Row{"rem_signed", seven + "2202 07 27", static_cast<u64>(-1)},
           Row{"rem_signed overflow", smallest + minus_one + "07 27", 0},
           Row{"rem_unsigned", seven + "220a 08 27", 9},
           Row{"lsh", "2203 2204 09 27", 48},
           Row{"lsh by all", "2203 2240 09 27", 0},
           Row{"rsh_signed", seven + "2201 0a 27", static_cast<u64>(-4)},
           Row{"rsh_signed by more", seven + "22ff 0a 27", ~u64{0}},
           Row{"rsh_unsigned", seven + "223c 0b 27", 15},
           Row{"trace takes address and size", "2209 2205 2206 0c 27", 9},
           Row{"trace_quick keeps the address", "2205 0d08 27", 5},
           Row{"log_not", "2200 0e 27", 1},
           Row{"log_not of one", "2205 0e 27", 0},
           Row{"bit_and", "220c 220a 0f 27", 8},
           Row{"bit_or", "220c 220a 10 27", 14},
           Row{"bit_xor", "220c 220a 11 27", 6},
           Row{"bit_not", "2205 12 27", ~u64{5}},
           Row{"equal", "2205 2205 13 27", 1},
           Row{"less_signed", seven + "2205 14 27", 1},
           Row{"less_unsigned", seven + "2205 15 27", 0},
           Row{"ext", "22f9 1608 27", static_cast<u64>(-7)},
           Row{"ext of all", seven + "1640 27", static_cast<u64>(-7)},
           Row{"ref8", "231007 17 27", 0xf1},
           Row{"ref16", "231001 18 27", 0x6677},
           Row{"ref32", "231003 19 27", 0x22334455},
           Row{"ref64", "231000 1a 27", 0xf122334455667788},
           Row{"if_goto taken", "2201 200008 2206 27 2205 27", 5},
           Row{"if_goto not taken", "2200 200008 2206 27 2205 27", 6},
           Row{"goto", "210006 2205 27 2206 27", 6},
           Row{"const8", "22ff 27", 0xff},
           Row{"const16", "23fffe 27", 0xfffe},
           Row{"const32", "24fffefdfc 27", 0xfffefdfc},
           Row{"const64", "250102030405060708 27", 0x0102030405060708},
           Row{"reg", "260020 27", 132},
           Row{"dup", "2205 28 02 27", 10},
           Row{"pop", "2205 2206 29 27", 5},
           Row{"zero_ext", seven + "2a08 27", 0xf9},
           Row{"swap", "2205 2202 2b 03 27", static_cast<u64>(-3)},
           Row{"getv of nothing", "2c0003 27", 0},
           Row{"setv", "2205 2d0003 2c0003 02 27", 10},
           Row{"tracev", "2205 2d0003 29 2e0003 27", 5},
           Row{"tracenz", "2207 2205 2206 2f 27", 7},
           Row{"trace16", "2205 300100 27", 5},
           Row{"pick", "2205 2206 2207 3202 27", 5},
           Row{"rot brings b to the top", "2205 2206 2207 33 27", 6},
           Row{"rot puts c below", "2205 2206 2207 33 29 29 27", 7},
       }) {
    INFO(row.name);
    const AgentResult result = run(row.code);
    CHECK(result.fault.empty());
    CHECK(result.value == row.value);
  }
}

TEST_CASE("agent_expr: what cannot be evaluated faults and says why", "[agent_expr]") {
  CHECK(run("2205 2200 05 27").fault == "division by zero");
  CHECK(run("2205 2200 06 27").fault == "division by zero");
  CHECK(run("2205 2200 07 27").fault == "division by zero");
  CHECK(run("2205 2200 08 27").fault == "division by zero");
  CHECK(run("2205 17 27").fault == "memory that cannot be read");
  // It begins in memory and ends outside.
  CHECK(run("23100d 1a 27").fault == "memory that cannot be read");
  CHECK(run("2601f4 27").fault == "a register that is not there");
  CHECK(run("2201 210002 27").fault == "too many bytecodes");
}

TEST_CASE("agent_expr: bytes that are no expression are refused", "[agent_expr]") {
  CHECK(refusal("").find("beyond its end") != std::string::npos);
  CHECK(refusal("2205").find("beyond its end") != std::string::npos);
  CHECK(refusal("2205 200000").find("beyond its end") != std::string::npos);
  CHECK(refusal("26 00").find("middle of a bytecode") != std::string::npos);
  CHECK(refusal("25 00000000000000").find("middle of a bytecode") != std::string::npos);
  CHECK(refusal("27").find("without a value") != std::string::npos);
  CHECK(refusal("27", AgentUse::kCommand).empty());
  CHECK(refusal("02 27").find("runs empty") != std::string::npos);
  CHECK(refusal("2205 2205 33 27").find("runs empty") != std::string::npos);
  CHECK(refusal("2205 3201 27").find("below the stack") != std::string::npos);
  CHECK(refusal("210001 27").find("no bytecode") != std::string::npos);
  CHECK(refusal("210009 27").find("no bytecode") != std::string::npos);
  // One way round the loop pushes a value, so there is no height that holds at its head.
  CHECK(refusal("2205 210000 27").find("two heights") != std::string::npos);
  CHECK(refusal("2200 200007 2201 2201 27").find("two heights") != std::string::npos);
  std::string pushes;
  for (int i = 0; i < 256; ++i) pushes += "2201";
  CHECK(refusal(pushes + "27").empty());
  CHECK(refusal(pushes + "220127").find("too high") != std::string::npos);
  // Floating point has numbers in the table, and no meaning.
  for (const char* op : {"01", "1b", "1c", "1d", "1e", "1f", "00", "31", "35", "ff"}) {
    INFO(op);
    CHECK(refusal("2205" + std::string(op) + "27").find("there is no bytecode") != std::string::npos);
  }
  CHECK(refusal("2205 2200 2200 34 01 0003 256400 27", AgentUse::kCommand).empty());
  CHECK(refusal("2205 2200 2200 34 01 0003 256464 27", AgentUse::kCommand).find("zero") != std::string::npos);
  CHECK(refusal("2205 2200 2200 34 01 00ff 256400 27", AgentUse::kCommand).find("format") != std::string::npos);
  CHECK(refusal("2205 2200 2200 34 01 0000 27", AgentUse::kCommand).find("format") != std::string::npos);
  CHECK(refusal("2200 2200 34 01 0003 256400 27", AgentUse::kCommand).find("runs empty") != std::string::npos);
}

TEST_CASE("agent_expr: random bytes neither break out nor run on", "[agent_expr]") {
  std::mt19937 random(7);
  unsigned accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::vector<u8> code(1 + random() % 12);
    for (u8& byte : code) byte = static_cast<u8>(random() % 3 == 0 ? random() % 8 : random() % 0x36);
    code.push_back(0x27);
    try {
      const AgentExpression expression(code, AgentUse::kCommand);
      std::string text;
      (void)expression.evaluate(TableHart(), &text);
      ++accepted;
    } catch (const Error&) {
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("agent_expr: printf prints as C does", "[agent_expr]") {
  CHECK(printed("2205", "hi %d\\n", 1) == "hi 5\n");
  // The last argument is pushed first.
  CHECK(printed("2207 2206 2205", "%d-%u-%x", 3) == "5-6-7");
  CHECK(printed("24fffffff9", "%d", 1) == "-7");
  CHECK(printed("24fffffff9", "%u", 1) == "4294967289");
  CHECK(printed("24fffffff9", "%ld", 1) == "4294967289");
  CHECK(printed(kMinusSeven, "%lld %%", 1) == "-7 %");
  CHECK(printed("2380ff", "%hhd", 1) == "-1");
  CHECK(printed("2207 2207 2207 2409239234", "%hx %5d|%-5d|%05d", 4) == "9234     7|7    |00007");
  CHECK(printed("22ff", "%#6x|", 1) == "  0xff|");
  CHECK(printed("22ff", "%o %%", 1) == "377 %");
  CHECK(printed("2241", "%c%%", 1) == "A%");
  CHECK(printed("231000", "%p", 1) == "0x1000");
  CHECK(printed("231008", "[%s]", 1) == "[hello]");
  CHECK(printed("231008", "[%7.3s]", 1) == "[    hel]");
  CHECK(printed("2205", "[%s]", 1) == "[<nothing can be read at 0x5>]");
  // What is no text is written as gdb writes it, and text is left alone.
  CHECK(printed("22c8", "[%c]", 1) == "[\\310]");
  CHECK(printed("", "\\303\\244 \\342\\202\\254 \\360\\237\\230\\200", 0) == "\u00e4 \u20ac \U0001f600");
  CHECK(printed("", "\\303|\\300\\200|\\355\\240\\200|\\364\\220\\200\\200", 0) ==
        "\\303|\\300\\200|\\355\\240\\200|\\364\\220\\200\\200");
  CHECK(printed("", "\\t\\\"\\\\\\e\\101\\a", 0) == "\t\"\\\033A\a");
  CHECK(printed("", "", 0).empty());
}

TEST_CASE("agent_expr: a format that is none is refused", "[agent_expr]") {
  for (const char* format : {"%", "%q", "%f", "%*d", "%lf", "%ls", "%lld%", "%Ld", "%1000d", "%.1000d", "\\", "\\q",
                             "%hhhd", "\\777"}) {
    INFO(format);
    CHECK_FALSE(refusal(print_code("2205", format, 1), AgentUse::kCommand).empty());
  }
  CHECK_FALSE(refusal(print_code("2205", "%d %d", 1), AgentUse::kCommand).empty());
  CHECK_FALSE(refusal(print_code("2205 2205", "%d", 2), AgentUse::kCommand).empty());
}
