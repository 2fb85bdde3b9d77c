#include "cli/live.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <system_error>

#include "cli/messages.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/host_clock.hpp"
#include "replay/position.hpp"
#include "replay/ring_writer.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

namespace {

/// Of the guest's, for a message of ours.
std::string printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

}  // namespace

std::array<u8, 32> host_entropy() {
  std::array<u8, 32> seed{};
  if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size())) {
    throw Error(Exit::kFailure, "the host has no entropy for the guest; give --seed N");
  }
  return seed;
}

LiveRun::LiveRun(const Options& options)
    : options_(options),
      terminal_(STDIN_FILENO),
      console_(options.live.console),
      until_(options.live.until, console_),
      origin_(options.live.from_snapshot.empty() ? std::nullopt : std::optional(load_origin(options))),
      machine_(origin_ ? origin_->machine : load_machine(options.machine)) {
  take_symbols();
  find_signature();
  until_addresses_ = until_addresses(options_.live.until, symbols_);
  // A busy port costs no trace.
  std::unique_ptr<Server> server;
  if (options.live.gdb) server = open_server(*options.live.gdb);
  if (options.subcommand == Subcommand::kRecord) start_recording();
  start_session();
  if (server) {
    if (!options.quiet && server->takes_others()) {
      say("gdb can attach, from this host only; " + attach_hint(server->target()));
    }
    front_end_->adopt(std::move(server));
  }
}

LiveRun::~LiveRun() = default;

void LiveRun::take_symbols() {
  if (const Image* image = symbol_image(machine_.images)) symbols_.add(image->bytes);
  for (const std::string& file : options_.symbols) symbols_.add_file(file);
  const Dwarf dwarf = options_.live.with_debug ? Dwarf::kKeep : Dwarf::kLeave;
  symbol_files_ = symbols_to_store(machine_.images, options_.symbols, dwarf);
  if (!origin_) return;
  for (SymbolFile& file : not_replaced(origin_->symbols, options_.symbols)) {
    try {
      symbols_.add(file.bytes);
      symbol_files_.push_back(std::move(file));
    } catch (const Error& error) {
      say("the symbols of " + file.name + " in the trace are no use: " + error.what());
    }
  }
}

void LiveRun::find_signature() {
  if (options_.live.signature.empty()) return;
  const Image* image = symbol_image(machine_.images);
  if (image == nullptr) throw Error(Exit::kNoInput, "--signature needs an ELF with begin_signature and end_signature");
  const Elf elf = parse_elf(image->bytes);
  const auto place = [&](const char* name) {
    const ElfSymbol* symbol = elf.find(name);
    if (symbol == nullptr) throw Error(Exit::kNoInput, "--signature: " + image->name + " has no symbol " + name);
    // The end may lie just behind its segment, so it is measured from the beginning.
    return symbol->value;
  };
  const VirtAddr begin = place("begin_signature");
  const VirtAddr end = place("end_signature");
  if (end < begin) throw Error(Exit::kNoInput, "--signature: " + image->name + " ends its signature before it begins");
  signature_bytes_ = end.value - begin.value;
  signature_begin_ = elf.physical(begin).value_or(PhysAddr{begin.value});
}

void LiveRun::start_recording() {
  const TraceStore store;
  const bool named = !options_.live.trace.empty();
  std::string path = options_.live.trace;
  const auto make = [this](const std::string& where) { writer_ = make_writer(where); };
  if (named) {
    make(path);
  } else {
    path = store.make_trace(origin_ ? origin_->name : guest_name(options_.machine), make);
  }
  watched_writer_ = std::make_unique<WatchedWriter>(*writer_);
  watched_writer_->on_failure([this] {
    const bool goes_on = options_.live.on_full == OnFull::kContinue;
    if (!goes_on) session_->interrupt();
    if (goes_on || front_end_->gdb_attached()) say_write_failure();
  });
  try {
    store.set_latest(path);
    if (!options_.quiet) say("recording to " + for_people(path) + " (latest-trace)");
  } catch (const Error& error) {
    // The recording itself has a place that the user chose.
    if (!named) throw;
    say("recording to " + for_people(path) + "; " + error.what());
  }
}

