#include "replay/trace_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/check.hpp"

namespace retrov {

namespace {

/// Tells histories what the trace tells of their branches.
class HistoryFiller final : public HistoryListener {
 public:
  HistoryFiller(BoardConfig board, const HistoryBegin& first, std::vector<BranchHistory>& branches,
                std::vector<FoundKeyFrame> key_frames)
      : branches_(branches), key_frames_(std::move(key_frames)) {
    begin(0, std::make_unique<History>(std::move(board), first));
  }
  void on_event(const Event& event) override { current_->add_event(event); }
  void on_block(Position before, const CapturedBlock& block) override { current_->add_block(before, block); }
  void on_mark(const HashMark& mark) override { current_->add_mark(mark); }
  void on_progress(Position now) override { current_->progress(now); }
  void on_branch(const BranchPoint& point) override {
    BranchHistory& told = branches_[point.number];
    if (point.resumed) {
      current_ = told.history.get();
      return;
    }
    // The trace says it reaches that far, be it by a frame that held nothing.
    branches_[point.parent].history->progress(point.at);
    begin(point.number, std::make_unique<History>(*branches_[point.parent].history, point.at));
  }
  void on_finish(Position end, const Outcome& outcome) override {
    current_->progress(end);
    current_->finish(outcome);
  }

 private:
  /// With its key frames, for branches that leave it have those before they do.
  void begin(u64 number, std::unique_ptr<History> history) {
    for (const FoundKeyFrame& found : key_frames_) {
      if (found.branch == number) history->add_key_frame_place(found.place);
    }
    current_ = history.get();
    branches_[number].history = std::move(history);
  }

  std::vector<BranchHistory>& branches_;
  const std::vector<FoundKeyFrame> key_frames_;
  History* current_ = nullptr;
};

/// Hears which branches there are, and how they ended.
class BranchListener final : public HistoryListener {
 public:
  explicit BranchListener(std::vector<TracedBranch>& branches) : branches_(branches) {}

 private:
  void on_event(const Event&) override {}
  void on_block(Position, const CapturedBlock&) override {}
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint& point) override {
    if (!point.resumed) branches_.push_back({point.name, point.parent, point.at, point.at, {}});
    current_ = point.number;
  }
  void on_finish(Position, const Outcome& how) override { branches_[current_].outcome = how; }

  std::vector<TracedBranch>& branches_;
  u64 current_ = 0;
};

/// Of frames that are damaged and not needed; at least one.
std::string describe_lost(const std::vector<FrameInfo>& frames) {
  const FrameInfo& first = frames.front();
  const std::string kind = first.kind == FrameKind::kUnknown ? "of kind " + std::to_string(first.kind_byte)
                                                             : std::string(frame_kind_name(first.kind));
  return std::to_string(frames.size()) + (frames.size() == 1 ? " frame is" : " frames are") +
         " damaged that it replays without, the first at offset " + std::to_string(first.offset) + " (" + kind + ")";
}

}  // namespace

TraceReader::TraceReader(const std::string& path, Check check) : TraceReader(path, TraceBytes(path), check) {}

TraceReader::TraceReader(std::string name, TraceBytes bytes, Check check)
    : name_(std::move(name)), bytes_(std::make_shared<const TraceBytes>(std::move(bytes))) {
  open(check);
}

BadFrame::BadFrame(const std::string& trace, u64 where, Position position, const std::string& what)
    : Error(Exit::kBadTrace, "trace " + trace + ": damaged at offset " + std::to_string(where) + " (position " +
                                 std::to_string(position.steps) + "): " + what),
      offset(where),
      at(position),
      why(what) {}

BadFrame TraceReader::damage(u64 offset, Position at, const std::string& what) const {
  return BadFrame(name_, offset, at, what);
}

Error TraceReader::cut(const std::string& where) const {
  return Error(Exit::kBadTrace, "trace " + name_ + ": cut at offset " + std::to_string(file_bytes_ - torn_bytes_) +
                                    ", " + where + ": there is nothing to replay");
}

