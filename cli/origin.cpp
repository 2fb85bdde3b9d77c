#include "cli/origin.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/reports.hpp"
#include "cli/store.hpp"
#include "cli/trace_places.hpp"
#include "core/check.hpp"
#include "replay/last_key_frame.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace {

/// TRACE[@POSITION]: a file's name may have an @, too.
std::pair<std::string, std::string> split(const TraceStore& store, const std::string& word) {
  std::error_code failure;
  const std::size_t sign = word.rfind('@');
  const bool is_file = std::filesystem::exists(store.find(word), failure);
  if (is_file || sign == std::string::npos) return {store.find(word), "end"};
  // Of a bookmark's @name both signs belong to the position.
  const std::size_t end = sign > 0 && word[sign - 1] == '@' ? sign - 1 : sign;
  return {store.find(word.substr(0, end)), word.substr(end + 1)};
}

void run_there(FreshReplay& replay, Position at) {
  Signals signals;
  InterruptFlag interrupted;
  Progress progress;
  progress.begin("going to where it goes on from");
  (void)enter_last_key_frame(replay, at);
  constexpr u64 kSliceSteps = 10'000'000;
  while (replay.position() < at) {
    const Position from = replay.position();
    const Position limit{from.steps + std::min(kSliceSteps, at.steps - from.steps)};
    const Halt halt = replay.run_to(limit, *interrupted.flag());
    interrupted.look(signals);
    if (halt == Halt::kInterrupted) throw Error(Exit::kFailure, "interrupted");
    if (halt != Halt::kLimit && replay.position() < limit) {
      throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " +
                                         std::to_string(replay.position().steps));
    }
    progress.at(replay.position(), at, replay.history().begin().at);
  }
  progress.end();
}

}  // namespace

Origin load_origin(const Options& options) {
  const TraceStore store;
  const auto [path, word] = split(store, options.live.from_snapshot);
  const TraceReader trace(path, Check::kWhatIsUsed);
  if (const std::string note = trace.note(); !note.empty()) say(note);
  say_if_ring(path);
  Origin origin;
  origin.branches = trace.read_branches();
  origin.history = origin.branches[trace.last_branch()].history.get();
  origin.symbols = trace.read_symbols();
  origin.name = std::filesystem::path(path).stem().string();
  const Position at = TracePlaces(trace, {}).reached(word);
  origin.machine.board = origin.history->board();
  origin.machine.disk_images = drive_bases(options, origin.machine.board);
  origin.machine.writes_image.resize(origin.machine.board.disks.size());
  if (at == Position{0}) return origin;
  FreshReplay replay(*origin.history, options.engine);
  run_there(replay, at);
  if (replay.machine().power().off) {
    throw Error(Exit::kUsage, "--from-snapshot: the guest is powered off at step " + group_digits(at.steps) +
                                  "; at step " + group_digits(at.steps - 1) + " it is not");
  }
  origin.begin = {at, std::make_shared<HeldKeyFrame>(key_frame_of(replay)), origin.history->begin().initial_memory};
  return origin;
}

std::vector<std::string> drive_bases(const Options& options, const BoardConfig& board) {
  std::vector<std::string> paths(board.disks.size());
  for (const auto& [id, file] : options.replay.drive_bases) {
    const auto disk = std::find_if(board.disks.begin(), board.disks.end(),
                                   [&wanted = id](const DiskConfig& config) { return config.id == wanted; });
    if (disk == board.disks.end()) {
      throw Error(Exit::kUsage, "--drive-base: the recorded machine has no disk '" + id + "'");
    }
    paths[static_cast<std::size_t>(disk - board.disks.begin())] = file;
  }
  return paths;
}

}  // namespace retrov
