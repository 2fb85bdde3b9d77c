// `ls`: the traces in the folder where recordings go, for people and for programs.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Returns the status of the process and throws Error.
int run_ls(const Options& options);

}  // namespace retrov
