#include "replay/history.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "replay/key_frame.hpp"

namespace retrov {

namespace {

/// Index of the first item whose position does not lie before `from`.
template <class T>
std::size_t first_at(const Chain<T>& items, Position from) {
  std::size_t low = 0;
  std::size_t high = items.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (items[middle].at < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

bool is_branch_name(std::string_view name) {
  constexpr std::size_t kMostBytes = 64;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= kMostBytes && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

History::History(BoardConfig board, u64 block_memory_bytes) : History(std::move(board), {}, block_memory_bytes) {}

History::History(BoardConfig board, HistoryBegin begin, u64 block_memory_bytes)
    : own_(std::make_unique<Common>(std::move(board), std::move(begin), block_memory_bytes)),
      common_(*own_),
      end_(common_.begin.at) {}

// What a mark says of a state still holds where another input than the recorded one comes next.
History::History(const History& parent, Position at)
    : common_(parent.common_),
      events_(parent.events_, parent.first_event_at(at)),
      marks_(parent.marks_, first_at(parent.marks_, Position{at.steps + 1})),
      key_frames_(parent.key_frames_, first_at(parent.key_frames_, Position{at.steps + 1})),
      end_(at),
      told_(parent.told_) {
  RV_CHECK(at >= parent.begin().at && at <= parent.end_);
}

History::~History() = default;

const KeyFramePlace* History::key_frame_before(Position at) const {
  const std::size_t behind = first_at(key_frames_, Position{at.steps + 1});
  return behind == 0 ? nullptr : &key_frames_[behind - 1];
}

std::size_t History::first_mark_at(Position from) const { return first_at(marks_, from); }

std::size_t History::first_event_at(Position from) const { return first_at(events_, from); }

void History::set_listener(HistoryListener* listener) {
  listener_ = listener;
  common_.blocks.set_home(listener != nullptr ? listener->block_home() : nullptr);
}

void History::reach(Position at) { end_ = std::max(end_, at); }

void History::add_event(Event event) {
  RV_CHECK(!event.batch.inputs.empty());
  RV_CHECK(event.at >= end_ && (events_.empty() || event.at > events_.back().at));
  reach(event.at);
  events_.push_back(std::move(event));
  if (listener_ != nullptr) listener_->on_event(events_.back());
}

void History::add_block(Position before, const CapturedBlock& block) {
  if (block_reads_ != nullptr) block_reads_->note({block.disk, block.index});
  const bool is_new = common_.blocks.put(block.disk, block.index, block.bytes);
  const bool to_tell = listener_ != nullptr && told_->insert(block_key(block.disk, block.index)).second;
  if (is_new || to_tell) reach(before);
  if (to_tell) {
    listener_->on_block(before, block);
  } else if (listener_ != nullptr) {
    listener_->on_block_again(before, block);
  }
}

void History::know_blocks(const History& other) {
  other.common_.blocks.for_each([this](u8 disk, u64 index, const std::shared_ptr<const PageBytes>& bytes) {
    (void)common_.blocks.put(disk, index, bytes);
  });
}

void History::add_mark(HashMark mark) {
  RV_CHECK(mark.at >= end_);
  reach(mark.at);
  marks_.push_back(std::move(mark));
  if (listener_ != nullptr) listener_->on_mark(marks_.back());
}

void History::progress(Position now) {
  reach(now);
  if (listener_ != nullptr) listener_->on_progress(now);
}

void History::add_key_frame(const KeyFrame& frame) {
  if (listener_ != nullptr) listener_->on_key_frame(frame);
}

void History::add_key_frame_place(KeyFramePlace place) {
  RV_CHECK(key_frames_.empty() || place.at > key_frames_.back().at);
  key_frames_.push_back(std::move(place));
}

void History::note_block_reads() { block_reads_ = std::make_unique<BlockReads>(end_); }

void History::finish(Outcome outcome) {
  outcome_ = std::move(outcome);
  if (listener_ != nullptr) listener_->on_finish(end_, outcome_);
}

void History::retell(HistoryListener& listener) const {
  // First, because nobody knows any longer which step needed them, and too early does no harm.
  common_.blocks.for_each([&](u8 disk, u64 index, const std::shared_ptr<const PageBytes>& bytes) {
    listener.on_block(begin().at, CapturedBlock{disk, index, bytes});
  });
  retell_rest(listener);
}

void History::record_from_here(HistoryListener& listener) {
  told_ = &own_told_;
  listener_ = &listener;
}

void History::retell_rest(HistoryListener& listener) const {
  std::size_t mark = 0;
  const auto tell_marks_to = [&](Position at) {
    for (; mark < marks_.size() && marks_[mark].at <= at; ++mark) listener.on_mark(marks_[mark]);
  };
  for (const Event& event : events_) {
    tell_marks_to(event.at);
    listener.on_event(event);
  }
  tell_marks_to(end_);
  listener.on_progress(end_);
}

}  // namespace retrov
