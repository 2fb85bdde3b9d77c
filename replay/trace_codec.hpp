// What is inside the frames of a trace. Encoders append to a payload; decoders take a payload whose checksum was
// compared and still believe nothing in it: they throw Error(kBadTrace) with a sentence that the reader completes with
// file, offset and position.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "replay/history.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

/// One content of initial memory; blobs with equal bytes share it.
struct BlobContent {
  u64 size_bytes = 0;
  u64 hash = 0;  ///< hash_bytes.
};

/// The board frame.
struct BoardLayout {
  BoardConfig board;                  ///< Its blobs have addresses and no bytes.
  std::vector<BlobContent> contents;  ///< In the order in which their chunks follow.
  std::vector<u32> content_of_blob;   ///< For each blob its index in contents.
};

/// `first_blob[i]` is the blob that has the bytes of content i.
[[nodiscard]] BoardLayout make_layout(const BoardConfig& board, std::vector<std::size_t>& first_blob);
[[nodiscard]] std::vector<u8> encode_layout(const BoardLayout& layout);
[[nodiscard]] BoardLayout decode_layout(std::span<const u8> payload);

/// The header of a blob chunk's payload; the bytes follow.
struct BlobChunk {
  u64 content = 0;
  u64 offset = 0;
};
void encode_blob_chunk(std::vector<u8>& payload, const BlobChunk& chunk, std::span<const u8> bytes);
[[nodiscard]] BlobChunk decode_blob_chunk(std::span<const u8>& payload);

// One item of a frame. `previous` is the position of the item before it, or the frame's own position.
void encode_event(std::vector<u8>& payload, Position previous, const Event& event);
void encode_block(std::vector<u8>& payload, Position previous, Position before, const CapturedBlock& block);
void encode_mark(std::vector<u8>& payload, Position previous, const HashMark& mark, u64 table);
[[nodiscard]] std::vector<u8> encode_components(const std::vector<ComponentHash>& components);
[[nodiscard]] std::vector<u8> encode_start(bool initial_memory);
/// Whether a branch is told for the first time.
enum class Told : bool { kFirst, kAgain };
[[nodiscard]] std::vector<u8> encode_branch(const BranchPoint& branch, Told told);
/// The number in the payload of a branch frame.
[[nodiscard]] u64 decode_branch_number(std::span<const u8> payload);
[[nodiscard]] std::vector<u8> encode_outcome(const Outcome& outcome);
[[nodiscard]] Outcome decode_outcome(StateReader& in);

/// Decodes frame after frame and tells a listener. Checks the order of the history, the limits, and that what an input
/// or a block names exists on the board.
class HistoryDecoder {
 public:
  /// `board` must outlive the decoder.
  explicit HistoryDecoder(const BoardConfig& board) : board_(board) {}
  /// Of a frame of any kind behind the initial memory.
  void decode(const FrameInfo& frame, std::span<const u8> payload, HistoryListener& listener);
  /// Position of the last thing told of the current branch.
  [[nodiscard]] Position reached() const { return reached_; }
  /// Where the history begins. Its state is not known here, and null.
  [[nodiscard]] const HistoryBegin& begin() const { return begin_; }
  /// The branch that is being told, by its number.
  [[nodiscard]] u64 branch() const { return branch_; }

 private:
  struct Component {
    std::string name;
    u16 schema = kStateSchema;
  };
  /// Blocks that could not be had, which have no bytes.
  enum class Holes : bool { kNo, kYes };
  void decode_start(StateReader& in);
  void decode_events(StateReader& in, HistoryListener& listener);
  void decode_blocks(StateReader& in, Holes holes, HistoryListener& listener);
  void decode_components(StateReader& in);
  void decode_marks(StateReader& in, HistoryListener& listener);
  void decode_end(StateReader& in, HistoryListener& listener);
  void decode_branch(StateReader& in, Position at, HistoryListener& listener);
  void add_branch(StateReader& in, Position at);
  void check_block(const CapturedBlock& block) const;
  void check_event(const Event& event) const;
  Position next_position(StateReader& in);

  const BoardConfig& board_;
  std::vector<std::vector<Component>> tables_;
  /// As far as a branch was told.
  struct Progress {
    Position reached;
    std::optional<Position> last_event;
    bool ended = false;
  };
  std::vector<BranchPoint> branches_ = {{0, 0, {}, kMainBranch}};
  std::vector<Progress> progress_{1};  ///< By number; that of the current branch is in the members below.
  u64 branch_ = 0;
  HistoryBegin begin_;
  bool told_any_ = false;
  Position reached_;
  std::optional<Position> last_event_;
  bool ended_ = false;
  u64 inputs_ = 0;
  u64 hashes_ = 0;
};

}  // namespace retrov
