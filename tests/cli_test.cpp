// Whole command lines on small guests, as a shell would run them: cli/live, cli/replay, cli/reports, cli/front_end,
// cli/repl, cli/signals, cli/progress, cli/messages, cli/images, cli/symbols, cli/gdb_script. What needs a terminal is
// in tests/cli.
#include <sys/stat.h>

#include <cstdlib>
#include <sstream>

#include "gdbstub/server.hpp"

#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// Command lines with a trace folder of their own.
struct Shell {
  Shell() { setenv("RETROV_TRACE_DIR", scratch.file("traces").c_str(), 1); }
  ~Shell() { unsetenv("RETROV_TRACE_DIR"); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  static CliResult run(const std::vector<std::string>& arguments, const std::string& input = {}) {
    return run_cli(arguments, input);
  }
  /// Records the echo guest, which is typed to and then powers off.
  CliResult record_echo(const std::string& input = "hello\nq") {
    return run({"record", "-bios", "none", "-m", "2M", guest_path("echo")}, input);
  }
  ScratchFolder scratch;
};

std::string without_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

}  // namespace

TEST_CASE("cli: run shows the guest's console and returns its status", "[cli]") {
  const CliResult result = Shell::run({"run", "-bios", "none", "-nographic", guest_path("hello")});
  CHECK(result.status == 0);
  CHECK(without_returns(result.out) == "hello\n");
  CHECK(result.err.empty());
}

TEST_CASE("cli: a recording replays, verifies and describes itself", "[cli]") {
  Shell shell;
  const CliResult recorded = shell.record_echo();
  INFO(recorded.err);
  CHECK(recorded.status == 0);
  CHECK(recorded.out == "hello\nq");
  CHECK_THAT(recorded.err, has_substring("retrov: recording to " + shell.scratch.file("traces/echo.elf-1.rvt")));
  CHECK_THAT(recorded.err, has_substring("retrov: guest stopped: test finisher: pass. "));
  CHECK_THAT(recorded.err, has_substring("retrov: debug with: retrov replay -e"));

  const CliResult replayed = shell.run({"replay", "-a"});
  CHECK(replayed.status == 0);
  CHECK(replayed.out == "hello\nq");
  CHECK(replayed.err.empty());
  const CliResult verified = shell.run({"verify", shell.scratch.file("traces/echo.elf-1.rvt")});
  CHECK(verified.status == 0);
  CHECK_THAT(verified.out, has_substring("identical: "));
  CHECK_THAT(verified.out, has_substring("7 console bytes"));
  const CliResult reference = shell.run({"verify", "--engine=reference"});
  CHECK(reference.out == verified.out);
  CHECK_THAT(shell.run({"info"}).out, has_substring("machine"));
  CHECK_THAT(shell.run({"info", "--json"}).out, has_substring("{"));
  CHECK_THAT(shell.run({"dump"}).out, has_substring("console"));
  CHECK_THAT(shell.run({"dump", "-s"}).out, has_substring("events"));
}

TEST_CASE("cli: a recording has key frames if it is told to, and a replay begins at them", "[cli]") {
  Shell shell;
  const auto record = [](const std::string& key_frames) {
    return Shell::run({"record", "--key-frames", key_frames, "--until", "steps:60000", "-bios", "none", "-m", "2M",
                       guest_path("two_harts")});
  };
  CHECK(record("every=10000").status == 124);
  const CliResult verified = shell.run({"verify"});
  INFO(verified.out << verified.err);
  CHECK(verified.status == 0);
  CHECK_THAT(verified.out, has_substring(" 6 key frames, "));
  CHECK_THAT(shell.run({"dump", "-s"}).out, has_substring("key frame"));
  const CliResult there = shell.run({"replay", "--batch", "-g", "45000"});
  CHECK(there.status == 0);
  CHECK_THAT(there.out, has_substring("step 45,000"));
  CHECK(there.err.empty());
  CHECK(record("off").status == 124);
  CHECK_THAT(shell.run({"dump", "-s"}).out, !has_substring("key frame"));
  const CliResult same = shell.run({"replay", "--batch", "-g", "45000"});
  CHECK_THAT(same.out, has_substring("step 45,000"));
  CHECK(record("sometimes").status == 64);
  CHECK(record("every=0").status == 64);
}

