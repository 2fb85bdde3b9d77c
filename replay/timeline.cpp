#include "replay/timeline.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "replay/key_frame.hpp"
#include "replay/host_clock.hpp"

namespace retrov {

namespace {

constexpr u64 kSnapshotEveryNs = 15'000'000;
/// A snapshot may cost at most a fiftieth of the time since the one before, and a tenth where history is gone through
/// again: somebody looks for something there, and will step back.
constexpr u64 kSnapshotCostFactor = 50;
constexpr u64 kSnapshotCostFactorInPast = 10;
constexpr u64 kSliceNs = 4'000'000;
constexpr u64 kMinSliceSteps = 10'000;
constexpr u64 kMaxSliceSteps = 4'000'000;
constexpr u64 kProgressEveryNs = 50'000'000;
/// Running this far costs about as much as a snapshot.
constexpr u64 kWorthASnapshotSteps = 2048;
/// Who stands so far behind the nearest snapshot takes a step back in a few milliseconds, and all that follow it.
constexpr u64 kShortWaySteps = 1'000'000;
/// Run at most once more for it: more than lies between the key frames of a guest that writes little.
constexpr u64 kLongestApproachSteps = 250'000'000;
/// What a timeline beside this one may keep, of the budget.
constexpr u64 kSideShare = 8;

}  // namespace

Timeline::Timeline(const History& history, Machine& machine, OutputLog& output, const SnapshotOptions& options)
    : history_(history),
      machine_(machine),
      output_(output),
      options_(options),
      replayer_(history),
      store_(options.budget_bytes),
      slice_steps_(kStretchSteps),
      random_(options.random_seed) {
  store_.keep(unkept_snapshot());
  snapshot_at_ = gathered_.since = gathered_to_ = now();
  plan_next();
}

Timeline::Timeline(const History& history, Timeline& other, Position at)
    : history_(history),
      machine_(other.machine_),
      output_(other.output_),
      options_(other.options_),
      replayer_(history),
      store_(other.store_, at),
      progress_(other.progress_),
      slice_steps_(other.slice_steps_),
      random_(other.random_) {
  snapshot_at_ = std::min(other.snapshot_at_, now());
  gathered_.since = gathered_to_ = at;
  plan_next();
}

KeptPointer Timeline::unkept_snapshot() {
  return std::make_shared<KeptSnapshot>(KeptSnapshot{machine_.snapshot(), output_.tally()});
}

KeptPointer Timeline::take_snapshot() {
  // If hashes have just been made of all pages, this costs next to nothing, and says nothing of the next one.
  const bool pages_are_ready = machine_.memory().dirty_pages().empty();
  const u64 begin = cpu_ns();
  make_room();
  KeptPointer kept = unkept_snapshot();
  gather(kept->machine.touched, now());
  if (options_.policy != SnapshotPolicy::kNone) {
    store_.keep(kept);
    machine_.begin_stretch();
  }
  if (!pages_are_ready) snapshot_cost_ns_ = cpu_ns() - begin;
  cpu_since_snapshot_ns_ = 0;
  snapshot_at_ = now();
  return kept;
}

SnapshotOptions Timeline::lend_to_side() {
  SnapshotOptions options = options_;
  options.budget_bytes /= kSideShare;
  store_.lend(options.budget_bytes);
  return options;
}

Timeline::WorstSeek Timeline::worst_seek() const {
  std::vector<Position> begins = store_.positions();
  if (options_.policy != SnapshotPolicy::kNone) {
    for (const KeyFramePlace& place : history_.key_frames()) begins.push_back(place.at);
    std::sort(begins.begin(), begins.end());
  }
  begins.push_back(std::max(end(), now()));
  WorstSeek worst;
  for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
    const u64 steps = begins[i + 1].steps - begins[i].steps;
    if (steps > worst.steps) worst = {begins[i], steps};
  }
  return worst;
}

void Timeline::keep(KeptPointer snapshot) {
  if (options_.policy != SnapshotPolicy::kNone) store_.keep(std::move(snapshot));
}

/// What lies below is known already; where something between is not, all before is forgotten.
void Timeline::gather(const Touched& touched, Position to) {
  if (to <= gathered_to_) return;
  Touched all = touched;
  if (touched.since <= gathered_to_) {
    const Position since = gathered_.since;
    all.since = std::max(all.since, Position{since.steps + 1});
    all.absorb(gathered_);
  }
  gathered_ = std::move(all);
  gathered_to_ = to;
}

