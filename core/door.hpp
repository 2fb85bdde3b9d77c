// The door: everything that crosses the edge of the guest. Inputs go in between two steps, at a numbered position;
// outputs go out and cannot answer; disks are read through a narrow interface whose answers the trace keeps. No other
// way exists for the outside world to reach a Machine (docs/adr/0001).
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/state.hpp"
#include "core/types.hpp"

namespace retrov {

/// Bytes typed at the console.
struct ConsoleBytes {
  static constexpr const char* kName = "console";
  std::vector<u8> bytes;
  template <class A>
  void serialize(A& a) {
    a(field("bytes", bytes));
  }
};

/// What the wall clock said when the machine was switched on. Delivered once, before the first instruction.
struct RtcStart {
  static constexpr const char* kName = "rtc-start";
  u64 unix_ns = 0;
  template <class A>
  void serialize(A& a) {
    a(field("unix_ns", unix_ns));
  }
};

/// All entropy the guest ever gets. Delivered once, before the first instruction; feeds the generator of `rng-seed`.
struct Seed {
  static constexpr const char* kName = "seed";
  std::array<u8, 32> bytes{};
  template <class A>
  void serialize(A& a) {
    a(field("bytes", bytes));
  }
};

/// The debugger changed memory or a register at the live end.
struct DebuggerWrite {
  static constexpr const char* kName = "debugger-write";
  enum class Space : u8 { kPhysicalMemory = 0, kRegister = 1 };
  Space space = Space::kPhysicalMemory;
  u8 hart = 0;
  u64 where = 0;  ///< Physical address, or the number of a RegisterId.
  std::vector<u8> bytes;  ///< Little-endian; 8 of them for a register.
  template <class A>
  void serialize(A& a) {
    a(field("space", space), field("hart", hart), field("where", where), field("bytes", bytes));
  }
};

/// Which harts may run (gdb's scheduler-locking): bit h for hart h.
struct SchedMask {
  static constexpr const char* kName = "sched-mask";
  u64 harts = ~u64{0};
  template <class A>
  void serialize(A& a) {
    a(field("harts", harts));
  }
};

/// Somebody pressed the reset button: the next step is a reset.
struct SystemReset {
  static constexpr const char* kName = "system-reset";
  template <class A>
  void serialize(A&) {}
};

/// To add a kind: its struct above, its name here, and an `accept` in the device it is for.
using InputKind = std::variant<ConsoleBytes, RtcStart, Seed, DebuggerWrite, SchedMask, SystemReset>;

/// Input::device for what is meant for the machine itself: Seed, DebuggerWrite, SchedMask, SystemReset.
inline constexpr u8 kMachineItself = 255;

struct Input {
  u8 device = kMachineItself;  ///< Index on the board; fixed by the trace header.
  InputKind what;
};

/// Inputs applied in one step, never empty when applied. While idle, `wake` is the guest time at which they cut the
/// wait short: T(P) <= wake <= the idle deadline. Otherwise it is 0 and means nothing.
struct Batch {
  std::vector<Input> inputs;
  Ticks wake;
};

/// A batch and the position of the step it makes.
struct Event {
  Position at;
  Batch batch;
};

[[nodiscard]] const char* input_name(const InputKind&);
void write_event(StateWriter&, const Event&);
/// Throws Error(kBadTrace) on an unknown kind or a count beyond the data.
[[nodiscard]] Event read_event(StateReader&);

enum class Idle : bool { kNo, kYes };
enum class Took : u8 { kBatch, kReachedDeadline, kInterrupted, kEnded };

/// Decides what the outside world says, and when. The only way nondeterminism enters. Live, recording and replaying are
/// implementations in replay/.
class InputSource {
 public:
  virtual ~InputSource() = default;
  /// Where the run must next pause and ask. Later than `now` unless inputs are due at `now`; at most `limit`.
  virtual Position next_pause(Position now, Position limit) = 0;
  /// Fills `out` with the batch to apply at `now`. When the machine is not idle: kBatch, or kReachedDeadline for
  /// "nothing, run on". When it is idle it may wait until `deadline` of guest time (`guest_now` is T(now); kNever: no
  /// deadline): kBatch (with wake set), kReachedDeadline lets the machine make its idle step, kInterrupted when the
  /// wait was broken off by the debugger or a signal, kEnded when nothing can ever come again (said, never inferred).
  virtual Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) = 0;
};

/// What the guest says to the world. Has no way to answer. `at` is the position of the step that says it, so that a
/// replay can tell what has been shown already.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void console(Position at, std::span<const u8> bytes) = 0;
  /// A sentence about the guest for the person watching ("unknown HTIF command 0x…"); said once per cause.
  virtual void notice(Position at, const std::string& sentence) = 0;
};

/// The unit in which disks are captured and overlaid.
inline constexpr u64 kBlockBytes = 4096;

/// The unchanging base of a disk. Live: the user's image, captured block by block; replay: the blocks of the trace.
class DiskBase {
 public:
  virtual ~DiskBase() = default;
  /// Reads block `index` (4 KiB; past the end of the image zeros). May wait for the host; the guest does not notice.
  /// False: nobody has this block, so to the guest it is an I/O error; what was once answered for a block stays.
  /// Throws Error if a replay needs a block that the trace does not hold.
  [[nodiscard]] virtual bool read_block(u64 index, std::span<u8, kBlockBytes> out) = 0;
};

}  // namespace retrov
