// The outside world with a history that listens: whatever the live source answers is recorded before it happens.
#pragma once

#include <functional>

#include "core/door.hpp"
#include "replay/history.hpp"

namespace retrov {

class Recorder final : public InputSource {
 public:
  /// While the guest only computes, the history's end is told this often: a killed recorder must lose little.
  static constexpr u64 kTellEveryNs = 10'000'000;

  /// Both must outlive it.
  Recorder(InputSource& live, History& history) : live_(live), history_(history) {}

  Position next_pause(Position now, Position limit) override { return live_.next_pause(now, limit); }
  Took take(Position now, Idle idle, Ticks guest_now, Ticks deadline, Batch& out) override;

  /// Called where inputs were answered, before they are recorded: the machine's state is still that below them.
  void on_inputs(std::function<void()> callback) { on_inputs_ = std::move(callback); }

  /// The history reaches this far: it is told at the end of every run, so that its end is where the machine stands.
  void reached(Position now);

 private:
  InputSource& live_;
  History& history_;
  std::function<void()> on_inputs_;
  u64 told_host_ns_ = 0;
};

}  // namespace retrov
