#include "cli/replay.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <system_error>
#include <thread>

#include "cli/cursor.hpp"
#include "cli/gdb_child.hpp"
#include "cli/images.hpp"
#include "cli/log_words.hpp"
#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/reports.hpp"
#include "cli/status_file.hpp"
#include "cli/store.hpp"
#include "cli/stored_symbols.hpp"
#include "cli/subcommands.hpp"
#include "cli/trace_places.hpp"
#include "core/check.hpp"
#include "gdbstub/history_scan.hpp"
#include "replay/position.hpp"
#include "replay/quiet_thread.hpp"
#include "replay/trace_reader.hpp"
#include "replay/verify.hpp"

namespace retrov {

namespace {

constexpr int kInterrupted = 128 + SIGINT;

OpenTrace open_trace(const Options& options) {
  OpenTrace result;
  result.path = TraceStore().find(options.replay.trace);
  const TraceReader trace(result.path, Check::kWhatIsUsed);
  result.id = trace.identity().id;
  result.note = trace.note();
  if (!result.note.empty()) say(result.note);
  say_if_ring(result.path);
  result.current = options.replay.branch.empty() ? trace.last_branch() : trace.branch_named(options.replay.branch);
  result.bookmarks = packed_bookmarks(trace);
  result.branches = trace.read_branches();
  result.symbols = trace.read_symbols();
  return result;
}

/// A trace opened for moving about in it.
class ReplayRun {
 public:
  explicit ReplayRun(const Options& options) : options_(options), trace_(open_trace(options)) {
    for (const std::string& file : options.symbols) symbols_.add_file(file);
    if (options.stored_symbols) use_stored_symbols();
    // What several cursors say on their way would be said several times. Where gdb or the prompt is on this terminal,
    // nothing is typed to the guest.
    const bool shared = options.replay.clients > 1;
    const ConsoleWiring wiring = options.quiet || shared ? ConsoleWiring::kNone : ConsoleWiring::kPlain;
    for (unsigned i = 0; i < options.replay.clients; ++i) {
      const int console_fd = serves() && !shared ? STDIN_FILENO : -1;
      cursors_.push_back(std::make_unique<Cursor>(options, trace_, wiring, console_fd, symbols_, signals_));
    }
  }

  int play();
  int serve();
  int start_gdb();
  int prompt();
  int ask();
  /// Goes where it is to begin, and says where that is.
  int arrive();
  /// Ends the traces of branches that were made.
  void finish();
  /// gdb is somebody else's.
  [[nodiscard]] bool serves() const { return options_.replay.serve_port || options_.live.gdb; }

 private:
  [[nodiscard]] std::string question() const;
  void search_segments_for(CommandContext& context, Progress& progress, InterruptFlag& interrupted);
  /// Where their user has not given others.
  void use_stored_symbols();
  /// -e and -g: what the guest says on the way there has been seen before.
  /// False: Ctrl-C came on the way, and one stands where it broke off.
  bool go_to_start();
  /// One client after the other, until there is no more to do or a signal has come.
  void serve_clients(Cursor& cursor);
  void serve_beside(Cursor& cursor, Position start) noexcept;
  [[nodiscard]] int signal_status() const { return 128 + signals_.pending(); }
  [[nodiscard]] Cursor& cursor() { return *cursors_.front(); }
  [[nodiscard]] Session& session() { return cursor().session(); }
  [[nodiscard]] FrontEnd& front_end() { return cursor().front_end(); }