std::unique_ptr<TraceSink> LiveRun::make_writer(const std::string& path) const {
  TraceExtras extras{options_.live.sync, symbol_files_};
  if (origin_ && origin_->begin.state != nullptr) {
    extras.start = TraceStart{origin_->begin.state->load({}), origin_->begin.initial_memory};
  }
  const u64 ring_bytes = options_.live.ring_bytes;
  if (ring_bytes == 0) return std::make_unique<TraceWriter>(path, machine_.board, this_build(), extras);
  return std::make_unique<RingWriter>(path, machine_.board, ring_bytes, this_build(), extras);
}

void LiveRun::start_session() {
  LiveSetup setup;
  setup.board = machine_.board;
  if (origin_) {
    setup.begin = origin_->begin;
    setup.known_blocks = origin_->history;
  }
  setup.engine = options_.engine;
  if (options_.live.console != ConsoleWiring::kNone && !is_script()) {
    reader_ = std::make_unique<ConsoleReader>(STDIN_FILENO, console_);
    setup.inputs.console_fd = reader_->guest_end();
  }
  setup.inputs.clock = options_.live.clock;
  setup.inputs.renew = [this](LiveOptions& inputs) {
    inputs.rtc_unix_ns = options_.live.rtc_unix_ns ? *options_.live.rtc_unix_ns : clock_ns(CLOCK_REALTIME);
    inputs.seed = options_.live.seed ? *options_.live.seed : host_entropy();
    booted_harts_ = 0;
    over_said_ = false;
  };
  setup.inputs.renew(setup.inputs);
  // Harts that have left the reset vector come back to it only by a reboot.
  if (setup.begin.state != nullptr) booted_harts_ = ~0u;
  setup.inputs.idle_ticks = options_.live.until.idle_ticks;
  setup.inputs.steps_per_tick = machine_.board.machine.steps_per_tick;
  setup.inputs.on_idle = [this] {
    idled_ = true;
    session_->interrupt();
  };
  setup.disk_images = machine_.disk_images;
  setup.recording = options_.live.keep_history ? Recording::kOn : Recording::kOff;
  setup.listener = watched_writer_.get();
  setup.snapshots = options_.snapshots;
  setup.marks = options_.live.marks;
  setup.key_frames = options_.live.key_frames;
  session_ = Session::live(std::move(setup), until_);
  session_->set_jobs(options_.jobs);
  until_.on_match([this] { session_->interrupt(); });
  front_end_ = std::make_unique<FrontEnd>(*session_, symbols_, signals_);
  console_.on_request([this](Console::Request request) {
    if (request == Console::Request::kPrompt && front_end_->gdb_attached()) {
      say("gdb is attached: let it detach first");
      return false;
    }
    front_end_->break_off();
    return true;
  });
  console_.give_up_when([this] { return signals_.pending() != 0; });
  front_end_->export_symbols(&symbol_files_);
  if (writer_) front_end_->keep_bookmarks(writer_->id(), kMainBranch);
  front_end_->set_exit_report(options_.live.exit_report);
  front_end_->on_resume([this](Direction direction) { return resume_for_prompt(direction); });
  front_end_->describe_recording([this](std::ostream& out) {
    if (writer_) {
      out << "trace: " << writer_->path() << ", " << size_text(writer_->written_bytes()) << '\n';
    } else {
      out << (options_.live.keep_history ? "kept in memory\n" : "none (--record off)\n");
    }
    out << "events: " << session_->history().events().size() << '\n';
  });
  if (!options_.live.keep_history && !options_.quiet) say("--record off: this run cannot be reversed");
}

int LiveRun::run() {
  try {
    return run_to_end();
  } catch (const Error&) {
    end_recording();
    throw;
  }
}

int LiveRun::run_to_end() {
  Next next = first();
  while (next != Next::kFinish) {
    switch (next) {
      case Next::kRun:
        next = run_guest();
        break;
      case Next::kServe:
        next = serve_gdb();
        break;
      case Next::kPrompt:
        next = ask_user();
        break;
      case Next::kFinish:
        break;
    }
    if (const int signal = signals_.pending(); signal != 0) {
      ended_by_ = Outcome::Kind::kInterrupted;
      status_ = 128 + signal;
      next = Next::kFinish;
    }
    const bool unrecorded = writer_ && writer_->failed() && options_.live.on_full == OnFull::kStop;
    if (unrecorded || console_.write_error() != 0) next = Next::kFinish;
  }
  return finish();
}

