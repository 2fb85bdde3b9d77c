// Snapshots of one history, by position. A cache and nothing more: any but the first may be missing, and nothing
// changes but speed. They live under a budget of bytes and thin out with distance from where the session stands.
//
// Must stay true: the snapshot of the first position is never dropped, so every position can be reached.
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
  explicit SnapshotStore(u64 budget_bytes) : budget_bytes_(budget_bytes) {}

  /// Does nothing if there is one at that position already. May drop others to keep to the budget.
  void keep(KeptPointer snapshot);
  /// The nearest at or before `at`; stays valid while it is held. Never null once the first has been kept.
  [[nodiscard]] KeptPointer at_or_before(Position at) const;
  /// Keeps those of `other` that lie at or before `at`, too.
  void share(const SnapshotStore& other, Position at);
  /// Hands over all but the first.
  [[nodiscard]] std::vector<KeptPointer> release();
  [[nodiscard]] std::size_t count() const { return kept_.size(); }
  /// What they hold beyond each other, roughly.
  [[nodiscard]] u64 bytes() const { return bytes_; }

 private:
  struct Entry {
    KeptPointer snapshot;
    u64 cost_bytes = 0;  ///< Of what differs from the one before.
  };
  using Entries = std::map<Position, Entry>;
  void drop(Entries::iterator entry);
  void recount(Entries::iterator entry);
  [[nodiscard]] Entries::iterator least_useful(Position cursor);

  u64 budget_bytes_;
  u64 bytes_ = 0;
  Entries kept_;
};

}  // namespace retrov
