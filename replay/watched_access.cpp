#include "replay/watched_access.hpp"

#include <algorithm>
#include <string>

#include "core/csr.hpp"
#include "core/hart.hpp"
#include "replay/hart_view.hpp"

namespace retrov {

namespace {

bool writes(WatchKind kind) { return kind != WatchKind::kRead; }

/// What of the piece lies in the range; no bytes: nothing.
AccessPiece part_in(const WatchRange& range, const AccessPiece& piece) {
  const u64 begin = range.physical ? piece.physical.value : piece.address.value;
  // By distances, because either may end at the top of the address space.
  const u64 into_range = begin - range.address.value;
  const u64 left_out = into_range < range.length_bytes ? 0 : u64{0} - into_range;
  if (left_out >= piece.size_bytes) return {};
  const u64 from = left_out == 0 ? into_range : 0;
  const u64 bytes = std::min(piece.size_bytes - left_out, range.length_bytes - from);
  return {VirtAddr{piece.address.value + left_out}, PhysAddr{piece.physical.value + left_out}, bytes};
}

}  // namespace

WatchedAccess::WatchedAccess(const Machine& machine, const std::vector<WatchRange>& watches, const StopHit& hit)
    : hart_(hit.hart), retired_(machine.hart(hit.hart).retired_now()) {
  const std::vector<AccessPiece> pieces = machine.pieces_of(hit);
  for (std::size_t i = hit.watch_index; i < watches.size(); ++i) {
    const WatchRange& range = watches[i];
    if ((static_cast<u8>(range.kind) & static_cast<u8>(hit.access)) == 0) continue;
    const auto byte = machine.watched_byte(hit, range);
    if (!byte) continue;
    Candidate candidate{range, *byte, {}, {}};
    for (const AccessPiece& piece : pieces) {
      const AccessPiece part = part_in(range, piece);
      if (range.physical && byte->value - piece.address.value < piece.size_bytes) {
        candidate.byte = VirtAddr{piece.physical.value + (byte->value - piece.address.value)};
      }
      if (part.size_bytes != 0 && hit.is_write && writes(range.kind)) candidate.places.push_back(part);
    }
    candidate.bytes = bytes_of(machine, candidate.places);
    candidates_.push_back(std::move(candidate));
  }
}

std::vector<u8> WatchedAccess::bytes_of(const Machine& machine, const std::vector<AccessPiece>& places) {
  std::vector<u8> all;
  for (const AccessPiece& place : places) {
    std::vector<u8> bytes(place.size_bytes);
    if (machine.read_physical(place.physical, bytes)) all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

std::optional<WatchReport> WatchedAccess::after(const Machine& machine, const StopRules* rules) const {
  if (machine.hart(hart_).retired_now() == retired_) return std::nullopt;
  const MachineHart hart(machine, hart_);
  const auto counts = [&](const WatchRange& range) { return rules == nullptr || rules->counts(hart, range); };
  for (const Candidate& candidate : candidates_) {
    const bool changed = bytes_of(machine, candidate.places) != candidate.bytes;
    if (changed && counts(candidate.range)) return WatchReport{candidate.byte, candidate.range.kind};
  }
  for (const Candidate& candidate : candidates_) {
    const bool whatever_it_does = candidate.range.kind != WatchKind::kWrite || candidate.range.unchanged;
    if (whatever_it_does && counts(candidate.range)) return WatchReport{candidate.byte, candidate.range.kind};
  }
  return std::nullopt;
}

WatchReport other_write_report(const StopHit& hit, const StopSet& stops) {
  return {hit.address, stops.watches[hit.watch_index].kind};
}

std::string csr_note(const StopHit& hit) {
  return "hart " + std::to_string(hit.hart) + " writes " +
         std::string(csr_name(static_cast<u16>(hit.address.value)));
}

}  // namespace retrov
