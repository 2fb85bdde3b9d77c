// Expressions as people write them, "*(u32*)(a0 + 8) & 0xff", made into agent expressions: what `log` prints and when.
// C's operators on 64-bit integers; docs/gdb.md ("Printf after the fact") is the user's page.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "gdbstub/agent_expr.hpp"

namespace retrov {

/// The value of a symbol.
using SymbolLookup = std::function<std::optional<u64>(std::string_view name)>;

/// Throws Error (kUsage) that quotes what is wrong: no expression, a name that nobody knows, too deep.
[[nodiscard]] AgentExpression compile_condition(std::string_view text, const SymbolLookup& symbol);

/// printf: `format` is as in C source, with its escapes, without the quotes around it.
[[nodiscard]] AgentExpression compile_printf(std::string_view format, std::span<const std::string_view> arguments,
                                             const SymbolLookup& symbol);

}  // namespace retrov
