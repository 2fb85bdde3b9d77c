// `rm` and `mv`: what is to be done with traces that are not files alone. Bookmarks go with a trace that is removed,
// and the link to the latest moves on. Nothing but a trace is removed or moved, and nothing overwritten.
#pragma once

#include "cli/options.hpp"

namespace retrov {

/// Each returns the status of the process and throws Error.
int run_rm(const Options& options);
int run_mv(const Options& options);

}  // namespace retrov
