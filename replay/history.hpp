// What happened, as far as it cannot be computed again: the machine's description, its inputs with their positions, the
// disk blocks it read, and hash marks to compare with. A live session appends to it and a trace writer listens; a
// replay fills it from a trace. Everything else about the past follows from it.
//
// Must stay true: events ascend strictly by position (at most one batch per position); `end` never moves back; what a
// listener is told about position p comes after everything below p. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/door.hpp"
#include "core/machine.hpp"
#include "core/page_tree.hpp"
#include "devices/board.hpp"
#include "replay/block_store.hpp"

namespace retrov {

/// Hashes of State(at), one per component.
struct HashMark {
  Position at;
  std::vector<ComponentHash> components;
  u64 console_bytes = 0;  ///< Output so far, and its running hash, below `at`.
  u64 console_hash = 0;
};

/// A disk block of the unchanged base, captured at the first need.
struct CapturedBlock {
  u8 disk = 0;  ///< Index into BoardConfig::disks.
  u64 index = 0;
  std::shared_ptr<const PageBytes> bytes;
};

/// How it ended.
struct Outcome {
  enum class Kind : u8 { kUnknown, kPoweredOff, kStopped, kInterrupted };
  Kind kind = Kind::kUnknown;  ///< kUnknown: the recorder was killed. kStopped: the recorder was told to stop.
  int status = 0;              ///< Process status of the guest.
  std::string why;
};

/// Told of everything as it is recorded, or as it is read from a trace, in the order of the history.
class HistoryListener {
 public:
  virtual ~HistoryListener() = default;
  virtual void on_event(const Event& event) = 0;
  /// The step at `before` is the first that needs it. A lower `before` than the truth does no harm.
  virtual void on_block(Position before, const CapturedBlock& block) = 0;
  virtual void on_mark(const HashMark& mark) = 0;
  /// Everything below `now` has been told: the history reaches at least this far.
  virtual void on_progress(Position now) = 0;
  /// The last thing told.
  virtual void on_finish(Position end, const Outcome& outcome) = 0;
};

class History {
 public:
  explicit History(BoardConfig board, u64 block_memory_bytes = BlockStore::kDefaultBudgetBytes)
      : board_(std::move(board)), blocks_(block_memory_bytes) {}

  [[nodiscard]] const BoardConfig& board() const { return board_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const std::vector<HashMark>& marks() const { return marks_; }
  /// The first event at or after `from`, as an index into events(); events().size() if there is none.
  [[nodiscard]] std::size_t first_event_at(Position from) const;
  [[nodiscard]] Position end() const { return end_; }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  /// Null: never captured. Throws Error(kIo) if it was spilled to the temporary file and cannot be read back.
  [[nodiscard]] std::shared_ptr<const PageBytes> block(u8 disk, u64 index) const { return blocks_.find(disk, index); }
  [[nodiscard]] u64 block_count() const { return blocks_.count(); }

  /// `listener` may be null; it must outlive its use and is not told what was added before.
  void set_listener(HistoryListener* listener) { listener_ = listener; }
  /// Events and marks come at or above end(): what they say of a position comes after everything below it.
  void add_event(Event event);
  /// Does nothing if the block is there already.
  void add_block(Position before, const CapturedBlock& block);
  void add_mark(HashMark mark);
  void progress(Position now);
  void finish(Outcome outcome);

 private:
  void reach(Position at);

  BoardConfig board_;
  std::vector<Event> events_;
  std::vector<HashMark> marks_;
  BlockStore blocks_;
  Position end_;
  Outcome outcome_;
  HistoryListener* listener_ = nullptr;
};

}  // namespace retrov
