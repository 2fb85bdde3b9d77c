#include "replay/key_frame_plan.hpp"

#include <algorithm>

namespace retrov {

namespace {

/// Nearer to each other they would save nobody any time worth speaking of.
constexpr u64 kLeastNs = 250'000'000;
/// A hundredth of the time is theirs.
constexpr u64 kEarnNs = 100;
constexpr u64 kMostCreditNs = 200'000'000;
/// 10 G steps earn 149 MiB.
constexpr u64 kEarnSteps = 64;
constexpr u64 kMostCreditBytes = u64{32} << 20;

/// Adds what was earned meanwhile, in whole units, and moves `since` by what they took.
void add_earned(u64& credit, u64 most, u64& since, u64 now, u64 price) {
  if (now < since) since = now;
  const u64 earned = (now - since) / price;
  since += earned * price;
  credit = std::min(most, credit + earned);
}

}  // namespace

KeyFramePlan::KeyFramePlan(const KeyFrameOptions& options, Position now, u64 now_cpu_ns)
    : options_(options),
      last_(now),
      last_cpu_ns_(now_cpu_ns),
      earned_at_(now),
      credit_bytes_(kMostCreditBytes),
      earned_cpu_ns_(now_cpu_ns),
      credit_ns_(kMostCreditNs) {}

void KeyFramePlan::earn(Position now, u64 now_cpu_ns) {
  if (!charged_) {
    credit_bytes_ -= std::min<u64>(credit_bytes_, toll_->stored_bytes);
    credit_ns_ -= std::min<u64>(credit_ns_, toll_->cpu_ns + own_cost_ns_);
    charged_ = true;
  }
  add_earned(credit_bytes_, kMostCreditBytes, earned_at_.steps, now.steps, kEarnSteps);
  add_earned(credit_ns_, kMostCreditNs, earned_cpu_ns_, now_cpu_ns, kEarnNs);
}

bool KeyFramePlan::due(Position now, u64 now_cpu_ns) {
  if (options_.policy == KeyFramePolicy::kOff) return false;
  if (options_.policy == KeyFramePolicy::kEvery) {
    return now.steps / options_.distance_steps != last_.steps / options_.distance_steps;
  }
  if (toll_->in_hand || now_cpu_ns - last_cpu_ns_ < kLeastNs) return false;
  earn(now, now_cpu_ns);
  // What the last one took is what the next is expected to take. One that takes more than all there ever is comes when
  // nothing is owed.
  const u64 cost_ns = std::min<u64>(toll_->cpu_ns + own_cost_ns_, kMostCreditNs);
  const u64 cost_bytes = std::min<u64>(toll_->stored_bytes, kMostCreditBytes);
  return credit_ns_ >= cost_ns && credit_bytes_ >= cost_bytes;
}

bool KeyFramePlan::due_at_end(u64 now_cpu_ns) const {
  return options_.policy == KeyFramePolicy::kAuto && !toll_->in_hand && now_cpu_ns - last_cpu_ns_ >= kLeastNs;
}

Position KeyFramePlan::next(Position now) const {
  if (options_.policy != KeyFramePolicy::kEvery) return kEndOfTime;
  return Position{(now.steps / options_.distance_steps + 1) * options_.distance_steps};
}

void KeyFramePlan::taken(Position at, u64 now_cpu_ns, u64 own_cost_ns) {
  last_ = at;
  last_cpu_ns_ = now_cpu_ns;
  own_cost_ns_ = own_cost_ns;
  charged_ = false;
}

}  // namespace retrov
