// cli/status_file and cli/live_end: whose status it was.
#include "cli/status_file.hpp"

#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

struct Desk {
  Desk() { setenv("RETROV_TRACE_DIR", scratch.path().c_str(), 1); }
  ~Desk() { unsetenv("RETROV_TRACE_DIR"); }
  /// The status, and then what the file says.
  std::string run(std::vector<std::string> words, const std::string& typed = {}) {
    words.insert(words.begin() + 1, {"--status-json", file});
    const CliResult result = run_cli(words, typed);
    return std::to_string(result.status) + " " + read_text(file);
  }
  ScratchFolder scratch;
  std::string file = scratch.file("status.json");
  std::string trace = scratch.file("t.rvt");
};

}  // namespace

TEST_CASE("status_file: it says that the guest ended it, and with which status", "[status_file]") {
  Desk desk;
  const std::string ended = desk.run({"record", "-q", "-o", desk.trace, "-bios", "none", guest_path("hello")});
  CHECK(ended.starts_with("0 {\"status\": 0, \"by\": \"guest\", \"guest_status\": 0, \"why\": \""));
  CHECK(ended.ends_with(", \"trace\": \"" + desk.trace + "\"}\n"));
  const std::string replayed = desk.run({"replay", "-a", desk.trace});
  CHECK(replayed.starts_with("0 {\"status\": 0, \"by\": \"guest\", \"guest_status\": 0, "));
}

TEST_CASE("status_file: it says that the limit ended it, and not the guest", "[status_file]") {
  Desk desk;
  CHECK(desk.run({"run", "-q", "-serial", "none", "--until", "steps:10", "-bios", "none", guest_path("hello")}) ==
        "124 {\"status\": 124, \"by\": \"until\", \"why\": \"the limit of --until\", \"steps\": 10}\n");
}

TEST_CASE("status_file: it says what kept it from running", "[status_file]") {
  Desk desk;
  CHECK(desk.run({"replay", "-a", desk.trace})
            .starts_with("66 {\"status\": 66, \"by\": \"retrov\", \"why\": \"trace " + desk.trace + ": No such file"));
  CHECK(run_cli({"run", "-q", "-serial", "none", "--status-json", "/nowhere/x", "-bios", "none", guest_path("hello")})
            .status == 73);
}
