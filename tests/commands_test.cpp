// The words of the prompt on a recorded guest: replay/commands, replay/commands_branches, replay/commands_look,
// replay/commands_move, replay/commands_settings, replay/commands_stops and replay/nearest_word.
#include "replay/commands.hpp"

#include <sstream>

#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/session.hpp"
#include "tests/catch.hpp"
#include "tests/support/echo_prompt.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Bench : EchoPrompt {
  [[nodiscard]] u64 pc() const { return session->machine().hart_summary(0).pc.value; }
  [[nodiscard]] u64 dword(const char* name) const {
    std::array<u8, 8> bytes{};
    REQUIRE(session->read_memory(0, AddressSpace::kPhysical, symbol("echo", name), bytes) == 8);
    u64 value = 0;
    for (std::size_t i = 8; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }
  static std::string at(const char* name) { return std::to_string(symbol("echo", name)); }
};

}  // namespace

TEST_CASE("commands: names and aliases are unique, and each has help", "[commands]") {
  std::map<std::string, std::string> owners;
  for (const Command& command : commands()) {
    CHECK_FALSE(command.help.empty());
    CHECK(command.run != nullptr);
    std::istringstream words(std::string(command.name) + " " + std::string(command.aliases));
    for (std::string word; words >> word;) {
      INFO(word);
      CHECK(owners.emplace(word, command.name).second);
      CHECK(find_command(word, Offered::kPromptOnly).name == command.name);
    }
  }
}

TEST_CASE("commands: a beginning is enough if it is the beginning of one only", "[commands]") {
  CHECK(find_command("disa", Offered::kPromptOnly).name == "disassemble");
  CHECK(find_command("reverse-s", Offered::kPromptOnly).name == "reverse-step");
  CHECK_THROWS_AS(find_command("se", Offered::kEverywhere), Error);
  CHECK_THROWS_AS(find_command("reverse", Offered::kPromptOnly), Error);
  CHECK_THROWS_AS(find_command("frob", Offered::kPromptOnly), Error);
  CHECK(complete_command("re", Offered::kPromptOnly) ==
        std::vector<std::string>{"reads", "registers", "replay-output", "restart", "reverse-continue", "reverse-step"});
  CHECK(complete_command("re", Offered::kEverywhere) == std::vector<std::string>{"reads", "replay-output", "restart"});
}

TEST_CASE("commands: an unknown word names the nearest one that is offered", "[commands]") {
  Bench bench;
  CHECK(bench.refusal("goot end") == "unknown command 'goot'; did you mean goto?");
  CHECK(bench.refusal("replay-seek end") == "unknown command 'replay-seek'; did you mean replay_seek?");
  CHECK(bench.refusal("frobnicate") == "unknown command 'frobnicate'; help lists what there is");
  CHECK(bench.refusal("disassembel") == "unknown command 'disassembel'; did you mean disassemble?");
  bench.context.where = Offered::kEverywhere;
  CHECK(bench.refusal("disassembel") == "unknown command 'disassembel'; help lists what there is");
}

TEST_CASE("commands: gdb's monitor offers only what leaves gdb's own state alone", "[commands]") {
  Bench bench;
  bench.context.where = Offered::kEverywhere;
  for (const char* word : {"help", "when", "goto 5", "info harts", "hash", "phys", "step-irq", "edge"}) {
    CHECK(bench.refusal("registers") != "accepted");
    CHECK_FALSE(bench.run(word).empty());
  }
  for (const char* word : {"step", "continue", "break 0", "hart"}) {
    CHECK_THAT(bench.refusal(word), has_substring("gdb has words of its own"));
  }
}

TEST_CASE("commands: goto moves at once, or arms where a front end says so", "[commands]") {
  Bench bench;
  CHECK_THAT(bench.run("goto 1,000"), has_substring("step 1,000  hart 0"));
  CHECK(bench.session->position().steps == 1000);
  CHECK_THAT(bench.run("seek +5"), has_substring("step 1,005"));
  CHECK_THAT(bench.refusal("goto 99,999,999"), has_substring("ends at step"));
  CHECK_THAT(bench.refusal("goto"), has_substring("usage: goto"));
  std::optional<Position> armed;
  bench.context.go_to = [&](Position target, std::ostream&) { armed = target; };
  CHECK(bench.run("replay_seek begin").empty());
  CHECK(bench.session->position().steps == 1005);
  CHECK(armed == Position{0});
}

