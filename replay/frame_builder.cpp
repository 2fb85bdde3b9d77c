#include "replay/frame_builder.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "replay/trace_codec.hpp"

namespace retrov {

namespace {

/// An open frame is closed at this size: large enough to compress well, small enough to read little for one thing.
constexpr std::size_t kFullPayloadBytes = std::size_t{256} << 10;

/// One byte, again and again: what nobody has written to a disk. Compressing it costs nothing.
bool is_plain(const PageBytes& block) { return std::equal(block.begin() + 1, block.end(), block.begin()); }

[[noreturn]] void refuse(const std::string& what) { throw Error(Exit::kIo, what); }

}  // namespace

void FrameBuilder::append(FrameKind kind, Position at, std::span<const u8> payload) {
  append_frame(frames_, offset_ + frames_.size(), kind, at, payload);
}

void FrameBuilder::close() {
  if (!open_) return;
  const std::size_t begin = *open_;
  if (kind_ == FrameKind::kBlocks && 2 * plain_blocks_ < open_blocks_.size()) {
    // To compress them would take longer than all else together; `pack` does.
    const u64 offset = offset_ + begin;
    end_stored_frame(frames_, begin, offset, kind_, 0, first_);
    for (const auto& [disk, index, at] : open_blocks_) {
      stored_blocks_.push_back({disk, index, offset + kFrameHeaderBytes + at});
    }
  } else {
    const PackedPayload packed = pack_payload(std::span(frames_).subspan(begin + kFrameHeaderBytes));
    frames_.resize(begin);
    append_packed_frame(frames_, offset_ + begin, kind_, first_, packed);
  }
  open_.reset();
  open_blocks_.clear();
  plain_blocks_ = 0;
}

Position FrameBuilder::open(FrameKind kind, Position& at) {
  at = std::max(at, reached_);
  if (at > kMaxPosition) refuse("a trace cannot hold positions beyond 2^62");
  if (kind != kind_ || payload_bytes() >= kFullPayloadBytes) close();
  if (!open_) {
    open_ = begin_stored_frame(frames_);
    kind_ = kind;
    first_ = at;
    reached_ = at;
  }
  return std::exchange(reached_, at);
}

void FrameBuilder::add_event(const Event& event) {
  RV_CHECK(event.at >= reached_ && !event.batch.inputs.empty() && event.batch.wake <= kMaxWake);
  inputs_ += event.batch.inputs.size();
  if (inputs_ > kMaxInputs) refuse("a trace cannot hold more than " + std::to_string(kMaxInputs) + " inputs");
  std::vector<u8> alone;
  encode_event(alone, event.at, event);
  // Ten bytes more: the distance from the event before is a longer number than the zero it is here.
  if (alone.size() + 10 > kMaxPayloadBytes - kFullPayloadBytes) {
    refuse("a trace cannot hold an input of " + std::to_string(alone.size()) + " bytes");
  }
  Position at = event.at;
  const Position previous = open(FrameKind::kEvents, at);
  encode_event(frames_, previous, event);
}

void FrameBuilder::add_block(Position before, const CapturedBlock& block) {
  const Position previous = open(block.bytes != nullptr ? FrameKind::kBlocks : FrameKind::kHoles, before);
  encode_block(frames_, previous, before, block);
  if (block.bytes == nullptr) return;
  open_blocks_.push_back({block.disk, block.index, payload_bytes() - kBlockBytes});
  if (is_plain(*block.bytes)) ++plain_blocks_;
}

void FrameBuilder::add_start(Position at, bool initial_memory) {
  RV_CHECK(reached() == Position{} && !pending() && at > Position{});
  reached_ = progress_ = left_at_[0] = at;
  append(FrameKind::kStart, at, encode_start(initial_memory));
}

void FrameBuilder::add_branch(const BranchPoint& branch) {
  RV_CHECK(branch.number <= left_at_.size() && branch.parent < left_at_.size());
  const bool is_new = branch.number == left_at_.size();
  if (is_new && branch.number >= kMaxBranches) {
    refuse("a trace cannot hold more than " + std::to_string(kMaxBranches) + " branches");
  }
  close();
  tell_progress();
  left_at_[branch_] = reached_;
  if (is_new) left_at_.push_back(branch.at);
  branch_ = branch.number;
  reached_ = progress_ = left_at_[branch_];
  append(FrameKind::kBranch, reached_, encode_branch(branch, is_new ? Told::kFirst : Told::kAgain));
}

void FrameBuilder::tell_progress() {
  if (progress_ <= reached_) return;
  append(FrameKind::kProgress, progress_, {});
  reached_ = progress_;
}

u64 FrameBuilder::table_for(Position at, const std::vector<ComponentHash>& components) {
  std::vector<std::string> names;
  for (const ComponentHash& component : components) names.push_back(component.name);
  const auto [entry, is_new] = tables_.try_emplace(std::move(names), tables_.size());
  if (is_new) {
    const bool fits = tables_.size() <= kMaxComponentTables && components.size() <= kMaxComponents;
    if (!fits) refuse("a trace cannot hold so many components");
    close();
    reached_ = std::max(reached_, at);
    append(FrameKind::kComponents, reached_, encode_components(components));
  }
  return entry->second;
}

void FrameBuilder::add_mark(const HashMark& mark) {
  hashes_ += mark.components.size();
  if (hashes_ > kMaxMarkedHashes) {
    refuse("a trace cannot hold more than " + std::to_string(kMaxMarkedHashes) + " hashes");
  }
  const u64 table = table_for(mark.at, mark.components);
  Position at = mark.at;
  const Position previous = open(FrameKind::kMarks, at);
  RV_CHECK(at == mark.at);
  encode_mark(frames_, previous, mark, table);
}

void FrameBuilder::add_end(Position end, const Outcome& outcome) {
  close();
  reached_ = std::max({reached_, progress_, end});
  append(FrameKind::kEnd, reached_, encode_outcome(outcome));
}

void FrameBuilder::add_frame(FrameKind kind, const PackedPayload& payload, Needed needed) {
  close();
  const u64 offset = offset_ + frames_.size();
  indexed_.push_back({kind, offset, static_cast<u32>(payload.stored.size()), payload.raw_bytes()});
  append_packed_frame(frames_, offset, kind, reached_, payload, needed);
}

void FrameBuilder::add_index() {
  if (indexed_.empty()) return;
  close();
  const PackedPayload payload = encode_index(indexed_);
  if (payload.stored.size() > kMaxPayloadBytes) return;
  append_packed_frame(frames_, offset_ + frames_.size(), FrameKind::kIndex, reached_, payload);
}

const std::vector<u8>& FrameBuilder::take() {
  close();
  tell_progress();
  offset_ += frames_.size();
  taken_.clear();
  std::swap(frames_, taken_);
  taken_blocks_.clear();
  std::swap(stored_blocks_, taken_blocks_);
  return taken_;
}

}  // namespace retrov
