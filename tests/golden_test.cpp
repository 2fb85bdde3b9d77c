// The recordings in traces/ replay with every hash they were made with, and together they hold each kind of thing that
// a trace can tell. What fails here moved a step, or changed what a hash covers.

#include <algorithm>
#include <filesystem>
#include <set>

#include "replay/fsck.hpp"
#include "replay/trace_codec.hpp"
#include "replay/trace_reader.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

constexpr u64 kMostBytes = u64{256} << 10;
constexpr u64 kMostBytesTogether = u64{4} << 20;

std::vector<std::string> golden_traces() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(test::source_dir() + "/traces")) {
    if (entry.path().extension() == ".rvt") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Empty: it is of this build's versions.
std::string outdated(const std::vector<u8>& bytes) {
  const TraceIdentity identity = parse_preamble(bytes);
  if (identity.container_version != kContainerVersion) return "of another container version";
  if (identity.machine_version != kMachineVersion) return "of another machine version";
  return {};
}

/// What a trace tells of.
struct Coverage final : HistoryListener {
  void on_event(const Event& event) override {
    for (const Input& input : event.batch.inputs) {
      inputs.insert(input.what.index());
      if (const auto* write = std::get_if<DebuggerWrite>(&input.what)) spaces.insert(write->space);
    }
    if (event.batch.wake.value != 0) ++wakes;
  }
  void on_block(Position, const CapturedBlock& block) override { ++(block.bytes != nullptr ? blocks : holes); }
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint& branch) override { ++(branch.resumed ? resumed : branches); }
  void on_finish(Position, const Outcome& outcome) override { outcomes.insert(outcome.kind); }

  std::set<std::size_t> inputs;
  std::set<DebuggerWrite::Space> spaces;
  std::set<Outcome::Kind> outcomes;
  std::set<bool> virtio_legacy;
  std::set<u64> harts;
  u64 wakes = 0, blocks = 0, holes = 0, branches = 0, resumed = 0, flash = 0, htif = 0, begins = 0;
};

}  // namespace

TEST_CASE("golden: each recording replays with every hash it was made with", "[golden]") {
  u64 together = 0;
  for (const std::string& path : golden_traces()) {
    CAPTURE(path);
    const std::vector<u8> bytes = read_file(path);
    together += bytes.size();
    CHECK(bytes.size() <= kMostBytes);
    if (const std::string why = outdated(bytes); !why.empty()) {
      FAIL(path << " is " << why << " than this build: record it anew by scripts/golden-traces");
    }
    CHECK(check_trace(path).clean());
    for (const BranchHistory& told : TraceReader(path).read_branches()) {
      CAPTURE(told.branch.name);
      for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
        VerifyOptions options;
        options.engine = engine;
        const Verdict verdict = verify(*told.history, options);
        if (!verdict.identical()) {
          FAIL(path << " does not replay though it is of this machine version, " << kMachineVersion << ": "
                    << verdict.divergence->detail << ". What moves a step bumps kMachineVersion, what changes a hash "
                    << "kStateSchema or kMachineVersion; then scripts/golden-traces records it anew");
        }
        CHECK(verdict.reached == told.history->end());
        CHECK(verdict.unknown.empty());
      }
      REQUIRE_FALSE(told.history->marks().empty());
      for (std::size_t i = 0; i < told.history->marks().size(); ++i) {
        if (!told.history->marks()[i].components.empty()) continue;
        FAIL(path << " has hashes of another schema than this build: record it anew by scripts/golden-traces");
      }
    }
  }
  CHECK(together <= kMostBytesTogether);
}

TEST_CASE("golden: together they hold each kind of input and device", "[golden]") {
  Coverage told;
  for (const std::string& path : golden_traces()) {
    const TraceReader trace(path);
    trace.visit(told);
    const BoardConfig& board = trace.layout().board;
    told.harts.insert(board.machine.harts);
    if (!board.disks.empty()) told.virtio_legacy.insert(board.virtio_legacy);
    told.flash += board.flash.size();
    if (board.tohost) ++told.htif;
    if (trace.begin().state != nullptr) ++told.begins;
  }
  CHECK(told.inputs.size() == std::variant_size_v<InputKind>);
  CHECK(told.spaces.size() == 2);
  CHECK(told.virtio_legacy.size() == 2);
  CHECK(told.harts.size() >= 3);
  CHECK(told.outcomes.contains(Outcome::Kind::kPoweredOff));
  CHECK(told.outcomes.contains(Outcome::Kind::kStopped));
  CHECK(told.wakes > 0);
  CHECK(told.blocks > 0);
  CHECK(told.holes > 0);
  CHECK(told.begins > 0);
  CHECK(told.branches >= 2);
  CHECK(told.resumed > 0);
  CHECK(told.flash >= 2);
  CHECK(told.htif > 0);
}

TEST_CASE("golden: one of another version is noticed", "[golden]") {
  std::vector<u8> bytes = read_file(golden_traces().front());
  TraceIdentity identity = parse_preamble(bytes);
  ++identity.machine_version;
  const auto preamble = make_preamble(identity);
  std::copy(preamble.begin(), preamble.end(), bytes.begin());
  CHECK(outdated(bytes) == "of another machine version");
}
