// The commands for gdb (gdb/retrov-gdb.py), as part of the program: whoever has only the binary has them, too.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// `gdbinit`: prints them. Returns the status of the process.
int run_gdbinit(const Options& options);

}  // namespace retrov
