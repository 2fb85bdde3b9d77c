// Where the place of a `log` ends: what a shell's words and the command's line have in common.
#pragma once

#include <string_view>

namespace retrov {

/// The first colon with nothing, a blank or a string behind it, for others are in names; npos if there is none.
constexpr std::size_t find_log_colon(std::string_view text) {
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == '"') return at;
  }
  return std::string_view::npos;
}

}  // namespace retrov
