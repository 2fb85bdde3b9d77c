#include "cli/cursor.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "cli/live.hpp"
#include "cli/messages.hpp"
#include "cli/origin.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/host_clock.hpp"

namespace retrov {

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
  world.key_frames = options.live.key_frames;
  world.listen = [this](const std::string& name, std::optional<TraceStart> start) {
    return record_branch(name, std::move(start));
  };
  session_->allow_forks(std::move(world));
  front_end_ = std::make_unique<FrontEnd>(*session_, symbols, signals);
  front_end_->set_exit_report(options.live.exit_report);
  front_end_->keep_bookmarks(trace.id, kMainBranch, trace.bookmarks);
  front_end_->export_symbols(&trace_.symbols);
  front_end_->describe_recording([this](std::ostream& out) {
    out << "trace: " << trace_.path << '\n' << "events: " << session_->history().events().size() << '\n';
    for (const auto& one : recorded_) out << "branch: " << one.writer->path() << '\n';
    if (!trace_.note.empty()) out << trace_.note << '\n';
  });
}

HistoryListener* Cursor::record_branch(const std::string& name, std::optional<TraceStart> start) {
  const std::string base = std::filesystem::path(trace_.path).stem().string();
  std::unique_ptr<TraceWriter> writer;
  const std::string path = TraceStore().make_trace(base + "-" + name, [&](const std::string& where) {
    writer = std::make_unique<TraceWriter>(where, session_->history().board(), this_build(),
                                           TraceExtras{options_.live.sync, trace_.symbols, start});
  });
  auto watched = std::make_unique<WatchedWriter>(*writer);
  watched->on_failure([this, &failed = *writer] {
    if (options_.live.on_full == OnFull::kStop) session_->interrupt();
    say_failure(failed);
  });
  recorded_.push_back({std::move(writer), std::move(watched)});
  front_end_->keep_bookmarks(recorded_.back().writer->id(), name);
  if (!options_.quiet) say("branch " + name + " is recorded to " + for_people(path));
  return recorded_.back().watched.get();
}

void Cursor::say_failure(TraceWriter& writer) {
  if (const auto error = writer.take_error()) say(error->what());
}

void Cursor::finish(Outcome::Kind kind) {
  if (recorded_.empty()) return;
  session_->finish(kind);
  bool failed = false;
  for (const Recorded& one : recorded_) {
    one.writer->flush();
    say_failure(*one.writer);
    failed = failed || one.writer->failed();
  }
  if (failed && options_.live.on_full == OnFull::kStop) throw Error(Exit::kIo, "a branch is not recorded to its end");
}

}  // namespace retrov
