// A trace of a part of a recording, which begins at a key frame and is complete in itself: the steps that are wanted,
// the disk blocks they need, and nothing of what the guest's memory held before and does not any more.
//
// Must stay true: the part replays to the states that were recorded; the trace it is taken from is not changed.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "replay/bookmarks.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

struct SliceOrder {
  Position from;
  Position to;
  bool key_frames = true;  ///< Those behind the beginning stay.
  std::vector<SymbolFile> symbols = {};
  std::vector<Bookmark> bookmarks = {};  ///< Of this line of history; those that lie outside are left out.
  std::function<void(Position)> progress = {};
  const std::atomic<bool>* interrupted = nullptr;
};

struct Slice {
  Position begin;  ///< The last key frame at or before what was wanted, or where the history begins.
  Position end;
  u64 file_bytes = 0;
};

/// Replays the part to see what it needs, and writes it to `path`. Throws Error: kUsage for positions that the history
/// does not have, kFailure if it was interrupted, kDivergence if it does not replay, and as pack_trace does; then there
/// is no new file.
Slice write_slice(const History& history, const SliceOrder& order, const std::string& path);

}  // namespace retrov
