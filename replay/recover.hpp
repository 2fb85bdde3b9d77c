// Writes what still replays of a damaged trace to a new one. It is the same bytes up to the damage, so it is the same
// trace with the same id; where the history does not need a damaged frame, a frame of the same length that says nothing
// stands in its place, and a damaged index is made anew. If something was lost behind, an end frame says so.
#pragma once

#include <string>

#include "replay/fsck.hpp"

namespace retrov {

/// Makes `path`, mode 0600, from the trace that was checked and `source`, its bytes. Returns what it wrote in bytes.
/// Throws Error: kBadTrace if nothing replays, kCannotCreate if `path` exists or cannot be made, kIo; then nothing is
/// left of it.
u64 recover_trace(const TraceCheck& check, const TraceBytes& source, const std::string& path);

/// What is not in it any more: bytes, positions as far as they can be seen, guest time. In one sentence.
[[nodiscard]] std::string describe_loss(const TraceCheck& check);

}  // namespace retrov
