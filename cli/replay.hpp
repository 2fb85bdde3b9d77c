// `replay`, and `debug` of a trace: the recorded machine, for gdb, for the prompt, or just played to its end.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_replay(const Options& options);
int run_debug_trace(const Options& options);
/// last-write and its kind: one word of the prompt, asked of a trace.
int run_question(const Options& options);

}  // namespace retrov
