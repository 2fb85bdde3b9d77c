// Hashes say that two states differ and not where. But a fault of memory or of a processor is one bit, and there are
// few enough states one bit away from a known one that all of them can be hashed.
#pragma once

#include <optional>
#include <string>

#include "core/machine.hpp"
#include "replay/history.hpp"

namespace retrov {

/// The snapshot `here`, of the machine's present state, with one bit of component `name` changed so that its hash is
/// the recorded one; nothing if there is no such bit. Of RAM and of the pages of devices at most kMostTriedPages are
/// tried, those first that have changed since `before`.
[[nodiscard]] std::optional<Snapshot> one_bit_away(Machine& machine, const Snapshot& here, const Snapshot& before,
                                                   const std::string& name, const HashMark& recorded);

/// A fraction of a second for each.
inline constexpr std::size_t kMostTriedPages = 32;

}  // namespace retrov
