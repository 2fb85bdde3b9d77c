// Records only the last part of what happens: file after file, each from a key frame on and complete in itself, the
// oldest of which are given up as newer ones come. While the state that a new file begins with is being written, what
// happens goes into both, so that at any moment the files before it hold all that is kept.
//
// Must stay true: where the recording is killed, the files there are replay from the beginning of the oldest up to what
// was flushed; whatever a disk block was read for first, each file has those that its own steps need.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "replay/trace_sink.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

class RingWriter final : public TraceSink {
 public:
  /// Throws Error as TraceWriter does, and kCannotCreate if files of another ring stand where the parts would. A new
  /// file is begun at the first key frame behind a quarter of `ring_bytes`; then the oldest are given up until the
  /// closed ones have at most `ring_bytes` together, or one is left.
  RingWriter(const std::string& path, const BoardConfig& board, u64 ring_bytes, const TraceIdentity& identity,
             const TraceExtras& extras);
  ~RingWriter() override;
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;

  void on_event(const Event& event) override;
  void on_block(Position before, const CapturedBlock& block) override;
  void on_block_again(Position before, const CapturedBlock& block) override;
  void on_mark(const HashMark& mark) override;
  void on_progress(Position now) override;
  /// From here on all is kept: a branch may go on from anywhere.
  void on_branch(const BranchPoint& branch) override;
  void on_key_frame(const KeyFrame& frame) override;
  void on_finish(Position end, const Outcome& outcome) override;

  /// Joins the files to one.
  void end() override;
  void flush() override;
  [[nodiscard]] std::optional<Error> take_error() override;
  [[nodiscard]] bool failed() const override;
  /// Of all files that there are.
  [[nodiscard]] u64 written_bytes() const override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] const std::array<u8, 16>& id() const override { return identity_.id; }
  /// The state that a new file begins with is being written.
  [[nodiscard]] bool begins_next() const { return next_.has_value(); }
  /// How many files there are, that in hand with them.
  [[nodiscard]] std::size_t parts() const { return closed_.size() + 1; }

 private:
  /// A file that is written on, and which blocks are in it.
  struct Open {
    std::string path;
    std::unique_ptr<TraceWriter> writer;
    std::set<std::pair<u8, u64>> blocks;
    Position begin;
    u64 begin_bytes = 0;  ///< What it had when it began to be the newest.
    void tell_block(Position before, const CapturedBlock& block);
  };
  struct Closed {
    std::string path;
    u64 bytes = 0;
  };
  [[nodiscard]] bool is_due(const KeyFrame& frame) const;
  void begin_next(const KeyFrame& frame);
  /// If the state it begins with is in the file. False: recording has stopped.
  bool take_next();
  void drop_next();
  void give_up_oldest();
  void lock_oldest();
  void fail(const Error& error);

  const std::string path_;
  const BoardConfig board_;
  const u64 ring_bytes_;
  const TraceIdentity identity_;
  const TraceExtras extras_;
  std::vector<Closed> closed_;  ///< Oldest first.
  Open newest_;
  std::optional<Open> next_;
  u64 next_number_ = 2;
  std::optional<HashMark> last_mark_;
  bool turns_ = true;
  std::optional<Error> error_;
  bool failed_ = false;
  int lock_ = -1;  ///< Of the oldest file, when nobody writes to it any more.
};

}  // namespace retrov
