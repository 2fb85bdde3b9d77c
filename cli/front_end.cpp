#include "cli/front_end.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/messages.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "gdbstub/history_scan.hpp"
#include "replay/host_clock.hpp"
#include "replay/position.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

FrontEnd::FrontEnd(Session& session, const Symbols& symbols, Signals& signals)
    : session_(session),
      symbols_(symbols),
      signals_(signals),
      context_(make_context()),
      monitor_context_(make_context()),
      lines_(context_, signals),
      view_(session),
      stub_(session, view_, [this](std::string_view line, std::ostream& out, MonitorControls& controls) {
        run_monitor(line, out, controls);
      }) {
  stub_.on_arrival([this](const Stop& stop) {
    const bool by_step = stop.reason == StopReason::kStep;
    places_.visited.arrive(session_, by_step ? Visited::How::kStep : Visited::How::kJump);
  });
  context_.where = Offered::kPromptOnly;
  context_.scan = [this](const ScanOrder& order, std::ostream& out) { scan_history(search_by(session_), order, out); };
  context_.serve_gdb = [this](u16 port, std::ostream& out) {
    out << attach_hint(listen(ListenAddress{ListenAddress::Kind::kTcp, port, {}})) << '\n';
  };
}

FrontEnd::~FrontEnd() { signals_.watch(nullptr, nullptr); }

CommandContext FrontEnd::make_context() {
  CommandContext context{session_, places_};
  if (!symbols_.empty()) {
    context.symbol = [this](std::string_view name) { return symbols_.find(name); };
    context.symbol_near = [this](VirtAddr address) { return symbols_.near(address); };
  }
  context.describe_snapshots = [this](std::ostream& out) { describe_snapshots(out); };
  context.describe_effort = [this](std::ostream& out) { describe_effort(out); };
  context.export_trace = [this](const std::string& path, std::ostream& out) { export_trace(path, out); };
  return context;
}

void FrontEnd::describe_snapshots(std::ostream& out) const {
  const SnapshotStore::Totals totals = session_.snapshots().totals();
  out << totals.count << " snapshots, " << group_digits(totals.bytes >> 10) << " KiB of "
      << group_digits(totals.budget_bytes >> 10) << " KiB";
  if (totals.lines > 1) out << ", in " << totals.lines << " lines of history";
  out << '\n';
  const u64 here = session_.position().steps;
  const std::vector<Position> positions = session_.snapshots().positions();
  for (u64 distance = 1'000'000; distance <= 1'000'000'000; distance *= 10) {
    out << (distance == 1'000'000 ? "from here less than " : ", ") << group_digits(distance) << ": "
        << std::count_if(positions.begin(), positions.end(), [&](Position at) {
             return std::max(at.steps, here) - std::min(at.steps, here) < distance;
           });
  }
  const Timeline::WorstSeek worst = session_.worst_seek();
  out << "\nworst seek: " << group_digits(worst.steps) << " steps from step " << group_digits(worst.from.steps);
  const Effort effort = session_.effort();
  if (effort.steps > 0) {
    const u128 worst_ns = u128{worst.steps} * effort.cpu_ns / effort.steps;
    out << ", about " << group_digits(static_cast<u64>(worst_ns / 1'000'000)) << " ms";
  }
  out << '\n';
}

void FrontEnd::describe_effort(std::ostream& out) const {
  const Effort effort = session_.effort();
  // Steps in a microsecond.
  const u64 mips = effort.cpu_ns == 0 ? 0 : static_cast<u64>(u128{effort.steps} * 1000 / effort.cpu_ns);
  out << "executed: " << group_digits(effort.steps) << " steps, " << mips << " MIPS\n";
  // In pages: the size of the process, and how much of it is in memory.
  std::ifstream facts("/proc/self/statm");
  u64 size_pages = 0;
  u64 resident_pages = 0;
  facts >> size_pages >> resident_pages;
  const u64 page_bytes = static_cast<u64>(sysconf(_SC_PAGESIZE));
  out << "memory: " << group_digits(resident_pages * page_bytes >> 20) << " MiB\n";
  if (context_.describe_recording) context_.describe_recording(out);
}

void FrontEnd::export_trace(const std::string& path, std::ostream& out) {
  // Before there is a file.
  session_.check_telling();
  TraceExtras extras;
  if (symbol_files_ != nullptr) extras.symbols = *symbol_files_;
  TraceWriter writer(path, session_.history().board(), this_build(), extras);
  session_.tell_all(writer);
  writer.flush();
  if (const auto error = writer.take_error()) throw Error(error->exit_code(), error->what());
  const std::string bookmarks = TraceStore().bookmark_file(writer.id());
  if (!bookmarks.empty()) places_.bookmarks.copy_to(bookmarks, session_);
  out << "exported to " << std::filesystem::absolute(path).string() << ", "
      << group_digits(writer.written_bytes() >> 10) << " KiB\n";
}

