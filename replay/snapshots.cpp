#include "replay/snapshots.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hpp"

namespace retrov {

namespace {

/// On the heap, with what the allocator and the reference counts take.
constexpr u64 kPageCost = sizeof(Page) + 32;
/// A node of a tree: 256 children (core/page_tree.hpp). To change a page is to copy one node on each of four levels.
constexpr u64 kNodeCost = 256 * sizeof(PagePointer) + 32;
constexpr unsigned kLevels = 4;
constexpr unsigned kLevelBits = 8;

/// Of what `tree` has and `before` has not.
u64 tree_bytes(const PageTree& before, const PageTree& tree) {
  std::array<u64, kLevels> last;
  last.fill(~u64{0});
  u64 bytes = 0;
  PageTree::diff(before, tree, [&](u64 index, const Page*, const Page* page) {
    if (page != nullptr) bytes += kPageCost;
    for (u64& node : last) {
      index >>= kLevelBits;
      if (node == index) break;
      node = index;
      bytes += kNodeCost;
    }
  });
  return bytes;
}

u64 own_bytes(const Snapshot& snapshot, const Snapshot* before) {
  u64 bytes = sizeof(KeptSnapshot);
  for (const auto& component : snapshot.components) bytes += sizeof component + component.capacity();
  bytes += snapshot.touched.pages.size() * sizeof(u32) + snapshot.touched.satps.size() * sizeof(u64);
  static const PageTree kEmpty;
  for (std::size_t i = 0; i < snapshot.trees.size(); ++i) {
    bytes += tree_bytes(before != nullptr ? before->trees[i] : kEmpty, snapshot.trees[i]);
  }
  return bytes;
}

}  // namespace

SnapshotStore::SnapshotStore(SnapshotStore& parent, Position from)
    : parent_(&parent), root_(parent.root_), from_(from) {
  root_->members_.push_back(this);
}

SnapshotStore::~SnapshotStore() {
  if (root_ == this) return;
  for (auto& [at, entry] : kept_) set_cost(entry, 0);
  std::erase(root_->members_, this);
}

KeptPointer SnapshotStore::at_or_before(Position at) const {
  const auto after = kept_.upper_bound(at);
  if (after != kept_.begin()) return std::prev(after)->second.snapshot;
  return parent_ != nullptr ? parent_->at_or_before(std::min(at, from_)) : nullptr;
}

void SnapshotStore::keep(KeptPointer snapshot) {
  const Position at = snapshot->machine.at;
  if (parent_ != nullptr && at <= from_) return parent_->keep(std::move(snapshot));
  const auto [entry, added] = kept_.try_emplace(at, Entry{std::move(snapshot), 0});
  if (!added) return;
  recount(entry);
  if (std::next(entry) != kept_.end()) recount(std::next(entry));
  root_->trim(at, 0);
}

void SnapshotStore::make_room(std::size_t pages, Position cursor) {
  root_->trim(cursor, pages * kPageCost + (kLevels + pages / 256) * kNodeCost);
}

std::vector<KeptPointer> SnapshotStore::release() {
  std::vector<KeptPointer> released;
  while (kept_.size() > 1) {
    const auto entry = std::next(kept_.begin());
    set_cost(entry->second, 0);
    released.push_back(std::move(entry->second.snapshot));
    kept_.erase(entry);
  }
  return released;
}

void SnapshotStore::lend(u64 bytes) {
  root_->lent_bytes_ = bytes;
  root_->trim(root_->kept_.rbegin()->first, 0);
}

SnapshotStore::Totals SnapshotStore::totals() const {
  Totals totals{root_->members_.size(), 0, root_->bytes_, root_->budget_bytes_};
  for (const SnapshotStore* member : root_->members_) totals.count += member->kept_.size();
  return totals;
}

std::vector<Position> SnapshotStore::positions() const {
  std::vector<Position> all;
  if (parent_ != nullptr) {
    all = parent_->positions();
    std::erase_if(all, [this](Position at) { return at > from_; });
  }
  for (const auto& [at, entry] : kept_) all.push_back(at);
  return all;
}

const KeptSnapshot* SnapshotStore::before(Entries::const_iterator entry) const {
  if (entry != kept_.begin()) return std::prev(entry)->second.snapshot.get();
  return parent_ != nullptr ? parent_->at_or_before(from_).get() : nullptr;
}

void SnapshotStore::set_cost(Entry& entry, u64 bytes) {
  root_->bytes_ += bytes - entry.cost_bytes;
  entry.cost_bytes = bytes;
}

void SnapshotStore::recount(Entries::iterator entry) {
  const KeptSnapshot* previous = before(entry);
  const Snapshot& machine = entry->second.snapshot->machine;
  set_cost(entry->second, own_bytes(machine, previous != nullptr ? &previous->machine : nullptr));
}

void SnapshotStore::drop(Entries::iterator entry) {
  RV_CHECK(parent_ != nullptr || entry != kept_.begin());
  set_cost(entry->second, 0);
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
void SnapshotStore::look_for_least_useful(Position cursor, Nearest nearest, Candidate& best) {
  const auto cursor_or_behind = kept_.lower_bound(cursor);
  for (auto entry = kept_.begin(); entry != kept_.end(); ++entry) {
    const Position at = entry->first;
    const KeptSnapshot* previous = before(entry);
    const auto next = std::next(entry);
    if (nearest == Nearest::kSpared && next == cursor_or_behind) continue;
    // What somebody holds would not go, nor would what a copy takes the place of (drop). The one at the cursor is held
    // by whoever has just taken it.
    const bool is_held =
        entry->second.snapshot.use_count() > 1 ||
        (next != kept_.end() && next->first != cursor && next->second.snapshot.use_count() > 1);
    if (previous == nullptr || at == cursor || is_held) continue;
    const u64 end = next != kept_.end() ? next->first.steps : at.steps + 1;
    const u128 gap = end - previous->machine.at.steps;
    const u128 distance = (at > cursor ? at.steps - cursor.steps : cursor.steps - at.steps) + 1;
    if (best.store == nullptr || gap * best.distance < best.gap * distance) best = {this, entry, gap, distance};
  }
}

/// Of the root. The one at the cursor goes last, and that before it last but one: where there is room for so few, the
/// measure would let it go, and then soon the other, because two that are far from each other share less.
void SnapshotStore::trim(Position cursor, u64 more_bytes) {
  const u64 most = budget_bytes_ - std::min(budget_bytes_, lent_bytes_);
  while (bytes_ + more_bytes > most) {
    Candidate least;
    for (const Nearest nearest : {Nearest::kSpared, Nearest::kToo}) {
      if (least.store != nullptr) break;
      for (SnapshotStore* member : members_) member->look_for_least_useful(cursor, nearest, least);
    }
    for (auto member = members_.begin(); least.store == nullptr && member != members_.end(); ++member) {
      const auto entry = (*member)->kept_.find(cursor);
      if (entry != (*member)->kept_.end() && (*member)->before(entry) != nullptr) least = {*member, entry, 0, 1};
    }
    if (least.store == nullptr) return;
    least.store->drop(least.entry);
  }
}

}  // namespace retrov
