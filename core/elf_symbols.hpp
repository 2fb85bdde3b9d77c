// An ELF that has what a debugger takes names from, and nothing of the program: symbol table, build-id and, if wanted,
// DWARF. Sections and segments keep their places and have no bytes. Whatever image it is made of, what comes out is
// written here, from checked parts: it can be given to a debugger that would trust it.
#pragma once

#include <span>
#include <vector>

#include "core/types.hpp"

namespace retrov {

enum class Dwarf : bool { kLeave, kKeep };

/// Throws Error(kNoInput) as parse_elf() does, or if it would be larger than kMaxSymbolFileBytes. Made of its own
/// result it is that again.
[[nodiscard]] std::vector<u8> make_symbol_file(std::span<const u8> image, Dwarf dwarf);

inline constexpr u64 kMaxSymbolFileBytes = u64{512} << 20;

/// What the linker called the image; empty if it did not.
[[nodiscard]] std::vector<u8> build_id_of(std::span<const u8> image);

}  // namespace retrov
