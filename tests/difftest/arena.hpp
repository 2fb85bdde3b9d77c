// What the memory of a random program looks like: pages of code, the supervisor's handler, data and page tables, seen
// at one place through a window of 4 KiB pages, and elsewhere through mappings of all kinds, good and bad.
//
// All roots lead to the same tables: that of Sv48 has the root of Sv39 in its first and last entry, that of Sv57 the
// one of Sv48, so satp may change without the program losing its code.
#pragma once

#include "tests/difftest/program.hpp"
#include "tests/difftest/random.hpp"

namespace retrov::difftest {

/// Where a program that never enters M-mode may see the arena instead of at its physical address.
inline constexpr u64 kHighWindow = 0xffffffff00000000 | DT_ARENA;

/// The pages that hold page tables.
inline constexpr u64 kFirstTablePage = DT_DATA_PAGE + DT_DATA_PAGES;

/// So many of the pages of data are as a program wants them.
inline constexpr u64 kSoundPages = 2;

/// An offset in the arena that is worth pointing to: mostly data, often near the end of a page.
[[nodiscard]] u64 interesting_offset(Random& random);
/// The offset of a page-table entry whose change is felt.
[[nodiscard]] u64 table_entry(Random& random);
/// Any value for a register: pointers of all kinds, numbers of all sizes.
[[nodiscard]] u64 pointer_value(Random& random, u64 window);
[[nodiscard]] u64 integer_value(Random& random);
[[nodiscard]] u64 float_value(Random& random);

struct SatpChoice {
  u32 mode = 0, page_number = 0;
};
/// A mode and its root; rarely a mode that there is not.
[[nodiscard]] SatpChoice choose_satp(Random& random, u64 window);

/// What may be written to a CSR of chosen values (csr_roles.hpp).
[[nodiscard]] u64 chosen_value(Random& random, const Program& program, u16 number);

/// The page tables, and the supervisor's handler. `user`: the code belongs to user pages.
void make_memory(Random& random, Program& program, bool user);

}  // namespace retrov::difftest
