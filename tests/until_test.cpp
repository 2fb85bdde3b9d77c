// cli/until: what ends a run by itself.
#include "cli/until.hpp"

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

UntilWords words(const std::string& value) {
  UntilWords result;
  parse_until(result, value);
  return result;
}

std::string refusal(const std::string& value) {
  try {
    (void)words(value);
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    return error.what();
  }
  return {};
}

/// The line that ends the run if the guest says this, in pieces of so many bytes.
std::string matched(const std::string& until, const std::string& said, std::size_t piece = 3) {
  Screen screen;
  UntilWatch watch(words(until), screen);
  int calls = 0;
  watch.on_match([&] { ++calls; });
  for (std::size_t at = 0; at < said.size(); at += piece) {
    const std::string part = said.substr(at, piece);
    watch.console({}, {reinterpret_cast<const u8*>(part.data()), part.size()});
  }
  CHECK(screen.text == said);
  CHECK(calls == (watch.matched().empty() ? 0 : 1));
  return watch.matched();
}

}  // namespace

TEST_CASE("until: conditions are told from each other, and mistakes named", "[until]") {
  CHECK(words("steps:1000").steps == 1000);
  CHECK(words("panic").panic);
  CHECK(words("uart:/a:b/").patterns == std::vector<std::string>{"a:b"});
  CHECK(words("pc:do_exit").symbols == std::vector<std::string>{"do_exit"});
  CHECK_THAT(refusal("idle"), has_substring("steps:N"));
  CHECK_THAT(refusal("uart:login"), has_substring("uart:/"));
  CHECK_THAT(refusal("uart:/(/"), has_substring("no regular expression"));
  CHECK_THAT(refusal("steps:many"), has_substring("no number"));
  CHECK_FALSE(refusal("pc:").empty());
  CHECK_FALSE(refusal("panic:now").empty());
}

TEST_CASE("until: kernels that give up are heard, and only they", "[until]") {
  CHECK_FALSE(matched("panic", "[ 1.2] Kernel panic - not syncing: VFS\n").empty());
  CHECK(matched("panic", "hart 1 starting\r\npanic: kalloc\r\n") == "panic: ");
  CHECK_FALSE(matched("panic", "thread 'main' panicked at src/main.rs:2\n").empty());
  CHECK(matched("panic", "Kernel command line: console=ttyS0 panic=1 x.panic: no\n").empty());
  CHECK(matched("panic", "do not panic\n").empty());
}

TEST_CASE("until: a pattern is found in a line that is not finished, and not across lines", "[until]") {
  CHECK(matched("uart:/login: $/", "Debian\nhost login: ") == "host login: ");
  CHECK(matched("uart:/a.*b/", "a\nb\n").empty());
  CHECK(matched("uart:/^end$/", std::string(5000, 'x') + "\nend\n", 700) == "end");
}

TEST_CASE("until: addresses come from symbols or are given", "[until]") {
  Symbols symbols;
  symbols.add(read_guest("echo"));
  const u64 start = symbol("echo", "_start");
  CHECK(until_addresses(words("pc:_start"), symbols) == std::vector<VirtAddr>{VirtAddr{start}});
  CHECK(until_addresses(words("pc:0x80000010"), symbols) == std::vector<VirtAddr>{VirtAddr{0x80000010}});
  CHECK_THROWS_WITH(until_addresses(words("pc:nowhere"), symbols), has_substring("no symbol 'nowhere'"));
}

TEST_CASE("until: a recording ends where the console says so or a symbol is executed, with status 124", "[until]") {
  const ScratchFolder scratch;
  setenv("RETROV_TRACE_DIR", scratch.path().c_str(), 1);
  const std::vector<std::string> record = {"record", "-bios", "none", "--until"};
  const auto run = [&](const std::string& until, const std::string& guest) {
    std::vector<std::string> arguments = record;
    arguments.insert(arguments.end(), {until, guest_path(guest)});
    return run_cli(arguments);
  };
  const CliResult said = run("uart:/hel+o/", "hello");
  CHECK(said.status == 124);
  CHECK_THAT(said.err, has_substring("the console says: hello"));
  CHECK(run_cli({"verify"}).status == 0);
  CHECK(run_cli({"replay", "-a"}).out.starts_with("hello"));
  const CliResult executed = run("pc:_start", "hello");
  CHECK(executed.status == 124);
  CHECK_THAT(executed.err, has_substring("hart 0 is at _start"));
  CHECK(run("uart:/never/", "hello").status == 0);
  CHECK(run("pc:nowhere", "hello").status == 64);
  unsetenv("RETROV_TRACE_DIR");
}

TEST_CASE("until: idle takes a time", "[until]") {
  CHECK(words("idle:10s").idle_ticks == 10 * kTicksPerSecond);
  CHECK(words("idle:250ms").idle_ticks == kTicksPerSecond / 4);
  CHECK(words("steps:4").idle_ticks == 0);
  for (const char* wrong : {"idle:", "idle:0s", "idle:soon", "idle:-1s", "idle:400000000s"}) {
    CHECK_THAT(refusal(wrong), has_substring("idle:10s"));
  }
}

TEST_CASE("until: a guest that only waits ends the run", "[until]") {
  const ScratchFolder scratch;
  for (const char* clock : {"real", "virtual"}) {
    const CliResult result = run_cli({"record", "-q", "-o", scratch.file(clock), "--clock", clock, "--until",
                                      "idle:30ms", "-bios", "none", "-m", "2M", guest_path("echo")});
    INFO(result.err);
    CHECK(result.status == 124);
    CHECK(run_cli({"verify", scratch.file(clock)}).status == 0);
  }
}
