#include "replay/watched_access.hpp"

#include <algorithm>
#include <string>

#include "core/csr.hpp"
#include "core/hart.hpp"
#include "replay/guest_memory.hpp"
#include "replay/hart_view.hpp"

namespace retrov {

namespace {

bool writes(WatchKind kind) { return kind != WatchKind::kRead; }

}  // namespace

WatchedAccess::WatchedAccess(const Machine& machine, const std::vector<WatchRange>& watches, const StopHit& hit)
    : hit_(hit), retired_(machine.hart(hit.hart).retired_now()) {
  physical_ = machine.translate_for_debugger(hit.hart, hit.address).value_or(PhysAddr{});
  for (std::size_t i = hit.watch_index; i < watches.size(); ++i) {
    Candidate candidate{watches[i], {}};
    if (i != hit.watch_index && !(hit.is_write && writes(watches[i].kind))) continue;
    if (hit.is_write) candidate.bytes = bytes_of(machine, watches[i]);
    // What the access cannot touch has no bytes in reach.
    if (i == hit.watch_index || !candidate.bytes.empty()) candidates_.push_back(std::move(candidate));
  }
}

/// The bytes of the range that the access may touch: the hit names one byte of it, so all of it lies within its size on
/// either side. A byte too many does no harm, because only change counts.
std::vector<u8> WatchedAccess::bytes_of(const Machine& machine, const WatchRange& range) const {
  const u64 reach = hit_.size_bytes - 1;
  const u64 into_range = address_in(range.physical) - range.address.value;
  if (into_range + reach >= range.length_bytes + 2 * reach) return {};
  const u64 first = static_cast<i64>(into_range) > static_cast<i64>(reach) ? into_range - reach : 0;
  const u64 last = std::min(into_range + reach, range.length_bytes - 1);
  std::vector<u8> bytes(last - first + 1);
  const AddressSpace space = range.physical ? AddressSpace::kPhysical : AddressSpace::kVirtual;
  bytes.resize(read_guest_memory(machine, hit_.hart, space, range.address.value + first, bytes));
  return bytes;
}

std::optional<WatchReport> WatchedAccess::after(const Machine& machine, const StopRules* rules) const {
  if (machine.hart(hit_.hart).retired_now() == retired_) return std::nullopt;
  const MachineHart hart(machine, hit_.hart);
  const auto counts = [&](const WatchRange& range) { return rules == nullptr || rules->counts(hart, range); };
  if (hit_.is_write) {
    for (const Candidate& candidate : candidates_) {
      const bool may_tell = writes(candidate.range.kind) && bytes_of(machine, candidate.range) != candidate.bytes;
      if (may_tell && counts(candidate.range)) return report(candidate.range);
    }
  }
  for (const Candidate& candidate : candidates_) {
    const WatchRange& range = candidate.range;
    const u64 into_range = address_in(range.physical) - range.address.value;
    const bool whatever_it_does = range.kind != WatchKind::kWrite || range.unchanged;
    if (whatever_it_does && into_range < range.length_bytes && counts(range)) return report(range);
  }
  return std::nullopt;
}

u64 WatchedAccess::address_in(bool physical) const { return physical ? physical_.value : hit_.address.value; }

/// The access reaches from the byte that was hit to the range, on whichever side it lies, so the byte of the range that
/// is nearest to the hit was accessed.
WatchReport WatchedAccess::report(const WatchRange& range) const {
  const u64 first = range.address.value;
  return {VirtAddr{std::clamp(address_in(range.physical), first, first + range.length_bytes - 1)}, range.kind};
}

WatchReport other_write_report(const StopHit& hit, const StopSet& stops) {
  return {hit.address, stops.watches[hit.watch_index].kind};
}

std::string csr_note(const StopHit& hit) {
  return "hart " + std::to_string(hit.hart) + " writes " +
         std::string(csr_name(static_cast<u16>(hit.address.value)));
}

}  // namespace retrov
