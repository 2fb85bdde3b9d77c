// `scan` and `log`, the retroactive printf: what would a breakpoint's commands have printed in all of history? The
// clauses of a place are those of a Z packet, which gdb compiled (gdbstub/stop_clauses.hpp), or expressions that a
// person wrote (gdbstub/expression.hpp); the machine evaluates them in its walk.
#pragma once

#include <iosfwd>

#include "replay/commands.hpp"
#include "replay/history_search.hpp"

namespace retrov {

/// Writes a line for each time a place was about to be executed and counts: position, hart, and what its commands print
/// or, without commands, its name; as JSON if the order says so. At last, for people, how many there were, and how far
/// the walk came. Throws Error.
void scan_history(const HistorySearch& search, const ScanOrder& order, std::ostream& out);

}  // namespace retrov
