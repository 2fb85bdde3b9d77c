// The description of the registers that gdb fetches when it connects, and how their values are laid out in packets. One
// list of registers serves both, so that g, p and the description cannot disagree.
//
// <osabi>none</osabi> matters most: without it gdb takes a bare RISC-V ELF for a Linux program and steps by planting
// breakpoints, many packets for each instruction.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/registers.hpp"
#include "gdbstub/machine_view.hpp"

namespace retrov {

/// The whole document, for exactly these registers.
[[nodiscard]] std::string target_xml(std::span<const RegisterInfo> registers);
/// What qXfer:threads answers.
struct ThreadLine {
  std::string id;
  unsigned hart = 0;
  std::string text;
};
[[nodiscard]] std::string threads_xml(std::span<const ThreadLine> threads);

/// Width in packets, as the description of these registers says; 8 for one that is not among them.
[[nodiscard]] unsigned register_bytes(std::span<const RegisterInfo> registers, RegisterId id);
/// The value's digits, or "xx" for each byte if it is not available now.
[[nodiscard]] std::string register_text(const MachineView& machine, unsigned hart, RegisterId id);
/// What `g` and `G` carry, in their order, which to gdb is the order of the numbers: x0-x31, pc, f0-f31, priv, and
/// fflags, frm, fcsr. gdb needs no single `p` to save the registers around a call it makes.
[[nodiscard]] std::vector<RegisterId> general_registers(std::span<const RegisterInfo> registers);

}  // namespace retrov
