// Instructions as text, for people. Capstone writes what it knows; what it does not (Zb*, hints, newer CSRs) comes from
// our own rows, and jump targets are made absolute. What find_insn calls illegal is shown as data, whatever Capstone
// thinks, so that the text agrees with what the machine would do.
#pragma once

#include <optional>
#include <string>

#include "core/types.hpp"

namespace retrov {

/// One line without address and bits: "addi a0, a0, 1". `raw` has 16 or 32 bits, by its low two bits.
[[nodiscard]] std::string disassemble(u32 raw, VirtAddr pc);

/// What our row says of it, or Capstone; nothing if there is none, or Capstone does not know it. To compare the two.
[[nodiscard]] std::optional<std::string> disassemble_by_row(u32 raw, VirtAddr pc);
[[nodiscard]] std::optional<std::string> disassemble_by_capstone(u32 raw, VirtAddr pc);

}  // namespace retrov
