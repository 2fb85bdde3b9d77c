// Sv39, Sv48 and Sv57 (privileged manual, 4.3 to 4.6), with Svnapot and Svpbmt (chapters of their own): from a virtual
// address to a physical one, by a walk of memory as it stands.
#include <array>
#include <cstring>
#include <utility>

#include "core/check.hpp"
#include "core/csr.hpp"
#include "core/faults.hpp"
#include "core/hart.hpp"
#include "core/walk_cache.hpp"

namespace retrov {
namespace {

namespace pte {
constexpr u64 kValid = 1, kRead = 2, kWrite = 4, kExecute = 8, kUser = 16, kAccessed = 64, kDirty = 128;
constexpr u64 kNapot = u64{1} << 63, kMemoryType = u64{3} << 61;
constexpr u64 kReserved = u64{0x7f} << 54;
constexpr u64 page_number(u64 entry) { return entry >> 10 & ((u64{1} << 44) - 1); }
}  // namespace pte

constexpr unsigned kMaxLevels = 5;
constexpr u64 kPageNumberOfSatp = (u64{1} << 44) - 1;

constexpr unsigned levels_of(u64 satp) {
  const u64 mode = satp >> 60;
  return mode >= 8 && mode <= 10 ? static_cast<unsigned>(mode) - 5 : 0;
}

enum class PmpCheck : bool { kNo, kYes };

struct Walked {
  enum class End : u8 { kLeaf, kPageFault, kAccessFault };
  End end = End::kPageFault;
  u64 leaf = 0;
  PhysAddr physical;
  std::array<PhysAddr, kMaxLevels> entries{};  ///< Where the entries are that were read; the leaf is the last.
  unsigned entry_count = 0;
};

/// Bits that must be 0 in every entry.
u64 reserved_bits(const Hart& hart) {
  u64 bits = pte::kReserved;
  if (!hart.has(Extension::kSvnapot)) bits |= pte::kNapot;
  if ((hart.csr.menvcfg & menvcfg::kPbmte) == 0) bits |= pte::kMemoryType;
  return bits;
}

/// Sixteen pages that lie together and are aligned as one: the only size that Svnapot has. The entry's page number says
/// the size in its low bits, which those of the address then replace.
constexpr u64 kNapotPages = 16;
constexpr bool is_napot_size(u64 page_number) { return page_number % kNapotPages == kNapotPages / 2; }

enum class EntryKind : u8 { kInvalid, kPointer, kLeaf };

/// What an entry of a table at that level is, without looking at what a leaf permits.
EntryKind kind_of(u64 entry, unsigned level, u64 reserved) {
  const u64 permissions = entry & (pte::kRead | pte::kWrite | pte::kExecute);
  if ((entry & pte::kValid) == 0 || (entry & reserved) != 0) return EntryKind::kInvalid;
  if ((permissions & (pte::kRead | pte::kWrite)) == pte::kWrite) return EntryKind::kInvalid;
  if (permissions == 0) {
    constexpr u64 kOfLeaves = pte::kAccessed | pte::kDirty | pte::kUser | pte::kMemoryType | pte::kNapot;
    return (entry & kOfLeaves) != 0 ? EntryKind::kInvalid : EntryKind::kPointer;
  }
  if ((entry & pte::kMemoryType) == pte::kMemoryType) return EntryKind::kInvalid;
  const u64 page = pte::page_number(entry);
  if ((entry & pte::kNapot) != 0) {
    return level == 0 && is_napot_size(page) ? EntryKind::kLeaf : EntryKind::kInvalid;
  }
  const u64 within = (u64{1} << (9 * level)) - 1;
  return (page & within) == 0 ? EntryKind::kLeaf : EntryKind::kInvalid;  // Not a misaligned superpage.
}

/// Where a leaf maps an address of its range to.
PhysAddr mapped_by(u64 leaf, unsigned level, u64 address) {
  const bool napot = (leaf & pte::kNapot) != 0;
  const u64 within = napot ? kNapotPages * kPageBytes - 1 : (u64{1} << (kPageShift + 9 * level)) - 1;
  return {((pte::page_number(leaf) << kPageShift) & ~within) | (address & within)};
}

u64 read_entry(const Memory& memory, PhysAddr at) {
  u64 entry = 0;
  std::memcpy(&entry, memory.host(memory.offset_of(at)), sizeof entry);
  return entry;
}

/// From the root to a well-formed leaf, without looking at what the leaf permits.
Walked walk_tables(const Hart& hart, u64 address, unsigned levels, PmpCheck pmp) {
  const Memory& memory = hart.platform().memory;
  Walked result;
  const unsigned unused_bits = 64 - (12 + 9 * levels);
  if (static_cast<u64>(static_cast<i64>(address << unused_bits) >> unused_bits) != address) return result;
  const u64 reserved = reserved_bits(hart);
  u64 table = hart.csr.satp & kPageNumberOfSatp;
  for (unsigned level = levels; level-- > 0;) {
    const PhysAddr at{(table << kPageShift) + (address >> (kPageShift + 9 * level) & 0x1ff) * 8};
    if (!memory.contains(at, 8) ||
        (pmp == PmpCheck::kYes && !hart.pmp_allows(at, 8, AccessKind::kLoad, Priv::kSupervisor))) {
      result.end = Walked::End::kAccessFault;
      return result;
    }
    const u64 entry = read_entry(memory, at);
    result.entries[result.entry_count++] = at;
    switch (kind_of(entry, level, reserved)) {
      case EntryKind::kInvalid:
        return result;
      case EntryKind::kPointer:
        table = pte::page_number(entry);
        break;
      case EntryKind::kLeaf:
        result.leaf = entry;
        result.physical = mapped_by(entry, level, address);
        result.end = Walked::End::kLeaf;
        return result;
    }
  }
  return result;
}

bool permitted(const Hart& hart, u64 leaf, AccessKind kind, Priv privilege) {
  const bool user_page = (leaf & pte::kUser) != 0;
  if (privilege == Priv::kUser) {
    if (!user_page) return false;
  } else if (user_page && (kind == AccessKind::kFetch || (hart.csr.mstatus & mstatus::kSum) == 0)) {
    return false;
  }
  const bool executable_reads = (hart.csr.mstatus & mstatus::kMxr) != 0;
  switch (kind) {
    case AccessKind::kLoad: return (leaf & (pte::kRead | (executable_reads ? pte::kExecute : 0))) != 0;
    case AccessKind::kStore: return (leaf & pte::kWrite) != 0;
    case AccessKind::kFetch: break;
  }
  return (leaf & pte::kExecute) != 0;
}

}  // namespace

Priv Hart::data_privilege() const {
  if ((csr.mstatus & mstatus::kMprv) == 0) return priv;
  return static_cast<Priv>((csr.mstatus & mstatus::kMpp) >> 11);
}

/// All checks come before the update, so that a walk that fails has written nothing and a probe fails exactly when the
/// committing walk does.
Hart::Translation Hart::translate(VirtAddr address, unsigned size_bytes, AccessKind kind, Walk walk) {
  const u64 va = address.value;
  const Priv privilege = kind == AccessKind::kFetch ? priv : data_privilege();
  const unsigned levels = privilege == Priv::kMachine ? 0 : levels_of(csr.satp);
  if (levels == 0) {
    if (!pmp_allows(PhysAddr{va}, size_bytes, kind, privilege)) return {access_fault(kind, va), {}};
    return {{}, PhysAddr{va}};
  }
  const Walked walked = walk_tables(*this, va, levels, PmpCheck::kYes);
  if (walked.end == Walked::End::kAccessFault) return {access_fault(kind, va), {}};
  if (walked.end == Walked::End::kPageFault || !permitted(*this, walked.leaf, kind, privilege)) {
    return {page_fault(kind, va), {}};
  }
  const u64 marks = pte::kAccessed | (kind == AccessKind::kStore ? pte::kDirty : 0);
  const u64 updated = walked.leaf | marks;
  const bool needs_update = updated != walked.leaf;
  const PhysAddr leaf_at = walked.entries[walked.entry_count - 1];
  if (needs_update) {
    if ((csr.menvcfg & menvcfg::kAdue) == 0) return {page_fault(kind, va), {}};
    if (!pmp_allows(leaf_at, 8, AccessKind::kStore, Priv::kSupervisor)) return {access_fault(kind, va), {}};
  }
  if (!pmp_allows(walked.physical, size_bytes, kind, privilege)) return {access_fault(kind, va), {}};
  if (walk == Walk::kCommit) {
    const Memory& memory = platform_.memory;
    for (unsigned i = 0; i < walked.entry_count; ++i) platform_.walks.use(memory.offset_of(walked.entries[i]));
    if (needs_update) write_entry(leaf_at, updated);
    if (needs_update && kind == AccessKind::kFetch) {
      if (fetch_marks_at_ != position) forget_fetch_marks();
      RV_CHECK(fetch_mark_count_ < fetch_marks_.size());
      fetch_marks_[fetch_mark_count_++] = {leaf_at, walked.leaf};
      fetch_marks_at_ = position;
    }
  }
  return {{}, walked.physical, needs_update};
}

void Hart::write_entry(PhysAddr at, u64 entry) {
  std::array<u8, 8> bytes;
  std::memcpy(bytes.data(), &entry, sizeof entry);
  if (platform_.memory.write(at, bytes, Writer::kWalker) != WriteEffect::kNone) leave = true;
  if (platform_.keep_writes_of != OtherWriters::kAll) return;
  platform_.note_write(at, bytes.size(), Writer::kWalker);
  leave = true;
}

void Hart::undo_fetch_marks(Position step) {
  if (fetch_mark_count_ == 0 || fetch_marks_at_ != step) return;
  while (fetch_mark_count_ > 0) {
    const FetchMark& mark = fetch_marks_[--fetch_mark_count_];
    write_entry(mark.entry_at, mark.before);
  }
  // Nobody has written anything, then.
  std::erase_if(platform_.other_writes, [](const auto& write) { return write.who == Writer::kWalker; });
  flush_fetch_translations();
}

std::optional<PhysAddr> Hart::translate_for_debugger(VirtAddr address) const {
  const unsigned levels = levels_of(csr.satp);
  // Physical addresses have 56 bits. In M-mode the upper half therefore means what it means to the kernel below:
  // whoever stops inside the firmware still sees the kernel's variables.
  const bool bare = data_privilege() == Priv::kMachine && address.value >> 56 == 0;
  if (levels == 0 || bare) return PhysAddr{address.value};
  const Walked walked = walk_tables(*this, address.value, levels, PmpCheck::kNo);
  if (walked.end != Walked::End::kLeaf) return std::nullopt;
  return walked.physical;
}

std::vector<WalkedEntry> Hart::walk_for_debugger(VirtAddr address) const {
  std::vector<WalkedEntry> result;
  const Walked walked = walk_tables(*this, address.value, levels_of(csr.satp), PmpCheck::kNo);
  for (unsigned i = 0; i < walked.entry_count; ++i) {
    result.push_back({walked.entries[i], read_entry(platform_.memory, walked.entries[i]), std::nullopt});
  }
  if (walked.end == Walked::End::kLeaf) result.back().physical = walked.physical;
  return result;
}

/// Collects leaves in the order of addresses. Tables may name each other in circles, so both numbers are bounded.
class Hart::MappingCollector {
 public:
  MappingCollector(const Hart& hart, std::size_t most) : hart_(hart), most_(most), reserved_(reserved_bits(hart)) {}

