// Physical memory protection (privileged manual, 3.7): 16 entries, granularity four bytes. The lowest-numbered entry
// that matches any byte of an access decides, and must match all of it.
#include <algorithm>
#include <optional>

#include "core/hart.hpp"

namespace retrov {
namespace {

enum class Match : u8 { kOff = 0, kTor = 1, kNa4 = 2, kNapot = 3 };

constexpr u8 kRead = 1, kWrite = 2, kExecute = 4, kLocked = 0x80;

constexpr Match match_of(u8 config) { return static_cast<Match>(config >> 3 & 3); }

/// Bytes [first, end); empty if first >= end. Addresses have 56 bits, so nothing overflows.
struct Range {
  u64 first = 0;
  u64 end = 0;
};

Range range_of(const Csrs& csr, unsigned index) {
  const u64 address = csr.pmpaddr[index];
  switch (match_of(csr.pmpcfg[index])) {
    case Match::kOff: break;
    case Match::kTor: return {index == 0 ? 0 : csr.pmpaddr[index - 1] << 2, address << 2};
    case Match::kNa4: return {address << 2, (address << 2) + 4};
    case Match::kNapot: {
      const u64 low_ones = address ^ (address + 1);  // The trailing ones and the zero above them.
      const u64 first = (address & ~low_ones) << 2;
      return {first, first + ((low_ones + 1) << 2)};
    }
  }
  return {};
}

enum class Overlap : u8 { kNone, kPart, kAll };

Overlap overlap(const Range& range, u64 first, u64 size_bytes) {
  const u64 last = first + (size_bytes - 1);
  if (range.first >= range.end || last < range.first || first >= range.end) return Overlap::kNone;
  return first >= range.first && last < range.end ? Overlap::kAll : Overlap::kPart;
}

constexpr u8 permission_for(AccessKind kind) {
  switch (kind) {
    case AccessKind::kLoad: return kRead;
    case AccessKind::kStore: return kWrite;
    case AccessKind::kFetch: break;
  }
  return kExecute;
}

/// Nothing for an access that its entry holds only part of.
std::optional<PmpWindow> window_around(const Csrs& csr, u64 first, u64 size_bytes) {
  PmpWindow window{0, ~u64{0}};
  for (unsigned i = 0; i < csr.pmpcfg.size(); ++i) {
    if (match_of(csr.pmpcfg[i]) == Match::kOff) continue;
    const Range range = range_of(csr, i);
    const Overlap how = overlap(range, first, size_bytes);
    if (how == Overlap::kPart) return std::nullopt;
    if (how == Overlap::kAll) {
      return PmpWindow{std::max(window.first, range.first), std::min(window.end, range.end), true, csr.pmpcfg[i]};
    }
    if (range.first >= range.end) continue;
    if (range.end <= first) {
      window.first = std::max(window.first, range.end);
    } else {
      window.end = std::min(window.end, range.first);
    }
  }
  return window;
}

}  // namespace

bool Hart::find_pmp_window(u64 first, u64 size_bytes) const {
  const auto holds = [first, last = first + (size_bytes - 1)](const PmpWindow& window) {
    return first >= window.first && first < window.end && last < window.end;
  };
  if (holds(pmp_window_)) return true;
  const std::optional<PmpWindow> found = window_around(csr, first, size_bytes);
  if (found) pmp_window_ = *found;
  return found.has_value();
}

bool Hart::pmp_allows(PhysAddr address, u64 size_bytes, AccessKind kind, Priv privilege) const {
  if (!find_pmp_window(address.value, size_bytes)) return false;
  const bool machine = privilege == Priv::kMachine;
  // Entries are implemented, so without a match S and U are refused even if none is in use.
  if (!pmp_window_.matched) return machine;
  const u8 config = pmp_window_.config;
  return (machine && (config & kLocked) == 0) || (config & permission_for(kind)) != 0;
}

bool Hart::pmp_uniform_in_page(PhysAddr page) const {
  return find_pmp_window(page.value & ~(kPageBytes - 1), kPageBytes);
}

}  // namespace retrov
