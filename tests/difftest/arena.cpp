#include "tests/difftest/arena.hpp"

#include <map>

#include "core/csr.hpp"

namespace retrov::difftest {
namespace {

constexpr u64 kV = 1, kR = 2, kW = 4, kX = 8, kU = 16, kG = 32, kA = 64, kD = 128, kN = u64{1} << 63;
constexpr u64 kAll = kV | kR | kW | kX | kA | kD;

/// Pages of the arena that hold tables.
enum Table : u64 {
  kRoot39 = DT_DATA_PAGE + DT_DATA_PAGES,
  kMiddle,
  kWindowLeaf,
  kOddLeaf,
  kRoot48,
  kRoot57,
  kTablesEnd
};
static_assert(kTablesEnd <= DT_ARENA_PAGES);

/// In kMiddle: 2 MiB each, at addresses where without translation is no RAM.
constexpr u64 kWindowSlot = (DT_ARENA >> 21) & 511, kOddSlot = kWindowSlot + 80, kMegapageSlot = kOddSlot + 1;
constexpr u64 kMegapages = 6;
/// In kRoot39: the window's gigapage, low and high; the same tables once more; whole gigapages.
constexpr u64 kLowSlot = (DT_ARENA >> 30) & 511, kHighSlot = (kHighWindow >> 30) & 511, kAliasSlot = 5,
              kGigapageSlot = 7;
constexpr u64 kGigapages = 3;
constexpr u64 kOddPages = 64;

u64 page_number(u64 page) { return (u64{DT_ARENA} >> 12) + page; }
u64 entry(u64 number, u64 flags) { return number << 10 | flags; }

/// What a leaf may be, with the rights of `user` or not, mostly good.
u64 leaf_flags(Random& random, bool user) {
  u64 flags = kAll | (user ? kU : 0);
  if (random.one_in(3)) flags &= ~random.of(kA, kD, kA | kD, kD);
  if (random.one_in(3)) flags &= ~random.of(kR | kW, kW, kX, kR, kV, kW | kX, kR | kW | kX);
  if (random.one_in(6)) flags ^= kU;
  if (random.one_in(6)) flags |= kG;
  if (random.one_in(8)) flags |= random.of(0x100, 0x200, 0x300);  // RSW
  if (random.one_in(12)) flags |= random.bits() % 4 << 61;        // PBMT
  if (random.one_in(30)) flags |= u64{1} << (54 + random.below(7));
  return flags;
}

using Words = std::map<u64, u64>;

/// A leaf of any size: where it leads is aligned, but rarely not.
u64 any_leaf(Random& random, bool user, u64 level) {
  const u64 pages = u64{1} << (9 * level);
  u64 number = page_number(random.below(DT_ARENA_PAGES));
  if (!random.one_in(8)) number &= ~(pages - 1);
  return entry(number, leaf_flags(random, user));
}

void make_window(Random& random, Words& words, bool user) {
  const auto put = [&words](u64 table, u64 slot, u64 value) { words[table * kPageBytes + slot * 8] = value; };
  const u64 u = user ? kU : 0;
  for (u64 page = 0; page < DT_ARENA_PAGES; ++page) {
    u64 flags = leaf_flags(random, user);
    if (page < kCodePages) {
      flags = kAll | u;
      if (random.one_in(4)) flags &= ~random.of(kA, kD, kW, kR | kW);
      if (random.one_in(30)) flags = leaf_flags(random, user);
    } else if (page == DT_HANDLER_PAGE) {
      flags = kAll;
    } else if (page >= kRoot39 || page < DT_DATA_PAGE + kSoundPages) {
      flags = kAll | u;
    }
    put(kWindowLeaf, page, entry(page_number(page), flags));
  }
  put(kMiddle, kWindowSlot, entry(page_number(kWindowLeaf), kV));
  put(kRoot39, kLowSlot, entry(page_number(kMiddle), kV));
  put(kRoot39, kHighSlot, entry(page_number(kMiddle), kV));
  put(kRoot48, 0, entry(page_number(kRoot39), kV));
  put(kRoot48, 511, entry(page_number(kRoot39), kV));
  put(kRoot57, 0, entry(page_number(kRoot48), kV));
  put(kRoot57, 511, entry(page_number(kRoot48), kV));
}

void make_aliases(Random& random, Words& words, bool user) {
  const auto put = [&words](u64 table, u64 slot, u64 value) { words[table * kPageBytes + slot * 8] = value; };
  put(kRoot39, kAliasSlot, entry(page_number(kMiddle), kV));
  put(kMiddle, kOddSlot, entry(page_number(kOddLeaf), kV));
  for (u64 i = 0; i < kMegapages; ++i) put(kMiddle, kMegapageSlot + i, any_leaf(random, user, 1));
  for (u64 i = 0; i < kGigapages; ++i) put(kRoot39, kGigapageSlot + i, any_leaf(random, user, 2));
  put(kRoot48, 1, any_leaf(random, user, 3));
  put(kRoot57, 1, any_leaf(random, user, 4));
  // No leaf, and yet with bits that only leaves have; a walk that never ends.
  put(kRoot39, kAliasSlot + 1, entry(page_number(kMiddle), kV | random.of(kA, kD, kU, kG, kN, u64{1} << 61)));
  put(kRoot48, 2, entry(page_number(kRoot48), kV));
  // Sixteen pages as one, or with a wrong size; other single pages; tables where no RAM is.
  for (u64 i = 0; i < kOddPages; ++i) {
    u64 value = any_leaf(random, user, 0);
    const bool napot = i / 16 % 2 == 0;
    if (napot) {
      const u64 size = random.one_in(6) ? random.below(16) : 8;
      value = entry((page_number(0) & ~u64{15}) + size, leaf_flags(random, user) | kN);
    }
    put(kOddLeaf, i, value);
  }
  put(kMiddle, kOddSlot + 20, entry(random.one_in(2) ? random.bits() >> 20 : 0x100000, kV));
}

/// Hands its trap up, or returns behind what trapped by itself.
std::vector<u32> handler(Random& random) {
  std::vector<u32> code(DT_HANDLER_BYTES / 4, 0x00000073);
  if (!random.one_in(4)) return code;
  code[0] = 0x0400006f;                            // j, behind those of the vectors
  for (const u32 raw : {0x14029073u,               // csrw sscratch, t0: lost
                        0x142022f3u,               // csrr t0, scause
                        0x0002d863u,               // bgez t0, 16 on
                        0x10401073u,               // csrw sie, zero
                        0x140022f3u, 0x10200073u,  // csrr t0, sscratch; sret
                        0x141022f3u, 0x00428293u, 0x14129073u, 0x140022f3u, 0x10200073u}) {
    code.push_back(raw);
  }
  return code;
}

/// W without R is reserved.
u64 pmp_entry(Random& random) {
  const u64 rights = random.of(0, 1, 3, 4, 5, 7);
  return rights | random.below(4) << 3;
}

/// Of stimecmp: surely past or future.
u64 far_time(Random& random) { return random.of(0, 5, ~u64{0}, ~u64{0}, u64{1} << 60); }

/// Of menvcfg.
u64 environment(Random& random) {
  u64 value = (random.bits() & 0xf1) & ~u64{0x20};
  if (random.one_in(2)) value |= 0xf1;
  if (!random.one_in(4)) value |= menvcfg::kAdue;
  if (!random.one_in(3)) value |= menvcfg::kPbmte;
  if (random.one_in(2)) value |= menvcfg::kStce;
  return value;
}

/// Eight entries of PMP. The last of all opens memory, those below divide it.
u64 pmp_config(Random& random, const Program& program, u16 number) {
  u64 value = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const bool last = number == 0x3a2 && i == 7;
    u64 config = 0;
    if (last)
      config = 0x1f;
    else if (random.one_in(12))
      config = pmp_entry(random);
    if (!last && config != 0 && program.locks && random.one_in(2)) config |= 0x80;
    value |= config << (8 * i);
  }
  return value;
}

}  // namespace

