// What an ELF image says: which bytes go where, where to begin, what the places are called. The only user of elfutils.
// Images come from strangers: everything that points into the file is compared with the file's size before it is used.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov {

/// A loadable segment. `bytes` points into the image that was parsed; what `memory_bytes` has beyond them is zero.
struct ElfSegment {
  VirtAddr virtual_address;
  PhysAddr physical_address;
  std::span<const u8> bytes;
  u64 memory_bytes = 0;
};

enum class SymbolKind : u8 { kOther, kFunction, kObject };

struct ElfSymbol {
  std::string name;
  VirtAddr value;
  u64 size_bytes = 0;
  SymbolKind kind = SymbolKind::kOther;
};

struct Elf {
  VirtAddr entry;
  bool position_independent = false;  ///< ET_DYN: may be placed anywhere.
  std::vector<ElfSegment> segments;   ///< In file order; empty ones are left out.
  std::vector<ElfSymbol> symbols;     ///< Defined and named, in file order.

  /// The physical address of a virtual one, by the segment that holds it.
  [[nodiscard]] std::optional<PhysAddr> physical(VirtAddr address) const;
  /// The first symbol of that name.
  [[nodiscard]] const ElfSymbol* find(std::string_view name) const;
};

[[nodiscard]] bool is_elf(std::span<const u8> image);

/// `image` must outlive the result. Throws Error (kNoInput) with one phrase that says what is wrong with the image
/// ("ELF for x86-64, not RISC-V"); the caller names the file.
[[nodiscard]] Elf parse_elf(std::span<const u8> image);

}  // namespace retrov