TEST_CASE("commands: when and hash say what the session says", "[commands]") {
  Bench bench;
  bench.run("goto 700");
  CHECK(bench.run("when") == describe_position(*bench.session) + "\n");
  std::ostringstream expected;
  expected << std::hex;
  expected.fill('0');
  expected.width(16);
  expected << bench.session->hash() << "  step 700\n";
  const std::string text = bench.run("hash");
  CHECK(text.substr(0, expected.str().size()) == expected.str());
  CHECK_THAT(text, has_substring("  hart0\n"));
}

TEST_CASE("commands: steps go forward and back to the same place", "[commands]") {
  Bench bench;
  bench.run("goto 2,000");
  bench.run("step");
  const u64 pc = bench.pc();
  const u64 hash = bench.session->hash();
  bench.run("step 25");
  CHECK(bench.session->position().steps > 2020);
  bench.run("rsi 25");
  CHECK(bench.pc() == pc);
  CHECK(bench.session->hash() == hash);
  CHECK_THAT(bench.refusal("step 0"), has_substring("begins at 1"));
  CHECK_THAT(bench.refusal("step x"), has_substring("'x'"));
  bench.run("goto begin");
  CHECK_THAT(bench.run("reverse-step"), has_substring("beginning of history"));
}

TEST_CASE("commands: continue leaves the breakpoint it stands at", "[commands]") {
  Bench bench;
  CHECK_THAT(bench.run("break " + Bench::at("main_loop")), has_substring("breakpoint 1 at 0x"));
  std::vector<u64> stops;
  for (int i = 0; i < 3; ++i) {
    CHECK_THAT(bench.run("continue"), has_substring("breakpoint 1\n"));
    CHECK(bench.pc() == symbol("echo", "main_loop"));
    stops.push_back(bench.session->position().steps);
  }
  CHECK(stops[0] < stops[1]);
  CHECK(stops[1] < stops[2]);
  for (int i = 1; i >= 0; --i) {
    CHECK_THAT(bench.run("rc"), has_substring("breakpoint 1\n"));
    CHECK(bench.session->position().steps == stops[static_cast<std::size_t>(i)]);
  }
  CHECK_THAT(bench.run("rc"), has_substring("beginning of history"));
  CHECK_THAT(bench.run("info stops"), has_substring("breakpoint 1 at"));
  CHECK_THAT(bench.refusal("delete 7"), has_substring("7"));
  bench.run("delete 1");
  CHECK_THAT(bench.run("continue"), has_substring("the guest has ended: test finisher: pass"));
}

TEST_CASE("commands: a watchpoint says what the value was and is, both ways", "[commands]") {
  Bench bench;
  bench.run("watch " + Bench::at("ticks") + " 8");
  CHECK_THAT(bench.run("continue"), has_substring("watchpoint 1: 0x0000000000000000 -> 0x0000000000000001"));
  CHECK(bench.dword("ticks") == 1);
  CHECK_THAT(bench.run("continue"), has_substring("0x0000000000000001 -> 0x0000000000000002"));
  const u64 after = bench.session->position().steps;
  // Backwards one lands at the access, with the old value.
  CHECK_THAT(bench.run("rc"), has_substring("0x0000000000000001 -> 0x0000000000000002"));
  CHECK(bench.dword("ticks") == 1);
  CHECK(bench.session->position().steps < after);
  CHECK_THAT(bench.run("rc"), has_substring("0x0000000000000000 -> 0x0000000000000001"));
  CHECK(bench.dword("ticks") == 0);
}

TEST_CASE("commands: writes that change nothing are passed over, reads are not", "[commands]") {
  Bench bench;
  bench.run("watch " + Bench::at("flags") + " 4");
  CHECK_THAT(bench.run("continue"), has_substring("the guest has ended: test finisher: pass"));
  bench.run("delete");
  bench.run("goto begin");
  bench.run("rwatch " + Bench::at("total"));
  CHECK_THAT(bench.run("continue"), has_substring("read watchpoint 2: 0x0000000000000001\n"));
}

