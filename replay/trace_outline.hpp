// What can be said of a trace at a glance: it goes from header to header and reads little else (inputs, hash marks, a
// key frame), so a folder of large traces is listed in no time. Whether the bytes between are whole is for fsck to say.
#pragma once

#include <optional>

#include "replay/guest_time.hpp"
#include "replay/history.hpp"
#include "replay/trace_bytes.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

struct TraceOutline {
  TraceIdentity identity;
  u64 file_bytes = 0;
  /// Of the branch that was told last. If its recorder did not end it, it reaches at least here.
  Position end;
  std::optional<Outcome> outcome;  ///< Absent: its recorder did not end it, or the end cannot be read.
  std::optional<Lasted> lasted;     ///< Guest time, from its beginning to `end`. Absent: it cannot be told.
  u64 branches = 1;
  u64 key_frames = 0;
  std::optional<u64> cut_at;      ///< The file ends inside the frame there.
  std::optional<u64> damaged_at;  ///< What is there is no header.
};

/// Throws Error: kBadTrace if it is no trace, or of another container version; kIo.
[[nodiscard]] TraceOutline outline_trace(const TraceBytes& bytes);

}  // namespace retrov
