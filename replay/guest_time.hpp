// What the frames of a trace say of guest time. Steps alone do not tell it, because idle time passes in none; but
// inputs that cut a wait short say when they came, and key frames have all of the state. Nothing is replayed for it, so
// where neither stands at the end, what is known is the least that it can have been.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "replay/trace_bytes.hpp"
#include "replay/trace_codec.hpp"

namespace retrov {

/// How long something took, in guest time.
struct Lasted {
  u64 ns = 0;
  bool exact = false;  ///< Otherwise it may have been more.
};

class GuestTime final : private HistoryListener {
 public:
  /// `bytes` must outlive it.
  explicit GuestTime(const TraceBytes& bytes) : bytes_(bytes) {}
  GuestTime(const GuestTime&) = delete;
  GuestTime& operator=(const GuestTime&) = delete;

  /// The frames of the trace, in the order of the file. One that is damaged or makes no sense is passed over, and so is
  /// what could be understood only with it.
  void look_at(const FrameInfo& frame);
  /// From where the trace begins to `end` on that branch. Nothing if what it began with cannot be read.
  [[nodiscard]] std::optional<Lasted> until(u64 branch, Position end) const;

 private:
  /// At `at` and beyond at least so many ticks were idle.
  struct IdleSince {
    Position at;
    u64 ticks = 0;
  };
  /// A branch, and where it leaves its parent.
  struct Line {
    u64 parent = 0;
    Position from;
    std::vector<IdleSince> idle;  ///< Ascending, both.
  };
  struct KeyFrameTime {
    u64 branch = 0;
    IdleSince idle;
  };
  void on_event(const Event& event) override;
  void on_block(Position, const CapturedBlock&) override {}
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint& branch) override;
  void on_finish(Position, const Outcome&) override {}

  [[nodiscard]] std::vector<u8> payload(const FrameInfo& frame) const;
  /// The pieces from `first` to `last` of what is in key_frames_.
  [[nodiscard]] std::optional<KeyFrameTime> key_frame(std::size_t first, std::size_t last) const;
  [[nodiscard]] std::optional<KeyFrameTime> first_key_frame() const;
  [[nodiscard]] std::optional<KeyFrameTime> last_key_frame() const;
  [[nodiscard]] bool is_last_piece(std::size_t piece) const;
  /// Branch by branch down to the first, what the line of history up to `end` has of each.
  [[nodiscard]] std::vector<std::pair<u64, Position>> line_to(u64 branch, Position end) const;

  const TraceBytes& bytes_;
  std::optional<BoardLayout> layout_;
  std::optional<HistoryDecoder> decoder_;
  bool lost_ = false;  ///< What the frames from here on mean is not known.
  u64 branch_ = 0;
  std::vector<Line> lines_{1};
  std::vector<FrameInfo> key_frames_;  ///< All pieces of all of them.
};

}  // namespace retrov
