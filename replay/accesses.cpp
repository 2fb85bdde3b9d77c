#include "replay/accesses.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hpp"
#include "core/insn.hpp"
#include "replay/backward_search.hpp"
#include "replay/skippable.hpp"
#include "replay/timeline.hpp"

namespace retrov {

namespace {

constexpr u64 kWordBytes = 8;

/// What lies at `address` and is both watched and within `most` bytes.
std::vector<u8> watched_bytes(const Machine& machine, const std::vector<WatchRange>& ranges, PhysAddr address,
                              u64 most) {
  for (const WatchRange& range : ranges) {
    const u64 into = address.value - range.address.value;
    if (into >= range.length_bytes) continue;
    std::vector<u8> bytes(std::min(most, range.length_bytes - into));
    if (!machine.read_physical(address, bytes)) bytes.clear();
    return bytes;
  }
  return {};
}

void describe_hart(const Machine& machine, unsigned hart, Access& access) {
  access.hart = hart;
  access.pc = machine.hart_summary(hart).pc;
  std::array<u8, 4> bytes{};
  const std::size_t got = read_guest_memory(machine, hart, AddressSpace::kVirtual, access.pc.value, bytes);
  if (got < 2) return;
  access.raw = u32{bytes[0]} | u32{bytes[1]} << 8;
  if (insn_length_bytes(access.raw) == 2) return;
  access.raw = got < 4 ? 0 : access.raw | u32{bytes[2]} << 16 | u32{bytes[3]} << 24;
}

}  // namespace

/// Notes each access on its way and lets the run go on.
class AccessWalk::Witness final : public StopFilter {
 public:
  Witness(const Machine& machine, const std::vector<WatchRange>& ranges, const AccessVisit& visit)
      : machine_(machine), ranges_(ranges), visit_(visit) {}

  [[nodiscard]] bool counts(unsigned, VirtAddr) const override { return false; }
  bool looks_behind(const StopHit& hit) override {
    const Hart& hart = machine_.hart(hit.hart);
    seen_ = {};
    seen_.at = hart.position;
    seen_.is_write = hit.is_write;
    describe_hart(machine_, hit.hart, seen_);
    seen_.address = machine_.translate_for_debugger(hit.hart, hit.address).value_or(PhysAddr{});
    size_bytes_ = std::min<u64>(hit.size_bytes, kWordBytes);
    seen_.before = watched_bytes(machine_, ranges_, seen_.address, size_bytes_);
    retired_ = hart.retired_now();
    return true;
  }
  bool counts_behind() override {
    // A step that traps instead has accessed nothing.
    if (machine_.hart(seen_.hart).retired_now() == retired_) return false;
    seen_.after = watched_bytes(machine_, ranges_, seen_.address, size_bytes_);
    return !visit_(seen_);
  }

