// A trace that can be read is replayed for a while, by both engines, which must agree: hostile inputs, disk blocks,
// descriptions of machines and guests.
#include "replay/replayer.hpp"

#include <atomic>

#include "core/check.hpp"
#include "replay/beginning.hpp"
#include "replay/disks.hpp"
#include "replay/drive.hpp"
#include "replay/output_log.hpp"
#include "replay/trace_reader.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_mutator.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::fuzz {

namespace {

constexpr u64 kMostSteps = 3000;
constexpr u64 kMostRamBytes = u64{16} << 20;

/// Where it came to, and its hash there. Nothing if it is a machine that is too large to be fuzzed.
std::optional<std::pair<Position, u64>> run(const History& history, EngineKind engine) {
  const BoardConfig& board = history.board();
  if (board.machine.ram_bytes > kMostRamBytes) return std::nullopt;
  test::RecordingOutput shown;
  OutputLog output(shown);
  std::vector<std::unique_ptr<DiskBase>> disks;
  std::vector<DiskBase*> bases;
  for (std::size_t i = 0; i < board.disks.size(); ++i) {
    disks.push_back(std::make_unique<ReplayDisk>(history, static_cast<u8>(i)));
    bases.push_back(disks.back().get());
  }
  const auto machine = build_board(board, engine, output, bases);
  Replayer replayer(history);
  const std::atomic<bool> never{false};
  try {
    go_to_beginning(history, *machine, output);
    replayer.move_to(machine->position());
    const Position limit = std::min(history.end(), Position{history.begin().at.steps + kMostSteps});
    (void)drive(*machine, replayer, limit, nullptr, never);
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kDivergence || error.exit_code() == Exit::kBadTrace);
    return std::pair(machine->position(), u64{0});  // In the middle of a step.
  }
  return std::pair(machine->position(), machine->hash());
}

}  // namespace

void replay(std::span<const u8> input) {
  std::vector<BranchHistory> branches;
  try {
    branches = TraceReader("trace", with_own_preamble(input)).read_branches();
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kBadTrace);
    return;
  }
  const History& last = *branches.back().history;
  RV_CHECK(run(last, EngineKind::kFast) == run(last, EngineKind::kReference));
}

}  // namespace retrov::fuzz
