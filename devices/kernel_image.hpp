// What the loader must know of an image that is no ELF: whether it has to be unpacked first, and the header of a Linux
// Image (Documentation/arch/riscv/boot-image-header). A kernel with an EFI stub is also a PE file, which says how long
// it is; the header alone does not.
#pragma once

#include <optional>
#include <span>

#include "core/types.hpp"

namespace retrov {

/// A phrase about bytes that nothing can start from as they are, and what to do; null if there is none to say.
[[nodiscard]] const char* why_unusable(std::span<const u8> bytes);

struct LinuxHeader {
  u64 text_offset = 0;   ///< How far from the start of RAM it wants to be.
  u64 memory_bytes = 0;  ///< How much memory it uses, which is more than the file has.
  u64 file_bytes = 0;    ///< How long the file must be, as far as it says so.
};

/// Nothing if it is no Linux Image.
[[nodiscard]] std::optional<LinuxHeader> linux_header(std::span<const u8> bytes);

}  // namespace retrov
