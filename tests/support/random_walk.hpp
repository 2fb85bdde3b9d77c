// Random walks through the histories of a session: whatever is done on the way, at each stop the state is that which a
// straight run has there, and the stop is the one that a slow search finds (tests/support/truth.hpp, slow_search.hpp).
//
// A walk follows from its seed, which says what kind of session it is and what is done. A list of what is done stays
// meaningful when some of it is left out, so that a walk that fails can be shortened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov::test {

/// One thing that is done; what the numbers mean depends on where the walk is.
struct WalkOp {
  u64 kind = 0;
  u64 a = 0, b = 0, c = 0;
};

[[nodiscard]] std::vector<WalkOp> random_ops(u64 seed, std::size_t count);

struct WalkResult {
  std::size_t done = 0;                ///< Of what was to be done.
  std::optional<std::string> failure;  ///< What was wrong after that.
  std::vector<std::string> log;        ///< What was done, for people.
  std::vector<std::size_t> kinds;      ///< How often each kind did something, in the order of walk_kinds().
};

/// The session that the seed says, taken through the list.
[[nodiscard]] WalkResult take_walk(u64 seed, const std::vector<WalkOp>& ops);

/// A shorter list that fails, too. `ops` does.
[[nodiscard]] std::vector<WalkOp> shortened(u64 seed, std::vector<WalkOp> ops);

/// Names of the kinds.
[[nodiscard]] std::vector<std::string> walk_kinds();

}  // namespace retrov::test
