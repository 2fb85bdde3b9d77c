#include "cli/cursor.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "cli/live.hpp"
#include "cli/messages.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/host_clock.hpp"

namespace retrov {

namespace {

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

}  // namespace

Cursor::Cursor(const Options& options, const OpenTrace& trace, ConsoleWiring wiring, int console_fd,
               const Symbols& symbols, Signals& signals)
    : options_(options), trace_(trace), console_(wiring) {
  console_.give_up_when([&signals] { return signals.pending() != 0; });
  std::vector<RecordedBranch> branches;
  for (const BranchHistory& told : trace.branches) {
    // Nobody adds to what the trace told, so a history that leaves it at its end is the same and costs nothing.
    branches.push_back({told.branch.name, static_cast<std::size_t>(told.branch.parent), told.branch.from,
                        std::make_unique<History>(*told.history, told.history->end())});
  }
  session_ = Session::replay(std::move(branches), trace.current, options.engine, console_, options.snapshots);
  session_->set_jobs(options.jobs);
  ForkWorld world;
  world.inputs.console_fd = console_fd;
  world.inputs.rtc_unix_ns = clock_ns(CLOCK_REALTIME);
  world.inputs.seed = host_entropy();
  world.drive_bases = drive_bases(options, session_->history().board());
  world.listen = [this](const std::string& name) { return record_branch(name); };
  session_->allow_forks(std::move(world));
  front_end_ = std::make_unique<FrontEnd>(*session_, symbols, signals);
  front_end_->set_exit_report(options.live.exit_report);
  front_end_->keep_bookmarks(trace.id, kMainBranch, trace.bookmarks);
  front_end_->export_symbols(&trace_.symbols);
  front_end_->describe_recording([this](std::ostream& out) {
    out << "trace: " << trace_.path << '\n' << "events: " << session_->history().events().size() << '\n';
    for (const auto& writer : writers_) out << "branch: " << writer->path() << '\n';
    if (!trace_.note.empty()) out << trace_.note << '\n';
  });
}

HistoryListener* Cursor::record_branch(const std::string& name) {
  const std::string base = std::filesystem::path(trace_.path).stem().string();
  const std::string path = TraceStore().new_trace(base + "-" + name);
  writers_.push_back(std::make_unique<TraceWriter>(path, session_->history().board(), this_build(),
                                                   TraceExtras{Sync::kNo, trace_.symbols}));
  front_end_->keep_bookmarks(writers_.back()->id(), name);
  if (!options_.quiet) say("branch " + name + " is recorded to " + for_people(path));
  return writers_.back().get();
}

void Cursor::finish(Outcome::Kind kind) {
  if (writers_.empty()) return;
  session_->finish(kind);
  for (const auto& writer : writers_) {
    writer->flush();
    if (const auto error = writer->take_error()) throw Error(error->exit_code(), error->what());
  }
}

}  // namespace retrov
