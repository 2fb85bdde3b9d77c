// From frame to frame through a trace that may be damaged anywhere. Only checks are compared; what frames hold is not
// looked at.
#pragma once

#include <vector>

#include "replay/fsck.hpp"

namespace retrov {

/// Appends all whole frames and what is wrong, both by offset.
void walk_frames(const TraceBytes& bytes, std::vector<FrameInfo>& frames, std::vector<TraceFinding>& findings);

}  // namespace retrov
