// The first state of a history: of one that does not begin at power-on it is that of a key frame, without which there
// is nothing to replay.
//
// Must stay true: what a history begins with is compared with a hash mark at that position if there is one.
#pragma once

#include <optional>

#include "replay/history.hpp"
#include "replay/key_frame.hpp"
#include "replay/output_log.hpp"

namespace retrov {

/// What a trace begins with that does not begin at power-on.
struct TraceStart {
  KeyFrame state;
  bool initial_memory = true;  ///< The trace has RAM as it was at power-on as well.
};

/// Puts a machine that was just made of the history's board where the history begins. Throws Error: kBadTrace if the
/// state is none of this machine or not the one that was recorded, kIo.
void go_to_beginning(const History& history, Machine& machine, OutputLog& output);

/// What a trace of this history begins with; nothing if that is power-on. Throws Error as the state does.
[[nodiscard]] std::optional<TraceStart> start_of(const History& history, const PageTree& initial_ram);

/// The board without what its RAM held at power-on.
[[nodiscard]] BoardConfig without_initial_memory(BoardConfig board);

}  // namespace retrov
