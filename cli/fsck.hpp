// `fsck` and `recover`: whether a trace is whole, and what can be had of one that is not.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_fsck(const Options& options);
int run_recover(const Options& options);

}  // namespace retrov
