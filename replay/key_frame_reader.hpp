// The key frames of a trace, found by what the scan of its frames knows, and decoded when somebody needs one.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "replay/history.hpp"
#include "replay/key_frame_codec.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

/// Payload of a frame whose checks it compares first. Throws Error. Called by any thread, for as long as what was made
/// of it lives.
using FrameLoader = std::function<std::vector<u8>(const FrameInfo& frame)>;

/// One found in a trace.
struct FoundKeyFrame {
  u64 branch = 0;
  KeyFramePlace place;
  FrameInfo frame;  ///< Its first.
};

/// In the order of the file. `frames` are those of the trace. Throws Error (kBadTrace) that names the place.
[[nodiscard]] std::vector<FoundKeyFrame> find_key_frames(std::span<const FrameInfo> frames, FrameLoader load);

}  // namespace retrov
