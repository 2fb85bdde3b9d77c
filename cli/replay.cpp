#include "cli/replay.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <ostream>

#include "cli/console.hpp"
#include "cli/front_end.hpp"
#include "cli/gdb_child.hpp"
#include "cli/images.hpp"
#include "cli/live.hpp"
#include "cli/messages.hpp"
#include "cli/signals.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/host_clock.hpp"
#include "replay/position.hpp"
#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

namespace {

std::vector<std::string> drive_bases(const Options& options, const BoardConfig& board) {
  std::vector<std::string> paths(board.disks.size());
  for (const auto& [id, file] : options.replay.drive_bases) {
    const auto disk = std::find_if(board.disks.begin(), board.disks.end(),
                                   [&id = id](const DiskConfig& config) { return config.id == id; });
    if (disk == board.disks.end()) {
      throw Error(Exit::kUsage, "--drive-base: the recorded machine has no disk '" + id + "'");
    }
    paths[static_cast<std::size_t>(disk - board.disks.begin())] = file;
  }
  return paths;
}

/// A trace opened for moving about in it.
class ReplayRun {
 public:
  explicit ReplayRun(const Options& options)
      : options_(options),
        console_(options.quiet ? ConsoleWiring::kNone : ConsoleWiring::kPlain),
        path_(options.replay.trace.empty() ? TraceStore().latest() : options.replay.trace) {
    const TraceReader trace(path_);
    note_ = trace.note();
    if (!note_.empty()) say(note_);
    for (const std::string& file : options.symbols) symbols_.add_file(file);
    open(trace);
    front_end_ = std::make_unique<FrontEnd>(*session_, symbols_, signals_);
    front_end_->describe_recording([this](std::ostream& out) {
      out << "trace: " << path_ << '\n' << "events: " << session_->history().events().size() << '\n';
      for (const auto& writer : writers_) out << "branch: " << writer->path() << '\n';
      if (!note_.empty()) out << note_ << '\n';
    });
  }

  int play();
  int serve();
  int start_gdb();
  int prompt();
  /// Ends the traces of branches that were made.
  void finish();

 private:
  void open(const TraceReader& trace);
  HistoryListener* record_branch(const std::string& name);
  /// -e and -g: what the guest says on the way there has been seen before.
  void go_to_start();
  [[nodiscard]] int signal_status() const { return 128 + signals_.pending(); }

