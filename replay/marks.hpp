// When a recording says what its state was, for replays to be compared with. Full marks cover all of State(P); light
// ones, made where inputs come in, all but RAM, so that they cost microseconds. Marks change nothing: the same run
// replays with any of them, or none.
#pragma once

#include "core/machine.hpp"
#include "replay/history.hpp"
#include "replay/output_log.hpp"

namespace retrov {

/// Of full marks: see docs/performance.md for what they cost.
inline constexpr u64 kMarkEverySteps = 100'000'000;
/// An input that comes sooner after a mark has no light one of its own: a millisecond of guest time.
inline constexpr u64 kLightMarkSteps = 1'000'000;
/// Of --paranoid without a number.
inline constexpr u64 kDenseMarkSteps = 1000;

struct MarkPlan {
  u64 every_steps = kMarkEverySteps;
  u64 dense_steps = 0;  ///< --paranoid: distance of the additional full marks; 0: there are none.
  Position dense_from{};  ///< The first of them, and where they end.
  Position dense_to = kEndOfTime;
  /// Where the next full mark is due if there is one at `now`.
  [[nodiscard]] Position next_after(Position now) const;
};

/// Without those that have no state (an empty slot), whose hash is always that of nothing.
[[nodiscard]] std::vector<ComponentHash> with_state(std::vector<ComponentHash> components);

/// Not a light one.
[[nodiscard]] bool has_ram(const HashMark& mark);

/// Of the machine's state, with the console output below it.
[[nodiscard]] HashMark make_mark(Machine& machine, const ConsoleTally& console, HashRam ram);

}  // namespace retrov
