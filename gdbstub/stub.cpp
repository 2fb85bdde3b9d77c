#include "gdbstub/stub.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <streambuf>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/framing.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/target_xml.hpp"
#include "replay/position.hpp"

namespace retrov {
namespace {

constexpr unsigned kSigInt = 2;
constexpr unsigned kSigTrap = 5;
constexpr u8 kSigTerm = 15;
constexpr u64 kProgressEveryNs = 1'000'000'000;

/// ra, sp, gp, s0, a0-a7 and pc: what gdb asks for after nearly every stop.
constexpr std::array<u16, 13> kExpedited = {1, 2, 3, 8, 10, 11, 12, 13, 14, 15, 16, 17, 32};

/// A hart where the session stands.
class StandingHart final : public HartView {
 public:
  StandingHart(const MachineView& machine, const Debugger& debugger, unsigned hart)
      : machine_(machine), debugger_(debugger), hart_(hart) {}
  [[nodiscard]] std::optional<u64> read_register(RegisterId id) const override {
    return machine_.read_register(hart_, id);
  }
  [[nodiscard]] std::size_t read_memory(VirtAddr address, std::span<u8> out) const override {
    return debugger_.read_memory(hart_, AddressSpace::kVirtual, address.value, out);
  }

 private:
  const MachineView& machine_;
  const Debugger& debugger_;
  unsigned hart_;
};

/// Ends the move on every way out, a thrown Error among them.
class Moving {
 public:
  explicit Moving(StubClient& client) : client_(client) { client_.begin_move(); }
  ~Moving() { client_.end_move(); }
  Moving(const Moving&) = delete;
  Moving& operator=(const Moving&) = delete;

 private:
  StubClient& client_;
};

/// Hands over whole lines as they are written, and the rest at the end.
class LineBuffer final : public std::streambuf {
 public:
  explicit LineBuffer(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}
  void finish() {
    if (!line_.empty()) sink_(line_);
    line_.clear();
  }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    line_ += traits_type::to_char_type(c);
    // A line without end must not grow beyond what one packet can carry.
    if (line_.back() == '\n' || line_.size() == kPacketSize / 4) finish();
    return c;
  }

  int sync() override {
    finish();
    return 0;
  }

 private:
  std::function<void(std::string_view)> sink_;
  std::string line_;
};

std::string_view watch_word(WatchKind kind) {
  switch (kind) {
    case WatchKind::kWrite:
      return "watch:";
    case WatchKind::kRead:
      return "rwatch:";
    case WatchKind::kAccess:
      return "awatch:";
  }
  return "watch:";
}

unsigned signal_of(StopReason reason) {
  if (reason == StopReason::kInterrupted) return kSigInt;
  // No signal: gdb says "stopped" and gives up whatever step, next or finish was to lead elsewhere.
  return reason == StopReason::kArrived || reason == StopReason::kCsrWrite ? 0 : kSigTrap;
}

std::string_view privilege_name(unsigned privilege) {
  constexpr std::array<std::string_view, 4> kNames = {"U-mode", "S-mode", "reserved mode", "M-mode"};
  return kNames[privilege & 3];
}

}  // namespace

Stub::Stub(Debugger& debugger, const MachineView& machine, MonitorCommand monitor)
    : debugger_(debugger), machine_(machine), monitor_(std::move(monitor)) {}

void Stub::begin_session(StubClient& client) {
  client_ = &client;
  features = {};
  no_ack = extended = gone = no_answer = false;
  end = SessionEnd::kOpen;
  stops.clear();
  controls = {};
  general_thread = resume_thread = {};
  only_hart.reset();
  handed_over_.reset();
  stop_hart_ = machine_.current_hart();
  stop_signal_ = kSigTrap;
}

void Stub::end_session() {
  StopSettings settings = debugger_.stop_settings();
  settings.csr_writes.clear();
  debugger_.set_stop_settings(settings);
  stops.clear();
  handed_over_.reset();
  debugger_.set_stops({});
  debugger_.set_only_hart(std::nullopt);
  debugger_.set_scratch(Scratch::kOff);
}

std::optional<ThreadRef> Stub::parse_thread(std::string_view text) const {
  constexpr ThreadRef kAll{ThreadRef::Kind::kAll, 0};
  if (text.starts_with('p')) {
    std::string_view thread = text.substr(1);
    const std::string_view process = split(thread, '.');
    // One process, number 1: "p1" and "p-1" alone mean all its threads.
    if (process != "1" && process != "0" && process != "-1") return std::nullopt;
    if (text.find('.') == std::string_view::npos) return kAll;
    text = thread;
  }
  if (text == "-1") return kAll;
  const std::optional<u64> number = parse_hex(text);
  if (!number || *number > machine_.hart_count()) return std::nullopt;
  if (*number == 0) return ThreadRef{ThreadRef::Kind::kAny, 0};
  return ThreadRef{ThreadRef::Kind::kHart, static_cast<unsigned>(*number - 1)};
}

std::string Stub::thread_id(unsigned hart) const { return (features.multiprocess ? "p1." : "") + hex_number(hart + 1); }

