// What people write for `log`. Covers gdbstub/expression, and cli/log_words, which makes a line of a shell's words.
#include "gdbstub/expression.hpp"

#include <map>

#include "cli/log_words.hpp"
#include "core/check.hpp"
#include "core/registers.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

/// Registers that a test sets; bytes at 0x1000.
class SetHart final : public HartView {
 public:
  std::optional<u64> read_register(RegisterId id) const override {
    const auto found = registers.find(id);
    return found == registers.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t read_memory(VirtAddr address, std::span<u8> out) const override {
    std::size_t done = 0;
    for (; done < out.size() && address.value + done - 0x1000 < sizeof kBytes; ++done) {
      out[done] = static_cast<u8>(kBytes[address.value + done - 0x1000]);
    }
    return done;
  }
  std::map<RegisterId, u64> registers = {{*find_register("a0"), ~u64{0}},
                                         {*find_register("a1"), 0x1000},
                                         {*find_register("satp"), 77},
                                         {kRegisterPc, 0x80000000}};

 private:
  static constexpr char kBytes[] = "\x88\x77\x66\x55\x44\x33\x22\xf1hello";
};

std::optional<u64> symbol(std::string_view name) {
  if (name == "ticks") return 0x1000;
  if (name == "a0") return 5;
  if (name == "f.part.0") return 6;
  return std::nullopt;
}

u64 value(std::string_view text) {
  const AgentResult result = compile_condition(text, symbol).evaluate(SetHart(), nullptr);
  CHECK(result.fault.empty());
  return result.value;
}

std::string refusal(std::string_view text) {
  try {
    (void)compile_condition(text, symbol);
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("expression: operators are those of C, and bind as there", "[expression]") {
  const std::vector<std::pair<std::string_view, u64>> kCases = {
      {"2 + 3 * 4", 14},       {"(2+3)*4", 20},         {"10-3-2", 5},          {"1 << 4 | 1", 17},
      {"7 & 3 == 3", 1},       {"1|2^2", 1},            {"6 % 4 / 2", 1},       {"-5 / 2", static_cast<u64>(-2)},
      {"-5 % 3", static_cast<u64>(-2)},                 {"~0", ~u64{0}},        {"!0", 1},
      {"!5", 0},               {"!!5", 1},              {"- - 5", 5},           {"3 < 4", 1},
      {"4 < 3", 0},            {"3 <= 3", 1},           {"4 <= 3", 0},          {"3 > 4", 0},
      {"4 > 3", 1},            {"3 >= 3", 1},           {"2 >= 3", 0},          {"2 != 3", 1},
      {"2 != 2", 0},           {"2 == 2", 1},           {"0x10 >> 2", 4},       {"1 && 2", 1},
      {"1 && 0", 0},           {"0 && 1", 0},           {"0 || 7", 1},          {"0 || 0", 0},
      {"1 || 0 && 0", 1},      {"-16 >> 2", static_cast<u64>(-4)},              {"0xffffffffffffffff >> 60", 15},
  };
  for (const auto& [text, wanted] : kCases) {
    CAPTURE(text);
    CHECK(value(text) == wanted);
  }
}

TEST_CASE("expression: registers are signed, symbols and what is cast to be so are not", "[expression]") {
  CHECK(value("a0 < 0") == 1);
  CHECK(value("$a0 == -1") == 1);
  CHECK(value("(u64)a0 < 0") == 0);
  CHECK(value("a0 < ticks") == 0);
  CHECK(value("a0 >> 60 == -1") == 1);
  CHECK(value("(u64)a0 >> 60") == 15);
  CHECK(value("(u8)a0") == 255);
  CHECK(value("(i16)0x8000 < 0") == 1);
  CHECK(value("x10") == ~u64{0});
  CHECK(value("satp + $satp") == 154);
  CHECK(value("pc") == 0x80000000);
  // A register comes before a symbol of its name; & is for the symbol.
  CHECK(value("&a0") == 5);
  CHECK(value("f.part.0 + 1") == 7);
  CHECK(value("&ticks") == value("ticks"));
}

TEST_CASE("expression: memory is read in the size that is said, else in 64 bits", "[expression]") {
  CHECK(value("*ticks") == 0xf122334455667788);
  CHECK(value("*a1 < 0") == 1);
  CHECK(value("*(u64*)a1 < 0") == 0);
  CHECK(value("*(u8*)ticks") == 0x88);
  CHECK(value("*(i8*)ticks") == static_cast<u64>(-0x78));
  CHECK(value("*(u16 *)(ticks + 2)") == 0x5566);
  CHECK(value("*( i32* )a1+1") == 0x55667789);
  CHECK(value("*(u32*)ticks & 0xff | 1 << 8") == 0x188);
  CHECK(value("*(ticks)") == value("*ticks"));
  CHECK(value("* (u8*) (u64*) ticks") == 0x88);
}

TEST_CASE("expression: the right side of && and || is looked at if it matters", "[expression]") {
  CHECK(value("0 && *0") == 0);
  CHECK(value("1 || *0") == 1);
  CHECK(compile_condition("1 && *0", symbol).evaluate(SetHart(), nullptr).fault == "memory that cannot be read");
  CHECK(compile_condition("5 / 0", symbol).evaluate(SetHart(), nullptr).fault == "division by zero");
}

TEST_CASE("expression: what is none is quoted and said why", "[expression]") {
  CHECK_THAT(refusal(""), has_substring("something is missing at its end"));
  CHECK_THAT(refusal("a0 +"), has_substring("'a0 +': something is missing at its end"));
  CHECK_THAT(refusal("(a0"), has_substring("a ')' is missing"));
  CHECK_THAT(refusal("a0 a1"), has_substring("'a1' is not expected there"));
  CHECK_THAT(refusal("a0 = 1"), has_substring("'= 1' is not expected there"));
  CHECK_THAT(refusal("+ 1"), has_substring("'+ 1' is not expected there"));
  CHECK_THAT(refusal("tocks"), has_substring("no register and no symbol 'tocks'"));
  CHECK_THAT(refusal("$tocks"), has_substring("there is no register $tocks"));
  CHECK_THAT(refusal("12ab"), has_substring("'12ab' is not a number"));
  CHECK_THAT(refusal("0x"), has_substring("'0x' is not a number"));
  CHECK_THAT(refusal("99999999999999999999"), has_substring("is not a number"));
  CHECK_THAT(refusal(std::string(5000, '(')), has_substring("too deep"));
  CHECK_THAT(refusal(std::string(5000, '-') + "1"), has_substring("too deep"));
  CHECK_THAT(refusal("(u7*)a0"), has_substring("u7"));
}

TEST_CASE("expression: printf has its arguments in order", "[expression]") {
  const std::vector<std::string_view> arguments = {"ticks + 8", "*(u8*)ticks", "a0"};
  std::string said;
  const AgentExpression print = compile_printf("%s %d %lx\\n", arguments, symbol);
  CHECK(print.evaluate(SetHart(), &said).fault.empty());
  CHECK(said == "hello 136 ffffffffffffffff\n");
  CHECK_THROWS_WITH((void)compile_printf("%d", {}, symbol), has_substring("another number of conversions"));
  const std::vector<std::string_view> many(101, "1");
  CHECK_THROWS_WITH((void)compile_printf("", many, symbol), has_substring("too much"));
}

TEST_CASE("expression: a shell's words become the line of log", "[expression]") {
  const auto line = [](std::vector<std::string> words) { return log_line(words); };
  CHECK(line({"kfree: free %lx", "a0"}) == "kfree: \"free %lx\", a0");
  CHECK(line({"0-50%", "a if a0 < 0: x", "b:"}) == "0-50% a if a0 < 0: \"x\"; b:");
  CHECK(line({"f: say \"%s\" \\\"\\n", "a0", "a1 + 1"}) == "f: \"say \\\"%s\\\" \\\"\\n\", a0, a1 + 1");
  CHECK(line({"f: \"%d\", a0"}) == "f: \"%d\", a0");
  CHECK(line({"kernel.c:12: x"}) == "kernel.c:12: \"x\"");
  CHECK_THROWS_WITH(line({"0-10", "a0"}), has_substring("'a0' stands before"));
  CHECK(names_log_place("a: b/c.rvt"));
  CHECK(names_log_place("ns::f:"));
  CHECK_FALSE(names_log_place("x/trace.rvt"));
  CHECK_FALSE(names_log_place("a:b"));
}
