#include "cli/front_end.hpp"

#include <ostream>

#include "cli/messages.hpp"
#include "core/check.hpp"
#include "gdbstub/history_scan.hpp"
#include "replay/position.hpp"

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
  context_.where = Offered::kPromptOnly;
  context_.scan = [this](const ScanOrder& order, std::ostream& out) { scan_history(session_, order, out); };
  context_.serve_gdb = [this](u16 port, std::ostream& out) {
    out << attach_hint(listen(ListenAddress{ListenAddress::Kind::kTcp, port, {}})) << '\n';
  };
}

FrontEnd::~FrontEnd() { signals_.watch(nullptr, nullptr); }

CommandContext FrontEnd::make_context() {
  CommandContext context{session_};
  if (!symbols_.empty()) {
    context.symbol = [this](std::string_view name) { return symbols_.find(name); };
    context.symbol_near = [this](VirtAddr address) { return symbols_.near(address); };
  }
  context.describe_snapshots = [this](std::ostream& out) {
    out << session_.snapshots().count() << " snapshots, " << group_digits(session_.snapshots().bytes() >> 10)
        << " KiB\n";
  };
  return context;
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
    stub_.while_moving([&] { scan_history(session_, order, answer); });
  };
  run_command(context, line, out);
  controls.physical = context.space == AddressSpace::kPhysical;
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
  const ServeResult result = server_->serve(stub_);
  serving_ = false;
  client_came_ = false;
  signals_.watch(nullptr, nullptr);
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
    if (session_.position() < session_.end()) progress_.at(session_.position(), session_.end());
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