TEST_CASE("cli: a packed trace replays, has the bookmarks, and comes with a warning", "[cli]") {
  Shell shell;
  shell.record_echo();
  const std::string packed = shell.scratch.file("packed.rvt");
  CHECK_THAT(shell.run({"debug"}, "goto 100\nbookmark early\n").out, has_substring("early"));
  CHECK(shell.run({"pack"}).status == 64);
  const CliResult result = shell.run({"pack", "-o", packed});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.err, has_substring("passwords included"));
  CHECK(shell.run({"pack", "-q", "-o", packed}).status == 73);
  CHECK(shell.run({"replay", "-a", packed}).out == "hello\nq");
  setenv("RETROV_TRACE_DIR", shell.scratch.file("elsewhere").c_str(), 1);
  const CliResult there = shell.run({"replay", "--batch", "-g", "early", packed});
  CHECK_THAT(there.out, has_substring("step 100 "));
}

TEST_CASE("cli: a second recording gets the next number and becomes the latest", "[cli]") {
  Shell shell;
  shell.record_echo("1q");
  shell.record_echo("22q");
  CHECK(shell.run({"replay", "-a"}).out == "22q");
  CHECK(shell.run({"replay", "-a", shell.scratch.file("traces/echo.elf-1.rvt")}).out == "1q");
  const CliResult again = shell.run(
      {"record", "-o", shell.scratch.file("traces/echo.elf-1.rvt"), "-bios", "none", "-m", "2M", guest_path("echo")},
      "333q");
  CHECK(again.status == 73);
  CHECK(shell.run({"replay", "-a", shell.scratch.file("traces/echo.elf-1.rvt")}).out == "1q");
}

TEST_CASE("cli: a guest that waits for input that cannot come ends the run", "[cli]") {
  const CliResult result = Shell::run({"run", "-bios", "none", guest_path("wait_for_byte")}, "");
  CHECK(result.status == 74);
  CHECK_THAT(result.err, has_substring("retrov: the guest waits for input"));
}

TEST_CASE("cli: escapes in what is piped in leave, and open the prompt", "[cli]") {
  Shell shell;
  const CliResult left = shell.record_echo("abc\x01x");
  CHECK(left.status == 0);
  CHECK_THAT(left.err, has_substring("retrov: guest stopped: by the user. "));
  const CliResult prompt = shell.record_echo(
      "abc\x01"
      "cwhen\ninfo recording\nquit\n");
  CHECK(prompt.status == 0);
  CHECK_THAT(prompt.out, has_substring("step "));
  CHECK_THAT(prompt.out, has_substring("trace: " + shell.scratch.file("traces/echo.elf-2.rvt")));
}

TEST_CASE("cli: a live run can be walked back to its first instruction at the prompt", "[cli]") {
  const CliResult result = Shell::run({"debug", "-bios", "none", "-m", "2M", guest_path("hello")},
                                      "break next\ncontinue\nrs\nwhen\nrc\ndelete\ncontinue\ncontinue\n");
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, has_substring("breakpoint 1 at 0x"));
  CHECK_THAT(result.out, has_substring("  next"));
  CHECK_THAT(result.out, has_substring("the beginning of history"));
  CHECK_THAT(result.out, has_substring("the live end"));
  CHECK_THAT(result.out, has_substring("the guest has ended: test finisher: pass"));
  CHECK_THAT(without_returns(result.out), has_substring("hello\n"));
  // Shown once, although it was executed twice.
  CHECK(without_returns(result.out).find("hello") == without_returns(result.out).rfind("hello"));
}

TEST_CASE("cli: without history the run says so, and refuses to go back", "[cli]") {
  const CliResult result = Shell::run({"debug", "-bios", "none", "--record", "off", guest_path("hello")},
                                      "step 5\nreverse-step\ngoto begin\nquit\n");
  CHECK_THAT(result.err, has_substring("cannot be reversed"));
  CHECK_THAT(result.out, has_substring("not recorded"));
}

TEST_CASE("cli: the prompt debugs a trace", "[cli]") {
  Shell shell;
  shell.record_echo();
  const CliResult result = shell.run({"debug", "-e"}, "when\nnonsense\ngoto begin\nrs\nquit\n");
  CHECK(result.status == 0);
  CHECK_THAT(result.out, has_substring("100.0%"));
  CHECK_THAT(result.out, has_substring("unknown command 'nonsense'"));
  CHECK_THAT(result.out, has_substring("the beginning of history"));
}