TEST_CASE("commands: memory is printed as bytes, units, strings and instructions", "[commands]") {
  Bench bench;
  bench.run("phys on");
  const std::string total = Bench::at("total");
  CHECK_THAT(bench.run("memory " + total + " 16"),
             has_substring("01 00 00 00 00 00 00 00  07 00 00 00 00 00 00 00  |................|"));
  CHECK_THAT(bench.run("x/2xg " + total), has_substring("0x0000000000000001  0x0000000000000007"));
  CHECK_THAT(bench.run("x/3ub " + total), has_substring(":  1  0  0\n"));
  CHECK_THAT(bench.run("x " + total), has_substring("0x00000001"));
  CHECK_THAT(bench.run("x/s " + total), has_substring("\"\\x01\""));
  CHECK_THAT(bench.run("disassemble " + Bench::at("_start") + " 1"), has_substring("csrr"));
  CHECK_THAT(bench.run("x/1i " + Bench::at("_start")), has_substring("csrr"));
  CHECK_THAT(bench.refusal("memory 0x40000000"), has_substring("0x40000000"));
  CHECK_THAT(bench.refusal("x/q 0"), has_substring("/q"));
  CHECK_THAT(bench.refusal("memory " + total + " 0"), has_substring("from 1 to"));
}

TEST_CASE("commands: addresses are numbers, registers, symbols and sums of them", "[commands]") {
  Bench bench;
  bench.context.symbol = [](std::string_view name) {
    return name == "main" ? std::optional<u64>(0x80001000) : std::nullopt;
  };
  const auto address = [&](const char* text) { return parse_address(bench.context, text); };
  CHECK(address("0x10") == 16);
  CHECK(address("16") == 16);
  CHECK(address("$pc") == 0x1000);
  CHECK(address("main") == 0x80001000);
  CHECK(address("main+0x10") == 0x80001010);
  CHECK(address("main+8-4+1") == 0x80001005);
  CHECK(address("$pc-0x1000") == 0);
  for (const char* bad : {"", "nowhere", "$nothing", "0x", "12x", "main+", "main+nowhere"}) {
    INFO(bad);
    CHECK_THROWS_AS(address(bad), Error);
  }
}

TEST_CASE("commands: registers are printed by name and written only at a live end", "[commands]") {
  Bench bench;
  CHECK_THAT(bench.run("registers"), has_substring("pc            0x0000000000001000"));
  CHECK_THAT(bench.run("registers $pc mtvec"), has_substring("mtvec"));
  CHECK_THAT(bench.run("info registers"), has_substring("mstatus"));
  CHECK_THAT(bench.refusal("registers nonsense"), has_substring("nonsense"));
  CHECK_THAT(bench.refusal("set a0 5"), has_substring("past is read-only"));
  CHECK_THAT(bench.run("info harts"), has_substring("* hart 0  M-mode  running  pc 0x1000"));
  CHECK_THAT(bench.refusal("hart 1"), has_substring("harts 0 to 0"));
}

TEST_CASE("commands: settings say what they are and take only their words", "[commands]") {
  Bench bench;
  CHECK(bench.run("step-irq") == "step-irq skip\n");
  CHECK(bench.run("step-irq enter") == "step-irq enter\n");
  CHECK(bench.session->step_irq() == StepIrq::kEnter);
  CHECK(bench.run("edge go") == "edge go\n");
  CHECK(bench.session->edge() == Edge::kGo);
  CHECK(bench.run("phys on") == "phys on\n");
  CHECK(bench.context.space == AddressSpace::kPhysical);
  CHECK_THAT(bench.refusal("edge sideways"), has_substring("usage: edge [stop|go]"));
}

TEST_CASE("commands: a throw-away copy and branches are made, named, listed and left", "[commands]") {
  Bench bench;
  bench.run("goto 1,000");
  CHECK(bench.run("scratch") == "scratch off\n");
  CHECK(bench.run("scratch on") == "scratch on\n");
  bench.run("set a0 5");
  bench.run("step 3");
  CHECK_THAT(bench.run("when"), Catch::Matchers::StartsWith("scratch@1,000+4  step 1,004  "));
  CHECK_THAT(bench.refusal("fork"), has_substring("throw-away copy"));
  CHECK(bench.run("scratch off") == "scratch off\n");
  CHECK_THAT(bench.run("when"), Catch::Matchers::StartsWith("step 1,000  "));

  CHECK_THAT(bench.refusal("fork"), has_substring("no branch can leave"));
  bench.session->allow_forks({});
  CHECK(bench.run("fork cure") ==
        "branch cure leaves main at step 1,000 and is lived from here; what came later is in main (switch main)\n");
  bench.run("set a0 5");
  CHECK_THAT(bench.run("when"), Catch::Matchers::StartsWith("cure@1,000+1  step 1,001  "));
  CHECK_THAT(bench.refusal("fork cure"), has_substring("live end"));
  CHECK_THAT(bench.run("branches"), has_substring("\n* cure  leaves main at step 1,000  ends at step 1,001, live\n"));
  CHECK_THAT(bench.refusal("switch nowhere"), has_substring("no branch 'nowhere'"));
  CHECK_THAT(bench.run("switch main"), Catch::Matchers::StartsWith("step 1,000  "));
  CHECK_THAT(bench.run("branches"), Catch::Matchers::StartsWith("* main  ends at step "));
  CHECK_THAT(bench.run("switch cure"), Catch::Matchers::StartsWith("step 1,001  "));
  bench.run("goto 1000");
  CHECK_THAT(bench.run("when"), Catch::Matchers::StartsWith("cure@1,000+0  step 1,000  "));
  bench.run("goto 900");
  CHECK_THAT(bench.run("when"), Catch::Matchers::StartsWith("cure@1,000-100  step 900  "));
}