KeptPointer Timeline::snapshot_for_key_frame() {
  auto kept = std::make_shared<KeptSnapshot>(*take_snapshot());
  if (gathered_to_ == now()) kept->machine.touched = std::exchange(gathered_, {});
  gathered_.since = now();
  return kept;
}

const KeyFramePlace* Timeline::key_frame_between(Position from, Position to) const {
  if (options_.policy == SnapshotPolicy::kNone) return nullptr;
  const KeyFramePlace* place = history_.key_frame_before(to);
  while (place != nullptr && place->at > from && refused_.contains(place->at)) {
    place = history_.key_frame_before(Position{place->at.steps - 1});
  }
  return place != nullptr && place->at > from ? place : nullptr;
}

/// Puts the machine there, if it then has the hashes that were recorded. Else another state must be restored.
bool Timeline::enter_key_frame(const KeyFramePlace& place) {
  std::string why;
  try {
    const KeyFrame frame = place.stored->load(machine_.initial_ram());
    if (frame.state->machine.at != place.at) throw Error(Exit::kBadTrace, "it is of another position");
    restore(frame.state);
    if (is_marked(history_, place.at, machine_.component_hashes(), output_.tally())) {
      store_.keep(frame.state);
      return true;
    }
    why = "its hashes are not those that were recorded there";
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kBadTrace) throw;
    why = error.what();
  }
  refused_.insert(place.at);
  output_.host_notice(place.at, "the key frame at step " + std::to_string(place.at.steps) + " is not used: " + why);
  return false;
}

KeptPointer Timeline::snapshot_before(Position at) {
  const Position before{at.steps - 1};
  KeptPointer nearest = store_.at_or_before(before);
  if (key_frame_between(nearest->machine.at, before) == nullptr) return nearest;
  const KeptPointer here = unkept_snapshot();
  while (const KeyFramePlace* place = key_frame_between(nearest->machine.at, before)) {
    if (enter_key_frame(*place)) break;
  }
  restore(here);
  return store_.at_or_before(before);
}

void Timeline::restore(const KeptPointer& snapshot) {
  machine_.restore(snapshot->machine);
  output_.rewind(snapshot->console, now());
  replayer_.move_to(now());
  cpu_since_snapshot_ns_ = 0;
  snapshot_at_ = now();
  plan_next();
}

/// For tests: where the next snapshot is due. xorshift64.
void Timeline::plan_next() {
  u64 distance = options_.distance_steps;
  if (options_.policy == SnapshotPolicy::kRandom) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    distance = 1 + random_ % (2 * distance);
  }
  next_snapshot_ = Position{now().steps + distance};
}

Position Timeline::slice_end(Position limit) {
  Position end{now().steps + std::min(slice_steps_, limit.steps - now().steps)};
  const bool planned = options_.policy == SnapshotPolicy::kEvery || options_.policy == SnapshotPolicy::kRandom;
  if (planned && next_snapshot_ > now()) end = std::min(end, next_snapshot_);
  return end;
}

void Timeline::after_slice(Position from, u64 cpu_before) {
  const u64 spent = cpu_ns() - cpu_before;
  cpu_since_snapshot_ns_ += spent;
  const u64 steps = now().steps - from.steps;
  effort_.steps += steps;
  effort_.cpu_ns += spent;
  if (steps >= kMinSliceSteps) {
    slice_steps_ = std::clamp(static_cast<u64>(u128{steps} * kSliceNs / (spent + 1)), kMinSliceSteps, kMaxSliceSteps);
  }
  switch (options_.policy) {
    case SnapshotPolicy::kNone:
      break;
    case SnapshotPolicy::kEvery:
    case SnapshotPolicy::kRandom:
      if (now() < next_snapshot_) break;
      take_snapshot();
      plan_next();
      break;
    case SnapshotPolicy::kAuto: {
      const u64 factor = now() < end() ? kSnapshotCostFactorInPast : kSnapshotCostFactor;
      const u64 due = std::max(kSnapshotEveryNs, snapshot_cost_ns_ * factor);
      if (cpu_since_snapshot_ns_ < due) break;
      // Not held: a new one may have to take its place.
      const Position nearest = store_.at_or_before(now())->machine.at;
      if (nearest > snapshot_at_) {
        // The past has its snapshots already.
        snapshot_at_ = nearest;
        cpu_since_snapshot_ns_ = 0;
      } else {
        take_snapshot();
      }
      break;
    }
  }
}

