// What a person may have meant by a word that is not known: for options, subcommands and commands alike.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retrov {

/// The word of `known` that is nearest to `word` by edit distance, if any is near enough to have been meant.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> known);

}  // namespace retrov
