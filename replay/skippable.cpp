#include "replay/skippable.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace retrov {

namespace {

constexpr u64 kPageNumber = (u64{1} << 44) - 1;
constexpr u64 kNapot = u64{1} << 63;
/// A page past which nobody watches in earnest; more would cost more than the search.
constexpr u64 kMostPages = 64;

class Stretch {
 public:
  Stretch(const Machine& machine, const Snapshot& from, const Snapshot& to)
      : ram_(machine.config()), tree_(from.trees.front()), machine_(machine), touched_(to.touched) {}

  [[nodiscard]] bool leaves_alone(const WatchRange& watch) const {
    if (watch.kind != WatchKind::kWrite || watch.length_bytes == 0) return false;
    const u64 first = watch.address.value >> kPageShift;
    const u64 last = (watch.address.value + watch.length_bytes - 1) >> kPageShift;
    if (last < first || last - first >= kMostPages) return false;
    for (u64 page = first; page <= last; ++page) {
      const u64 address = page << kPageShift;
      // Without translation, in M-mode for one, an address is its own.
      if (!physical_untouched(address)) return false;
      if (!watch.physical && !virtual_untouched(address, watch)) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] bool in_ram(u64 physical) const {
    return physical >= ram_.ram_base.value && physical - ram_.ram_base.value < ram_.ram_bytes;
  }

  /// Not RAM: untouched only if there is nothing that an access could reach.
  [[nodiscard]] bool physical_untouched(u64 address) const {
    if (in_ram(address)) return !touched_.wrote((address - ram_.ram_base.value) >> kPageShift);
    return !machine_.has_device_in(PhysAddr{address}, kPageBytes);
  }

  [[nodiscard]] bool virtual_untouched(u64 address, const WatchRange& watch) const {
    const bool one_space = static_cast<i64>(watch.address.value) >= 0 && (watch.satp >> 60) != 0;
    return std::all_of(touched_.satps.begin(), touched_.satps.end(), [&](u64 satp) {
      if (one_space && ((satp ^ watch.satp) & kPageNumber) != 0) return true;
      return untouched_from(satp, address);
    });
  }

  /// What a walk could read, and where it could lead: never less than the hart's own walk. Tables that the stretch did
  /// not write are in all of it as they were when it began.
  [[nodiscard]] bool untouched_from(u64 satp, u64 address) const {
    const u64 mode = satp >> 60;
    if (mode == 0) return true;
    if (mode < 8 || mode > 10) return false;
    u64 table = satp & kPageNumber;
    for (unsigned level = static_cast<unsigned>(mode) - 5; level-- > 0;) {
      const u64 page = table << kPageShift;
      if (!in_ram(page)) return true;  // An access fault.
      if (!physical_untouched(page)) return false;
      const unsigned shift = 12 + 9 * level;
      const u64 entry = entry_at(page + (address >> shift & 0x1ff) * 8);
      if ((entry & 1) == 0) return true;
      if ((entry & kNapot) != 0) return false;
      table = entry >> 10 & kPageNumber;
      if ((entry & 0xe) == 0) continue;
      const u64 within = (u64{1} << shift) - 1;
      return physical_untouched(((table << kPageShift) & ~within) | (address & within));
    }
    return true;
  }

  [[nodiscard]] u64 entry_at(u64 physical) const {
    const Page* page = tree_.find((physical - ram_.ram_base.value) >> kPageShift);
    u64 entry = 0;
    if (page != nullptr) std::memcpy(&entry, page->bytes.data() + physical % kPageBytes, sizeof entry);
    return entry;
  }

  const MachineConfig& ram_;
  const PageTree& tree_;
  const Machine& machine_;
  const Touched& touched_;
};

}  // namespace

bool skippable(const Machine& machine, const Snapshot& from, const Snapshot& to, const StopSet& wanted) {
  if (!wanted.breakpoints.empty() || !wanted.csr_writes.empty() || wanted.watches.empty()) return false;
  if (wanted.ebreak_privileges != 0 && to.touched.ebreaks) return false;
  if (to.touched.everything || to.touched.since > from.at) return false;
  const Stretch stretch(machine, from, to);
  return std::all_of(wanted.watches.begin(), wanted.watches.end(),
                     [&](const WatchRange& watch) { return stretch.leaves_alone(watch); });
}

}  // namespace retrov