u64 interesting_offset(Random& random) {
  if (random.one_in(24)) return random.below(kTablesEnd * kPageBytes);
  const u64 page = (DT_DATA_PAGE + random.below(DT_DATA_PAGES)) * kPageBytes;
  switch (random.below(4)) {
    case 0:
      return page + random.below(kPageBytes);
    case 1:
      return page + kPageBytes - random.below(16);
    case 2:
      return page + kPageBytes - 64;
    default:
      return page + random.below(kPageBytes / 16) * 16;
  }
}

u64 table_entry(Random& random) {
  const u64 data = random.below(DT_DATA_PAGES) + DT_DATA_PAGE;
  switch (random.below(8)) {
    case 0:
      return kMiddle * kPageBytes + (kMegapageSlot + random.below(kMegapages)) * 8;
    case 1:
      return kRoot39 * kPageBytes + (kAliasSlot + random.below(5)) * 8;
    case 2:
      return kOddLeaf * kPageBytes + random.below(kOddPages) * 8;
    case 3:
      return kMiddle * kPageBytes + kOddSlot * 8;
    default:
      return kWindowLeaf * kPageBytes + data * 8;
  }
}

u64 integer_value(Random& random) {
  switch (random.below(8)) {
    case 0:
      return random.below(64);
    case 1:
      return ~random.below(64);
    case 2:
      return u64{1} << random.below(64);
    case 3:
      return ~(u64{1} << random.below(64));
    case 4: {
      const u64 power = u64{1} << random.below(64);
      return power - random.below(3);
    }
    case 5:
      return static_cast<u64>(static_cast<i64>(static_cast<i32>(random.bits())));
    case 6:
      return random.bits() >> random.below(64);
    default:
      return random.bits();
  }
}

