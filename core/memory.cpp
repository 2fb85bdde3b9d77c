#include "core/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/check.hpp"

namespace retrov {

void Memory::Free::operator()(u8* bytes) const { std::free(bytes); }

Memory::Memory(PhysAddr base, u64 size_bytes)
    : base_(base),
      size_bytes_(size_bytes),
      // calloc and not new: untouched guest memory then costs no host memory.
      bytes_(static_cast<u8*>(std::calloc(size_bytes / kPageBytes, kPageBytes))),
      flags_(size_bytes / kPageBytes) {
  if (bytes_ == nullptr) {
    throw Error(Exit::kUnavailable, "no host memory for " + std::to_string(size_bytes >> 20) + " MiB of guest RAM");
  }
}

void Memory::read(PhysAddr address, std::span<u8> out) const {
  RV_CHECK(contains(address, out.size()));
  if (!out.empty()) std::memcpy(out.data(), host(offset_of(address)), out.size());
}

WriteEffect Memory::write(PhysAddr address, std::span<const u8> bytes, Writer who) {
  RV_CHECK(contains(address, bytes.size()));
  if (bytes.empty()) return WriteEffect::kNone;
  std::memcpy(host(offset_of(address)), bytes.data(), bytes.size());
  return written(address, bytes.size(), who);
}

WriteEffect Memory::written(PhysAddr address, u64 size_bytes, Writer who) {
  WriteEffect effect = WriteEffect::kNone;
  const u64 offset = offset_of(address);
  u8 flags = 0;
  for (u64 page = offset >> kPageShift; page <= (offset + size_bytes - 1) >> kPageShift; ++page) {
    flags |= flags_[page];
    mark_dirty(page);
  }
  if (listener_ != nullptr) {
    if ((flags & kCode) != 0 && listener_->code_written(offset, size_bytes)) effect = effect | WriteEffect::kCode;
    if ((flags & kPageTable) != 0 && listener_->page_table_written(offset, size_bytes, who)) {
      effect = effect | WriteEffect::kPageTable;
    }
    if (who == Writer::kDevice || who == Writer::kDebugger) {
      listener_->foreign_write(address, size_bytes, who);
    }
  }
  const bool overlaps_observed =
      address.value < observed_at_.value + observed_bytes_ && observed_at_.value < address.value + size_bytes;
  if ((flags & kObserved) != 0 && overlaps_observed && who == Writer::kHart) {
    observer_->ram_written(address, size_bytes);
    effect = effect | WriteEffect::kObserved;
  }
  return effect;
}

void Memory::flag_page(u64 page, PageFlag flag) {
  if ((flags_[page] & flag) != 0) return;
  flags_[page] = u8(flags_[page] | flag);
  if (listener_ != nullptr) listener_->flush_write_translations();
}

void Memory::mark_dirty(u64 page) {
  if ((flags_[page] & kDirty) != 0) return;
  flags_[page] |= kDirty;
  dirty_.push_back(static_cast<u32>(page));
}

void Memory::observe(PhysAddr address, u64 size_bytes, RamObserver* observer) {
  RV_CHECK(contains(address, size_bytes));
  observer_ = observer;
  observed_at_ = address;
  observed_bytes_ = size_bytes;
  const u64 first = offset_of(address);
  for (u64 page = first >> kPageShift; page <= (first + size_bytes - 1) >> kPageShift; ++page) {
    flag_page(page, kObserved);
  }
}

const PageTree& Memory::commit() {
  if (dirty_.empty()) return tree_;
  for (const u32 page : dirty_) {
    flags_[page] = u8(flags_[page] & ~kDirty);
    tree_.set(page, std::span<const u8, kPageBytes>(host(u64{page} << kPageShift), kPageBytes));
  }
  written_.insert(written_.end(), dirty_.begin(), dirty_.end());
  if (written_.size() > flags_.size()) (void)written_pages();  // To lose the doubles.
  dirty_.clear();
  if (listener_ != nullptr) listener_->flush_write_translations();
  return tree_;
}

const std::vector<u32>& Memory::written_pages() {
  std::sort(written_.begin(), written_.end());
  written_.erase(std::unique(written_.begin(), written_.end()), written_.end());
  return written_;
}

void Memory::restore(const PageTree& tree) {
  // What was written since the last commit is in no tree: those pages are put back by hand.
  for (const u32 page : dirty_) {
    flags_[page] = u8(flags_[page] & ~kDirty);
    replace_page(page, tree.find(page));
  }
  dirty_.clear();
  written_.clear();
  PageTree::diff(tree_, tree, [this](u64 page, const Page*, const Page* wanted) { replace_page(page, wanted); });
  tree_ = tree;
  if (listener_ != nullptr) listener_->flush_write_translations();
}

void Memory::replace_page(u64 page, const Page* content) {
  static constexpr PageBytes kZeros{};
  const u8* wanted = content == nullptr ? kZeros.data() : content->bytes.data();
  u8* bytes = host(page << kPageShift);
  if (std::memcmp(bytes, wanted, kPageBytes) == 0) return;
  std::memcpy(bytes, wanted, kPageBytes);
  if (listener_ == nullptr) return;
  if ((flags_[page] & kCode) != 0) listener_->code_written(page << kPageShift, kPageBytes);
}

}  // namespace retrov