unsigned Stub::hart_of(ThreadRef thread) const {
  return thread.kind == ThreadRef::Kind::kHart ? thread.hart : stop_hart_;
}

std::string Stub::hart_text(unsigned hart) const {
  const HartSummary summary = machine_.summary(hart);
  std::string result(privilege_name(summary.privilege));
  result += summary.waiting ? ", WFI" : ", running";
  // satp: MODE is bits 63:60, ASID 59:44 (privileged manual, "Supervisor Address Translation and Protection").
  if (summary.satp >> 60 != 0) {
    result += ", asid " + std::to_string(summary.satp >> 44 & 0xffff);
  }
  return result;
}

std::string Stub::step(unsigned hart, Direction direction) {
  const Way way = direction == Direction::kBackward ? Way::kLong : Way::kShort;
  return move(way, [&, only = only_hart] { return stop_of(only, debugger_.step(hart, direction)); });
}

std::string Stub::step_range(unsigned hart, VirtAddr start, VirtAddr end_of_range) {
  return move(Way::kShort,
              [&, only = only_hart] { return stop_of(only, debugger_.step_range(hart, start, end_of_range)); });
}

/// A gdb that steps one thread alone, such as off a breakpoint, must hear of no other: it ends by an internal error.
/// Where another hart stops a step in history, that is the end of the step, and the next resume finds its stop again.
Stop Stub::stop_of(std::optional<unsigned> only, Stop stop) {
  if (!only || stop.hart == *only) return stop;
  stop.hart = *only;
  const bool is_found_again = stop.reason == StopReason::kBreakpoint || stop.reason == StopReason::kWatchpoint;
  if (is_found_again) stop.reason = StopReason::kStep;
  return stop;
}

std::string Stub::resume(Direction direction) {
  const Way way = direction == Direction::kBackward ? Way::kLong : Way::kShort;
  return move(way, [&, only = only_hart] {
    // gdb steps off a breakpoint by itself before it continues, so one that is still set here is one to stop at, before
    // anything is executed.
    const unsigned hart = only.value_or(machine_.current_hart());
    const HartSummary summary = machine_.summary(hart);
    const bool about_to_execute = direction == Direction::kForward && !summary.waiting;
    if (about_to_execute && stops.stops_at(StandingHart(machine_, debugger_, hart), summary.pc)) {
      Stop stop;
      stop.reason = StopReason::kBreakpoint;
      stop.at = debugger_.position();
      stop.hart = hart;
      return stop;
    }
    return stop_of(only, debugger_.resume(direction));
  });
}

/// In the log, because gdb takes no text while it starts a program.
void Stub::power_cycle() {
  const std::vector<BranchInfo> all = debugger_.branches();
  const auto left = std::find_if(all.begin(), all.end(), [](const BranchInfo& branch) { return branch.current; });
  const std::string name = debugger_.power_cycle();
  if (left == all.end() || left->name == name) return;
  client_->log("gdb has switched the guest off and on: this is " + name + "; what was before is in " + left->name +
               " (monitor switch " + left->name + ")");
}

std::string Stub::restart() {
  controls.armed_goto.reset();
  controls.armed_switch.reset();
  gone = false;
  return move(Way::kShort, [&] {
    if (debugger_.live()) {
      power_cycle();
    } else {
      debugger_.seek(debugger_.begin());
    }
    Stop stop;
    stop.at = debugger_.position();
    stop.hart = machine_.current_hart();
    return stop;
  });
}

void Stub::while_moving(const std::function<void()>& action) {
  const Moving moving(*client_);
  action();
  (void)client_->take_interrupt();
}

/// Of something that may take long; ends on every way out, a thrown Error among them.
class Stub::LongWay {
 public:
  LongWay(Stub& stub, Way way) : stub_(stub) {
    stub_.reports_progress_ = way == Way::kLong;
    stub_.progress_said_ns_.reset();
  }
  ~LongWay() { stub_.reports_progress_ = false; }
  LongWay(const LongWay&) = delete;
  LongWay& operator=(const LongWay&) = delete;

 private:
  Stub& stub_;
};

void Stub::report_progress(u64 host_now_ns) {
  if (!reports_progress_) return;
  if (!progress_said_ns_) progress_said_ns_ = host_now_ns;
  if (host_now_ns - *progress_said_ns_ < kProgressEveryNs) return;
  progress_said_ns_ = host_now_ns;
  print("retrov: " + describe_progress(debugger_.position(), debugger_.end(), debugger_.begin()) + "\n");
}

