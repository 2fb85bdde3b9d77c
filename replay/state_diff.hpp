// What differs between two states, by the names that people know: registers of harts, fields of devices, bytes of
// pages. For `diff`, and for reports about replays that differ.
#pragma once

#include <iosfwd>
#include <optional>
#include <vector>

#include "core/machine.hpp"
#include "replay/state_fields.hpp"

namespace retrov {

/// What can be compared of a state.
struct LookedState {
  std::vector<std::vector<std::optional<u64>>> registers;  ///< By hart, in the order of register_list().
  StateFields fields;                                       ///< Of the machine and its devices.
  Snapshot snapshot;
};

/// `snapshot` is one of the machine's present state.
[[nodiscard]] LookedState look_at_state(const Machine& machine, const Snapshot& snapshot);

/// What differs, a line each: "hart 0  a0         0x1 -> 0x2", lists of fields and pages. Says nothing if nothing does.
/// Both are states of `machine`, or of machines like it.
void describe_difference(const Machine& machine, const LookedState& from, const LookedState& to, std::ostream& out);

}  // namespace retrov
