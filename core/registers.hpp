// Every register a person can name, by the numbers gdb and QEMU use: x0-x31 are 0-31, pc 32, f0-f31 33-64, the
// privilege mode 65, CSR n is 66 + n. One numbering for gdb, the REPL, dumps and recorded debugger writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov {

enum class RegisterId : u16 {};

inline constexpr RegisterId kRegisterPc{32};
inline constexpr RegisterId kRegisterPriv{65};
inline constexpr u16 kFirstFloat = 33;
inline constexpr u16 kFirstCsr = 66;

constexpr RegisterId integer_register(unsigned n) { return RegisterId(n); }
constexpr RegisterId float_register(unsigned n) { return RegisterId(kFirstFloat + n); }
constexpr RegisterId csr_register(unsigned number) { return RegisterId(kFirstCsr + number); }

enum class RegisterGroup : u8 { kGeneral, kFloat, kCsr, kVirtual };

struct RegisterInfo {
  RegisterId id;
  std::string name;  ///< ABI name ("a0", "fa0", "mstatus", "pc", "priv").
  RegisterGroup group;
  unsigned size_bytes = 8;
};

/// All registers of a machine that has all extensions, ascending by number; Machine::read_register knows which are
/// there.
[[nodiscard]] const std::vector<RegisterInfo>& register_list();
/// By ABI name, "x10", "f3" or CSR name.
[[nodiscard]] std::optional<RegisterId> find_register(std::string_view name);

}  // namespace retrov
