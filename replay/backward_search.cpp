#include "replay/backward_search.hpp"

#include <algorithm>
#include <utility>

#include "replay/skippable.hpp"

namespace retrov {

namespace {
/// So many hits in one stretch are not worth visiting one by one: the later half may have one.
constexpr unsigned kManyHits = 200;
constexpr u64 kWorthHalvingSteps = 20'000;
}  // namespace

BackwardSearch::BackwardSearch(Timeline& timeline, const Machine& machine, StopSet wanted,
                               const StopRules* rules, const std::atomic<bool>& interrupted, Accept accept)
    : timeline_(timeline),
      machine_(machine),
      wanted_(std::move(wanted)),
      rules_(rules),
      filter_(machine, wanted_.watches, rules),
      interrupted_(interrupted),
      accept_(std::move(accept)) {
  filter_.set_look_behind(LookBehind::kYes);
  wanted_.filter = &filter_;
}

bool is_behind(StopHit::Kind kind) {
  return kind == StopHit::Kind::kWatch || kind == StopHit::Kind::kOtherWrite || kind == StopHit::Kind::kCsrWrite;
}

std::optional<PastStop> BackwardSearch::run(Position from) {
  Position upper = timeline_.now();
  KeptPointer at_upper = timeline_.take_snapshot();
  while (upper > from) {
    KeptPointer lower = timeline_.snapshot_before(upper);
    const Position begin = std::max(lower->machine.at, from);
    if (skippable(machine_, lower->machine, at_upper->machine, wanted_)) {
      if (begin == from) break;
      upper = begin;
      at_upper = std::move(lower);
      continue;
    }
    auto result = scan(begin, upper);
    if (broken_) {
      timeline_.restore(at_upper);
      return std::nullopt;
    }
    if (result) return result;
    if (begin == from) break;
    upper = begin;
    at_upper = std::move(lower);
  }
  return std::nullopt;
}

std::optional<PastStop> BackwardSearch::scan(Position from, Position to) {
  std::optional<PastStop> last;
  broken_ = !timeline_.seek(from, interrupted_);
  StopSet set = wanted_;
  unsigned hits = 0;
  while (!broken_) {
    const Halt halt = timeline_.run_history(to, &set, interrupted_);
    broken_ = halt == Halt::kInterrupted;
    if (halt != Halt::kStop) break;
    take(set, last);
    if (++hits == kManyHits && to.steps - timeline_.now().steps > kWorthHalvingSteps) {
      return scan_in_halves(std::move(last), to);
    }
  }
  return broken_ ? std::nullopt : last;
}

void BackwardSearch::take(StopSet& set, std::optional<PastStop>& last) {
  const StopHit hit = *set.hit;
  switch (hit.kind) {
    case StopHit::Kind::kWatch:
      if (hit.made) return found(PastStop{timeline_.now(), hit, filter_.report()}, last);
      return after_watch(hit, last);
    case StopHit::Kind::kOtherWrite:
      return found(PastStop{timeline_.now(), hit, other_write_report(hit, set)}, last);
    case StopHit::Kind::kCsrWrite:
      set.pass_instruction_at = timeline_.now();
      return found(PastStop{Position{timeline_.now().steps + 1}, hit, std::nullopt}, last);
    case StopHit::Kind::kEbreak:
      set.pass_instruction_at = timeline_.now();
      return found(PastStop{timeline_.now(), hit, std::nullopt}, last);
    default:
      // The instruction there may do more that counts, such as a watched access.
      set.pass_breakpoint_at = timeline_.now();
      return found(PastStop{timeline_.now(), hit, std::nullopt}, last);
  }
}

std::optional<PastStop> BackwardSearch::scan_in_halves(std::optional<PastStop> so_far, Position to) {
  const Position here = timeline_.now();
  const Position middle{here.steps + (to.steps - here.steps) / 2};
  auto later = scan(middle, to);
  if (later || broken_) return later;
  auto earlier = scan(here, middle);
  return earlier || broken_ ? earlier : so_far;
}

void BackwardSearch::found(PastStop stop, std::optional<PastStop>& last) const {
  if (accept_(stop)) last = std::move(stop);
}

void BackwardSearch::after_watch(const StopHit& hit, std::optional<PastStop>& last) {
  const WatchedAccess access(machine_, wanted_.watches, hit);
  const Position after{timeline_.now().steps + 1};
  // The same stops, passed over: other ones would cost what was translated for these.
  StopSet past = wanted_;
  past.ignore_at = timeline_.now();
  broken_ = timeline_.run_history(after, &past, interrupted_) == Halt::kInterrupted;
  if (broken_) return;
  if (const auto report = access.after(machine_, rules_)) found(PastStop{after, hit, report}, last);
}

}  // namespace retrov
