// When the next key frame is due. Their price is bounded: a hundredth of the CPU time, and so many bytes for each step,
// with some of both ahead for what a guest does while it starts. What is decided here can be seen in the trace's size
// and in how long it takes to go somewhere, and nowhere else.
#pragma once

#include <memory>

#include "replay/key_frame.hpp"

namespace retrov {

enum class KeyFramePolicy : u8 { kOff, kAuto, kEvery };

struct KeyFrameOptions {
  KeyFramePolicy policy = KeyFramePolicy::kOff;
  u64 distance_steps = 100'000'000;  ///< kEvery.
};

class KeyFramePlan {
 public:
  KeyFramePlan(const KeyFrameOptions& options, Position now, u64 now_cpu_ns);

  /// One is to be taken here, before anything else is run. `now_cpu_ns` is the CPU time of the thread that runs the
  /// machine.
  [[nodiscard]] bool due(Position now, u64 now_cpu_ns);
  /// The same for where the recording ends: whoever opens it there shall not wait.
  [[nodiscard]] bool due_at_end(u64 now_cpu_ns) const;
  /// Where one will be due at the latest, behind `now`.
  [[nodiscard]] Position next(Position now) const;
  /// One was taken, which has cost this thread so much.
  void taken(Position at, u64 now_cpu_ns, u64 own_cost_ns);
  [[nodiscard]] const std::shared_ptr<KeyFrameToll>& toll() const { return toll_; }

 private:
  void earn(Position now, u64 now_cpu_ns);

  KeyFrameOptions options_;
  std::shared_ptr<KeyFrameToll> toll_ = std::make_shared<KeyFrameToll>();
  Position last_;
  u64 last_cpu_ns_;
  u64 own_cost_ns_ = 0;
  // What the last ones have left over, and since when more is earned.
  Position earned_at_;
  u64 credit_bytes_;
  u64 earned_cpu_ns_;
  u64 credit_ns_;
  bool charged_ = true;  ///< What the last one took is off the credit.
};

}  // namespace retrov