void FrontEnd::run_monitor(std::string_view line, std::ostream& out, MonitorControls& controls) {
  CommandContext& context = monitor_context_;
  context.hart = stub_.general_hart();
  context.space = controls.physical ? AddressSpace::kPhysical : AddressSpace::kVirtual;
  context.describe_recording = context_.describe_recording;
  context.go_to = [&controls](Position target, std::ostream& answer) {
    controls.armed_goto = target;
    controls.armed_switch.reset();
    answer << "the next stepi, continue or reverse-stepi goes to step " << group_digits(target.steps) << '\n';
  };
  context.switch_to = [&controls](const std::string& branch, std::ostream& answer) {
    controls.armed_switch = branch;
    controls.armed_goto.reset();
    answer << "the next stepi, continue or reverse-stepi goes to where you were in " << branch << '\n';
  };
  context.scan = [this](const ScanOrder& order, std::ostream& answer) {
    stub_.while_moving([&] { scan_history(search_by(session_), order, answer); });
  };
  context.aside = [this](const std::function<void()>& look) { stub_.while_moving(look); };
  run_command(context, line, out);
  controls.quit = context.quit;
  controls.physical = context.space == AddressSpace::kPhysical;
}

void FrontEnd::keep_bookmarks(const std::array<u8, 16>& id, const std::string& branch, std::vector<Bookmark> packed) {
  places_.bookmarks.keep_in(TraceStore().bookmark_file(id), branch, std::move(packed));
}

Position FrontEnd::find_position(const std::string& word) {
  const auto address = [this](std::string_view text) { return parse_address(context_, text); };
  return resolve_position(word, session_, {places_.bookmarks, address});
}

void FrontEnd::adopt(std::unique_ptr<Server> server) {
  server_ = std::move(server);
  // Nothing else may be broken off: gdb's first move would be, if nothing moved when it connected.
  server_->on_client([this] {
    client_came_ = true;
    if (running_) session_.interrupt();
  });
}

std::string FrontEnd::listen(const ListenAddress& address) {
  if (server_) throw Error(Exit::kUsage, "gdb can attach already: " + attach_hint(server_->target()));
  adopt(open_server(address));
  return server_->target();
}

void FrontEnd::share(FrontEnd& first) {
  adopt(std::make_unique<Server>(*first.server_, [](const std::string& line) { say(line); }));
}

ServeResult FrontEnd::serve() {
  RV_CHECK(server_ != nullptr);
  signals_.watch(&session_, server_.get());
  if (server_->client_waiting()) client_came_ = true;
  serving_ = true;
  // A signal that came before it was watched.
  if (signals_.pending() != 0) server_->stop();
  const ServeResult result = serve_beside();
  serving_ = false;
  client_came_ = false;
  signals_.watch(nullptr, nullptr);
  return result;
}

ServeResult FrontEnd::serve_beside() {
  session_.set_progress([this] { stub_.report_progress(host_ns()); });
  const ServeResult result = server_->serve(stub_);
  session_.set_progress({});
  return result;
}

void FrontEnd::break_off() {
  session_.interrupt();
  if (server_) server_->stop();
}

void FrontEnd::settle() {
  session_.settle();
}

Stop FrontEnd::run(Position limit) {
  signals_.watch(&session_, nullptr);
  running_ = true;
  // What came before it was watched.
  if (signals_.pending() != 0 || client_waiting()) session_.interrupt();
  const Stop stop = session_.run_to(limit);
  running_ = false;
  signals_.watch(nullptr, nullptr);
  return stop;
}

Stop FrontEnd::resume(Direction direction) {
  running_ = true;
  const Stop stop = session_.resume(direction);
  running_ = false;
  return stop;
}

PromptEnd FrontEnd::prompt() {
  context_.hart = session_.machine().current_hart();
  session_.set_progress([this] {
    if (session_.position() < session_.end()) {
      progress_.at(session_.position(), session_.end(), session_.begin());
    }
  });
  const PromptHooks hooks{[this] { return client_waiting(); }, [this] { progress_.begin("on the way"); },
                          [this] { progress_.end(); }};
  const PromptEnd end = lines_.run(hooks);
  session_.set_progress({});
  return end;
}

std::unique_ptr<Server> open_server(const ListenAddress& address) {
  return std::make_unique<Server>(address, [](const std::string& line) { say(line); });
}

std::string attach_hint(const std::string& target) { return "in gdb: target remote " + target; }

}  // namespace retrov