  const Options& options_;
  Signals signals_;
  OpenTrace trace_;
  Symbols symbols_;
  std::vector<SymbolFile> stored_;  ///< Of the trace, for gdb.
  std::vector<std::unique_ptr<Cursor>> cursors_;  ///< One for each client; the first is the main thread's.
  std::atomic<bool> ending_{false};
};

void ReplayRun::finish() {
  for (const auto& one : cursors_) {
    one->finish(signals_.pending() != 0 ? Outcome::Kind::kInterrupted : Outcome::Kind::kStopped);
  }
}

void ReplayRun::use_stored_symbols() {
  stored_ = not_replaced(trace_.symbols, options_.symbols);
  std::erase_if(stored_, [this](const SymbolFile& file) {
    try {
      symbols_.add(file.bytes);
      return false;
    } catch (const Error& error) {
      say("the symbols of " + file.name + " in the trace are no use: " + error.what());
      return true;
    }
  });
}

bool ReplayRun::go_to_start() {
  if (options_.replay.position.empty()) return true;
  Progress progress;
  progress.begin("going to " + options_.replay.position);
  session().set_progress([&] { progress.at(session().position(), session().end(), session().begin()); });
  cursor().console().mute(true);
  signals_.watch(&session(), nullptr);
  try {
    session().seek(front_end().find_position(options_.replay.position));
  } catch (const Error& error) {
    if (signals_.pending() != SIGINT) throw;
    say(error.what());
  }
  signals_.watch(nullptr, nullptr);
  cursor().console().mute(false);
  session().set_progress({});
  progress.end();
  // Other signals mean the program.
  if (signals_.pending() != SIGINT) return true;
  signals_.take();
  return false;
}

int ReplayRun::play() {
  const History& history = *trace_.branches[trace_.current].history;
  VerifyOptions how;
  how.engine = options_.engine;
  how.snapshots = options_.snapshots;
  how.output = &cursor().console();
  if (!options_.replay.position.empty()) how.output_from = front_end().find_position(options_.replay.position);
  InterruptFlag interrupted;
  how.interrupted = interrupted.flag();
  how.progress = [&](Position) {
    interrupted.look(signals_);
    if (cursor().console().write_error() != 0) interrupted.set();
  };
  const Verdict verdict = verify(history, how);
  if (signals_.pending() != 0) return signal_status();
  if (const int error = cursor().console().write_error(); error != 0) {
    throw Error(Exit::kIo, "cannot write the console: " + std::generic_category().message(error));
  }
  const Outcome& outcome = history.outcome();
  Ending ending{EndedBy::kRetrov, 0, "the replay is not what was recorded", verdict.reached, trace_.path};
  int status = static_cast<int>(Exit::kDivergence);
  if (verdict.divergence) {
    say_divergence(*verdict.divergence, options_.replay.report_file, std::cerr);
  } else {
    status = outcome.status;
    ending.by = outcome.kind == Outcome::Kind::kPoweredOff ? EndedBy::kGuest : EndedBy::kUser;
    ending.guest_status = outcome.status;
    ending.why = outcome.why;
  }
  write_status(options_.live.status_file, status, ending);
  return status;
}

int ReplayRun::serve() {
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  const ListenAddress address =
      options_.live.gdb.value_or(ListenAddress{ListenAddress::Kind::kTcp, options_.replay.serve_port.value_or(0), {}});
  if (address.kind == ListenAddress::Kind::kStdio) cursor().console().mute(true);
  const std::string target = front_end().listen(address);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < cursors_.size(); ++i) cursors_[i]->front_end().share(front_end());
  const Position start = session().position();
  for (std::size_t i = 1; i < cursors_.size(); ++i) {
    threads.push_back(start_quiet_thread([this, i, start] { serve_beside(*cursors_[i], start); }));
  }
  say(attach_hint(target) + (threads.empty() ? "" : ", up to " + std::to_string(cursors_.size()) + " of them"));
  serve_clients(cursor());
  for (std::thread& thread : threads) thread.join();
  return signals_.pending() != 0 ? signal_status() : 0;
}

void ReplayRun::serve_clients(Cursor& cursor) {
  FrontEnd& front = cursor.front_end();
  while (!ending_ && signals_.pending() == 0) {
    const ServeResult result = &cursor == cursors_.front().get() ? front.serve() : front.serve_beside();
    const bool left =
        result == ServeResult::kDetached || result == ServeResult::kKilled || result == ServeResult::kGone;
    if (left && !options_.replay.keep_listening && front.deserted()) ending_ = true;
    if (result == ServeResult::kQuit) ending_ = true;
  }
  ending_ = true;
  for (const auto& other : cursors_) other->front_end().break_off();
}

/// On a thread of its own.
void ReplayRun::serve_beside(Cursor& cursor, Position start) noexcept {
  try {
    cursor.session().seek(start);
    serve_clients(cursor);
  } catch (const Error& error) {
    say(error.what());
  }
}

int ReplayRun::start_gdb() {
  const auto program = find_gdb(options_.replay.gdb);
  if (!program) {
    throw Error(Exit::kUnavailable,
                "no gdb found: install gdb-multiarch, or serve another gdb by: retrov replay -s 1234 " + trace_.path +
                    ", there: target remote 127.0.0.1:1234");
  }
  for (const std::string& script : options_.replay.gdb_scripts) require_readable("gdb script", script);
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  const std::string target = front_end().listen(ListenAddress{});
  std::vector<std::string> arguments{"-q"};
  if (options_.replay.batch) arguments.emplace_back("-batch");
  const SymbolFolder folder(stored_);
  std::vector<std::string> files = options_.symbols;
  files.insert(files.end(), folder.paths().begin(), folder.paths().end());
  if (!files.empty()) arguments.push_back(files.front());
  for (std::size_t i = 1; i < files.size(); ++i) {
    arguments.insert(arguments.end(), {"-ex", "add-symbol-file " + files[i]});
  }
  arguments.insert(arguments.end(), {"-ex", "target remote " + target});
  for (const std::string& script : options_.replay.gdb_scripts) arguments.insert(arguments.end(), {"-x", script});
  // Ctrl-C is for gdb, which passes it on.
  signals_.ignore_interrupts();
  signals_.watch_children();
  GdbChild gdb(*program, arguments);
  while (!gdb.ended()) {
    front_end().serve();
    if (const int signal = signals_.pending(); signal != 0 && signal != SIGINT) {
      // gdb hears that the machine is gone before it is asked to leave, or it would say good-bye to nobody and wait.
      finish();
      cursors_.clear();
      gdb.hang_up();
      return signal_status();
    }
  }
  return gdb.wait();
}

int ReplayRun::arrive() {
  if (!go_to_start()) return kInterrupted;
  if (signals_.pending() != 0) return signal_status();
  std::cout << describe_position(session()) << '\n';
  check_output();
  return 0;
}

int ReplayRun::prompt() {
  go_to_start();
  if (signals_.pending() != 0) return signal_status();
  for (;;) {
    switch (front_end().prompt()) {
      case PromptEnd::kQuit:
        return 0;
      case PromptEnd::kSignal:
        return signal_status();
      case PromptEnd::kEof:
        if (!front_end().listens()) return 0;
        [[fallthrough]];
      case PromptEnd::kWakened:
        front_end().serve();
        break;
    }
    if (signals_.pending() != 0) return signal_status();
  }
}

std::string ReplayRun::question() const {
  const ReplayWords& said = options_.replay;
  std::string line(subcommand_row(options_.subcommand).name);
  if (options_.subcommand == Subcommand::kLog) return line + (said.json ? " --json " : " ") + log_line(said.words);
  for (const std::string& word : said.words) line += " " + word;
  if (said.physical) line += " --phys";
  if (said.json) line += " --json";
  return line;
}

/// Questions to all of history are asked on several threads.
void ReplayRun::search_segments_for(CommandContext& context, Progress& progress, InterruptFlag& interrupted) {
  SegmentSearch how{*trace_.branches[trace_.current].history};
  how.engine = options_.engine;
  how.snapshots = options_.snapshots;
  how.threads.jobs = options_.replay.jobs.value_or(default_jobs());
  how.threads.interrupted = interrupted.flag();
  how.threads.progress = [&](Position here) {
    interrupted.look(signals_);
    progress.at(here, session().end(), session().begin());
  };
  how.note = [](const std::string& note) { say(note); };
  context.search = [&progress, search = search_segments(how)](
                       const StopRequest& request, Position from, Position to, const HitTeller& tell,
                       const HitShow& show) {
    return search(request, from, to, tell, [&](const HitText& hit) {
      progress.make_way();
      return show(hit);
    });
  };
  context.search_accesses = [&progress, search = search_accesses_in_segments(how)](const AccessOrder& order,
                                                                                   const AccessVisit& visit) {
    return search(order, [&](const Access& access) {
      progress.make_way();
      return visit(access);
    });
  };
  context.scan = [&context](const ScanOrder& order, std::ostream& out) { scan_history(context.search, order, out); };
}

int ReplayRun::ask() {
  // From elsewhere the answer would be another one.
  if (!go_to_start()) return kInterrupted;
  if (signals_.pending() != 0) return signal_status();
  Progress progress;
  progress.begin(std::string(subcommand_row(options_.subcommand).name));
  InterruptFlag interrupted;
  session().set_progress([&] { progress.at(session().position(), session().end(), session().begin()); });
  signals_.watch(&session(), nullptr);
  CommandContext& context = front_end().context();
  search_segments_for(context, progress, interrupted);
  try {
    run_command(context, question(), std::cout);
  } catch (const Error& error) {
    if (signals_.pending() == 0) throw;
    progress.end();
    say(error.what());
  }
  signals_.watch(nullptr, nullptr);
  session().set_progress({});
  progress.end();
  check_output();
  return signals_.pending() != 0 ? signal_status() : 0;
}

}  // namespace

int run_question(const Options& options) {
  Options from_end = options;
  from_end.quiet = true;
  // Where symbols lie now is asked there; what is logged or compared needs no place to stand.
  const bool stands = options.subcommand != Subcommand::kLog && options.subcommand != Subcommand::kDiff;
  if (stands && from_end.replay.position.empty()) from_end.replay.position = "end";
  return ReplayRun(from_end).ask();
}

int run_replay(const Options& options) {
  ReplayRun run(options);
  if (options.replay.autopilot) return run.play();
  const bool only_goes = options.replay.batch && options.replay.gdb_scripts.empty();
  const int status = run.serves() ? run.serve() : only_goes ? run.arrive() : run.start_gdb();
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