LiveRun::Next LiveRun::first() const {
  if (!options_.live.stopped && options_.subcommand != Subcommand::kDebug) return Next::kRun;
  return front_end_->listens() ? Next::kServe : Next::kPrompt;
}

/// A script that is piped into `debug` is for the prompt alone.
bool LiveRun::is_script() const { return options_.subcommand == Subcommand::kDebug && !terminal_.is_terminal(); }

void LiveRun::give_terminal_to_guest() {
  terminal_.make_raw(options_.live.console == ConsoleWiring::kMux ? Keys::kGuest : Keys::kSignals);
  if (reader_) reader_->start();
}

void LiveRun::take_terminal_back() {
  if (reader_) reader_->pause();
  terminal_.restore();
  front_end_->lines().type_ahead(console_.take_typed_ahead());
}

LiveRun::Next LiveRun::run_guest() {
  give_terminal_to_guest();
  StopRequest stops;
  if (options_.live.on_reboot == OnReboot::kExit) stops.breakpoints = {VirtAddr{machine_.board.machine.reset_pc.value}};
  stops.breakpoints.insert(stops.breakpoints.end(), until_addresses_.begin(), until_addresses_.end());
  session_->set_stops(stops);
  const bool was_at_end = session_->position() == session_->end();
  const Position limit = options_.live.until.steps ? Position{*options_.live.until.steps} : kEndOfTime;
  return after_run(front_end_->run(limit), was_at_end);
}

/// -no-reboot stops at the reset vector. Each hart comes there once when the machine is switched on; coming back is a
/// reboot.
LiveRun::Next LiveRun::at_reset_vector(unsigned hart) {
  if (booted_harts_ >> hart & 1) {
    why_ = "reboot, which -no-reboot makes the end";
    return Next::kFinish;
  }
  booted_harts_ |= 1u << hart;
  session_->set_stops({});
  session_->step(hart, Direction::kForward);
  return Next::kRun;
}

LiveRun::Next LiveRun::after_run(const Stop& stop, bool was_at_end) {
  switch (console_.take_request()) {
    case Console::Request::kQuit:
      return Next::kFinish;
    case Console::Request::kPrompt:
      return Next::kPrompt;
    case Console::Request::kNone:
      break;
  }
  if (front_end_->client_waiting()) return Next::kServe;
  // What the guest said may have been the last thing it did.
  until_held_ = until_holds(stop);
  if (until_held_) return Next::kFinish;
  if (stop.reason == StopReason::kPoweredOff) return when_over();
  if (stop.reason == StopReason::kBreakpoint) return at_reset_vector(stop.hart);
  if (stop.reason == StopReason::kHistoryEnd && was_at_end) {
    // Nothing but a debugger can make it go on.
    if (front_end_->listens()) return Next::kServe;
    say(stop.note);
    status_ = static_cast<int>(Exit::kIo);
    return Next::kFinish;
  }
  return Next::kRun;
}

bool LiveRun::until_holds(const Stop& stop) {
  const VirtAddr pc = session_->machine().hart_summary(stop.hart).pc;
  const bool executed = stop.reason == StopReason::kBreakpoint &&
                        std::find(until_addresses_.begin(), until_addresses_.end(), pc) != until_addresses_.end();
  if (executed) {
    why_ = "--until, hart " + std::to_string(stop.hart) + " is at " + symbols_.near(pc);
  } else if (idled_) {
    why_ = "--until, the guest does nothing but wait";
  } else if (!until_.matched().empty()) {
    why_ = "--until, the console says: " + printable(until_.matched());
  } else if (const auto limit = options_.live.until.steps;
             limit && stop.reason != StopReason::kPoweredOff && session_->position().steps >= *limit) {
    why_ = "the limit of --until";
  } else {
    return false;
  }
  return true;
}

LiveRun::Next LiveRun::when_over() {
  if (options_.live.at_exit == AtExit::kQuit) return Next::kFinish;
  if (!std::exchange(over_said_, true)) say("guest stopped: " + session_->machine().power().why);
  return front_end_->listens() ? Next::kServe : Next::kPrompt;
}