std::optional<u64> TraceReader::find_index() const {
  if (file_bytes_ < kPreambleBytes + kIndexTailBytes) return std::nullopt;
  std::array<u8, kIndexTailBytes> tail;
  bytes_->read(file_bytes_ - tail.size(), tail);
  return index_offset(tail, file_bytes_);
}

/// One that is damaged is none, which the scan will find.
void TraceReader::read_index() {
  const std::optional<u64> offset = find_index();
  if (!offset) return;
  std::vector<u8> bytes(file_bytes_ - *offset);
  bytes_->read(*offset, bytes);
  const std::span<const u8, kFrameHeaderBytes> header(bytes.data(), kFrameHeaderBytes);
  const std::optional<FrameInfo> frame = parse_frame_header(header, *offset);
  const bool is_index = frame && frame->kind == FrameKind::kIndex &&
                        frame_size_bytes(*frame) == bytes.size();
  if (!is_index || !frame_intact(bytes, *offset)) return;
  try {
    index_ = decode_index(unpack_frame(*frame, bytes));
  } catch (const Error& error) {
    throw damage(*offset, frame->at, error.what());
  }
}

const IndexedFrame* TraceReader::indexed(const FrameInfo& frame) const {
  const auto at = std::lower_bound(index_.begin(), index_.end(), frame.offset,
                                   [](const IndexedFrame& one, u64 offset) { return one.offset < offset; });
  const bool is_it = at != index_.end() && at->offset == frame.offset && at->kind == frame.kind &&
                     at->stored_bytes == frame.stored_bytes;
  return is_it ? &*at : nullptr;
}

void TraceReader::open(Check check) {
  file_bytes_ = bytes_->size_bytes();
  std::vector<u8> preamble(std::min(file_bytes_, kPreambleBytes));
  bytes_->read(0, preamble);
  try {
    identity_ = parse_preamble(preamble);
    require_replayable(identity_);
  } catch (const Error& error) {
    throw Error(error.exit_code(), "trace " + name_ + ": " + error.what());
  }
  if (check == Check::kWhatIsUsed) read_index();
  scan();
  read_layout();
  // Reads all of the initial memory, so that whoever has a reader has a machine.
  (void)read_board();
  find_ends();
  if (begin_.at > Position{}) find_beginning();
}

bool TraceReader::is_known(const FrameInfo& frame) const {
  constexpr u8 kKnownFlags = kFrameCompressed | kFrameOptional;
  if (frame.kind != FrameKind::kUnknown && (frame.flags & ~kKnownFlags) == 0) return true;
  if ((frame.flags & kFrameOptional) != 0) return false;
  throw Error(Exit::kBadTrace, "trace " + name_ + ": the frame at offset " + std::to_string(frame.offset) +
                                   " (position " + std::to_string(frame.at.steps) + ") is of kind " +
                                   std::to_string(frame.kind_byte) +
                                   ", which this build cannot do without: use retrov " + identity_.release +
                                   ", commit " + identity_.commit + ", which made it");
}

/// A damaged index, which is the rest of the file.
FrameInfo TraceReader::skip_index(u64 offset) {
  damaged_index_ = offset;
  FrameInfo frame;
  frame.offset = offset;
  frame.stored_bytes = static_cast<u32>(file_bytes_ - offset - kFrameHeaderBytes - kFrameCheckBytes);
  return frame;
}

