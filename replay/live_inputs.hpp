// The outside world as an input source: the terminal, the host's clock as far as it paces idle time, and what is
// said once at power-on (wall clock, entropy). The only nondeterministic part of the system; whatever it answers is
// recorded.
//
// Must stay true: the host's lateness never moves anything the guest computed. A wait ends at the deadline the machine
// named or earlier, by an input, at a guest time within [T(P), deadline]. While the machine runs nothing here blocks.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "core/door.hpp"
#include "replay/idle_watch.hpp"
#include "core/types.hpp"

namespace retrov {

enum class ClockMode : u8 {
  kReal,     ///< Idle time passes on the host as well.
  kVirtual,  ///< Nothing sleeps; only a guest that waits for input alone is waited for.
};

struct LiveOptions {
  /// Where console bytes come from: a terminal, pipe or file; -1: nowhere. Not closed.
  int console_fd = -1;
  ClockMode clock = ClockMode::kReal;
  // Delivered before the first instruction.
  u64 rtc_unix_ns = 0;
  std::array<u8, 32> seed{};
  /// The guest is to do nothing but wait for so many ticks of guest time (see IdleWatch), and then on_idle is called,
  /// which interrupts the session. 0: never.
  u64 idle_ticks = 0;
  u64 steps_per_tick = 100;  ///< The machine's.
  std::function<void()> on_idle = {};
  /// Says the clock and the seed anew when the machine is switched on again. Empty: they stay.
  std::function<void(LiveOptions&)> renew = {};
};

/// Sees typed bytes before they are offered to the guest and may take bytes out or put others in (terminal escapes). It
/// may call Debugger::interrupt(). Called on the thread that runs the machine.
using ConsoleFilter = std::function<void(std::vector<u8>& bytes)>;

class LiveInputs final : public InputSource {
 public:
  /// `room_bytes` says how many console bytes the guest's UART still takes; beyond that the terminal is not read.
  LiveInputs(const LiveOptions& options, std::function<std::size_t()> room_bytes, ConsoleFilter filter = {});
  ~LiveInputs() override;
  LiveInputs(const LiveInputs&) = delete;
  LiveInputs& operator=(const LiveInputs&) = delete;

  Position next_pause(Position now, Position limit) override;
  Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) override;

  /// Guest time and the host's clock are compared from here on: after every stop, so that a stopped debugger freezes
  /// time.
  void anchor(Ticks guest_now);
  /// Whether the history that goes on has what is said at power-on.
  void set_told_at_power_on(bool told) { told_at_power_on_ = told; }
  /// The machine is freshly powered on.
  void power_on_again();
  /// Ends a wait in take(). Safe from another thread and from a signal handler.
  void wake() noexcept;
  /// Nothing more will be typed.
  [[nodiscard]] bool console_ended() const { return console_ended_; }

 private:
  enum class Waited : u8 { kInput, kTime, kWoken };
  /// Waits at most that long (negative: for ever) for input or wake().
  Waited wait(i64 host_ns);
  void read_console();
  [[nodiscard]] bool offers_console() const;
  Took take_idle(Ticks guest_now, Ticks deadline, Ticks enough, Batch& out);
  Took deliver(Ticks wake, Batch& out);
  [[nodiscard]] Ticks paced_guest_time() const;

  LiveOptions options_;
  std::function<std::size_t()> room_bytes_;
  ConsoleFilter filter_;
  std::array<int, 2> wake_pipe_{-1, -1};
  std::vector<u8> typed_;        ///< Read and filtered, not yet delivered.
  IdleWatch idle_;
  bool console_ended_ = false;
  bool started_ = false;         ///< Real time has been anchored.
  bool told_at_power_on_ = false;
  u64 anchor_host_ns_ = 0;
  Ticks anchor_guest_;
  // Polling while running: about once per millisecond of host time, whatever the speed of the engine.
  Position polled_at_;
  u64 polled_host_ns_ = 0;
  u64 poll_steps_ = 0;
};

}  // namespace retrov
