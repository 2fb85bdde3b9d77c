// Turns what a history tells into frames. Things of one kind that follow each other share a frame; another kind, or
// enough bytes, closes it, so the frames stand in the order in which things were told.
//
// Must stay true: a prefix of whole frames is a true history up to the last position in it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "replay/history.hpp"
#include "replay/trace_format.hpp"
#include "replay/trace_index.hpp"

namespace retrov {

/// Where a block stands in the file, as it is.
struct StoredBlock {
  u8 disk = 0;
  u64 index = 0;
  u64 offset = 0;
};

class FrameBuilder {
 public:
  /// The next frame will stand at `offset` in the file.
  void start_at(u64 offset) { offset_ = offset; }

  // Each throws Error(kIo) if the thing is beyond what a trace may hold, and then has added nothing.
  void add_event(const Event& event);
  void add_block(Position before, const CapturedBlock& block);
  void add_mark(const HashMark& mark);
  /// Before anything else: the history begins there.
  void add_start(Position at, bool initial_memory);
  /// What is added next is of that branch.
  void add_branch(const BranchPoint& branch);
  void add_progress(Position now) { progress_ = std::max(progress_, now); }
  void add_end(Position end, const Outcome& outcome);
  /// A frame that no position belongs to.
  void add_frame(FrameKind kind, const PackedPayload& payload, Needed needed = Needed::kNo);
  /// Of those added by add_frame, if there are any. Nothing may be added after it.
  void add_index();
  /// The branch that things are added to.
  [[nodiscard]] u64 branch() const { return branch_; }

  /// There is something that take() would give.
  [[nodiscard]] bool pending() const { return !frames_.empty() || progress_ > reached_; }
  [[nodiscard]] u64 pending_bytes() const { return frames_.size(); }
  /// All that was added, as whole frames, until the next call; they are forgotten here otherwise.
  [[nodiscard]] const std::vector<u8>& take();
  /// The blocks in what was taken last, but for those in frames that are compressed.
  [[nodiscard]] const std::vector<StoredBlock>& taken_blocks() const { return taken_blocks_; }
  /// Up to here the history is in frames that were taken or are pending.
  [[nodiscard]] Position reached() const { return std::max(reached_, progress_); }

 private:
  /// Opens a frame of this kind, closing one of another kind; the result is the position to count from.
  Position open(FrameKind kind, Position& at);
  void close();
  /// Of the open frame; 0 if there is none.
  [[nodiscard]] std::size_t payload_bytes() const { return open_ ? frames_.size() - *open_ - kFrameHeaderBytes : 0; }
  void tell_progress();
  void append(FrameKind kind, Position at, std::span<const u8> payload);
  u64 table_for(Position at, const std::vector<ComponentHash>& components);

  u64 offset_ = 0;
  // Buffers keep their memory: to get as much anew for each flush costs more than the copying.
  std::vector<u8> frames_;  ///< Whole frames and, last, the open one: what goes in as it is stands there at once.
  std::vector<u8> taken_;
  std::vector<StoredBlock> stored_blocks_;  ///< In frames_.
  std::vector<StoredBlock> taken_blocks_;
  FrameKind kind_ = FrameKind::kUnknown;
  Position first_;
  std::optional<std::size_t> open_;  ///< Where the open frame begins in frames_.
  std::vector<StoredBlock> open_blocks_;  ///< In it; offsets count from its begin …
  std::size_t plain_blocks_ = 0;  ///< … and those of them that are one byte, again and again.
  Position reached_;         ///< Of the last thing added.
  Position progress_;
  /// Where each branch was left, by number. That of the current one is out of date.
  std::vector<Position> left_at_{1};
  u64 branch_ = 0;
  std::map<std::vector<std::string>, u64> tables_;  ///< Names of components, by the number of their table.
  u64 inputs_ = 0;
  u64 hashes_ = 0;
  std::vector<IndexedFrame> indexed_;
};

}  // namespace retrov