std::optional<FrameInfo> TraceReader::scan_frame(u64 offset) {
  const auto telling = std::find_if(frames_.rbegin(), frames_.rend(),
                                    [](const FrameInfo& frame) { return !is_beside_history(frame.kind); });
  const Position last = telling == frames_.rend() ? Position{} : telling->at;
  const u64 rest_bytes = file_bytes_ - offset;
  if (rest_bytes < kFrameHeaderBytes) return std::nullopt;
  std::array<u8, kFrameHeaderBytes> header;
  bytes_->read(offset, header);
  std::optional<FrameInfo> frame = parse_frame_header(header, offset);
  if (!frame) {
    // After a power failure a file may end in zeros that were never written.
    if (bytes_->all_zero_from(offset)) return std::nullopt;
    if (find_index() == offset) return skip_index(offset);
    throw damage(offset, last, "the header of the frame does not agree with its checksum");
  }
  if (frame->stored_bytes > kMaxPayloadBytes) {
    throw damage(offset, last, "frame of " + std::to_string(frame->stored_bytes) + " bytes");
  }
  if (frame_size_bytes(*frame) > rest_bytes) return std::nullopt;
  if (const IndexedFrame* known = indexed(*frame)) {
    frame->raw_bytes = known->raw_bytes;
    return frame;
  }
  const std::vector<u8> bytes = frame_bytes(*frame);
  if (!frame_intact(bytes, offset)) {
    if (frame->kind == FrameKind::kIndex) return skip_index(offset);
    const bool needed = !is_beside_history(frame->kind) || (frame->flags & kFrameOptional) == 0;
    if (needed) throw damage(offset, last, "the frame does not agree with its checksum");
    lost_frames_.push_back(*frame);
    frame->kind = FrameKind::kUnknown;
    frame->raw_bytes = frame->stored_bytes;
    return frame;
  }
  if (!is_known(*frame)) {
    frame->kind = FrameKind::kUnknown;
    frame->raw_bytes = frame->stored_bytes;
    return frame;
  }
  if (frame->kind != FrameKind::kBranch && !is_beside_history(frame->kind)) {
    if (complete_) throw damage(offset, frame->at, "frame after the end");
    if (frame->at < last) throw damage(offset, frame->at, "frame that goes back");
  }
  try {
    frame->raw_bytes = raw_payload_bytes(*frame, bytes);
    if (frame->kind == FrameKind::kBranch) last_branch_ = decode_branch_number(unpack_frame(*frame, bytes));
  } catch (const Error& error) {
    throw damage(offset, frame->at, error.what());
  }
  return frame;
}

void TraceReader::scan() {
  u64 offset = kPreambleBytes;
  while (offset < file_bytes_) {
    const std::optional<FrameInfo> frame = scan_frame(offset);
    if (!frame) break;
    const u64 size_bytes = frame_size_bytes(*frame);
    FrameTotals& totals = totals_[static_cast<std::size_t>(frame->kind)];
    ++totals.frames;
    totals.stored_bytes += size_bytes;
    totals.raw_bytes += frame->raw_bytes;
    if (frame->kind == FrameKind::kEnd) ended_.insert(last_branch_);
    complete_ = ended_.contains(last_branch_);
    if (frame->kind == FrameKind::kSymbols) symbol_frames_.push_back(*frame);
    if (frame->kind != FrameKind::kUnknown && frame->kind != FrameKind::kLost) frames_.push_back(*frame);
    offset += size_bytes;
  }
  torn_bytes_ = file_bytes_ - offset;
}

void TraceReader::find_ends() {
  // Only names, branches and the last frame of each stretch of one branch: the frames between are below its position,
  // which visit() checks.
  HistoryDecoder decoder(layout_.board);
  BranchListener listener(branches_);
  std::vector<FrameInfo> frames;
  std::copy_if(told_frames().begin(), told_frames().end(), std::back_inserter(frames),
               [](const FrameInfo& frame) { return !is_beside_history(frame.kind); });
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const FrameInfo& frame = frames[i];
    const bool is_last = i + 1 == frames.size() || frames[i + 1].kind == FrameKind::kBranch;
    const bool is_looked_at = is_last || frame.kind == FrameKind::kComponents || frame.kind == FrameKind::kBranch ||
                              frame.kind == FrameKind::kStart;
    if (!is_looked_at) continue;
    try {
      decoder.decode(frame, payload(frame), listener);
    } catch (const Error& error) {
      throw damage(frame.offset, frame.at, error.what());
    }
    branches_[decoder.branch()].end = decoder.reached();
  }
  begin_ = decoder.begin();
  branches_[0].from = begin_.at;
}

