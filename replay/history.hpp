// What happened, as far as it cannot be computed again: the machine's description, its inputs with their positions, the
// disk blocks it read, and hash marks to compare with. A live session appends to it and a trace writer listens; a
// replay fills it from a trace. Everything else about the past follows from it.
//
// A session has one history for each branch: one that leaves another shares what lies below, the description and the
// disk blocks, for the base of a disk is the same in all of them.
//
// Must stay true: events ascend strictly by position (at most one batch per position); `end` never moves back; what a
// listener is told about position p comes after everything below p. One thread, unless nobody adds.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/door.hpp"
#include "core/machine.hpp"
#include "core/page_tree.hpp"
#include "devices/board.hpp"
#include "replay/block_store.hpp"
#include "replay/chain.hpp"

namespace retrov {

class BlockReads;
struct KeyFrame;
class StoredKeyFrame;

/// Hashes of State(at), one per component.
struct HashMark {
  Position at;
  std::vector<ComponentHash> components;
  u64 console_bytes = 0;  ///< Output so far, and its running hash, below `at`.
  u64 console_hash = 0;
};

/// A disk block of the unchanged base, captured at the first need. Without bytes it is a hole: it could not be had, and
/// is an I/O error to the guest for good.
struct CapturedBlock {
  u8 disk = 0;  ///< Index into BoardConfig::disks.
  u64 index = 0;
  std::shared_ptr<const PageBytes> bytes;
};

/// Where a replay may begin.
struct KeyFramePlace {
  Position at;
  std::shared_ptr<const StoredKeyFrame> stored;
};

/// Where a history begins: at power-on, or with a state that follows from what was before and is not told.
struct HistoryBegin {
  Position at = {};
  std::shared_ptr<const StoredKeyFrame> state = nullptr;  ///< Null: at power-on.
  bool initial_memory = true;  ///< The board has what RAM held at power-on, without which there is no reset.
};

/// How it ended.
struct Outcome {
  enum class Kind : u8 { kUnknown, kPoweredOff, kStopped, kInterrupted };
  Kind kind = Kind::kUnknown;  ///< kUnknown: the recorder was killed. kStopped: the recorder was told to stop.
  int status = 0;              ///< Process status of the guest.
  std::string why;
};

/// What follows belongs to this branch of the recording, until another is named.
struct BranchPoint {
  u64 number = 0;      ///< Counted from 0, which is the line that leaves no other.
  u64 parent = 0;
  Position at;         ///< Where it leaves its parent: it has what the parent has below.
  std::string name;
  bool resumed = false;  ///< It was there before and goes on.
};

/// Of the line that leaves no other.
inline constexpr const char* kMainBranch = "main";
/// 1 to 64 letters, digits and "._-".
[[nodiscard]] bool is_branch_name(std::string_view name);

/// Told of everything as it is recorded, or as it is read from a trace, in the order of the history.
class HistoryListener {
 public:
  virtual ~HistoryListener() = default;
  virtual void on_event(const Event& event) = 0;
  /// The step at `before` is the first that needs it. A lower `before` than the truth does no harm.
  virtual void on_block(Position before, const CapturedBlock& block) = 0;
  /// One that was told before is needed again. For who keeps only what comes last.
  virtual void on_block_again(Position, const CapturedBlock&) {}
  /// Where the blocks it is told can be read back from. Null: nowhere.
  [[nodiscard]] virtual std::shared_ptr<BlockHome> block_home() { return nullptr; }
  virtual void on_mark(const HashMark& mark) = 0;
  /// Everything below `now` has been told: the history reaches at least this far.
  virtual void on_progress(Position now) = 0;
  /// What is told next is of that branch.
  virtual void on_branch(const BranchPoint& branch) = 0;
  /// A state that was passed, at the position of the last mark. Nobody needs it.
  virtual void on_key_frame(const KeyFrame&) {}
  /// The last thing told of a branch.
  virtual void on_finish(Position end, const Outcome& outcome) = 0;
};

class History {
 public:
  explicit History(BoardConfig board, u64 block_memory_bytes = BlockStore::kDefaultBudgetBytes);
  History(BoardConfig board, HistoryBegin begin, u64 block_memory_bytes = BlockStore::kDefaultBudgetBytes);
  /// A branch that leaves `parent` at `at`, which the parent has reached. The parent must outlive it.
  History(const History& parent, Position at);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  [[nodiscard]] const BoardConfig& board() const { return common_.board; }
  /// The first position of all branches, and how to get there.
  [[nodiscard]] const HistoryBegin& begin() const { return common_.begin; }
  [[nodiscard]] const Chain<Event>& events() const { return events_; }
  [[nodiscard]] const Chain<HashMark>& marks() const { return marks_; }
  /// Ascending; those that a trace has. They are no part of what happened.
  [[nodiscard]] const Chain<KeyFramePlace>& key_frames() const { return key_frames_; }
  /// The last of them at or before `at`; null if there is none.
  [[nodiscard]] const KeyFramePlace* key_frame_before(Position at) const;
  /// The first mark at or after `from`, as an index into marks().
  [[nodiscard]] std::size_t first_mark_at(Position from) const;
  /// The first event at or after `from`, as an index into events(); events().size() if there is none.
  [[nodiscard]] std::size_t first_event_at(Position from) const;
  [[nodiscard]] Position end() const { return end_; }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  /// Null: never captured. Throws Error(kIo) if it was spilled to the temporary file and cannot be read back.
  [[nodiscard]] std::shared_ptr<const PageBytes> block(u8 disk, u64 index) const {
    return common_.blocks.find(disk, index);
  }
  /// Room for a block that will be added.
  [[nodiscard]] std::shared_ptr<PageBytes> fresh_block() { return common_.blocks.fresh(); }
  [[nodiscard]] bool is_hole(u8 disk, u64 index) const { return common_.blocks.is_hole(disk, index); }
  [[nodiscard]] u64 block_count() const { return common_.blocks.count(); }