TEST_CASE("cli: what is wrong with an image is one line and the right status", "[cli]") {
  const ScratchFolder scratch;
  std::ofstream(scratch.file("empty"));
  std::ofstream(scratch.file("text")) << "no image of anything";
  REQUIRE(mkfifo(scratch.file("pipe").c_str(), 0600) == 0);
  std::ofstream(scratch.file("vast"));
  std::filesystem::resize_file(scratch.file("vast"), std::uintmax_t{1} << 40);
  std::ofstream(scratch.file("cut")) << read_text(guest_path("hello")).substr(0, 4200);
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::string names;
  };
  const std::vector<Case> cases = {
      {{"run", "-bios", "none", scratch.file("missing")}, 66, "missing"},
      {{"run", "-bios", "none", scratch.file("empty")}, 66, "empty"},
      {{"run", "-bios", "none", scratch.file("cut")}, 66, "cut"},
      {{"run", "-bios", "none", scratch.path()}, 66, scratch.path()},
      {{"run", "-bios", "none", "/bin/sh"}, 66, "/bin/sh"},
      {{"run", "-bios", "none", "-m", "1K", guest_path("hello")}, 64, ""},
      {{"run", "-bios", "none", "-initrd", "/nowhere", guest_path("hello")}, 66, "/nowhere"},
      {{"run", "-bios", "none", "-drive", "file=/nowhere,if=none,id=x", "-device", "virtio-blk-device,drive=x",
        guest_path("hello")},
       66,
       "/nowhere"},
      {{"run", "-bios", "none", "--signature", scratch.file("s"), guest_path("hello")}, 66, "begin_signature"},
      {{"run", "-bios", "none"}, 64, "-kernel"},
      {{"run", "-bios", "none", scratch.file("vast")}, 64, "vast"},
      {{"run", "-bios", "none", "--symbols", scratch.file("text"), guest_path("hello")}, 66, "text"},
      {{"run", "-bios", "none", "-drive", "file=/nowhere,if=none,id=x", guest_path("hello")}, 66, "drive /nowhere"},
      {{"run", "-bios", "none", "-drive", "file=" + scratch.file("pipe") + ",if=virtio", guest_path("hello")},
       66,
       "neither a file nor a block device"},
      {{"record", "-o", "/nowhere/x.rvt", "-bios", "none", guest_path("hello")}, 73, "/nowhere/x.rvt"},
      {{"replay", "-a", scratch.file("missing")}, 66, "missing"},
      {{"verify", guest_path("hello")}, 65, "hello.elf"},
      {{"info", scratch.file("empty")}, 65, "empty"},
  };
  for (const Case& which : cases) {
    const CliResult result = run_cli(which.arguments);
    INFO(result.err);
    CHECK(result.status == which.status);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("retrov: "));
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK_THAT(result.err, has_substring(which.names));
  }
}

TEST_CASE("cli: a script for gdb that is not there is found before gdb is started", "[cli]") {
  Shell shell;
  shell.record_echo();
  const CliResult result = shell.run({"replay", "-x", "/nowhere/script", "-d", "/nowhere/gdb"});
  CHECK(result.status == 66);
  CHECK_THAT(result.err, has_substring("/nowhere/script"));
}

TEST_CASE("cli: the prompt takes gdb's way to say its words", "[cli]") {
  Shell shell;
  shell.record_echo();
  const CliResult result = shell.run({"debug", "-e"}, "monitor goto begin\nmonitor when\n");
  CHECK_THAT(result.out, has_substring("step 0  hart 0"));
  CHECK(result.out.find("unknown command") == std::string::npos);
}

TEST_CASE("cli: a corrupt trace is refused, a cut one replays to where it was cut", "[cli]") {
  Shell shell;
  shell.record_echo("some text to be echoed by the guest, q");
  const std::string path = shell.scratch.file("traces/echo.elf-1.rvt");
  const std::string whole = read_text(path);
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
  std::ofstream(shell.scratch.file("flipped")) << flipped;
  CHECK(shell.run({"replay", "-a", shell.scratch.file("flipped")}).status == 65);
  std::ofstream(shell.scratch.file("cut")) << whole.substr(0, whole.size() - 20);
  const CliResult cut = shell.run({"verify", shell.scratch.file("cut")});
  CHECK(cut.status == 0);
  CHECK_THAT(cut.err, has_substring("cut"));
}

