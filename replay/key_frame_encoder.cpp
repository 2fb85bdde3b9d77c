#include "replay/key_frame_encoder.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "replay/compress.hpp"

namespace retrov {

namespace {

/// Of a piece of a key frame, raw.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr u64 kLastNumber = ~u32{0};

}  // namespace

/// As if there had been a key frame at power-on.
void KeyFrameEncoder::begin(const KeyFrame& frame) {
  tree_numbers_.resize(frame.state->machine.trees.size());
  trees_.resize(tree_numbers_.size());
  trees_.front() = frame.initial_ram;
  frame.initial_ram.for_each([this](u64 index, const Page& page) {
    numbers_.try_emplace(fingerprint(page.bytes, seed_), ++last_number_);
    tree_numbers_.front().set(index, last_number_);
  });
}

u32 KeyFrameEncoder::number_of(const Page& page) {
  const auto [entry, is_new] = numbers_.try_emplace(fingerprint(page.bytes, seed_), last_number_ + 1);
  if (!is_new) return entry->second;
  ++last_number_;
  pages_.insert(pages_.end(), page.bytes.begin(), page.bytes.end());
  if (pages_.size() == kPagesPerFrame * kPageBytes) emit_pages();
  return last_number_;
}

void KeyFrameEncoder::emit_pages() {
  if (pages_.empty()) return;
  wanted_ = wanted_ && (*emit_)(FrameKind::kPages, pack_payload(pages_), needed_);
  pages_.clear();
}

void KeyFrameEncoder::encode(const KeyFrame& frame, u64 branch, const Emit& emit) {
  const Snapshot& machine = frame.state->machine;
  if (!wanted_) return;
  if (trees_.empty()) begin(frame);
  RV_CHECK(machine.trees.size() == trees_.size());
  u64 pages = 0;
  for (const PageTree& tree : machine.trees) pages += tree.page_count();
  const bool fits = pages <= kMaxKeyFramePages && last_number_ + pages <= kLastNumber &&
                    frame.blocks.size() <= kMaxKeyFrameBlocks && machine.touched.pages.size() <= kMaxKeyFramePages;
  if (!fits) return;
  emit_ = &emit;
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    PageTree::diff(trees_[i], machine.trees[i], [&](u64 index, const Page*, const Page* page) {
      tree_numbers_[i].set(index, page != nullptr ? number_of(*page) : 0);
    });
    trees_[i] = machine.trees[i];
  }
  emit_pages();
  const std::vector<u8> body = encode_key_frame(frame, branch, tree_numbers_);
  if (body.size() > kMaxKeyFrameBytes) return;
  for (std::size_t done = 0; wanted_ && done < body.size();) {
    const std::size_t size_bytes = std::min(kPieceBytes, body.size() - done);
    const bool is_last = done + size_bytes == body.size();
    std::vector<u8> payload{is_last ? u8{1} : u8{0}};
    payload.insert(payload.end(), body.begin() + static_cast<std::ptrdiff_t>(done),
                   body.begin() + static_cast<std::ptrdiff_t>(done + size_bytes));
    wanted_ = emit(FrameKind::kKeyFrame, pack_payload(payload), needed_);
    done += size_bytes;
  }
  needed_ = Needed::kNo;
}

}  // namespace retrov
