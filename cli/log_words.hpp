// `retrov log 'LOCATION [if EXPR]: FORMAT' EXPR...`: a shell's words, as the line that the command `log` takes.
#pragma once

#include <span>
#include <string>

namespace retrov {

/// The word has a place in it: "main: a0 is %ld", "main if a0 < 0:". Whatever else there is are a trace, a range and
/// expressions.
[[nodiscard]] bool names_log_place(const std::string& word);

/// What stands behind `log`. Throws Error (kUsage) if no place comes before an expression.
[[nodiscard]] std::string log_line(std::span<const std::string> words);

}  // namespace retrov