LiveRun::Next LiveRun::serve_gdb() {
  // While gdb lets the guest run, keys go to it.
  give_terminal_to_guest();
  const ServeResult result = front_end_->serve();
  switch (console_.take_request()) {
    case Console::Request::kQuit:
      return Next::kFinish;
    case Console::Request::kPrompt:
      return Next::kPrompt;
    case Console::Request::kNone:
      break;
  }
  if (result != ServeResult::kStopped && options_.live.once) {
    why_ = "gdb has gone (--once)";
    return Next::kFinish;
  }
  switch (result) {
    case ServeResult::kKilled:
    case ServeResult::kQuit:
      return Next::kFinish;
    case ServeResult::kDetached:
      return after_detach();
    case ServeResult::kGone:
      if (!front_end_->takes_others()) {
        why_ = "gdb is gone";
        return Next::kFinish;
      }
      say("gdb is gone; the guest waits for the next one");
      return Next::kServe;
    case ServeResult::kStopped:
      return Next::kServe;
  }
  return Next::kServe;
}

LiveRun::Next LiveRun::after_detach() {
  if (session_->machine().power().off) return when_over();
  const bool in_past = session_->position() != session_->end();
  switch (options_.live.on_detach.value_or(in_past ? OnDetach::kStop : OnDetach::kRun)) {
    case OnDetach::kRun:
      return Next::kRun;
    case OnDetach::kStop:
      break;
    case OnDetach::kQuit:
      why_ = "gdb has detached (--on-detach=quit)";
      return Next::kFinish;
  }
  say(std::string("gdb left ") + (in_past ? "in the past, " : "") + "at " + describe_position(*session_) +
      "; the guest waits");
  return terminal_.is_terminal() ? Next::kPrompt : Next::kServe;
}

LiveRun::Next LiveRun::ask_user() {
  take_terminal_back();
  front_end_->settle();
  // The prompt does not stand behind the guest's last line.
  if (terminal_.is_terminal()) std::fputc('\n', stderr);
  switch (front_end_->prompt()) {
    case PromptEnd::kWakened:
      return Next::kServe;
    case PromptEnd::kEof:
      return front_end_->listens() ? Next::kServe : Next::kFinish;
    case PromptEnd::kQuit:
    case PromptEnd::kSignal:
      break;
  }
  return Next::kFinish;
}

/// `continue` at the prompt gives the terminal to the guest while it runs at the live end.
Stop LiveRun::resume_for_prompt(Direction direction) {
  const bool to_guest = direction == Direction::kForward && session_->position() == session_->end();
  if (to_guest) {
    if (reader_) reader_->push(front_end_->lines().take_rest());
    give_terminal_to_guest();
  }
  const Stop stop = front_end_->resume(direction);
  if (to_guest) take_terminal_back();
  if (writer_ && writer_->failed()) say_write_failure();
  const bool over = stop.reason == StopReason::kPoweredOff && options_.live.at_exit == AtExit::kQuit &&
                    options_.subcommand != Subcommand::kDebug;
  if (over || console_.take_request() == Console::Request::kQuit) front_end_->context().quit = true;
  return stop;
}

/// To somebody who goes on looking at the guest; else it is the last thing that is said.
void LiveRun::say_write_failure() {
  const auto error = writer_->take_error();
  if (!error) return;
  write_failure_ = error->exit_code();
  say(error->what());
}

/// After an error that ends the run: what was recorded stays a trace that says it was ended.
void LiveRun::end_recording() noexcept {
  try {
    session_->finish(Outcome::Kind::kStopped);
  } catch (...) {
    // The first error is the one to be told.
  }
}

int LiveRun::finish() {
  take_terminal_back();
  session_->finish(ended_by_);
  for (const bool writes : machine_.writes_image) {
    if (writes) {
      session_->commit_disks();
      break;
    }
  }
  write_signature();
  if (writer_) {
    writer_->end();
    if (options_.live.on_full == OnFull::kContinue) say_write_failure();
    if (const auto error = writer_->take_error()) throw Error(error->exit_code(), error->what());
    if (write_failure_ && options_.live.on_full == OnFull::kStop) return static_cast<int>(*write_failure_);
    print_summary();
  }
  if (const int error = console_.write_error(); error != 0 && status_ == 0) {
    throw Error(Exit::kIo, "cannot write the console: " + std::generic_category().message(error));
  }
  if (until_held_) return static_cast<int>(Exit::kStepLimit);
  const PowerState& power = session_->machine().power();
  return power.off && ended_by_ != Outcome::Kind::kInterrupted ? power.status : status_;
}

}  // namespace retrov
