// Everything a front end may do. The gdb stub, the REPL and the commands talk to this interface and to nothing below
// it; it knows nothing of gdb, readline or files.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/registers.hpp"
#include "core/stops.hpp"
#include "core/types.hpp"
#include "replay/accesses.hpp"

namespace retrov {

enum class Direction : u8 { kForward, kBackward };
enum class StopReason : u8 {
  kStep,          ///< A step ended.
  kBreakpoint,    ///< About to execute a breakpoint's address.
  kWatchpoint,    ///< Forward: about to make a watched access. Backward: has just made it.
  kHistoryBegin,  ///< The first state there is.
  kHistoryEnd,    ///< The end of a recording, or the live end when coming out of the past.
  kPoweredOff,    ///< The guest ended; `note` says how. History stays.
  kEbreak,        ///< About to execute an ebreak that the debugger takes (StopSettings).
  kCsrWrite,      ///< Forward: about to write a CSR that StopSettings names. Backward: has just written it.
  kInterrupted,   ///< By interrupt(); the position is valid and a further resume goes on from it.
  kArrived,       ///< At the target of an armed goto.
};

struct Stop {
  StopReason reason = StopReason::kStep;
  Position at;
  unsigned hart = 0;
  /// kWatchpoint: the first accessed byte inside the watched range, and which range.
  VirtAddr watched;
  WatchKind watch_kind = WatchKind::kWrite;
  std::string note;
};

/// A hart where a stop has been reached, for whoever says whether it counts.
class HartView {
 public:
  virtual ~HartView() = default;
  /// Absent: no such register on this machine.
  [[nodiscard]] virtual std::optional<u64> read_register(RegisterId id) const = 0;
  /// Through the hart's translation, as the debugger: how many bytes from the start were readable.
  [[nodiscard]] virtual std::size_t read_memory(VirtAddr address, std::span<u8> out) const = 0;
};

/// What a front end has hung on its stops. Where a stop lies must not depend on how the machine gets there, so the
/// answers of the const functions follow from the hart alone. A search asks them on two threads at once.
class StopRules {
 public:
  virtual ~StopRules() = default;
  /// The hart is about to execute a breakpoint's address. Asked in the middle of a run, millions of times.
  [[nodiscard]] virtual bool counts(const HartView& hart, VirtAddr breakpoint) const = 0;
  /// The hart has just made an access to the range that would be reported.
  [[nodiscard]] virtual bool counts(const HartView& hart, const WatchRange& range) const = 0;
  /// A move has come to a breakpoint that counts; the session stands there. True: the rules have done what is to be
  /// done, and the move goes on.
  virtual bool handle(const HartView& hart, VirtAddr breakpoint) = 0;
};

/// What a session stops at. Front ends keep their own lists and hand over the whole set before they resume.
struct StopRequest {
  std::vector<VirtAddr> breakpoints = {};
  std::vector<WatchRange> watches = {};
  bool device_writes = false;
  std::vector<u16> csr_writes = {};
  u8 ebreak_privileges = 0;
  /// Null: all count. Must live until the next set_stops.
  StopRules* rules = nullptr;
  bool operator==(const StopRequest&) const = default;
};

/// What stops and moves are to mean, for all front ends of a session; `with_settings` puts it into a request.
struct StopSettings {
  bool watch_dma = false;           ///< Writes by devices to a watched range stop, right behind them.
  bool watch_unchanged = false;     ///< Writes that change nothing stop, too.
  bool break_space_current = false; ///< New breakpoints hold in the current address space.
  bool break_check = false;         ///< Breakpoints at unmapped addresses are refused.
  bool mmio_write = false;          ///< Device registers can be written.
  bool replay_output = false;       ///< What steps print is shown each time they are made, not only the first time.
  u8 ebreak_privileges = 0;         ///< Bit p: an ebreak at privilege p stops instead of trapping.
  std::vector<u16> csr_writes;      ///< Writes of these CSRs stop.
};
[[nodiscard]] inline StopRequest with_settings(StopRequest request, const StopSettings& settings) {
  request.device_writes = settings.watch_dma;
  request.csr_writes = settings.csr_writes;
  request.ebreak_privileges = settings.ebreak_privileges;
  for (WatchRange& watch : request.watches) watch.unchanged = settings.watch_unchanged;
  return request;
}

enum class StepIrq : u8 { kSkip, kEnter };
enum class Edge : u8 { kStop, kGo };
enum class Scratch : bool { kOff, kOn };

/// A line of history that left another.
struct ForkPoint {
  std::string name;
  Position at;
  bool is_scratch = false;  ///< A throw-away copy.
};

/// A line of history, for people.
struct BranchInfo {
  std::string name;
  std::string parent;  ///< Empty: it began at power-on.
  Position from;       ///< Where it left its parent.
  Position end;
  bool grows = false;
  bool current = false;
};

class Debugger {
 public:
  virtual ~Debugger() = default;

