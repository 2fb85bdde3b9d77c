// What cli/reports and cli/replay say, write and return when a replay is not what was recorded, and the options that
// make recordings more exact.
#include <memory>

#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// A trace in which the last mark is not that of the run.
struct Altered {
  ScratchFolder scratch;
  std::string path = scratch.file("altered.rvt");

  Altered() {
    const std::string good = scratch.file("good.rvt");
    setenv("RETROV_TRACE_DIR", scratch.path().c_str(), 1);
    const CliResult recorded = run_cli({"record", "-q", "-bios", "none", "-o", good, guest_path("hello")});
    REQUIRE(recorded.status == 0);
    const auto history = TraceReader(good).read_history();
    TraceWriter writer(path, history->board());
    for (const Event& event : history->events()) writer.on_event(event);
    HashMark mark = history->marks().back();
    mark.components[1].hash ^= 1;
    writer.on_mark(mark);
    writer.on_finish(history->end(), history->outcome());
  }
  ~Altered() { unsetenv("RETROV_TRACE_DIR"); }
  Altered(const Altered&) = delete;
  Altered& operator=(const Altered&) = delete;
};

}  // namespace

TEST_CASE("cli_divergence: verify says what differs, writes its report if asked, and returns 80", "[cli_divergence]") {
  const Altered trace;
  const std::string report = trace.scratch.file("report.txt");
  const CliResult plain = run_cli({"verify", trace.path});
  CHECK(plain.status == 80);
  CHECK_THAT(plain.out, has_substring("DIVERGED between step 0 and step "));
  CHECK_THAT(plain.out, has_substring("  differs: hart0\n"));
  CHECK_THAT(plain.out, has_substring("two replays agree with each other"));
  CHECK_FALSE(std::filesystem::exists(report));
  const CliResult reported = run_cli({"verify", "--twice", "--report", report, trace.path});
  CHECK(reported.status == 80);
  CHECK(reported.out == plain.out);
  CHECK(read_text(report) == plain.out);
  CHECK(run_cli({"verify", "--report", "/nowhere/report", trace.path}).status == 73);
  std::filesystem::remove(report);
  const CliResult json = run_cli({"verify", "--json", "--report", report, trace.path});
  CHECK(json.status == 80);
  CHECK(json.out.starts_with("{\"identical\": false, \"from\": 0, "));
  CHECK_THAT(json.out, has_substring("\"equal_at\": 0, \"differs_at\": "));
  CHECK_THAT(json.out, has_substring("\"components\": [{\"name\": \"hart0\", \"equal_at\": 0}]"));
  CHECK_THAT(json.out, has_substring("\"explanation\": \""));
  CHECK(read_text(report) == plain.out);
}

TEST_CASE("cli_divergence: replay -a plays the console and then says it on standard error", "[cli_divergence]") {
  const Altered trace;
  const CliResult played = run_cli({"replay", "-a", trace.path});
  CHECK(played.status == 80);
  CHECK_THAT(played.out, has_substring("hello"));
  CHECK(played.out.find("DIVERGED") == std::string::npos);
  CHECK_THAT(played.err, has_substring("DIVERGED between step 0 and step "));
  // What lies below -g has been seen.
  CHECK(run_cli({"replay", "-a", "-e", trace.path}).out.empty());
}

TEST_CASE("cli_divergence: record --paranoid marks more, all along or a part", "[cli_divergence]") {
  const ScratchFolder scratch;
  setenv("RETROV_TRACE_DIR", scratch.path().c_str(), 1);
  const auto marks = [&](const std::string& name, const std::string& option) {
    const std::string path = scratch.file(name);
    REQUIRE(run_cli({"record", "-q", "-bios", "none", option, "-o", path, "-smp", "2", guest_path("two_harts")})
                .status == 0);
    const auto history = TraceReader(path).read_history();
    const CliResult verified = run_cli({"verify", path});
    CHECK(verified.status == 0);
    return std::pair(history->marks().size(), history->end().steps);
  };
  const auto [thousand, end] = marks("thousand.rvt", "--paranoid");
  CHECK(thousand >= end / 1000);
  CHECK(thousand <= end / 1000 + 4);
  CHECK(marks("part.rvt", "--paranoid=1,500-700").first >= 201);
  CHECK(marks("few.rvt", "--seed=1").first <= 4);
  for (const char* wrong : {"--paranoid=0", "--paranoid=", "--paranoid=x", "--paranoid=5,7", "--paranoid=1,9-3"}) {
    CHECK(run_cli({"record", "-q", "-bios", "none", wrong, guest_path("hello")}).status == 64);
  }
  unsetenv("RETROV_TRACE_DIR");
}
