#include "replay/live_inputs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/check.hpp"
#include "devices/memory_map.hpp"
#include "replay/drive.hpp"
#include "replay/host_clock.hpp"

namespace retrov {

namespace {

constexpr u64 kNanosPerTick = kNanosPerSecond / kTicksPerSecond;
constexpr u64 kPollEveryNs = 1'000'000;
constexpr u64 kMinPollSteps = 10'000;
constexpr u64 kMaxPollSteps = 1'000'000;
constexpr std::size_t kReadBytes = 4096;
/// A guest that computes falls behind the host's clock. It may make up for that much by waiting less; more would turn
/// its timeouts and sleeps into nothing.
constexpr u64 kMaxLagNs = 50'000'000;

}  // namespace

LiveInputs::LiveInputs(const LiveOptions& options, std::function<std::size_t()> room_bytes, ConsoleFilter filter)
    : options_(options), room_bytes_(std::move(room_bytes)), filter_(std::move(filter)),
      idle_(options.idle_ticks, options.steps_per_tick), poll_steps_(kMinPollSteps) {
  if (pipe2(wake_pipe_.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Error(Exit::kFailure, "cannot make a pipe to wake the machine with");
  }
  console_ended_ = options_.console_fd < 0;
}

LiveInputs::~LiveInputs() {
  for (const int fd : wake_pipe_) close(fd);
}

void LiveInputs::anchor(Ticks guest_now) {
  started_ = true;
  anchor_guest_ = guest_now;
  anchor_host_ns_ = host_ns();
}

void LiveInputs::power_on_again() {
  told_at_power_on_ = false;
  if (options_.renew) options_.renew(options_);
}

void LiveInputs::wake() noexcept {
  const int saved = errno;
  // A full pipe wakes as well as one byte more would.
  [[maybe_unused]] const ssize_t ignored = write(wake_pipe_[1], "", 1);
  errno = saved;
}

bool LiveInputs::offers_console() const { return !console_ended_ && typed_.empty() && room_bytes_() > 0; }

LiveInputs::Waited LiveInputs::wait(i64 host_ns_left) {
  pollfd fds[2] = {{wake_pipe_[0], POLLIN, 0}, {offers_console() ? options_.console_fd : -1, POLLIN, 0}};
  timespec timeout{};
  if (host_ns_left > 0) {
    timeout.tv_sec = static_cast<time_t>(static_cast<u64>(host_ns_left) / kNanosPerSecond);
    timeout.tv_nsec = static_cast<long>(static_cast<u64>(host_ns_left) % kNanosPerSecond);
  }
  const int ready = ppoll(fds, 2, host_ns_left < 0 ? nullptr : &timeout, nullptr);
  // A signal may have called interrupt(); the loop above us looks.
  if (ready < 0) return Waited::kWoken;
  if (fds[0].revents != 0) {
    std::array<u8, 64> bytes;
    while (read(wake_pipe_[0], bytes.data(), bytes.size()) > 0) continue;
    return Waited::kWoken;
  }
  if (fds[1].revents == 0) return Waited::kTime;
  read_console();
  return Waited::kInput;
}

void LiveInputs::read_console() {
  std::vector<u8> bytes(std::min(kReadBytes, room_bytes_()));
  const ssize_t count = read(options_.console_fd, bytes.data(), bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    console_ended_ = true;
    return;
  }
  bytes.resize(static_cast<std::size_t>(count));
  if (filter_) filter_(bytes);
  typed_ = std::move(bytes);
}

Position LiveInputs::next_pause(Position now, Position limit) {
  return Position{now.steps + std::min(poll_steps_, limit.steps - now.steps)};
}

Took LiveInputs::deliver(Ticks wake, Batch& out) {
  idle_.restart();
  out = Batch{{Input{kUartIndex, ConsoleBytes{std::exchange(typed_, {})}}}, wake};
  return Took::kBatch;
}

Took LiveInputs::take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) {
  if (!started_) anchor(guest_now);
  // Not "at position 0": a debugger may have written before anything ran.
  if (!std::exchange(told_at_power_on_, true)) {
    out = Batch{{Input{kRtcIndex, RtcStart{options_.rtc_unix_ns}}, Input{kMachineItself, Seed{options_.seed}}},
                idle == Idle::kYes ? guest_now : Ticks{}};
    return Took::kBatch;
  }
  if (idle == Idle::kYes) {
    return take_idle(guest_now, deadline, idle_.wanted() ? idle_.enough(now, guest_now) : kNever, out);
  }
  const u64 host_now = host_ns();
  const u64 passed = host_now - polled_host_ns_;
  if (typed_.empty() && passed < kPollEveryNs) return Took::kReachedDeadline;
  // A poll much later than it was due says nothing about the engine's speed: the machine stood still.
  if (now > polled_at_ && passed < 20 * kPollEveryNs) {
    const u64 steps = static_cast<u64>(u128{now.steps - polled_at_.steps} * kPollEveryNs / passed);
    poll_steps_ = std::clamp((poll_steps_ + steps) / 2, kMinPollSteps, kMaxPollSteps);
  }
  polled_at_ = now;
  polled_host_ns_ = host_now;
  if (typed_.empty()) wait(0);
  return typed_.empty() ? Took::kReachedDeadline : deliver(Ticks{}, out);
}

/// Guest time if it had passed like the host's since the anchor.
Ticks LiveInputs::paced_guest_time() const {
  return Ticks{anchor_guest_.value + (host_ns() - anchor_host_ns_) / kNanosPerTick};
}

/// `enough` is when somebody is to be told that it has waited for long.
Took LiveInputs::take_idle(Ticks guest_now, Ticks deadline, Ticks enough, Batch& out) {
  const bool paced = options_.clock == ClockMode::kReal;
  if (!paced || paced_guest_time().value > guest_now.value + kMaxLagNs / kNanosPerTick) {
    anchor(paced ? Ticks{guest_now.value + kMaxLagNs / kNanosPerTick} : guest_now);
  }
  // A guest that waits for input alone has no time of its own: then the host's counts.
  const bool waits = paced || deadline == kNever;
  const Ticks until = std::min(deadline, enough);
  for (;;) {
    const Ticks wake = paced ? std::clamp(paced_guest_time(), guest_now, latest_wake(guest_now, deadline)) : guest_now;
    if (!typed_.empty()) return deliver(wake, out);
    const bool ended = deadline == kNever && console_ended_;
    // Before the deadline is looked at: a guest that is behind its host's clock waits no less.
    if (enough < deadline && (ended || !waits || std::max(paced_guest_time(), guest_now) >= enough)) {
      if (wait(0) == Waited::kWoken) return Took::kInterrupted;
      if (!typed_.empty()) continue;
      options_.on_idle();
      return Took::kInterrupted;
    }
    if (deadline != kNever && wake == deadline) {
      // However late it is, what has been typed comes first if it can.
      if (wait(0) == Waited::kWoken) return Took::kInterrupted;
      return typed_.empty() ? Took::kReachedDeadline : deliver(wake, out);
    }
    i64 host_ns_left = -1;
    if (until != kNever) {
      const Ticks time = waits ? std::clamp(paced_guest_time(), guest_now, until) : guest_now;
      const u64 ticks_left = std::min(until.value - time.value, u64{3600} * kTicksPerSecond);
      host_ns_left = waits ? static_cast<i64>(ticks_left * kNanosPerTick) : 0;
    } else if (ended) {
      return Took::kEnded;
    }
    const Waited waited = wait(host_ns_left);
    if (waited == Waited::kWoken) return Took::kInterrupted;
    if (waited == Waited::kTime && !waits) return Took::kReachedDeadline;
  }
}

}  // namespace retrov
