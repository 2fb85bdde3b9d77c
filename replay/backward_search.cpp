#include "replay/backward_search.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "replay/quiet_thread.hpp"
#include "replay/side_cursor.hpp"
#include "replay/skippable.hpp"

namespace retrov {

namespace {

/// So much is planned ahead that the helper finds the next stretch whenever it has done one.
constexpr std::size_t kLeastAhead = 2;
constexpr std::size_t kMostAhead = 8;
constexpr u64 kAheadSteps = 40'000'000;
/// How often whoever waits for the helper looks whether it shall go on.
constexpr std::chrono::milliseconds kLookEvery{5};

}  // namespace

BackwardSearch::BackwardSearch(Timeline& timeline, const Machine& machine, SearchOrder order,
                               const std::atomic<bool>& interrupted)
    : timeline_(timeline), machine_(machine), order_(std::move(order)), interrupted_(interrupted) {}

BackwardSearch::~BackwardSearch() { end_help(); }

void BackwardSearch::let_help(u64 alone_steps, std::function<SideCursor*()> side) {
  alone_steps_ = alone_steps;
  side_ = std::move(side);
}

std::optional<PastStop> BackwardSearch::run(Position from, Position to) {
  planned_from_ = to;
  // To go there is to run through the last stretch, which may as well be searched.
  if (timeline_.now() == to) at_planned_from_ = timeline_.take_snapshot();
  all_planned_ = planned_from_ <= from;
  StretchScan scan(timeline_, machine_, order_, interrupted_);
  for (;;) {
    get_help();
    while (!all_planned_ && !broken_ && !has_enough_planned()) plan(from);
    if (Stretch* mine = broken_ ? nullptr : claim()) {
      search(*mine, scan);
    } else if (!broken_ && !stretches_.empty()) {
      wait_for_help();
    }
    if (broken_) {
      break_off();
      return std::nullopt;
    }
    settle();
    if (stretches_.empty() && all_planned_) return std::nullopt;
    {
      const std::lock_guard lock(mutex_);
      if (stretches_.empty() || !stretches_.front().is_answer()) continue;
    }
    end_help();
    const Stretch& nearest = stretches_.front();
    if (nearest.failure) std::rethrow_exception(nearest.failure);
    return nearest.found;
  }
}

// --- what is to be searched ---

/// The next stretch before those that are planned; none if it need not be run.
void BackwardSearch::plan(Position from) {
  KeptPointer lower = timeline_.snapshot_before(planned_from_);
  const Position begin = std::max(lower->machine.at, from);
  const bool skips = at_planned_from_ != nullptr &&
                     skippable(machine_, lower->machine, at_planned_from_->machine, order_.wanted);
  if (!skips) {
    const std::lock_guard lock(mutex_);
    stretches_.push_back({begin, planned_from_, lower, at_planned_from_});
    changed_.notify_all();
  }
  planned_from_ = begin;
  at_planned_from_ = std::move(lower);
  all_planned_ = begin <= from;
  broken_ = !all_planned_ && interrupted_;
}

bool BackwardSearch::has_enough_planned() {
  const std::lock_guard lock(mutex_);
  std::size_t waiting = 0;
  u64 steps = 0;
  for (const Stretch& stretch : stretches_) {
    if (stretch.is_answer()) return true;
    if (stretch.state != Stretch::State::kWaiting) continue;
    ++waiting;
    steps += stretch.to.steps - stretch.from.steps;
  }
  if (!helper_.joinable()) return waiting > 0;
  return waiting >= kLeastAhead && (waiting >= kMostAhead || steps >= kAheadSteps);
}

/// The nearest that nobody has begun with; what lies before an answer is of no interest.
BackwardSearch::Stretch* BackwardSearch::next_waiting() {
  for (Stretch& stretch : stretches_) {
    if (stretch.is_answer()) return nullptr;
    if (stretch.state == Stretch::State::kWaiting) return &stretch;
  }
  return nullptr;
}

BackwardSearch::Stretch* BackwardSearch::claim() {
  const std::lock_guard lock(mutex_);
  Stretch* stretch = next_waiting();
  if (stretch != nullptr) stretch->state = Stretch::State::kInHand;
  return stretch;
}

// --- searching ---

void BackwardSearch::search(Stretch& stretch, StretchScan& scan) {
  std::optional<PastStop> found;
  std::exception_ptr failure;
  try {
    timeline_.restore(stretch.lower);
    found = scan.run(stretch.from, stretch.to);
    broken_ = scan.interrupted();
  } catch (const Error&) {
    failure = std::current_exception();
  }
  searched_steps_ += stretch.to.steps - stretch.from.steps;
  if (broken_) return;
  const std::lock_guard lock(mutex_);
  stretch.found = std::move(found);
  stretch.failure = std::move(failure);
  stretch.state = Stretch::State::kDone;
}

/// What is done and holds nothing is forgotten, as far as nothing nearer is under way.
void BackwardSearch::settle() {
  const std::lock_guard lock(mutex_);
  for (Stretch& stretch : stretches_) {
    if (stretch.state != Stretch::State::kDone) continue;
    for (KeptPointer& snapshot : std::exchange(stretch.laid, {})) timeline_.keep(std::move(snapshot));
  }
  while (!stretches_.empty() && stretches_.front().state == Stretch::State::kDone && !stretches_.front().is_answer()) {
    stretches_.pop_front();
  }
}

void BackwardSearch::break_off() {
  end_help();
  settle();
  broken_off_at_ = stretches_.empty() ? planned_from_ : stretches_.front().to;
  const KeptPointer there = stretches_.empty() ? at_planned_from_ : stretches_.front().upper;
  if (there != nullptr) timeline_.restore(there);
}

// --- the second machine ---

void BackwardSearch::get_help() {
  if (helper_.joinable() || !side_ || searched_steps_ < alone_steps_ || all_planned_) return;
  SideCursor* cursor = std::exchange(side_, {})();
  if (cursor == nullptr) return;
  try {
    helper_ = start_quiet_thread([this, cursor] { help(*cursor); });
  } catch (const std::system_error&) {
    // The host has no thread to spare.
  }
}

void BackwardSearch::help(SideCursor& cursor) {
  StretchScan scan(cursor.timeline(), cursor.machine(), order_, enough_);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return enough_ || next_waiting() != nullptr; });
    if (enough_) return;
    Stretch& stretch = *next_waiting();
    stretch.state = Stretch::State::kInHand;
    lock.unlock();
    std::optional<PastStop> found;
    std::exception_ptr failure;
    try {
      cursor.timeline().restore(stretch.lower);
      found = scan.run(stretch.from, stretch.to);
    } catch (...) {
      failure = std::current_exception();
    }
    std::vector<KeptPointer> laid = cursor.take_snapshots();
    lock.lock();
    if (enough_) return;
    stretch.found = std::move(found);
    stretch.failure = std::move(failure);
    stretch.laid = std::move(laid);
    stretch.state = Stretch::State::kDone;
    changed_.notify_all();
  }
}

/// Until the nearest stretch is done, or for a moment.
void BackwardSearch::wait_for_help() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLookEvery, [this] { return stretches_.front().state == Stretch::State::kDone; });
  }
  timeline_.report_progress();
  broken_ = interrupted_;
}

void BackwardSearch::end_help() {
  if (!helper_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    enough_ = true;
    changed_.notify_all();
  }
  helper_.join();
}

}  // namespace retrov
