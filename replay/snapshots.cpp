#include "replay/snapshots.hpp"

#include <utility>

#include "core/check.hpp"

namespace retrov {

namespace {

/// A page, and its share of the tree's nodes.
constexpr u64 kBytesPerPage = kPageBytes + kPageBytes / 2;

u64 own_bytes(const Snapshot& snapshot, const Snapshot* before) {
  u64 bytes = sizeof(Snapshot);
  for (const auto& component : snapshot.components) bytes += component.size();
  bytes += snapshot.touched.pages.size() * sizeof(u32) + snapshot.touched.satps.size() * sizeof(u64);
  static const PageTree kEmpty;
  for (std::size_t i = 0; i < snapshot.trees.size(); ++i) {
    const PageTree& other = before != nullptr ? before->trees[i] : kEmpty;
    PageTree::diff(other, snapshot.trees[i],
                   [&bytes](u64, const Page*, const Page* page) { bytes += page != nullptr ? kBytesPerPage : 0; });
  }
  return bytes;
}

}  // namespace

KeptPointer SnapshotStore::at_or_before(Position at) const {
  const auto after = kept_.upper_bound(at);
  return after == kept_.begin() ? nullptr : std::prev(after)->second.snapshot;
}

void SnapshotStore::keep(KeptPointer snapshot) {
  const Position at = snapshot->machine.at;
  const auto [entry, added] = kept_.try_emplace(at, Entry{std::move(snapshot), 0});
  if (!added) return;
  recount(entry);
  if (std::next(entry) != kept_.end()) recount(std::next(entry));
  while (bytes_ > budget_bytes_ && kept_.size() > 2) drop(least_useful(at));
}

void SnapshotStore::share(const SnapshotStore& other, Position at) {
  for (auto entry = other.kept_.begin(); entry != other.kept_.end() && entry->first <= at; ++entry) {
    keep(entry->second.snapshot);
  }
}

std::vector<KeptPointer> SnapshotStore::release() {
  std::vector<KeptPointer> released;
  while (kept_.size() > 1) {
    const auto entry = std::next(kept_.begin());
    bytes_ -= entry->second.cost_bytes;
    released.push_back(std::move(entry->second.snapshot));
    kept_.erase(entry);
  }
  return released;
}

void SnapshotStore::recount(Entries::iterator entry) {
  bytes_ -= entry->second.cost_bytes;
  const Snapshot* before =
      entry == kept_.begin() ? nullptr : &std::prev(entry)->second.snapshot->machine;
  entry->second.cost_bytes = own_bytes(entry->second.snapshot->machine, before);
  bytes_ += entry->second.cost_bytes;
}

void SnapshotStore::drop(Entries::iterator entry) {
  RV_CHECK(entry != kept_.begin());
  bytes_ -= entry->second.cost_bytes;
  const KeptPointer gone = std::move(entry->second.snapshot);
  const auto next = kept_.erase(entry);
  if (next == kept_.end()) return;
  // What was touched on the way to it is now part of the way to the next.
  auto longer = std::make_shared<KeptSnapshot>(*next->second.snapshot);
  if (longer->machine.touched.since <= gone->machine.at) longer->machine.touched.absorb(gone->machine.touched);
  next->second.snapshot = std::move(longer);
  recount(next);
}

/// The one whose loss lengthens the way from its neighbour least, measured by its distance: at twice the distance gaps
/// may be twice as long, so a session keeps logarithmically many for each power of two it looks back.
SnapshotStore::Entries::iterator SnapshotStore::least_useful(Position cursor) {
  auto best = kept_.end();
  u128 best_gap = 0;
  u128 best_distance = 1;
  for (auto entry = std::next(kept_.begin()); entry != kept_.end(); ++entry) {
    const Position at = entry->first;
    if (at == cursor) continue;
    const auto next = std::next(entry);
    const u64 end = next != kept_.end() ? next->first.steps : at.steps + 1;
    const u128 gap = end - std::prev(entry)->first.steps;
    const u128 distance = (at > cursor ? at.steps - cursor.steps : cursor.steps - at.steps) + 1;
    if (best == kept_.end() || gap * best_distance < best_gap * distance) {
      best = entry;
      best_gap = gap;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace retrov
