// Snapshots of one history, by position. A cache and nothing more: any but the first may be missing, and nothing
// changes but speed. They live under a budget of bytes and thin out with distance from where the session stands. Lines
// of history that leave one another share what they have in common, and the budget.
//
// Must stay true: the snapshot of the first position is never dropped, so every position can be reached. All others
// together with it keep to the budget, if it is large enough for the first.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/machine.hpp"
#include "replay/output_log.hpp"

namespace retrov {

/// How often snapshots are taken while running. All but kAuto exist for tests: the result must not depend on it.
enum class SnapshotPolicy : u8 { kAuto, kNone, kEvery, kRandom };

inline constexpr u64 kSnapshotBudgetBytes = u64{512} << 20;

struct SnapshotOptions {
  SnapshotPolicy policy = SnapshotPolicy::kAuto;
  u64 budget_bytes = kSnapshotBudgetBytes;
  u64 distance_steps = 100'000;  ///< kEvery; the mean for kRandom.
  u64 random_seed = 1;           ///< kRandom.
};

struct KeptSnapshot {
  Snapshot machine;
  ConsoleTally console;  ///< Output of the steps before it.
};
using KeptPointer = std::shared_ptr<const KeptSnapshot>;

class SnapshotStore {
 public:
  explicit SnapshotStore(u64 budget_bytes) : root_(this), budget_bytes_(budget_bytes) { members_.push_back(this); }
  /// Of a line of history that leaves that of `parent` at `from`: what lies there or before is the parent's, which must
  /// outlive it, and one budget is for all.
  SnapshotStore(SnapshotStore& parent, Position from);
  ~SnapshotStore();
  SnapshotStore(const SnapshotStore&) = delete;
  SnapshotStore& operator=(const SnapshotStore&) = delete;

  /// Does nothing if there is one at that position already. Drops others, or this one, to keep to the budget.
  void keep(KeptPointer snapshot);
  /// Before a snapshot for which so many pages are to be copied: that one, and what is kept, will keep to the budget.
  void make_room(std::size_t pages, Position cursor);
  /// The nearest at or before `at`; stays valid while it is held. Never null once the first has been kept.
  [[nodiscard]] KeptPointer at_or_before(Position at) const;
  /// Hands over all but the first. Of a store without parent.
  [[nodiscard]] std::vector<KeptPointer> release();
  /// So much of the budget is somebody else's from here on. A later call replaces the one before.
  void lend(u64 bytes);

  struct Totals {
    std::size_t lines = 0;
    std::size_t count = 0;
    u64 bytes = 0;  ///< What they hold beyond each other; pages that the machine still has are among it.
    u64 budget_bytes = 0;
  };
  /// Of all lines that share the budget.
  [[nodiscard]] Totals totals() const;
  /// Of all that at_or_before() may return, ascending.
  [[nodiscard]] std::vector<Position> positions() const;

 private:
  struct Entry {
    KeptPointer snapshot;
    u64 cost_bytes = 0;  ///< Of what differs from the one before.
  };
  using Entries = std::map<Position, Entry>;
  /// What may be dropped, and how little that would hurt.
  struct Candidate {
    SnapshotStore* store = nullptr;
    Entries::iterator entry;
    u128 gap = 0;
    u128 distance = 1;
  };
  [[nodiscard]] const KeptSnapshot* before(Entries::const_iterator entry) const;
  void set_cost(Entry& entry, u64 bytes);
  void drop(Entries::iterator entry);
  void recount(Entries::iterator entry);
  /// The last before the cursor: what a step back from there needs.
  enum class Nearest : bool { kSpared, kToo };
  void look_for_least_useful(Position cursor, Nearest nearest, Candidate& best);
  void trim(Position cursor, u64 more_bytes);

  SnapshotStore* parent_ = nullptr;
  SnapshotStore* root_;  ///< Of the line that all others come from; itself, of that one.
  Position from_;        ///< Where it leaves its parent.
  Entries kept_;
  // Of the root, for all:
  std::vector<SnapshotStore*> members_;
  u64 budget_bytes_ = 0;
  u64 lent_bytes_ = 0;
  u64 bytes_ = 0;
};

}  // namespace retrov