void TraceReader::find_beginning() {
  for (FoundKeyFrame& found : find_key_frames()) {
    if (found.branch == 0 && found.place.at == begin_.at) begin_.state = std::move(found.place.stored);
  }
  if (begin_.state == nullptr) throw cut("inside the state that it begins with");
}

u64 TraceReader::branch_named(const std::string& name) const {
  std::string names;
  for (u64 number = 0; number < branches_.size(); ++number) {
    if (branches_[number].name == name) return number;
    names += (number == 0 ? "" : ", ") + branches_[number].name;
  }
  throw Error(Exit::kUsage, "trace " + name_ + " has no branch '" + name + "'; it has " + names);
}

std::span<const FrameInfo> TraceReader::told_frames() const {
  std::size_t first = 1;
  while (first < frames_.size() && frames_[first].kind == FrameKind::kBlob) ++first;
  return std::span(frames_).subspan(first);
}

std::vector<u8> TraceReader::frame_bytes(const FrameInfo& frame) const {
  return bytes_->read(frame.offset, frame_size_bytes(frame));
}

std::vector<u8> TraceReader::payload(const FrameInfo& frame) const {
  const std::vector<u8> bytes = frame_bytes(frame);
  // The file can be written to by others between the scan and now.
  if (!frame_intact(bytes, frame.offset)) throw damage(frame.offset, frame.at, "changed while it was read");
  return unpack_frame(frame, bytes);
}

std::string TraceReader::notes() const {
  std::string text;
  for (const FrameInfo& frame : frames_) {
    if (frame.kind != FrameKind::kNotes) continue;
    const std::vector<u8> bytes = payload(frame);
    text.assign(bytes.begin(), bytes.end());
  }
  return text;
}

std::vector<FoundKeyFrame> TraceReader::find_key_frames() const {
  const auto load = [bytes = bytes_, name = name_](const FrameInfo& frame) {
    const std::vector<u8> whole = bytes->read(frame.offset, frame_size_bytes(frame));
    if (!frame_intact(whole, frame.offset)) {
      throw Error(Exit::kBadTrace, "trace " + name + ": damaged at offset " + std::to_string(frame.offset));
    }
    return unpack_frame(frame, whole);
  };
  std::vector<FoundKeyFrame> found;
  std::vector<Position> last(branches_.size());
  for (FoundKeyFrame& one : retrov::find_key_frames(frames_, load)) {
    const auto refuse = [&](const char* what) { throw damage(one.frame.offset, one.frame.at, what); };
    if (one.branch >= branches_.size()) refuse("key frame of a branch that is not there");
    const TracedBranch& branch = branches_[one.branch];
    if (one.place.at < branch.from || one.place.at > branch.end) refuse("key frame where its branch has not been");
    if (std::exchange(last[one.branch], one.place.at) >= one.place.at) refuse("key frame that goes back");
    found.push_back(std::move(one));
  }
  return found;
}

std::string TraceReader::note() const {
  const std::string end = note_of_end();
  if (lost_frames_.empty()) return end;
  return (end.empty() ? "trace " + name_ + ": " : end + "; ") + describe_lost(lost_frames_);
}

std::string TraceReader::note_of_end() const {
  const TracedBranch& last = branches_[last_branch_];
  const std::string end = "it ends at position " + std::to_string(last.end.steps);
  if (damaged_index_ && complete_) {
    return "trace " + name_ + " has a damaged index at offset " + std::to_string(*damaged_index_) +
           ", which was made anew from the rest; nothing is missing";
  }
  if (complete_ && torn_bytes_ == 0) {
    if (last.outcome.kind != Outcome::Kind::kUnknown) return {};
    return "trace " + name_ + " was given up by its recorder (" + last.outcome.why + "); " + end;
  }
  if (torn_bytes_ == 0) return "trace " + name_ + " was not ended by its recorder (killed, or still running); " + end;
  return "trace " + name_ + " is cut at offset " + std::to_string(file_bytes_ - torn_bytes_) + ": its last " +
         std::to_string(torn_bytes_) + " bytes are not a whole frame and are ignored; " + end;
}

