// Tells a part of one line of history again, to whoever writes another trace of it: blocks, marks, key frames and
// events in the order of their positions, as they were told while it was recorded.
#pragma once

#include <vector>

#include "replay/history.hpp"
#include "replay/key_frame.hpp"

namespace retrov {

/// A block that the step at `before` needs first.
struct NeededBlock {
  Position before;
  BlockName name;
};

/// What is told. A mark and a key frame at `from` are; what happens at `to` is not, but a mark and a key frame there
/// are if `with_end`.
struct Part {
  Position from;
  Position to;
  bool with_end = true;
  std::vector<NeededBlock> blocks = {};  ///< Ascending, all of the history.
  bool key_frames = true;                ///< Those behind `from` are told.
  bool first_key_frame = false;          ///< That at `from` is, too.
};

/// What RAM held at power-on, for key frames, as the told history has it and as whoever hears of it has it.
struct InitialRam {
  const PageTree& there;
  const PageTree& here;
};

/// Key frames that cannot be read are left out. Throws Error (kIo).
void tell_part(const History& history, const Part& part, const InitialRam& ram, HistoryListener& listener);

}  // namespace retrov