  /// `listener` may be null; it must outlive its use and is not told what was added before.
  void set_listener(HistoryListener* listener);
  /// Events and marks come at or above end(): what they say of a position comes after everything below it.
  void add_event(Event event);
  /// A block that this history needs from `before` on. One that is there already stays as it is; the listener is told
  /// nevertheless if it has not been, because another branch, with a listener of its own, had needed it first.
  void add_block(Position before, const CapturedBlock& block);
  /// All that another history knows, as if it had been captured before the beginning: nobody is told before it is
  /// needed.
  void know_blocks(const History& other);
  void add_mark(HashMark mark);
  void progress(Position now);
  /// The listener is told, and nothing is kept.
  void add_key_frame(const KeyFrame& frame);
  /// One that a trace has. Ascending, and behind those of the parent.
  void add_key_frame_place(KeyFramePlace place);
  /// From here on it is noted which blocks are needed. Null: it is not.
  void note_block_reads();
  [[nodiscard]] BlockReads* block_reads() { return block_reads_.get(); }
  void finish(Outcome outcome);
  /// Tells a listener all of it, as if it happened now, but how it ended.
  void retell(HistoryListener& listener) const;
  /// What is added from here on is told to it: a recording of its own, which has no block yet.
  void record_from_here(HistoryListener& listener);

 private:
  /// Of all branches.
  struct Common {
    Common(BoardConfig description, HistoryBegin first, u64 block_memory_bytes)
        : board(std::move(description)), begin(std::move(first)), blocks(block_memory_bytes) {}
    BoardConfig board;
    HistoryBegin begin;
    BlockStore blocks;
  };
  using BlockNames = std::unordered_set<u64>;  ///< By block_key.
  void reach(Position at);
  void retell_rest(HistoryListener& listener) const;

  std::unique_ptr<Common> own_;  ///< Null: the parent's.
  Common& common_;
  Chain<Event> events_;
  Chain<HashMark> marks_;
  Chain<KeyFramePlace> key_frames_;
  std::unique_ptr<BlockReads> block_reads_;
  Position end_;
  Outcome outcome_;
  HistoryListener* listener_ = nullptr;
  BlockNames own_told_;
  BlockNames* told_ = &own_told_;  ///< Which blocks the listener was told; that of the parent, if it is the parent's.
};

}  // namespace retrov