std::string Stub::move(Way way, const std::function<Stop()>& action) {
  const std::optional<unsigned> only = std::exchange(only_hart, std::nullopt);
  Stop stop;
  {
    const Moving moving(*client_);
    const bool is_armed = controls.armed_goto || controls.armed_switch;
    const LongWay long_way(*this, is_armed ? Way::kLong : way);
    // Of another thread a gdb that moves one alone must not hear (stop_of).
    if (const std::optional<Position> target = std::exchange(controls.armed_goto, std::nullopt)) {
      debugger_.seek(*target);
      stop.at = debugger_.position();
      stop.reason = stop.at == *target ? StopReason::kArrived : StopReason::kInterrupted;
      stop.hart = only.value_or(machine_.current_hart());
    } else if (const std::optional<std::string> branch = std::exchange(controls.armed_switch, std::nullopt)) {
      stop.reason = debugger_.switch_to(*branch) ? StopReason::kArrived : StopReason::kInterrupted;
      stop.at = debugger_.position();
      stop.hart = only.value_or(machine_.current_hart());
    } else {
      StopRequest request = with_settings(stops.request(), debugger_.stop_settings());
      // Equal requests need not be handed over again: decoded code stays adapted.
      if (handed_over_ != request) {
        debugger_.set_stops(request);
        handed_over_ = std::move(request);
      }
      debugger_.set_only_hart(only);
      stop = action();
    }
  }
  if (on_arrival_) on_arrival_(stop);
  // A step is over before a Ctrl-C can end it; a client that steps again and again would never be stopped.
  const bool may_answer = stop.reason == StopReason::kStep || stop.reason == StopReason::kInterrupted;
  if (may_answer && client_->take_interrupt()) stop.reason = StopReason::kInterrupted;
  const std::optional<std::string> exited = exit_packet(stop);
  // Scripts that wait for the end of a program expect it to stand alone, and gdb says the status.
  const bool is_plain_exit = exited && stop.reason == StopReason::kPoweredOff;
  if (!stop.note.empty() && !is_plain_exit) print("retrov: " + stop.note + "\n");
  stop_hart_ = stop.hart < machine_.hart_count() ? stop.hart : 0;
  stop_signal_ = signal_of(stop.reason);
  return exited ? *exited : stop_reply(stop);
}

/// A client that is not extended ends its session with it.
std::optional<std::string> Stub::exit_packet(const Stop& stop) {
  const auto fork = debugger_.forked();
  const bool is_scratch = fork && fork->is_scratch;
  if (exit_report_ != ExitReport::kExit || is_scratch) return std::nullopt;
  std::string packet;
  if (stop.reason == StopReason::kPoweredOff) {
    packet = "W";
    append_hex_byte(packet, static_cast<u8>(debugger_.exit_status()));
  } else if (stop.reason == StopReason::kHistoryEnd && debugger_.live() && !stop.note.empty()) {
    // It waits for input that cannot come, for ever.
    packet = "X";
    append_hex_byte(packet, kSigTerm);
  } else {
    return std::nullopt;
  }
  gone = extended;
  if (!extended) end = SessionEnd::kDetached;
  return packet + (features.multiprocess ? ";process:1" : "");
}

std::string Stub::stop_reply(const Stop& stop) const {
  std::string result = "T";
  append_hex_byte(result, static_cast<u8>(stop_signal_));
  return result + stop_reason(stop) + stop_place(stop_hart_);
}

std::string Stub::stop_reason(const Stop& stop) const {
  switch (stop.reason) {
    case StopReason::kBreakpoint: {
      const bool software = stops.has(BreakKind::kSoftware, machine_.summary(stop_hart_).pc);
      if (software) return features.swbreak ? "swbreak:;" : "";
      return features.hwbreak ? "hwbreak:;" : "";
    }
    case StopReason::kWatchpoint:
      return std::string(watch_word(stop.watch_kind)) + hex_number(stop.watched.value) + ";";
    case StopReason::kHistoryBegin:
      return "replaylog:begin;";
    case StopReason::kHistoryEnd:
    case StopReason::kPoweredOff:
      // Not W: that would take the history away from the user.
      return "replaylog:end;";
    case StopReason::kStep:
    case StopReason::kEbreak:
    case StopReason::kCsrWrite:
    case StopReason::kInterrupted:
    case StopReason::kArrived:
      return "";
  }
  return "";
}

std::string Stub::stop_place(unsigned hart) const {
  std::string result = "thread:" + thread_id(hart) + ";core:" + hex_number(hart) + ";";
  for (const u16 number : kExpedited) {
    result += hex_number(number) + ":" + register_text(machine_, hart, RegisterId{number}) + ";";
  }
  return result;
}

std::string Stub::last_stop_reply() const {
  if (gone) return "W00";
  std::string result = "T";
  append_hex_byte(result, static_cast<u8>(stop_signal_));
  return result + stop_place(stop_hart_);
}

std::string Stub::error(std::string_view sentence) const { return "E." + plain_text(sentence); }

void Stub::print(std::string_view text) {
  // Each byte becomes two digits, and a packet has a limit.
  constexpr std::size_t kBytesPerPacket = kPacketSize / 2 - 16;
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kBytesPerPacket))) {
    client_->send("O" + hex_bytes(text.substr(0, kBytesPerPacket)));
  }
}

void Stub::run_monitor(std::string_view line) {
  LineBuffer buffer([this](std::string_view text) { print(text); });
  std::ostream out(&buffer);
  const LongWay long_way(*this, Way::kLong);
  monitor_(line, out, controls);
  buffer.finish();
}

}  // namespace retrov