TEST_CASE("cli: a busy port is found before anything is recorded", "[cli]") {
  Shell shell;
  const Server other(ListenAddress{}, [](const std::string&) {});
  const CliResult result =
      shell.run({"record", "-gdb", "tcp::" + std::to_string(other.port()), "-bios", "none", guest_path("hello")});
  CHECK(result.status == 69);
  CHECK_THAT(result.err, has_substring(std::to_string(other.port())));
  CHECK_FALSE(std::filesystem::exists(shell.scratch.file("traces")));
}

TEST_CASE("cli: --until ends at exactly that step, with a status of its own", "[cli]") {
  Shell shell;
  const CliResult result = shell.run({"record", "--until", "steps:1000", "-bios", "none", guest_path("two_harts")});
  CHECK(result.status == 124);
  CHECK_THAT(result.err, has_substring(" 1,000 steps"));
  CHECK_THAT(shell.run({"verify"}).out, has_substring("identical: 1,000 steps"));
}

TEST_CASE("cli: -no-reboot ends where the guest would begin again", "[cli]") {
  const CliResult once = Shell::run({"run", "-bios", "none", "-no-reboot", guest_path("reboot")});
  CHECK(once.status == 0);
  CHECK(once.out == "boot\n");
  const CliResult twice = Shell::run({"run", "-bios", "none", guest_path("reboot")});
  CHECK(twice.status == 0);
  CHECK(twice.out == "boot\nboot\n");
}

TEST_CASE("cli: an image stays unchanged, which is said once, unless snapshot=off is asked for", "[cli]") {
  Shell shell;
  const std::string image = shell.scratch.file("image");
  const std::string blank(65536, '\0');
  std::ofstream(image) << blank;
  const auto run = [&](const std::string& more) {
    return shell.run({"record", "-q", "-bios", "none", "-drive", "file=" + image + ",format=raw,if=none,id=d0" + more,
                      "-device", "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", guest_path("disk")});
  };
  const CliResult kept = run("");
  CHECK(kept.status == 0);
  CHECK_THAT(kept.err, has_substring("stays unchanged"));
  CHECK(std::count(kept.err.begin(), kept.err.end(), '\n') == 1);
  CHECK(read_text(image) == blank);
  const CliResult written = run(",snapshot=off");
  CHECK(written.status == 0);
  CHECK(written.err.empty());
  CHECK(read_text(image) != blank);
  // The trace has what was read before it was overwritten.
  CHECK(shell.run({"verify"}).status == 0);
}

TEST_CASE("cli: the signature of a test is written, and HTIF gives the status", "[cli]") {
  const ScratchFolder scratch;
  const CliResult result = Shell::run({"run", "--bios", "none", "--htif", "--signature", scratch.file("signature"),
                                       "--signature-granularity", "4", guest_path("signature")});
  CHECK(result.status == 3);
  CHECK(result.out == "!");
  CHECK(read_text(scratch.file("signature")) == "deadbeef\n00000001\n12345678\n");
}

TEST_CASE("cli: gdbinit prints the commands for gdb as they are in the tree", "[cli]") {
  const CliResult result = Shell::run({"gdbinit"});
  CHECK(result.status == 0);
  std::ifstream file(source_dir() + "/gdb/retrov-gdb.py");
  const std::string script{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  REQUIRE(script.size() > 1000);
  CHECK(result.out == script);
  CHECK(Shell::run({"gdbinit", "trace.rvt"}).status == 64);
}

TEST_CASE("cli: the version names the build and both formats", "[cli]") {
  const CliResult result = Shell::run({"--version"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, has_substring("commit"));
  CHECK_THAT(result.out, has_substring("machine version"));
  CHECK(Shell::run({"help"}).out == Shell::run({"--help"}).out);
  CHECK_THAT(Shell::run({"help", "record"}).out, has_substring("usage: retrov record"));
  CHECK(Shell::run({"help", "nothing"}).status == 64);
}
