// What a key frame is in a trace, but for the pages: those are numbered through the file, and a key frame says which
// number stands where (docs/trace-format.md, "Key frames").
#pragma once

#include <array>
#include <map>
#include <span>
#include <vector>

#include "replay/key_frame.hpp"

namespace retrov {

// Limits, as in trace_format.hpp.
inline constexpr u64 kMaxKeyFrameBytes = u64{32} << 20;  ///< Raw, without pages, all pieces together.
inline constexpr u64 kMaxKeyFramePages = u64{4} << 20;   ///< In all trees of one together.
inline constexpr u64 kMaxKeyFrameBlocks = u64{4} << 20;  ///< That the steps before one needed.
inline constexpr u64 kMaxKeyFrames = 65536;              ///< In a trace.
inline constexpr u64 kPagesPerFrame = 256;               ///< What a frame of pages holds at most.

/// Page numbers of a tree, by index. 0 is the page of zeros, which is never told; the pages of the initial memory come
/// next, by ascending index.
class PageNumbers {
 public:
  void set(u64 index, u32 number);
  /// Pages that lie side by side and have numbers that do.
  struct Run {
    u64 index = 0;
    u64 count = 0;
    u32 number = 0;
  };
  [[nodiscard]] std::vector<Run> runs() const;

 private:
  static constexpr u64 kPart = 256;
  std::map<u64, std::array<u32, kPart>> parts_;
};

/// What stands first in it.
struct KeyFrameHead {
  Position at;
  u64 branch = 0;
};

/// One without its pages.
struct KeyFrameBody {
  KeyFrameHead head;
  KeyFrame frame;                                  ///< Its trees are empty.
  std::vector<std::vector<PageNumbers::Run>> trees;  ///< Of each tree.
  bool foreign = false;                            ///< Some component has another schema than this build's.
};

/// `trees` are those of `frame`.
[[nodiscard]] std::vector<u8> encode_key_frame(const KeyFrame& frame, u64 branch,
                                               const std::vector<PageNumbers>& trees);
/// Both throw Error (kBadTrace). `last_number` is the highest of a page there is.
[[nodiscard]] KeyFrameHead decode_key_frame_head(std::span<const u8> bytes);
[[nodiscard]] KeyFrameBody decode_key_frame(std::span<const u8> bytes, u64 last_number);

}  // namespace retrov
