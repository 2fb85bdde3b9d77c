#include "replay/stretch_scan.hpp"

#include <utility>

namespace retrov {

namespace {
/// So many hits in one stretch are not worth visiting one by one: the later half may have one.
constexpr unsigned kManyHits = 200;
constexpr u64 kWorthHalvingSteps = 20'000;
}  // namespace

bool is_behind(StopHit::Kind kind) {
  return kind == StopHit::Kind::kWatch || kind == StopHit::Kind::kOtherWrite || kind == StopHit::Kind::kCsrWrite;
}

StretchScan::StretchScan(Timeline& timeline, const Machine& machine, const SearchOrder& order,
                         const std::atomic<bool>& interrupted)
    : timeline_(timeline),
      machine_(machine),
      order_(order),
      wanted_(order.wanted),
      filter_(machine, wanted_.watches, order.rules),
      interrupted_(interrupted) {
  filter_.set_look_behind(LookBehind::kYes);
  wanted_.filter = &filter_;
}

std::optional<PastStop> StretchScan::run(Position from, Position to) {
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
      return run_in_halves(std::move(last), to);
    }
  }
  return broken_ ? std::nullopt : last;
}

void StretchScan::take(StopSet& set, std::optional<PastStop>& last) {
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

std::optional<PastStop> StretchScan::run_in_halves(std::optional<PastStop> so_far, Position to) {
  const Position here = timeline_.now();
  const Position middle{here.steps + (to.steps - here.steps) / 2};
  auto later = run(middle, to);
  if (later || broken_) return later;
  auto earlier = run(here, middle);
  return earlier || broken_ ? earlier : so_far;
}

void StretchScan::found(PastStop stop, std::optional<PastStop>& last) const {
  if (order_.accept(stop)) last = std::move(stop);
}

void StretchScan::after_watch(const StopHit& hit, std::optional<PastStop>& last) {
  const WatchedAccess access(machine_, wanted_.watches, hit);
  const Position after{timeline_.now().steps + 1};
  // The same stops, passed over: other ones would cost what was translated for these.
  StopSet past = wanted_;
  past.ignore_at = timeline_.now();
  broken_ = timeline_.run_history(after, &past, interrupted_) == Halt::kInterrupted;
  if (broken_) return;
  if (const auto report = access.after(machine_, order_.rules)) found(PastStop{after, hit, report}, last);
  // In the same step, and told behind it.
  const auto& other = past.hit;
  if (!other || other->kind != StopHit::Kind::kOtherWrite) return;
  found(PastStop{after, *other, other_write_report(*other, past)}, last);
}

}  // namespace retrov
