// Parts of recordings from the command line: slices, rings, recordings that go on from another (cli/origin).
#include "replay/trace_reader.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"
#include "tests/support/live_traces.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Shell {
  Shell() { setenv("RETROV_TRACE_DIR", scratch.file("traces").c_str(), 1); }
  ~Shell() { unsetenv("RETROV_TRACE_DIR"); }
  /// Of the echo guest, until it waits for a key that nobody types.
  CliResult record_waiting(const std::string& name, const std::string& typed) {
    return run_cli({"record", "-q", "-o", file(name), "--key-frames", "every=1000", "--until", "idle:20ms", "-bios",
                    "none", "-m", "2M", guest_path("echo")},
                   typed);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return scratch.file(name); }
  ScratchFolder scratch;
};

u64 begin_of(const std::string& path) { return TraceReader(path).begin().at.steps; }

}  // namespace

TEST_CASE("cli_parts: a slice is listed, checked, replayed and packed like any trace", "[cli_parts]") {
  Shell shell;
  const std::string whole = shell.file("whole.rvt"), part = shell.file("part.rvt");
  CHECK(run_cli({"record", "-q", "-o", whole, "--key-frames", "every=3000", "-bios", "none", "-m", "2M", "-smp", "2",
                 guest_path("two_harts")})
            .status == 0);
  const CliResult made = run_cli({"pack", whole, "--slice", "7000-15000", "-o", part});
  INFO(made.err);
  CHECK(made.status == 0);
  CHECK_THAT(made.err, has_substring("steps 6,000 (a key frame) to 15,000"));
  CHECK(begin_of(part) == 6000);
  CHECK(run_cli({"fsck", part}).status == 0);
  // What is asked of all of it begins where it begins.
  const CliResult logged = run_cli({"log", part, "0x8000005c: round"});
  CHECK(logged.status == 0);
  CHECK(logged.out == run_cli({"log", whole, "6000-15000", "0x8000005c: round"}).out);
  CHECK(logged.out == run_cli({"log", "--jobs", "1", part, "0x8000005c: round"}).out);
  CHECK_THAT(logged.out, has_substring(" hits in steps 6,000 to 15,000"));
  CHECK_THAT(logged.out, has_substring("round"));
  CHECK_THAT(run_cli({"debug", part}, "scan 0x8000005c\ninfo recording\n").out,
             has_substring("hits in steps 6,000 to 15,000") && has_substring("history: steps 6,000 to 15,000"));
  const CliResult verified = run_cli({"verify", part});
  CHECK_THAT(verified.out, has_substring("identical: 9,000 steps from 6,000 on"));
  CHECK_THAT(run_cli({"info", part}).out, has_substring("begin     at 6000"));
  CHECK_THAT(run_cli({"info", "--json", part}).out,
             has_substring("\"begin\": {\"at\": 6000, \"initial_memory\": false}"));
  CHECK_THAT(run_cli({"dump", part, "start-end"}).out, has_substring("start"));
  CHECK_THAT(run_cli({"dump", "-s", part}).out, has_substring("start"));
  // Positions as everywhere; the end is not in it.
  CHECK(run_cli({"dump", part, "start-100%"}).out == run_cli({"dump", part, "start-end"}).out);
  CHECK(run_cli({"dump", part, "t=0.000007s-100%"}).out == run_cli({"dump", part, "7000-end"}).out);
  const CliResult diff = run_cli({"diff", part, "start", "7,000"});
  CHECK(diff.status == 0);
  CHECK(diff.out.starts_with("step 6,000 -> step 7,000\n"));
  CHECK_THAT(diff.out, has_substring("pc"));
  CHECK(run_cli({"diff", part, "start"}).status == 64);
  CHECK(run_cli({"diff", part, "start", "3"}).status == 64);
  CHECK_THAT(run_cli({"verify", "--json", part}).out,
             has_substring("{\"identical\": true, \"from\": 6000, \"to\": 15000, \"marks\": "));
  CHECK(run_cli({"replay", "-a", part}).status == 0);
  CHECK_THAT(run_cli({"replay", "-g", "start", "--batch", part}).out, has_substring("step 6,000"));
  CHECK_THAT(run_cli({"replay", "-g", "50%", "--batch", part}).out, has_substring("step 10,500"));
  CHECK(run_cli({"replay", "-g", "5999", "--batch", part}).status == 64);
  CHECK(run_cli({"pack", "-q", part, "--slice", "50%-end", "-o", shell.file("half.rvt")}).status == 0);
  CHECK(begin_of(shell.file("half.rvt")) == 9000);
  const CliResult again = run_cli({"recover", "--json", part, "-o", shell.file("again.rvt")});
  CHECK(again.status == 0);
  CHECK(again.out == "{\"file\": \"" + shell.file("again.rvt") +
                         "\", \"from\": 6000, \"to\": 15000, \"parts\": 1, \"lost\": \"nothing was lost\"}\n");
  const CliResult packed = run_cli({"pack", "--json", part, "-o", shell.file("packed.rvt")});
  CHECK(packed.status == 0);
  CHECK(packed.out == "{\"file\": \"" + shell.file("packed.rvt") + "\", \"bytes\": " +
                          std::to_string(std::filesystem::file_size(shell.file("packed.rvt"))) + ", \"of_bytes\": " +
                          std::to_string(std::filesystem::file_size(part)) + "}\n");
  CHECK(begin_of(shell.file("again.rvt")) == 6000);
  for (const char* range : {"5-4", "5", "x-y", "0-70000", "-", "30-"}) {
    CAPTURE(range);
    CHECK(run_cli({"pack", whole, "--slice", range, "-o", shell.file("no.rvt")}).status == 64);
  }
  CHECK(run_cli({"pack", part, "--slice", "3-40000", "-o", shell.file("no.rvt")}).status == 64);
  CHECK_FALSE(std::filesystem::exists(shell.file("no.rvt")));
}

