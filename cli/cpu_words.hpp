// Which extensions a processor has, in QEMU's words (-cpu) and in the compiler's (--isa).
#pragma once

#include <string_view>

#include "core/extensions.hpp"

namespace retrov {

/// "rv64", or with switches behind it: "rv64,zbb=off,sstc=on". What is switched on brings what it needs, what is
/// switched off takes with it what needs it. Throws Error(kUsage); of an unknown extension, with the known ones.
[[nodiscard]] ExtensionSet parse_cpu(std::string_view text);

/// "rv64gc_zba", also with versions ("rv64i2p1_m2p0") and in any case: exactly these and what they need; address modes
/// are those of the default processor. Throws as parse_cpu does.
[[nodiscard]] ExtensionSet parse_isa(std::string_view text);

}  // namespace retrov