u64 pointer_value(Random& random, u64 window) {
  const u64 offset = interesting_offset(random), low = offset % (u64{1} << 16);
  switch (random.below(24)) {
    case 0:
      return window + ((kOddSlot - kWindowSlot) << 21) + random.below(kOddPages) * kPageBytes + offset % kPageBytes;
    case 1:
      return window + ((kOddSlot - kWindowSlot) << 21) + low;
    case 2:
      return window + ((kMegapageSlot - kWindowSlot + random.below(kMegapages)) << 21) + offset;
    case 3:
      return ((kGigapageSlot + random.below(kGigapages)) << 30) + (DT_ARENA & 0x3fffffff) + offset;
    case 4:
      return ((kAliasSlot + random.below(2)) << 30) + (kWindowSlot << 21) + offset;
    case 5:
      return (u64{1} << random.of(39, 48)) + DT_ARENA + offset;
    case 6:
      return (window + offset) ^ u64 { 1 } << (38 + random.below(26));
    case 7:
      return random.of(0, DT_RAM + DT_RAM_BYTES, 0, u64{1} << 56) - random.below(12);
    default:
      return window + offset;
  }
}

/// Boxed or not, at both ends of the range, and ordinary ones.
u64 float_value(Random& random) {
  const u64 sign = random.bits() >> 63, scale = random.below(80), fraction = random.bits();
  switch (random.below(8)) {
    case 0:
      return random.bits();
    case 1:
      return 0xffffffff00000000 | random.bits() >> 32;
    case 2:
      return 0xffffffffffff0000 | random.bits() >> 48;
    case 3:
      return sign << 63 | random.of(0, 0x7ff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 1, 0x10000000000000);
    case 4:
      return 0xffffffff00000000 | sign << 31 |
             random.of(0, 0x7f800000, 0x7fc00000, 0x7f800001, 1, 0x800000, 0x7f7fffff);
    case 5:
      return 0xffffffffffff0000 | sign << 15 | random.of(0, 0x7c00, 0x7e00, 0x7c01, 1, 0x400, 0x7bff);
    case 6:
      return sign << 63 | (1023 + scale - 10) << 52 | fraction >> 12;
    default:
      return 0xffffffff00000000 | sign << 31 | (127 + scale - 10) << 23 | fraction >> 41;
  }
}

SatpChoice choose_satp(Random& random, u64 window) {
  if (random.one_in(12)) return {static_cast<u32>(random.of(1, 7, 11, 15)), 0x80000};
  if (window == DT_ARENA && random.one_in(5)) return {};
  const u64 mode = 8 + random.below(3);
  const u64 root = mode == 8 ? kRoot39 : mode == 9 ? kRoot48 : kRoot57;
  return {static_cast<u32>(mode), static_cast<u32>(page_number(root))};
}

u64 chosen_value(Random& random, const Program& program, u16 number) {
  switch (number) {
    case 0x14d:
      return far_time(random);
    case 0x30a:
      return environment(random);
    default:
      return pmp_config(random, program, number);
  }
}

void make_memory(Random& random, Program& program, bool user) {
  Words words;
  make_window(random, words, user);
  make_aliases(random, words, user);
  const std::vector<u32> code = handler(random);
  for (std::size_t i = 0; i < code.size(); ++i) {
    words[DT_HANDLER_PAGE * kPageBytes + i / 2 * 8] |= u64{code[i]} << (32 * (i % 2));
  }
  for (const auto& [at, word] : words) {
    std::vector<Run>& runs = program.tables;
    if (runs.empty() || runs.back().at + 8 * runs.back().words.size() != at) runs.push_back({at, {}});
    runs.back().words.push_back(word);
  }
}

}  // namespace retrov::difftest