 private:
  const Machine& machine_;
  const std::vector<WatchRange>& ranges_;
  const AccessVisit& visit_;
  Access seen_;
  u64 size_bytes_ = 0;
  u64 retired_ = 0;
};

AccessWalk::AccessWalk(Timeline& timeline, const Machine& machine, const AccessOrder& order,
                       const std::atomic<bool>& interrupted)
    : timeline_(timeline), machine_(machine), order_(order), interrupted_(interrupted) {
  for (const PhysicalPiece& piece : order.pieces) {
    WatchRange range;
    range.address = VirtAddr{piece.at.value};
    range.length_bytes = piece.size_bytes;
    range.kind = order.kind;
    range.physical = range.unchanged = true;
    wanted_.watches.push_back(range);
  }
  if (order.kind != WatchKind::kRead) wanted_.other_writers = OtherWriters::kAll;
}

void AccessWalk::let_help(u64 alone_steps, std::function<SideCursor*()> side) {
  alone_steps_ = alone_steps;
  side_ = std::move(side);
}

Position AccessWalk::run(const AccessVisit& visit) {
  return order_.last_only ? run_backward(visit) : run_forward(visit);
}

Position AccessWalk::run_backward(const AccessVisit& visit) {
  BackwardSearch search(timeline_, machine_, {wanted_, nullptr, [](const PastStop&) { return true; }}, interrupted_);
  if (side_) search.let_help(alone_steps_, side_);
  const auto found = search.run(order_.from, order_.to);
  broken_ = search.interrupted();
  if (broken_) return search.broken_off_at();
  if (!found) return order_.from;
  // Where it is reported it has been made. More than one may have been made in that step.
  std::optional<Access> last;
  walk(Position{found->at.steps - 1}, found->at, [&last](const Access& access) {
    last = access;
    return true;
  });
  if (broken_) return found->at;
  RV_CHECK(last.has_value());
  visit(*last);
  return last->at;
}

Position AccessWalk::run_forward(const AccessVisit& visit) {
  // Where stretches begin, the last first. The end need not be gone to before the rest is looked through.
  std::vector<std::pair<Position, KeptPointer>> borders{{order_.to, nullptr}};
  if (timeline_.now() == order_.to) borders.front().second = timeline_.take_snapshot();
  while (borders.back().first > order_.from) {
    KeptPointer lower = timeline_.snapshot_before(borders.back().first);
    const Position at = lower->machine.at;
    borders.emplace_back(at, std::move(lower));
  }
  for (std::size_t i = borders.size() - 1; i > 0; --i) {
    const auto& [from, lower] = borders[i];
    const auto& [to, upper] = borders[i - 1];
    if (upper != nullptr && skippable(machine_, lower->machine, upper->machine, wanted_)) continue;
    if (!walk(std::max(from, order_.from), to, visit)) return timeline_.now();
  }
  return order_.to;
}

bool AccessWalk::walk(Position from, Position to, const AccessVisit& visit) {
  Witness witness(machine_, wanted_.watches, visit);
  StopSet set = wanted_;
  set.filter = &witness;
  broken_ = !timeline_.seek(from, interrupted_);
  while (!broken_) {
    const Halt halt = timeline_.run_history(to, &set, interrupted_);
    broken_ = halt == Halt::kInterrupted;
    if (halt != Halt::kStop) return !broken_;
    if (set.hit->kind != StopHit::Kind::kOtherWrite) return false;
    if (!visit(other_write(*set.hit))) return false;
  }
  return false;
}

/// What was before is known only there, so this goes back for a look, and returns.
Access AccessWalk::other_write(const StopHit& hit) {
  const std::atomic<bool> never{false};
  Access access;
  access.at = Position{timeline_.now().steps - 1};
  access.who = hit.writer;
  access.is_write = true;
  access.address = PhysAddr{hit.address.value};
  access.after = watched_bytes(machine_, wanted_.watches, access.address, kWordBytes);
  const Ticks by = machine_.now();
  const KeptPointer here = timeline_.unkept_snapshot();
  timeline_.seek(access.at, never);
  access.before = watched_bytes(machine_, wanted_.watches, access.address, kWordBytes);
  if (hit.writer == Writer::kWalker) describe_hart(machine_, hit.hart, access);
  if (hit.writer == Writer::kDevice) describe_device(by, access);
  access.queuer_known = !access.request.empty() && access.queued_at >= timeline_.begin();
  if (access.queuer_known) {
    timeline_.seek(access.queued_at, never);
    access.queued_by_hart = machine_.current_hart();
    access.queued_by_pc = machine_.hart_summary(access.queued_by_hart).pc;
  }
  timeline_.restore(here);
  return access;
}

/// Of the device that has it under way that byte, right before it is written.
void AccessWalk::describe_device(Ticks by, Access& access) const {
  for (unsigned i = 0; i < machine_.device_count(); ++i) {
    const Device& device = *machine_.device(static_cast<u8>(i));
    const auto request = device.queued_write(access.address, by);
    if (!request) continue;
    access.device = device.name();
    access.request = request->what;
    access.queued_at = request->queued_at;
  }
}

}  // namespace retrov
