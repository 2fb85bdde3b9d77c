#include "tests/support/slow_search.hpp"


namespace retrov::test {

namespace {

constexpr u64 kSatpRoot = (u64{1} << 44) - 1;

Sight sight_of(const HartView& hart) {
  Sight sight{};
  for (std::size_t i = 0; i < kSeen.size(); ++i) sight[i] = hart.read_register(kSeen[i]).value();
  return sight;
}

u64 mixed(const Sight& sight, VirtAddr address) {
  return (sight[0] * 3 + sight[1] * 5 + sight[2] + address.value) * 0x9e3779b97f4a7c15;
}

bool writes(WatchKind kind) { return (static_cast<u8>(kind) & static_cast<u8>(WatchKind::kWrite)) != 0; }
bool reads(WatchKind kind) { return (static_cast<u8>(kind) & static_cast<u8>(WatchKind::kRead)) != 0; }

bool in_space(const WatchRange& range, u64 satp) {
  if (range.physical || static_cast<i64>(range.address.value) < 0 || range.satp >> 60 == 0) return true;
  return satp >> 60 != 0 && (satp & kSatpRoot) == (range.satp & kSatpRoot);
}

/// Which bytes of the access lie in the range: bit i for byte i.
u64 bytes_in(const WatchRange& range, const MadeAccess& access) {
  u64 bits = 0;
  if (!in_space(range, access.satp)) return 0;
  for (unsigned i = 0; i < access.size_bytes; ++i) {
    const u64 place = range.physical ? access.physical[i] : access.address + i;
    if (place - range.address.value < range.length_bytes) bits |= u64{1} << i;
  }
  return bits;
}

u64 bytes_changed(const MadeAccess& access) {
  u64 bits = 0;
  for (unsigned i = 0; i < access.size_bytes; ++i) {
    if (((access.before ^ access.after) >> (8 * i) & 0xff) != 0) bits |= u64{1} << i;
  }
  return bits;
}

}  // namespace

bool WalkRules::counts(const Sight& sight, VirtAddr address) { return mixed(sight, address) >> 61 != 0; }
bool WalkRules::handles(const Sight& sight, VirtAddr address) { return (mixed(sight, address) >> 59) % 4 == 1; }
bool WalkRules::counts(const HartView& hart, VirtAddr breakpoint) const { return counts(sight_of(hart), breakpoint); }
bool WalkRules::counts(const HartView& hart, const WatchRange& range) const {
  return counts(sight_of(hart), range.address);
}
bool WalkRules::handle(const HartView& hart, VirtAddr breakpoint) { return handles(sight_of(hart), breakpoint); }

// --- what there is at a position ---

std::optional<TrueStop> SlowSearch::breakpoint(Position at) {
  const TrueStep& step = truth_.at(at);
  if (step.hart < 0 || step.interrupt) return std::nullopt;
  const auto& wanted = wish_.request.breakpoints;
  const VirtAddr pc{step.pc};
  if (std::find(wanted.begin(), wanted.end(), pc) == wanted.end()) return std::nullopt;
  const bool stops = !wish_.conditions || (WalkRules::counts(step.before, pc) && !WalkRules::handles(step.before, pc));
  if (!stops) return std::nullopt;
  return TrueStop{at, StopReason::kBreakpoint, static_cast<unsigned>(step.hart), {}, {}};
}

std::optional<TrueStop> SlowSearch::csr_write(Position at) {
  const TrueStep& step = truth_.at(at);
  const auto& wanted = wish_.request.csr_writes;
  if (!step.csr || std::find(wanted.begin(), wanted.end(), *step.csr) == wanted.end()) return std::nullopt;
  return TrueStop{at, StopReason::kCsrWrite, static_cast<unsigned>(step.hart), {}, {}};
}

std::optional<TrueStop> SlowSearch::access(Position at) {
  const TrueStep& step = truth_.at(at);
  if (!step.access) return std::nullopt;
  const MadeAccess& access = *step.access;
  const auto counts = [&](const WatchRange& range) {
    return !wish_.conditions || WalkRules::counts(step.after, range.address);
  };
  const auto stop = [&](const WatchRange& range, u64 bytes) {
    unsigned first = 0;
    while ((bytes >> first & 1) == 0) ++first;
    const u64 place = range.physical ? access.physical[first] : access.address + first;
    return TrueStop{at, StopReason::kWatchpoint, static_cast<unsigned>(step.hart), VirtAddr{place}, range.kind};
  };
  for (const WatchRange& range : wish_.request.watches) {
    const u64 bytes = bytes_in(range, access);
    if (access.writes && writes(range.kind) && (bytes & bytes_changed(access)) != 0 && counts(range)) {
      return stop(range, bytes);
    }
  }
  for (const WatchRange& range : wish_.request.watches) {
    const u64 bytes = bytes_in(range, access);
    const bool meant = (access.writes && writes(range.kind) && (reads(range.kind) || range.unchanged)) ||
                       (access.reads && reads(range.kind));
    if (bytes != 0 && meant && counts(range)) return stop(range, bytes);
  }
  return std::nullopt;
}

/// All ranges are mapped the same for all harts, or physical.
std::optional<TrueStop> SlowSearch::device_write(Position behind) {
  if (!wish_.request.device_writes || behind.steps == 0) return std::nullopt;
  for (const DeviceWrite& write : truth_.at(Position{behind.steps - 1}).device_writes) {
    for (const WatchRange& range : wish_.request.watches) {
      if (!writes(range.kind)) continue;
      for (u64 i = 0; i < range.length_bytes; ++i) {
        const u64 byte = range.address.value + i;
        const auto place = range.physical ? std::optional(byte) : truth_.identity(byte);
        if (!place || *place - write.physical >= write.size_bytes) continue;
        return TrueStop{behind, StopReason::kWatchpoint, 0, VirtAddr{byte}, range.kind};
      }
    }
  }
  return std::nullopt;
}

// --- runs ---

/// A step of a hart says nothing of the breakpoint or CSR write it starts from, or comes back to behind a handler that
/// it has gone over, or still stands at when something else came first.
bool SlowSearch::passes(Position at, Position from, const Passing& passing) {
  if (!passing.step_of) return false;
  const unsigned hart = *passing.step_of;
  if (at == from) return true;
  if (truth_.at(at).hart != static_cast<int>(hart)) return false;
  if (passing.irq == StepIrq::kSkip) {
    for (const Handler& handler : truth_.handlers()) {
      if (handler.hart == hart && handler.returned && handler.closed_at == at && handler.taken_at >= from) return true;
    }
  }
  for (Position p = from; p < at; ++p.steps) {
    if (truth_.at(p).hart == static_cast<int>(hart)) return false;
  }
  return truth_.at(from).turn == hart && truth_.at(from).harts[hart][2] == truth_.at(at).harts[hart][2];
}

std::optional<TrueStop> SlowSearch::forward(Position from, Position limit, AtLimit at_limit, const Passing& passing) {
  for (Position p = from;; ++p.steps) {
    if (p > from) {
      if (const auto stop = device_write(p)) return stop;
    }
    if (p >= limit && at_limit == AtLimit::kPass) return std::nullopt;
    if (const auto stop = breakpoint(p); stop && !passes(p, from, passing)) return stop;
    if (const auto stop = csr_write(p); stop && passing.instruction != p && !passes(p, from, passing)) return stop;
    if (const auto stop = access(p)) return stop;
    if (p >= limit) return std::nullopt;
  }
}

std::optional<TrueStop> SlowSearch::backward(Position from, AtLimit at_start, std::optional<Position> after) {
  for (Position p = from; !after || p > *after; --p.steps) {
    if (p < from) {
      if (const auto stop = breakpoint(p)) return stop;
    }
    if (p.steps == 0) break;
    if (p == from && at_start == AtLimit::kPass) continue;
    const Position before{p.steps - 1};
    auto stop = device_write(p);
    if (!stop) stop = access(before);
    if (!stop) stop = csr_write(before);
    if (!stop) continue;
    stop->at = p;
    return stop;
  }
  return std::nullopt;
}

// --- steps ---

bool SlowSearch::begins_to_wait(unsigned hart, Position at) {
  if (at.steps == 0) return false;
  const TrueStep& step = truth_.at(Position{at.steps - 1});
  return step.hart == static_cast<int>(hart) && step.waits;
}

bool SlowSearch::is_stop(unsigned hart, Position at) {
  return truth_.at(at).hart == static_cast<int>(hart) || begins_to_wait(hart, at);
}

/// It lies inside a handler that was not open at `from`, or is the return from one.
bool SlowSearch::left_out(unsigned hart, Position at, Position from) const {
  for (const Handler& handler : truth_.handlers()) {
    if (handler.hart != hart || handler.taken_at >= at) continue;
    if (handler.taken_at < from && handler.closed_at > from) continue;
    if (handler.closed_at > at || (handler.closed_at == at && handler.returned)) return true;
  }
  return false;
}

std::optional<Position> SlowSearch::step_forward(unsigned hart, Position from, StepIrq irq) {
  Position p = from;
  if (!begins_to_wait(hart, from)) {
    while (p < truth_.end() && truth_.at(p).hart != static_cast<int>(hart)) ++p.steps;
  }
  for (++p.steps; p <= truth_.end(); ++p.steps) {
    if (is_stop(hart, p) && (irq == StepIrq::kEnter || !left_out(hart, p, from))) return p;
  }
  return std::nullopt;
}

Position SlowSearch::past_hands(Position at) {
  while (at < truth_.end() && truth_.at(at).by_hand) ++at.steps;
  return at;
}

std::optional<Position> SlowSearch::step_backward(unsigned hart, Position from, StepIrq irq) {
  for (Position p = from; p.steps > 0;) {
    --p.steps;
    // A step forward would have ended behind what was done by hand.
    if (past_hands(p) >= from && begins_to_wait(hart, p)) continue;
    if (is_stop(hart, p) && (irq == StepIrq::kEnter || !left_out(hart, p, from))) return p;
  }
  return std::nullopt;
}

}  // namespace retrov::test
