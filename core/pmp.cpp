// Physical memory protection (privileged manual, 3.7): 16 entries, granularity four bytes. The lowest-numbered entry
// that matches any byte of an access decides, and must match all of it.
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

}  // namespace

bool Hart::pmp_allows(PhysAddr address, u64 size_bytes, AccessKind kind, Priv privilege) const {
  const bool machine = privilege == Priv::kMachine;
  for (unsigned i = 0; i < csr.pmpcfg.size(); ++i) {
    const u8 config = csr.pmpcfg[i];
    if (match_of(config) == Match::kOff) continue;
    switch (overlap(range_of(csr, i), address.value, size_bytes)) {
      case Overlap::kNone: continue;
      case Overlap::kPart: return false;
      case Overlap::kAll: break;
    }
    return (machine && (config & kLocked) == 0) || (config & permission_for(kind)) != 0;
  }
  // Entries are implemented, so without a match S and U are refused even if none is in use.
  return machine;
}

bool Hart::pmp_uniform_in_page(PhysAddr page) const {
  const u64 first = page.value & ~(kPageBytes - 1);
  for (unsigned i = 0; i < csr.pmpcfg.size(); ++i) {
    if (match_of(csr.pmpcfg[i]) == Match::kOff) continue;
    switch (overlap(range_of(csr, i), first, kPageBytes)) {
      case Overlap::kNone: continue;
      case Overlap::kPart: return false;
      case Overlap::kAll: return true;  // It decides for all of the page, whatever stands below.
    }
  }
  return true;
}

}  // namespace retrov
