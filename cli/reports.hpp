// `info`, `dump` and `verify`: what is in a trace, and whether it still replays.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_info(const Options& options);
int run_dump(const Options& options);
int run_verify(const Options& options);

}  // namespace retrov
