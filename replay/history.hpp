// What happened, as far as it cannot be computed again: the machine's description, its inputs with their positions, the
// disk blocks it read, and hash marks to compare with. A live session appends to it and a trace writer listens; a replay
// fills it from a trace. Everything else about the past follows from it.
//
// Must stay true: events ascend strictly by position (at most one batch per position); `end` never moves back; what a
// listener is told about position p comes after everything below p. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/door.hpp"
#include "core/machine.hpp"
#include "core/page_tree.hpp"
#include "devices/board.hpp"

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

/// Told of everything as it is recorded. Implemented by the trace writer.
class HistoryListener {
 public:
  virtual ~HistoryListener() = default;
  virtual void on_event(const Event& event) = 0;
  virtual void on_block(Position before, const CapturedBlock& block) = 0;
  virtual void on_mark(const HashMark& mark) = 0;
  /// Everything below `now` has been told: the history reaches at least this far.
  virtual void on_progress(Position now) = 0;
};

class History {
 public:
  explicit History(BoardConfig board) : board_(std::move(board)) {}

  [[nodiscard]] const BoardConfig& board() const { return board_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const std::vector<HashMark>& marks() const { return marks_; }
  /// The first event at or after `from`, as an index into events().
  [[nodiscard]] std::size_t first_event_at(Position from) const;
  [[nodiscard]] Position end() const { return end_; }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] std::shared_ptr<const PageBytes> block(u8 disk, u64 index) const;
  [[nodiscard]] const std::map<std::pair<u8, u64>, std::shared_ptr<const PageBytes>>& blocks() const { return blocks_; }

  void set_listener(HistoryListener* listener) { listener_ = listener; }
  void add_event(Event event);
  void add_block(Position before, CapturedBlock block);
  void add_mark(HashMark mark);
  void progress(Position now);
  void finish(Outcome outcome) { outcome_ = std::move(outcome); }

 private:
  BoardConfig board_;
  std::vector<Event> events_;
  std::vector<HashMark> marks_;
  std::map<std::pair<u8, u64>, std::shared_ptr<const PageBytes>> blocks_;
  Position end_;
  Outcome outcome_;
  HistoryListener* listener_ = nullptr;
};

}  // namespace retrov
