// One gdb session: what the client has told us, and the words for what the machine did. It knows packets and threads
// but no sockets; it drives the machine through Debugger and reads it through MachineView, nothing else.
//
// Must stay true: breakpoints and watchpoints live here and are handed over before each resume, never written into
// guest memory; hart h is thread h + 1 of process 1; a stop always names its thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "core/types.hpp"
#include "gdbstub/machine_view.hpp"
#include "gdbstub/stop_table.hpp"
#include "replay/debugger.hpp"

namespace retrov {

/// What a `monitor` command may change of the session it is typed in.
struct MonitorControls {
  /// Where the next resume packet of any kind goes, instead of what it says. Moving at once would leave gdb's caches of
  /// registers and memory stale.
  std::optional<Position> armed_goto;
  /// The same, to another branch of history.
  std::optional<std::string> armed_switch;
  /// m, M, x, X, qSearch, qCRC and new watchpoints take physical addresses.
  bool physical = false;
  /// `quit`: the session ends when the command has been answered.
  bool quit = false;
};

/// Runs one `monitor` line and writes its answer; throws Error if there is none.
using MonitorCommand = std::function<void(std::string_view line, std::ostream& out, MonitorControls& controls)>;

/// The client's end of the wire, as far as a session needs it while it is working on a packet.
class StubClient {
 public:
  virtual ~StubClient() = default;
  /// Sends a packet at once, before the answer to the one in hand.
  virtual void send(std::string_view payload) = 0;
  /// The machine is about to move: from now on Ctrl-C, or the end of the connection, means Debugger::interrupt().
  virtual void begin_move() = 0;
  virtual void end_move() = 0;
  /// Whether a Ctrl-C that no stop has answered was meant for the packet in hand. From now on it counts as answered.
  virtual bool take_interrupt() = 0;
  /// One line for the person at the host's end.
  virtual void log(const std::string& line) = 0;
};

/// What the client offered in qSupported.
struct ClientFeatures {
  bool multiprocess = false;
  bool swbreak = false;
  bool hwbreak = false;
  bool error_message = false;
};

/// kQuit: the person is done with retrov as well.
enum class SessionEnd : u8 { kOpen, kDetached, kKilled, kQuit };

/// What a client is told when the guest has ended: a stop at the end of history, from which one can go back, or that
/// the program has exited, which ends the client's session.
enum class ExitReport : bool { kStop, kExit };

/// A thread as a client writes it: "p1.2", "2", "-1" (all), "0" (any).
struct ThreadRef {
  enum class Kind : u8 { kAll, kAny, kHart };
  Kind kind = Kind::kAny;
  unsigned hart = 0;
};

class Stub {
 public:
  /// All must outlive it.
  Stub(Debugger& debugger, const MachineView& machine, MonitorCommand monitor);

  /// Told where each move has ended, before the client is. May be empty.
  void on_arrival(std::function<void(const Stop&)> callback) { on_arrival_ = std::move(callback); }

  void set_exit_report(ExitReport value) { exit_report_ = value; }

  /// A client has come: forgets everything the one before had said or set.
  void begin_session(StubClient& client);
  /// The client is gone: its breakpoints and watchpoints go, too, those of CSRs among them. Other settings stay.
  void end_session();

  [[nodiscard]] Debugger& debugger() { return debugger_; }
  [[nodiscard]] const MachineView& machine() const { return machine_; }
  [[nodiscard]] StubClient& client() { return *client_; }

  // --- what the client has said ---
  ClientFeatures features;
  bool no_ack = false;
  bool extended = false;  ///< It said `!`.
  /// There is no process for an extended client: it has killed it, or heard of its end.
  bool gone = false;
  bool no_answer = false;  ///< The packet in hand has none, not even an empty one.
  SessionEnd end = SessionEnd::kOpen;
  StopTable stops{[this](std::string_view text) { print(text); }};
  MonitorControls controls;
  /// Of the next move: no other hart shall run.
  std::optional<unsigned> only_hart;
  /// Hg and Hc.
  ThreadRef general_thread;
  ThreadRef resume_thread;

  // --- threads ---
  /// Nothing if it names no hart of this machine.
  [[nodiscard]] std::optional<ThreadRef> parse_thread(std::string_view text) const;
  [[nodiscard]] std::string thread_id(unsigned hart) const;
  /// The hart a reference means; "any" and "all" are the hart of the last stop.
  [[nodiscard]] unsigned hart_of(ThreadRef thread) const;
  [[nodiscard]] unsigned general_hart() const { return hart_of(general_thread); }
  [[nodiscard]] unsigned resume_hart() const { return hart_of(resume_thread); }
  /// "S-mode, running, asid 3".
  [[nodiscard]] std::string hart_text(unsigned hart) const;

  // --- moving: each does what the armed goto says instead, if one is, and returns the stop's packet ---
  std::string step(unsigned hart, Direction direction);
  std::string step_range(unsigned hart, VirtAddr start, VirtAddr end);
  std::string resume(Direction direction);
  /// A recording from its beginning; a live guest is switched off and on.
  std::string restart();
  /// The last stop again, without its reason.
  [[nodiscard]] std::string last_stop_reply() const;

  /// Tells a client that waits for a long way, or for a `monitor` command, how far it is: once a second of `host_now`.
  void report_progress(u64 host_now_ns);

  // --- answers ---
  /// E.text, or E01 for a client or a packet that knows only numbers.
  [[nodiscard]] std::string error(std::string_view sentence) const;
  /// Text for the client's console; only while it waits for a stop or for the end of a `monitor` command.
  void print(std::string_view text);
  /// For a `monitor` command that moves the machine and brings it back: Ctrl-C, or the end of the connection, breaks
  /// the action off.
  void while_moving(const std::function<void()>& action);
  /// Runs a `monitor` line; what it writes reaches the client line by line.
  void run_monitor(std::string_view line);

 private:
  enum class Way : bool { kShort, kLong };
  class LongWay;
  std::string move(Way way, const std::function<Stop()>& action);
  [[nodiscard]] std::optional<std::string> exit_packet(const Stop& stop);
  void power_cycle();
  [[nodiscard]] static Stop stop_of(std::optional<unsigned> only, Stop stop);
  [[nodiscard]] std::string stop_reply(const Stop& stop) const;
  [[nodiscard]] std::string stop_reason(const Stop& stop) const;
  [[nodiscard]] std::string stop_place(unsigned hart) const;

  Debugger& debugger_;
  const MachineView& machine_;
  MonitorCommand monitor_;
  StubClient* client_ = nullptr;
  std::function<void(const Stop&)> on_arrival_;
  ExitReport exit_report_ = ExitReport::kStop;
  bool reports_progress_ = false;            ///< The client waits for something that may take long.
  std::optional<u64> progress_said_ns_;      ///< Of it; at first when it began.
  std::optional<StopRequest> handed_over_;
  unsigned stop_hart_ = 0;
  unsigned stop_signal_ = 5;
};

}  // namespace retrov