TEST_CASE("cli_parts: one boots once and records many times", "[cli_parts]") {
  Shell shell;
  CHECK(shell.record_waiting("boot.rvt", "abc").status == 124);
  const u64 end = TraceReader(shell.file("boot.rvt")).end().steps;
  for (const char* typed : {"xq", "yzq"}) {
    const std::string next = shell.file(std::string(typed) + ".rvt");
    const CliResult result = run_cli({"record", "-q", "-o", next, "--from-snapshot", shell.file("boot.rvt")}, typed);
    INFO(result.err);
    CHECK(result.status == 0);
    CHECK(result.out == typed);
    CHECK(begin_of(next) == end);
    CHECK(run_cli({"verify", next}).status == 0);
    CHECK(run_cli({"replay", "-a", next}).out == typed);
  }
  // From a moment before, and once more from there.
  const CliResult earlier = run_cli({"record", "-o", shell.file("e.rvt"), "--from-snapshot",
                                     shell.file("boot.rvt") + "@" + std::to_string(end - 3), "--until", "steps:" +
                                     std::to_string(end + 500)}, "k");
  INFO(earlier.err);
  CHECK(begin_of(shell.file("e.rvt")) == end - 3);
  CHECK(run_cli({"record", "-q", "-o", shell.file("f.rvt"), "--from-snapshot", shell.file("e.rvt")}, "q").status == 0);
  CHECK(run_cli({"verify", "--twice", shell.file("f.rvt")}).status == 0);
  // Without a name it is called after the trace.
  CHECK(run_cli({"record", "-q", "--from-snapshot", shell.file("boot.rvt")}, "q").status == 0);
  CHECK(std::filesystem::exists(shell.file("traces/boot-1.rvt")));
}

TEST_CASE("cli_parts: what cannot be gone on from is refused in a sentence", "[cli_parts]") {
  Shell shell;
  const std::string boot = shell.file("boot.rvt");
  CHECK(shell.record_waiting("boot.rvt", "abc").status == 124);
  CHECK(run_cli({"record", "-q", "-o", shell.file("off.rvt"), "--from-snapshot", boot}, "q").status == 0);
  const auto refused = [&](std::vector<std::string> more, const std::string& because) {
    std::vector<std::string> words = {"record", "-o", shell.file("no.rvt")};
    words.insert(words.end(), more.begin(), more.end());
    const CliResult result = run_cli(words);
    CHECK(result.status == 64);
    CHECK_THAT(result.err, has_substring(because));
    CHECK_FALSE(std::filesystem::exists(shell.file("no.rvt")));
  };
  refused({"--from-snapshot", boot, "-m", "4M"}, "takes no machine options");
  refused({"--from-snapshot", boot, guest_path("echo")}, "takes no machine options");
  refused({"--from-snapshot", boot + "@99999999"}, "the history ends at step");
  refused({"--from-snapshot", shell.file("off.rvt")}, "powered off");
  refused({"--from-snapshot", boot, "--drive-base", "x=y"}, "no disk 'x'");
  refused({"--drive-base", "x=y", guest_path("echo")}, "goes with --from-snapshot");
  refused({"--ring", "1M", "--key-frames", "off", guest_path("echo")}, "--ring needs key frames");
  refused({"--ring", "0", guest_path("echo")}, "--ring: 0 bytes");
}

TEST_CASE("cli_parts: disk blocks that the trace lacks come from --drive-base", "[cli_parts]") {
  Shell shell;
  const std::string image = shell.file("image");
  write_image(image, 65536);
  const std::string boot = shell.file("boot.rvt");
  CHECK(run_cli({"record", "-q", "-o", boot, "--until", "steps:200000", "-bios", "none", "-m", "2M", "-drive",
                 "file=" + image + ",format=raw,if=none,id=d0", "-device",
                 "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", guest_path("disk")})
            .status == 124);
  const CliResult with = run_cli({"record", "-o", shell.file("with.rvt"), "--from-snapshot", boot, "--drive-base",
                                  "d0=" + image});
  INFO(with.err);
  CHECK(with.status == 0);
  CHECK_THAT(with.err, !has_substring("is not in the recording"));
  // The one that the trace has is never asked of an image.
  const CliResult without = run_cli({"record", "-o", shell.file("without.rvt"), "--from-snapshot", boot + "@1000"});
  CHECK_THAT(without.err, has_substring("block 1 is not in the recording"));
  for (const char* name : {"with.rvt", "without.rvt"}) CHECK(run_cli({"verify", shell.file(name)}).status == 0);
}

TEST_CASE("cli_parts: a ring keeps the last part of a run with a disk", "[cli_parts]") {
  Shell shell;
  const std::string image = shell.file("image");
  write_image(image, 4096 * 512);
  const std::string path = shell.file("ring.rvt");
  const CliResult result =
      run_cli({"record", "-q", "-o", path, "--ring", "400K", "--key-frames", "every=300000", "-smp", "2", "-bios",
               "none", "-m", "2M", "--until", "steps:30000000", "-drive",
               "file=" + image + ",format=raw,if=none,id=d0", "-device",
               "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", guest_path("traffic")});
  INFO(result.err);
  CHECK(result.status == 124);
  // How often it turned depends on how soon the host could write.
  CHECK(TraceReader(path).end().steps == 30000000);
  CHECK(run_cli({"verify", path}).status == 0);
  CHECK(run_cli({"fsck", path}).status == 0);
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shell.scratch.path())) {
    files += entry.path().filename().string().starts_with("ring.rvt") ? 1 : 0;
  }
  CHECK(files == 1);
}