  // --- where ---
  [[nodiscard]] virtual Position position() const = 0;
  /// The first position there is: power-on, unless the recording is a part of a longer one.
  [[nodiscard]] virtual Position begin() const = 0;
  /// The last position that exists: the live end, or the end of the recording.
  [[nodiscard]] virtual Position end() const = 0;
  /// The history can still grow.
  [[nodiscard]] virtual bool live() const = 0;
  /// Index of the last event before or at the position, counted from 1; 0 if none.
  [[nodiscard]] virtual u64 event_number() const = 0;
  /// The status the guest asked for; once it is powered off here.
  [[nodiscard]] virtual int exit_status() const = 0;
  /// The machine to look at; read-only. Valid until the next call that moves.
  [[nodiscard]] virtual const Machine& machine() const = 0;
  [[nodiscard]] virtual u64 hash() = 0;
  [[nodiscard]] virtual std::vector<ComponentHash> component_hashes() = 0;
  [[nodiscard]] virtual u64 event_count() const = 0;
  /// The n-th event (from 1); throws Error if there is none. Valid until the history grows.
  [[nodiscard]] virtual const Event& event(u64 number) const = 0;

  // --- lines of history (docs/gdb.md, "Changing the past") ---
  /// Nothing in the line that began at power-on.
  [[nodiscard]] virtual std::optional<ForkPoint> forked() const = 0;
  /// kOn: what is written goes to a throw-away copy of the machine, made by the first write and gone with the next
  /// seek or move backwards, or with kOff; then all is as it was before that write.
  virtual void set_scratch(Scratch value) = 0;
  [[nodiscard]] virtual Scratch scratch() const = 0;
  /// From here on a branch of that name (empty: one is made up) is lived; what came later stays in the line it leaves.
  /// Returns the name. Throws Error if it cannot be.
  virtual std::string fork(const std::string& name) = 0;
  /// Switches a live guest off and on: a new line of history begins at power-on and is lived, what was before stays in
  /// the line it leaves. Returns the name of the new line, or of the present one if nothing has happened in it, or if
  /// nothing is recorded. Throws Error if the guest is not live.
  virtual std::string power_cycle() = 0;
  /// In the order in which they were made.
  [[nodiscard]] virtual std::vector<BranchInfo> branches() const = 0;
  /// Goes to where the session last stood in that branch. False if it was interrupted on the way: then it is in that
  /// branch, at a valid position. Throws Error if there is none.
  [[nodiscard]] virtual bool switch_to(const std::string& name) = 0;

  // --- looking and changing; writes in the past throw Error with the sentence that says what to do ---
  /// Bytes that were readable, from the start; 0 if not even the first.
  [[nodiscard]] virtual std::size_t read_memory(unsigned hart, AddressSpace space, u64 address,
                                                std::span<u8> out) const = 0;
  /// All or nothing; throws Error if a byte cannot be written.
  virtual void write_memory(unsigned hart, AddressSpace space, u64 address, std::span<const u8> bytes) = 0;
  virtual void write_register(unsigned hart, RegisterId id, u64 value) = 0;
  /// The reset button: the next step is a reset. Throws Error in the past, as writes do.
  virtual void reset_machine() = 0;

  // --- moving ---
  virtual void set_stops(const StopRequest& stops) = 0;
  /// One step of `hart` in the sense of docs/gdb.md ("Steps and stops"): to its next or last stop.
  virtual Stop step(unsigned hart, Direction direction) = 0;
  /// Steps of `hart` while its pc stays in [start, end) (gdb's range stepping).
  virtual Stop step_range(unsigned hart, VirtAddr start, VirtAddr end) = 0;
  virtual Stop resume(Direction direction) = 0;
  /// Goes to exactly that position, from begin() to end().
  virtual void seek(Position target) = 0;
  /// Goes through the steps of [from, to) of history and stays where it is: at each breakpoint of the request that
  /// counts, position() and machine() are those of that moment, and its rules, which must be there, handle it; the walk
  /// goes on if they say so. Nothing else of the request is looked at, and nothing that the guest says is shown.
  /// Returns how far the walk came: to `to`, or to where its rules or interrupt() ended it. Throws Error if there is no
  /// history to walk through, or less.
  virtual Position scan(const StopRequest& request, Position from, Position to) = 0;
  /// Shows the machine as it is at that position, at most end(), and stands where it stood when it returns. Throws
  /// Error if it was interrupted, in a throw-away copy, and what `look` throws.
  virtual void look_at(Position at, const std::function<void(const Machine&, const Snapshot&)>& look) = 0;
  /// Visits the accesses of history that the order names, and stands where it stood when it returns; how far it came is
  /// as AccessWalk::run says. Throws Error as scan does.
  virtual Position accesses(const AccessOrder& order, const AccessVisit& visit) = 0;
  /// Where an instruction at that address is about to be executed for the `number`-th time (from 1) by any hart, or
  /// nothing if the history has fewer. Stands where it stood when it returns. Throws Error as look_at does.
  [[nodiscard]] virtual std::optional<Position> execution(VirtAddr address, u64 number) = 0;
  /// Breaks off whatever moves. Safe from another thread and from a signal handler.
  virtual void interrupt() noexcept = 0;

  // --- settings ---
  virtual void set_step_irq(StepIrq value) = 0;
  [[nodiscard]] virtual StepIrq step_irq() const = 0;
  virtual void set_edge(Edge value) = 0;
  [[nodiscard]] virtual Edge edge() const = 0;
  virtual void set_stop_settings(const StopSettings& value) = 0;
  [[nodiscard]] virtual const StopSettings& stop_settings() const = 0;
  /// While set, only this hart runs at the live end (gdb's scheduler-locking). History is followed as it was.
  virtual void set_only_hart(std::optional<unsigned> hart) = 0;
};

}  // namespace retrov
