// A machine that can be anywhere in a history: a cursor, its replayer and the snapshots that make going back cheap.
// Going anywhere is "restore the nearest snapshot at or before, then run".
//
// Must stay true: where a move ends, and in which state, depends on the history alone; snapshots decide only how long
// it takes. The cursor always stands at a valid position, however a move ends.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "core/machine.hpp"
#include "replay/drive.hpp"
#include "replay/history.hpp"
#include "replay/output_log.hpp"
#include "replay/replayer.hpp"
#include "replay/snapshots.hpp"

namespace retrov {

/// What running has cost, for people.
struct Effort {
  u64 steps = 0;
  u64 cpu_ns = 0;
};

/// What a seek is for. kStay: somebody will look around there and step back, so a place right behind a key frame is
/// entered by an earlier one, if there is one not too far before: the run from there leaves snapshots on the way.
enum class Visit : bool { kPass, kStay };

class Timeline {
 public:
  /// All must outlive it. The machine stands at the first position of the history, freshly powered on.
  Timeline(const History& history, Machine& machine, OutputLog& output, const SnapshotOptions& options);
  /// Of a history that has all in common with that of `other` below `at`. The machine may stand anywhere; if it is not
  /// in this history, return_to() comes before anything else.
  Timeline(const History& history, Timeline& other, Position at);

  [[nodiscard]] Position now() const { return machine_.position(); }
  [[nodiscard]] Position begin() const { return history_.begin().at; }
  [[nodiscard]] Position end() const { return history_.end(); }

  /// Drives the machine, and takes snapshots on the way as their cost allows.
  Halt run(InputSource& source, Position limit, StopSet* stops, const std::atomic<bool>& interrupted);
  /// The same with the history as source: at most up to its end.
  Halt run_history(Position limit, StopSet* stops, const std::atomic<bool>& interrupted);
  /// Goes to exactly that position of the history. False if it was interrupted on the way. Throws Error (kDivergence)
  /// if the machine does not get there.
  bool seek(Position target, const std::atomic<bool>& interrupted, Visit visit = Visit::kPass);
  /// The same for a machine whose present state is of no use: something failed in its step, or it is that of another
  /// history.
  bool return_to(Position target, const std::atomic<bool>& interrupted);

  /// Before hashes are made of all pages, which copies those that are dirty: so that the budget holds meanwhile.
  void make_room() { store_.make_room(machine_.memory().dirty_pages().size(), now()); }
  /// A snapshot of the present state; kept in the store unless the policy is kNone.
  KeptPointer take_snapshot();
  /// The same for the caller alone.
  KeptPointer unkept_snapshot();
  void restore(const KeptPointer& snapshot);
  /// The nearest snapshot before `at` (which is not the first position), or key frame of the history.
  [[nodiscard]] KeptPointer snapshot_before(Position at);
  /// A snapshot of the present state that says what was touched since the last one that was taken in this way, as far
  /// as that is known. Not for the store.
  [[nodiscard]] KeptPointer snapshot_for_key_frame();
  [[nodiscard]] const SnapshotStore& snapshots() const { return store_; }
  /// Puts one of this history that another timeline took into the store, unless the policy is kNone.
  void keep(KeptPointer snapshot);
  /// The snapshots in the store but the first; they are kept no longer.
  [[nodiscard]] std::vector<KeptPointer> release_snapshots() { return store_.release(); }
  /// For a timeline beside this one, in the same history, that hands over what it keeps: with a part of the budget,
  /// which is its own from here on.
  [[nodiscard]] SnapshotOptions lend_to_side();
  /// The longest way that a seek may have to run, from its snapshot or key frame.
  struct WorstSeek {
    Position from;
    u64 steps = 0;
  };
  [[nodiscard]] WorstSeek worst_seek() const;
  [[nodiscard]] const Effort& effort() const { return effort_; }
  /// Key frames that were to be used and could not be.
  [[nodiscard]] std::size_t refused_key_frames() const { return refused_.size(); }
  /// Called about every 50 ms of host time during long moves. May be empty; must not move the timeline.
  void set_progress(std::function<void()> progress) { progress_ = std::move(progress); }
  /// For whoever waits in the middle of a move: calls it if it is due.
  void report_progress();

 private:
  [[nodiscard]] Position slice_end(Position limit);
  void after_slice(Position from, u64 cpu_before);
  void plan_next();
  void gather(const Touched& touched, Position to);
  [[nodiscard]] const KeyFramePlace* key_frame_between(Position from, Position to) const;
  [[nodiscard]] Position latest_way_in(Position target, Visit visit) const;
  bool enter_key_frame(const KeyFramePlace& place);

  const History& history_;
  Machine& machine_;
  OutputLog& output_;
  SnapshotOptions options_;
  Replayer replayer_;
  SnapshotStore store_;
  std::function<void()> progress_;
  u64 progress_at_ns_ = 0;
  u64 slice_steps_;
  Effort effort_;
  // kAuto
  u64 cpu_since_snapshot_ns_ = 0;
  u64 snapshot_cost_ns_ = 0;
  Position snapshot_at_;  ///< What cpu_since_snapshot_ns_ counts from.
  // kEvery, kRandom
  Position next_snapshot_;
  u64 random_;
  /// Of the stretch that ends at gathered_to_: what the snapshots in it have touched.
  Touched gathered_;
  Position gathered_to_;
  std::set<Position> refused_;  ///< Key frames that are none.
};

}  // namespace retrov
