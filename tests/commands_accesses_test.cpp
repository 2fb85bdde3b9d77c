// The words that ask who touched memory, and when code was executed: replay/commands_accesses.
#include "tests/catch.hpp"
#include "tests/support/echo_prompt.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::string hex_of(u64 value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The first number after "step ".
u64 step_of(const std::string& text) {
  REQUIRE(text.starts_with("step "));
  u64 value = 0;
  for (const char c : text.substr(5)) {
    if (c == ',') continue;
    if (c < '0' || c > '9') break;
    value = value * 10 + static_cast<u64>(c - '0');
  }
  return value;
}

}  // namespace

TEST_CASE("commands_accesses: last-write is what a watchpoint finds backwards, and moves nothing",
          "[commands_accesses]") {
  EchoPrompt bench(2);
  const std::string total = hex_of(symbol("echo", "total"));
  bench.run("goto end");
  const Position end = bench.session->position();
  const std::string said = bench.run("last-write " + total);
  CHECK(bench.session->position() == end);
  bench.run("watch " + total + " 8");
  bench.run("reverse-continue");
  CHECK(step_of(said) == bench.session->position().steps);
  CHECK_THAT(said, has_substring("  hart "));
  CHECK_THAT(said, has_substring("  c.sd a2, 0(a1)  "));
  CHECK_THAT(said, has_substring(total + ": 0x"));
  CHECK_THAT(said, has_substring(" -> 0x"));
  // Relative to where one stands.
  bench.run("goto " + std::to_string(step_of(said)));
  const std::string before = bench.run("last-write " + total);
  CHECK(step_of(before) < step_of(said));
  const std::string first = bench.run("first-write " + total);
  CHECK(step_of(first) <= step_of(before));
  bench.run("goto " + std::to_string(step_of(first)));
  CHECK_THAT(bench.run("last-write " + total), has_substring("nothing wrote there in steps 0 to "));
}

TEST_CASE("commands_accesses: writes lists those between the first and the last, silent ones among them",
          "[commands_accesses]") {
  EchoPrompt bench;
  bench.run("goto end");
  const std::string flags = hex_of(symbol("echo", "flags"));
  const std::string all = bench.run("writes " + flags + " 1");
  CHECK(all.starts_with(bench.run("first-write " + flags + " 1")));
  CHECK_THAT(all, has_substring(bench.run("last-write " + flags + " 1")));
  CHECK_THAT(all, has_substring(" written again\n"));
  CHECK_THAT(all, has_substring(std::to_string(lines_of(all) - 1) + " accesses in steps 0 to "));
  const std::string range = "0-" + std::to_string(step_of(all) + 1);
  CHECK(lines_of(bench.run("writes " + range + " " + flags + " 1")) == 2);
  CHECK(lines_of(bench.run("writes --json --phys " + flags + " 1")) == lines_of(all) - 1);
  const std::string json = bench.run("last-write --json " + flags + " 1");
  CHECK_THAT(json, has_substring("\"by\": \"instruction\""));
  CHECK_THAT(json, has_substring("\"before\": \"0x"));
  const std::string reads = bench.run("reads " + hex_of(symbol("echo", "total")));
  CHECK_THAT(reads, has_substring("  c.ld a2, 0(a1)  "));
}

TEST_CASE("commands_accesses: executions lists each time", "[commands_accesses]") {
  EchoPrompt bench(2);
  const std::string place = hex_of(symbol("echo", "work_next"));
  const std::string all = bench.run("executions " + place + " " + place);
  CHECK(lines_of(all) > 10);
  CHECK_THAT(all, has_substring(std::to_string(lines_of(all) - 1) + " times in steps 0 to "));
  bench.run("goto " + std::to_string(step_of(all)));
  const unsigned hart = bench.session->machine().current_hart();
  CHECK(bench.session->machine().hart_summary(hart).pc.value == symbol("echo", "work_next"));
  CHECK(lines_of(bench.run("executions --json " + place)) == lines_of(all) - 1);
}

TEST_CASE("commands_accesses: what cannot be asked is refused in one line", "[commands_accesses]") {
  EchoPrompt bench;
  CHECK(bench.refusal("last-write") == "usage: last-write ADDRESS [BYTES] [--phys] [--json]");
  CHECK(bench.refusal("last-write 0x10000000") == "0x10000000 is not in RAM");
  CHECK(bench.refusal("last-write 0x801ffffc") == "0x80200000 is not in RAM");
  CHECK_THAT(bench.refusal("writes 0x80000000 0"), has_substring("from 1 to"));
  CHECK_THAT(bench.refusal("writes 0-999,999,999 0x80000000"), has_substring("the history ends at step"));
  CHECK_THAT(bench.refusal("writes 50%-101% 0x80000000"), has_substring("'101%': a history has 100% and no more"));
  CHECK_THAT(bench.refusal("writes 50-10 0x80000000"), has_substring("ends before it begins"));
  bench.run("scratch on");
  bench.run("set a0 5");
  CHECK_THAT(bench.refusal("last-write 0x80000000"), has_substring("throw-away copy"));
}
