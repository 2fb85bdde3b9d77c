// `info`, `dump`, `verify` and `pack`: what is in a trace, whether it still replays, and a smaller one.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_info(const Options& options);
int run_dump(const Options& options);
int run_verify(const Options& options);
int run_pack(const Options& options);

}  // namespace retrov
