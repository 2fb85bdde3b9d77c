// Makes frames of key frames. A page that some key frame of the trace has had, or that was in RAM at power-on, is not
// told again, wherever it stands now.
//
// Must stay true: what it costs depends on the pages that differ from the key frame before, not on how many there are.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "replay/key_frame_codec.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

class KeyFrameEncoder {
 public:
  /// False: nobody wants any more.
  using Emit = std::function<bool(FrameKind kind, PackedPayload payload, Needed needed)>;
  /// `seed` is one that no guest can know. The first key frame is `first`.
  explicit KeyFrameEncoder(u64 seed, Needed first = Needed::kNo) : seed_(seed), needed_(first) {}
  /// Gives its frames in their order. One that is larger than a trace may hold is left out, its pages perhaps not.
  void encode(const KeyFrame& frame, u64 branch, const Emit& emit);

 private:
  void begin(const KeyFrame& frame);
  u32 number_of(const Page& page);
  void emit_pages();

  const u64 seed_;
  const Emit* emit_ = nullptr;
  bool wanted_ = true;
  Needed needed_;  ///< Of the next.
  std::map<u128, u32> numbers_;         ///< By fingerprint.
  u32 last_number_ = 0;
  std::vector<u8> pages_;               ///< Numbered, and not emitted yet.
  std::vector<PageTree> trees_;         ///< Of the key frame before.
  std::vector<PageNumbers> tree_numbers_;
};

}  // namespace retrov
