// The files of a recording of which only the last part is kept. Each is a trace that begins with a state of its own,
// but for the first, which begins at power-on, and goes on a little beyond the beginning of the next. The oldest has
// the name of the recording, the others stand beside it, until they are joined to one trace.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "replay/trace_format.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

/// The n-th file that stands beside `path`.
[[nodiscard]] std::string ring_part(const std::string& path, u64 number);

/// The files of the ring, the oldest, `path`, first; one if there is no ring. Those of another recording do not count.
[[nodiscard]] std::vector<std::string> ring_parts(const std::string& path);
/// What was to be a part, and is not even that: its recorder was killed when it had made the file.
[[nodiscard]] std::vector<std::string> ring_stubs(const std::string& path);

/// What became of them.
struct JoinedRing {
  Position begin;
  Position end;
  u64 parts = 0;    ///< That are in it.
  std::string note;  ///< A sentence if some could not be used; else empty.
};

/// Writes one trace of them, with the identity that they have. Throws Error as TraceWriter and TraceReader do; then
/// there is no new file.
JoinedRing join_ring(const std::vector<std::string>& parts, const std::string& path, Sync sync = Sync::kNo);

}  // namespace retrov
