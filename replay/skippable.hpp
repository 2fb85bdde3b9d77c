// May a search backwards pass over a stretch of history without running it? Only if the pages that the stretch wrote
// prove that no watched byte was written in it: neither a page that a watched address leads to, nor a page table on
// the way there, from any root that was in use. Content proves nothing: a value that is the same at both ends may have
// changed in between.
//
// Must stay true: a doubt is a no. Whatever is answered, the search finds the same stops.
#pragma once

#include <vector>

#include "core/machine.hpp"
#include "core/stops.hpp"

namespace retrov {

/// From the snapshot `from` to the snapshot `to`. True: no watch of `wanted` can be hit in between, and it has no
/// breakpoints.
bool skippable(const Machine& machine, const Snapshot& from, const Snapshot& to, const StopSet& wanted);

}  // namespace retrov