  void collect(u64 table, unsigned level, u64 base) {
    const Memory& memory = hart_.platform().memory;
    const PhysAddr first{table << kPageShift};
    if (!memory.contains(first, kPageBytes)) return;
    if (++tables_ > kMostTables) found.complete = false;
    const unsigned shift = kPageShift + 9 * level;
    for (u64 i = 0; i < kPageBytes / 8 && found.complete; ++i) {
      const u64 entry = read_entry(memory, PhysAddr{first.value + 8 * i});
      const EntryKind kind = kind_of(entry, level, reserved_);
      const u64 address = base + (i << shift);
      if (kind == EntryKind::kPointer && level > 0) collect(pte::page_number(entry), level - 1, address);
      if (kind == EntryKind::kLeaf) add(entry, level, address);
    }
  }

  PageMappings found;

 private:
  static constexpr std::size_t kMostTables = 1u << 16;

  void add(u64 entry, unsigned level, u64 address) {
    if (found.leaves.size() == most_) {
      found.complete = false;
      return;
    }
    const unsigned unused_bits = 64 - (12 + 9 * levels_of(hart_.csr.satp));
    const u64 canonical = static_cast<u64>(static_cast<i64>(address << unused_bits) >> unused_bits);
    found.leaves.push_back({VirtAddr{canonical}, mapped_by(entry, level, address), u64{1} << (kPageShift + 9 * level),
                            static_cast<u8>(entry)});
  }

  const Hart& hart_;
  const std::size_t most_;
  const u64 reserved_;
  std::size_t tables_ = 0;
};

PageMappings Hart::page_mappings(std::size_t most) const {
  MappingCollector collector(*this, most);
  if (const unsigned levels = levels_of(csr.satp)) collector.collect(csr.satp & kPageNumberOfSatp, levels - 1, 0);
  return std::move(collector.found);
}

}  // namespace retrov
