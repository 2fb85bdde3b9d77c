// Makes the smallest file of a trace, to be kept or given away: everything compressed as well as it can be, without
// what only mattered while it was recorded, and on request without key frames. The trace itself is not changed.
//
// Must stay true: what the packed file tells is what the trace tells.
#pragma once

#include <functional>
#include <string>

#include "replay/new_file.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

struct PackOptions {
  bool key_frames = true;  ///< They stay.
  std::string notes = {};  ///< Bookmarks, as write_bookmarks gives them.
  /// Told how far it is; may throw, and then there is no new file.
  std::function<void(Position)> progress = {};
};

/// Returns the size of the new file, which is read again and compared before anybody is told that it is there. Throws
/// Error: kCannotCreate if it exists or cannot be made, kIo if it cannot be written, and then there is none.
u64 pack_trace(const TraceReader& trace, const std::string& path, const PackOptions& options);
/// The same to a file that was made and that nothing is in.
u64 pack_trace(const TraceReader& trace, NewFile& file, const PackOptions& options);

}  // namespace retrov