void TraceReader::read_layout() {
  if (frames_.empty()) throw cut("inside the description of the machine");
  const FrameInfo& frame = frames_.front();
  try {
    if (frame.kind != FrameKind::kBoard) throw Error(Exit::kBadTrace, "no description of the machine");
    layout_ = decode_layout(payload(frame));
  } catch (const Error& error) {
    throw damage(frame.offset, frame.at, error.what());
  }
}

std::vector<std::vector<u8>> TraceReader::read_contents() const {
  std::vector<std::vector<u8>> contents(layout_.contents.size());
  std::size_t current = 0;
  for (std::size_t i = 1; i < frames_.size() && frames_[i].kind == FrameKind::kBlob; ++i) {
    const FrameInfo& frame = frames_[i];
    const auto refuse = [&](const char* what) { throw damage(frame.offset, frame.at, what); };
    const std::vector<u8> whole = payload(frame);
    std::span<const u8> bytes = whole;
    BlobChunk chunk;
    try {
      chunk = decode_blob_chunk(bytes);
    } catch (const Error& error) {
      refuse(error.what());
    }
    if (chunk.content < current || chunk.content >= contents.size()) refuse("initial memory out of order");
    current = static_cast<std::size_t>(chunk.content);
    std::vector<u8>& content = contents[current];
    // Grows with what is there, not with what the description claims.
    if (chunk.offset != content.size()) refuse("initial memory out of order");
    if (bytes.size() > layout_.contents[current].size_bytes - content.size()) refuse("too much initial memory");
    content.insert(content.end(), bytes.begin(), bytes.end());
  }
  return contents;
}

BoardConfig TraceReader::read_board() const {
  const std::vector<std::vector<u8>> contents = read_contents();
  for (std::size_t i = 0; i < contents.size(); ++i) {
    if (contents[i].size() != layout_.contents[i].size_bytes) throw cut("inside the initial memory");
    if (hash_bytes(contents[i]) != layout_.contents[i].hash) {
      throw damage(frames_.front().offset, {}, "initial memory whose hash is not the one in the description");
    }
  }
  BoardConfig board = layout_.board;
  const std::vector<Blob*> blobs = initial_blobs(board);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    blobs[i]->bytes = contents[layout_.content_of_blob[i]];
  }
  try {
    validate(board, Exit::kBadTrace);
  } catch (const Error& error) {
    throw damage(frames_.front().offset, {}, error.what());
  }
  return board;
}

void TraceReader::visit(HistoryListener& listener) const {
  HistoryDecoder decoder(layout_.board);
  for (const FrameInfo& frame : told_frames()) {
    try {
      decoder.decode(frame, is_beside_history(frame.kind) ? std::vector<u8>{} : payload(frame), listener);
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
      throw damage(frame.offset, frame.at, error.what());
    }
  }
}

std::vector<BranchHistory> TraceReader::read_branches() const {
  std::vector<BranchHistory> result;
  for (const TracedBranch& branch : branches_) result.push_back({branch, nullptr});
  HistoryFiller filler(read_board(), begin_, result, find_key_frames());
  visit(filler);
  // The last frame may hold nothing but names, and still says that all below it was told.
  for (const BranchHistory& told : result) told.history->progress(told.branch.end);
  return result;
}

std::vector<SymbolFile> TraceReader::read_symbols() const {
  SymbolCollector collector;
  for (const FrameInfo& frame : symbol_frames_) {
    try {
      collector.add(payload(frame));
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
    }
  }
  return collector.take();
}

std::unique_ptr<History> TraceReader::read_history() const {
  RV_CHECK(branches_.size() == 1);
  return std::move(read_branches().front().history);
}

}  // namespace retrov