  const Options& options_;
  Signals signals_;
  Console console_;
  std::string path_;
  std::string note_;
  Symbols symbols_;
  std::vector<std::unique_ptr<TraceWriter>> writers_;  ///< One for each branch that left the trace.
  std::unique_ptr<Session> session_;
  std::unique_ptr<FrontEnd> front_end_;
};

void ReplayRun::open(const TraceReader& trace) {
  const u64 current = options_.replay.branch.empty() ? trace.last_branch() : trace.branch_named(options_.replay.branch);
  std::vector<RecordedBranch> branches;
  for (BranchHistory& told : trace.read_branches()) {
    branches.push_back({told.branch.name, static_cast<std::size_t>(told.branch.parent), told.branch.from,
                        std::move(told.history)});
  }
  session_ = Session::replay(std::move(branches), current, options_.engine, console_, options_.snapshots);
  ForkWorld world;
  // Where gdb or the prompt is on this terminal, nothing is typed to the guest.
  if (options_.replay.serve_port) world.inputs.console_fd = STDIN_FILENO;
  world.inputs.rtc_unix_ns = clock_ns(CLOCK_REALTIME);
  world.inputs.seed = host_entropy();
  world.drive_bases = drive_bases(options_, session_->history().board());
  world.listen = [this](const std::string& name) { return record_branch(name); };
  session_->allow_forks(std::move(world));
}

HistoryListener* ReplayRun::record_branch(const std::string& name) {
  const std::string base = std::filesystem::path(path_).stem().string();
  const std::string path = TraceStore().new_trace(base + "-" + name);
  writers_.push_back(std::make_unique<TraceWriter>(path, session_->history().board()));
  if (!options_.quiet) say("branch " + name + " is recorded to " + for_people(path));
  return writers_.back().get();
}

void ReplayRun::finish() {
  if (writers_.empty()) return;
  session_->finish(signals_.pending() != 0 ? Outcome::Kind::kInterrupted : Outcome::Kind::kStopped);
  for (const auto& writer : writers_) {
    writer->flush();
    if (const auto error = writer->take_error()) throw Error(error->exit_code(), error->what());
  }
}

void ReplayRun::go_to_start() {
  if (options_.replay.position.empty()) return;
  Progress progress;
  progress.begin("going to " + options_.replay.position);
  session_->set_progress([&] { progress.at(session_->position(), session_->end()); });
  console_.mute(true);
  signals_.watch(session_.get(), nullptr);
  const Position target = resolve_position(options_.replay.position, *session_);
  session_->seek(target);
  signals_.watch(nullptr, nullptr);
  console_.mute(false);
  session_->set_progress({});
  progress.end();
  // Ctrl-C on the way: one stands where it broke off. Other signals mean the program.
  if (signals_.pending() == SIGINT) signals_.take();
}

int ReplayRun::play() {
  go_to_start();
  session_->set_stops({});
  for (;;) {
    const Stop stop = front_end_->run(kEndOfTime);
    if (signals_.pending() != 0) return signal_status();
    if (const int error = console_.write_error(); error != 0) {
      throw Error(Exit::kIo, "cannot write the console: " + std::generic_category().message(error));
    }
    if (stop.reason == StopReason::kHistoryEnd || stop.reason == StopReason::kPoweredOff) break;
  }
  return session_->history().outcome().status;
}

int ReplayRun::serve() {
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  const ListenAddress address{ListenAddress::Kind::kTcp, *options_.replay.serve_port, {}};
  const std::string target = front_end_->listen(address);
  say(attach_hint(target));
  for (;;) {
    const ServeResult result = front_end_->serve();
    if (signals_.pending() != 0) return signal_status();
    const bool left =
        result == ServeResult::kDetached || result == ServeResult::kKilled || result == ServeResult::kGone;
    if (left && !options_.replay.keep_listening) return 0;
  }
}

int ReplayRun::start_gdb() {
  const auto program = find_gdb(options_.replay.gdb);
  if (!program) {
    throw Error(Exit::kUnavailable,
                "no gdb found: install gdb-multiarch, or serve another gdb by: retrov replay -s 1234 " + path_ +
                    ", there: target remote 127.0.0.1:1234");
  }
  for (const std::string& script : options_.replay.gdb_scripts) require_readable("gdb script", script);
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  const std::string target = front_end_->listen(ListenAddress{});
  std::vector<std::string> arguments{"-q"};
  if (!options_.symbols.empty()) arguments.push_back(options_.symbols.front());
  for (std::size_t i = 1; i < options_.symbols.size(); ++i) {
    arguments.insert(arguments.end(), {"-ex", "add-symbol-file " + options_.symbols[i]});
  }
  arguments.insert(arguments.end(), {"-ex", "target remote " + target});
  for (const std::string& script : options_.replay.gdb_scripts) arguments.insert(arguments.end(), {"-x", script});
  // Ctrl-C is for gdb, which passes it on.
  signals_.ignore_interrupts();
  signals_.watch_children();
  GdbChild gdb(*program, arguments);
  while (!gdb.ended()) {
    front_end_->serve();
    if (const int signal = signals_.pending(); signal != 0 && signal != SIGINT) {
      // gdb hears that the machine is gone before it is asked to leave, or it would say good-bye to nobody and wait.
      front_end_.reset();
      gdb.hang_up();
      return signal_status();
    }
  }
  return gdb.wait();
}

int ReplayRun::prompt() {
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  for (;;) {
    switch (front_end_->prompt()) {
      case PromptEnd::kQuit:
        return 0;
      case PromptEnd::kSignal:
        return signal_status();
      case PromptEnd::kEof:
        if (!front_end_->listens()) return 0;
        [[fallthrough]];
      case PromptEnd::kWakened:
        front_end_->serve();
        break;
    }
    if (signals_.pending() != 0) return signal_status();
  }
}

}  // namespace

int run_replay(const Options& options) {
  ReplayRun run(options);
  if (options.replay.autopilot) return run.play();
  const int status = options.replay.serve_port ? run.serve() : run.start_gdb();
  run.finish();
  return status;
}

int run_debug_trace(const Options& options) {
  ReplayRun run(options);
  const int status = run.prompt();
  run.finish();
  return status;
}

}  // namespace retrov
