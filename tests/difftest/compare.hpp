// What two logs of one program disagree about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov::difftest {

[[nodiscard]] std::string hex_text(u64 value);

struct Difference {
  /// Of one kind if they are alike: "trap mtval", "x", "csr mip". Shrinking keeps it.
  std::string kind;
  std::string text;  ///< One line, with both values.
};

/// The first one, in the order of time: traps, then how it ended.
[[nodiscard]] std::optional<Difference> compare(const std::vector<u64>& ours, const std::vector<u64>& theirs);
/// All of them, a line each.
[[nodiscard]] std::string all_differences(const std::vector<u64>& ours, const std::vector<u64>& theirs);

}  // namespace retrov::difftest
