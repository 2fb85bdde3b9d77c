#include "core/page_tree.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/state.hpp"

namespace retrov {

namespace {

/// Spreads (index, content hash) so that the sum over pages is as good as a hash of the whole (splitmix64's finisher).
u64 page_term(u64 index, u64 content_hash) {
  u64 mixed = content_hash + 0x9e3779b97f4a7c15 * (index + 1);
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

bool all_zero(std::span<const u8, kPageBytes> bytes) {
  return bytes[0] == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

constexpr unsigned child_index(u64 index, unsigned level, unsigned fan_out_bits) {
  return unsigned(index >> (level * fan_out_bits)) & ((1u << fan_out_bits) - 1);
}

}  // namespace

const Page* PageTree::find(u64 index) const {
  const void* node = root_.get();
  for (unsigned level = kLevels; node != nullptr && level-- > 0;) {
    node = static_cast<const Node*>(node)->children[child_index(index, level, kFanOutBits)].get();
  }
  return static_cast<const Page*>(node);
}

PagePointer PageTree::share(u64 index) const {
  Child node = root_;
  for (unsigned level = kLevels; node != nullptr && level-- > 0;) {
    node = static_cast<const Node*>(node.get())->children[child_index(index, level, kFanOutBits)];
  }
  return std::static_pointer_cast<const Page>(node);
}

PagePointer PageTree::make_page(std::span<const u8, kPageBytes> bytes) {
  if (all_zero(bytes)) return nullptr;
  auto fresh = std::make_shared<Page>();
  std::copy(bytes.begin(), bytes.end(), fresh->bytes.begin());
  fresh->hash = hash_bytes(bytes);
  return fresh;
}

void PageTree::set(u64 index, std::span<const u8, kPageBytes> bytes) {
  const Page* old = find(index);
  const bool same = old != nullptr ? std::equal(bytes.begin(), bytes.end(), old->bytes.begin()) : all_zero(bytes);
  if (!same) put(index, make_page(bytes));
}

void PageTree::put(u64 index, PagePointer page) {
  RV_CHECK(index >> (kLevels * kFanOutBits) == 0);
  if (page != nullptr) {
    hash_ += page_term(index, page->hash);
    ++page_count_;
  }
  PagePointer old;
  root_ = replace(std::move(root_), kLevels, index, std::move(page), old);
  if (old != nullptr) {
    hash_ -= page_term(index, old->hash);
    --page_count_;
  }
}

/// A node that nobody else holds is changed in place: between two snapshots a path is copied once, however many of its
/// pages change.
PageTree::Child PageTree::replace(Child node, unsigned level, u64 index, PagePointer page, PagePointer& old) {
  if (level == 0) {
    old = std::static_pointer_cast<const Page>(std::move(node));
    return page;
  }
  std::shared_ptr<Node> mine;
  if (node == nullptr) {
    if (page == nullptr) return nullptr;
    mine = std::make_shared<Node>();
  } else if (node.use_count() == 1) {
    // Another thread may just have dropped its copy: what it read, it has read before this changes it.
    std::atomic_thread_fence(std::memory_order_acquire);
    mine = std::const_pointer_cast<Node>(std::static_pointer_cast<const Node>(std::move(node)));
  } else {
    mine = std::make_shared<Node>(*static_cast<const Node*>(node.get()));
  }
  node.reset();
  Child& child = mine->children[child_index(index, level - 1, kFanOutBits)];
  child = replace(std::move(child), level - 1, index, std::move(page), old);
  return mine;
}

void PageTree::diff(const PageTree& a, const PageTree& b, const DiffVisit& visit) {
  diff_nodes(a.root_, b.root_, kLevels, 0, visit);
}

void PageTree::diff_nodes(const Child& a, const Child& b, unsigned level, u64 base, const DiffVisit& visit) {
  if (a == b) return;
  if (level == 0) {
    visit(base, static_cast<const Page*>(a.get()), static_cast<const Page*>(b.get()));
    return;
  }
  static const Child kNothing;
  for (unsigned i = 0; i < kFanOut; ++i) {
    const Child& child_a = a == nullptr ? kNothing : static_cast<const Node*>(a.get())->children[i];
    const Child& child_b = b == nullptr ? kNothing : static_cast<const Node*>(b.get())->children[i];
    diff_nodes(child_a, child_b, level - 1, base | u64{i} << ((level - 1) * kFanOutBits), visit);
  }
}

u64 PageTree::end_of(const Child& node, unsigned level) {
  if (node == nullptr) return 0;
  if (level == 0) return 1;
  for (unsigned i = kFanOut; i-- > 0;) {
    const u64 within = end_of(static_cast<const Node*>(node.get())->children[i], level - 1);
    if (within != 0) return (u64{i} << ((level - 1) * kFanOutBits)) + within;
  }
  return 0;
}

void PageTree::for_each(const Visit& visit) const { visit_nodes(root_, kLevels, 0, visit); }

void PageTree::visit_nodes(const Child& node, unsigned level, u64 base, const Visit& visit) {
  if (node == nullptr) return;
  if (level == 0) {
    visit(base, *static_cast<const Page*>(node.get()));
    return;
  }
  for (unsigned i = 0; i < kFanOut; ++i) {
    visit_nodes(static_cast<const Node*>(node.get())->children[i], level - 1,
                base | u64{i} << ((level - 1) * kFanOutBits), visit);
  }
}

}  // namespace retrov