void Timeline::report_progress() {
  if (!progress_) return;
  const u64 host_now = host_ns();
  if (host_now - progress_at_ns_ < kProgressEveryNs) return;
  progress_at_ns_ = host_now;
  progress_();
}

Halt Timeline::run(InputSource& source, Position limit, StopSet* stops, const std::atomic<bool>& interrupted) {
  for (;;) {
    const Position from = now();
    if (from >= limit) return machine_.power().off ? Halt::kPoweredOff : Halt::kLimit;
    const u64 cpu_before = cpu_ns();
    Halt halt = Halt::kLimit;
    try {
      halt = drive(machine_, source, slice_end(limit), stops, interrupted);
    } catch (const Error&) {
      // The step that failed is half made.
      restore(store_.at_or_before(from));
      throw;
    }
    // What was made only to look at it may still become something else.
    if (halt != Halt::kStop || !stops->hit->made) after_slice(from, cpu_before);
    if (halt != Halt::kLimit) return halt;
    if (now() >= limit) return Halt::kLimit;
    report_progress();
  }
}

Halt Timeline::run_history(Position limit, StopSet* stops, const std::atomic<bool>& interrupted) {
  replayer_.move_to(now());
  return run(replayer_, std::min(limit, end()), stops, interrupted);
}

/// Key frames and snapshots behind it are not used to go there.
Position Timeline::latest_way_in(Position target, Visit visit) const {
  if (visit == Visit::kPass || target.steps - begin().steps <= kShortWaySteps) return target;
  const Position earlier{target.steps - kShortWaySteps};
  const Position own = store_.at_or_before(target)->machine.at;
  const bool stands_near = now() > earlier && now() <= target;
  const KeyFramePlace* nearest = key_frame_between(own, target);
  // Only key frames may have nothing before them.
  if (stands_near || own > earlier || nearest == nullptr || nearest->at <= earlier) return target;
  const KeyFramePlace* before = key_frame_between(own, earlier);
  const Position start = std::max(before != nullptr ? before->at : own, now() <= earlier ? now() : Position{});
  return target.steps - start.steps <= kLongestApproachSteps ? earlier : target;
}

bool Timeline::seek(Position target, const std::atomic<bool>& interrupted, Visit visit) {
  RV_CHECK(target <= end() || target == now());
  const Position latest = latest_way_in(target, visit);
  KeptPointer nearest = store_.at_or_before(latest);
  bool behind = target < now();
  const Position from = behind ? nearest->machine.at : std::max(nearest->machine.at, now());
  bool entered = false;
  while (!entered) {
    const KeyFramePlace* place = key_frame_between(Position{from.steps + kWorthASnapshotSteps}, latest);
    if (place == nullptr) break;
    entered = enter_key_frame(*place);
    behind = true;  // Where it was is lost.
  }
  const bool shorter = nearest->machine.at.steps > now().steps + kWorthASnapshotSteps;
  if (!entered && (behind || shorter)) restore(nearest);
  nearest.reset();  // On the way it may have to make room.
  while (now() < target) {
    // Snapshots at halving distances: whoever goes on stepping back from here finds one near.
    const u64 left = target.steps - now().steps;
    const bool halve = left > 2 * kWorthASnapshotSteps;
    const Halt halt = run_history(Position{now().steps + (halve ? left / 2 : left)}, nullptr, interrupted);
    if (halt == Halt::kInterrupted) return false;
    if (halt != Halt::kLimit && now() < target) {
      throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " +
                                         std::to_string(now().steps) + " and cannot reach step " +
                                         std::to_string(target.steps));
    }
    if (halve && options_.policy == SnapshotPolicy::kAuto) take_snapshot();
  }
  return true;
}

bool Timeline::return_to(Position target, const std::atomic<bool>& interrupted) {
  // From the beginning it may be far; what is nearer is tried by seek().
  restore(store_.at_or_before(target));
  return seek(target, interrupted);
}

}  // namespace retrov
