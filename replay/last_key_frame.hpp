// Where a replay gets to a position of a history soonest.
#pragma once

#include <optional>

#include "replay/fresh_replay.hpp"

namespace retrov {

/// Puts the replay to the last key frame of its history at or before `at` that has the hashes which were recorded
/// there, and returns it; nothing if there is none behind the beginning, where the replay then is. Throws Error (kIo).
std::optional<KeyFrame> enter_last_key_frame(FreshReplay& replay, Position at);

/// Of the state the replay is in.
[[nodiscard]] KeyFrame key_frame_of(FreshReplay& replay);

}  // namespace retrov