TEST_CASE("commands: help and info list what there is", "[commands]") {
  Bench bench;
  const std::string all = bench.run("help");
  for (const Command& command : commands()) CHECK_THAT("\n" + all, has_substring("\n" + std::string(command.name)));
  CHECK_THAT(bench.run("help goto"), has_substring("also: seek seek-ticks replay_seek"));
  CHECK_THAT(bench.run("info"), has_substring("info devices"));
  CHECK_THAT(bench.run("info devices"), has_substring("uart0"));
  CHECK_THAT(bench.run("info rec"), has_substring("history: steps 0 to"));
  CHECK_THAT(bench.run("info state"), has_substring("uart"));
  CHECK_THAT(bench.refusal("info nothing"), has_substring("nothing"));
  CHECK_THAT(bench.refusal("info s"), has_substring("ambiguous"));
  CHECK(bench.run("").empty());
  bench.run("quit");
  CHECK(bench.context.quit);
}

TEST_CASE("commands: settings of stops are said and set", "[commands]") {
  Bench bench;
  for (const auto& [word, no, yes] : std::vector<std::array<const char*, 3>>{{"watch-dma", "off", "on"},
                                                                             {"watch-unchanged", "off", "on"},
                                                                             {"break-space", "any", "current"},
                                                                             {"break-check", "off", "on"},
                                                                             {"mmio-write", "off", "on"}}) {
    const std::string name = word;
    INFO(name);
    CHECK(bench.run(name) == name + " " + no + "\n");
    CHECK(bench.run(name + " " + yes) == name + " " + yes + "\n");
    CHECK(bench.run(name) == name + " " + yes + "\n");
    CHECK(bench.run(name + " " + no) == name + " " + no + "\n");
    CHECK(bench.refusal(name + " perhaps").find("usage: " + name) == 0);
  }
  // No firmware runs below this guest.
  CHECK(bench.run("ebreak") == "ebreak stop m, guest s, guest u\n");
  CHECK(bench.run("ebreak guest") == "ebreak guest m, guest s, guest u\n");
  CHECK(bench.run("ebreak stop u") == "ebreak guest m, guest s, stop u\n");
  CHECK(bench.session->stop_settings().ebreak_privileges == 1);
  CHECK(bench.refusal("ebreak stop x").find("usage") == 0);
  CHECK(bench.refusal("ebreak never").find("usage") == 0);
  CHECK(bench.run("watch-csr sstatus") == "watch-csr sstatus mstatus\n");
  CHECK(bench.run("watch-csr mepc") == "watch-csr sstatus mstatus mepc\n");
  CHECK(bench.refusal("watch-csr a0").find("there is no CSR") == 0);
  CHECK(bench.run("watch-csr off") == "watch-csr off\n");
}

TEST_CASE("commands: a CSR is watched, and its write is one stop each way", "[commands]") {
  Bench bench;
  bench.run("watch-csr mie");
  CHECK(bench.run("continue").find("hart 0 writes mie") == 0);
  const Position at = bench.session->position();
  CHECK(bench.run("continue").find("writes mie") == std::string::npos);
  CHECK(bench.run("reverse-continue").find("hart 0 writes mie") == 0);
  CHECK(bench.session->position() == Position{at.steps + 1});
  CHECK(bench.run("reverse-continue").find("the beginning") == 0);
}

TEST_CASE("commands: watch -p takes a physical address", "[commands]") {
  Bench bench;
  CHECK(bench.run("watch -p 0x80000100 4") == "watchpoint 1 at 0x80000100 physical, 4 bytes\n");
  CHECK(bench.refusal("watch -p").find("usage: watch [-p]") == 0);
}
