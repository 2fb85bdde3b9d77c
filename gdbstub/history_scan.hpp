// `scan`, the retroactive printf: what would a breakpoint's commands have printed in all of history? The clauses of a
// place are those of a Z packet (gdbstub/stop_clauses.hpp), so gdb compiles them and the machine evaluates them in its
// walk (Debugger::scan).
#pragma once

#include <iosfwd>

#include "replay/commands.hpp"
#include "replay/debugger.hpp"

namespace retrov {

/// Writes a line for each time a place was about to be executed and counts: position, hart, and what its commands print
/// or, without commands, its name. At last how many there were, and how far the walk came. Throws Error.
void scan_history(Debugger& debugger, const ScanOrder& order, std::ostream& out);

}  // namespace retrov
