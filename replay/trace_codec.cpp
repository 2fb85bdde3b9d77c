#include "replay/trace_codec.hpp"

#include <algorithm>
#include <utility>

#include "core/varint.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

namespace {

/// In a start frame.
constexpr u8 kNoInitialMemory = 1;

[[noreturn]] void refuse(const std::string& what) { throw Error(Exit::kBadTrace, what); }

void write_text(StateWriter& out, const std::string& text, u64 most_bytes) {
  const std::size_t size_bytes = std::min<std::size_t>(text.size(), most_bytes);
  write_varint(out, size_bytes);
  out.write_bytes(text.data(), size_bytes);
}

std::string read_text(StateReader& in, u64 most_bytes) {
  const u64 size_bytes = read_varint(in);
  if (size_bytes > most_bytes) refuse("text longer than " + std::to_string(most_bytes) + " bytes");
  in.require(size_bytes);
  std::string text(static_cast<std::size_t>(size_bytes), '\0');
  in.read_bytes(text.data(), text.size());
  // It is shown in messages of one line, and terminals obey control characters, some of them from 0x80 on.
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

Position advanced(Position from, u64 steps) {
  if (from > kMaxPosition || steps > kMaxPosition.steps - from.steps) refuse("position beyond 2^62");
  return {from.steps + steps};
}

u64 distance(Position from, Position to) {
  RV_CHECK(to >= from);
  return to.steps - from.steps;
}

}  // namespace

BoardLayout make_layout(const BoardConfig& board, std::vector<std::size_t>& first_blob) {
  BoardLayout layout;
  layout.board = board;
  first_blob.clear();
  const std::vector<const Blob*> blobs = initial_blobs(board);
  for (std::size_t blob = 0; blob < blobs.size(); ++blob) {
    const auto same = std::find_if(first_blob.begin(), first_blob.end(),
                                   [&](std::size_t earlier) { return blobs[earlier]->bytes == blobs[blob]->bytes; });
    layout.content_of_blob.push_back(static_cast<u32>(same - first_blob.begin()));
    if (same != first_blob.end()) continue;
    first_blob.push_back(blob);
    layout.contents.push_back({blobs[blob]->bytes.size(), hash_bytes(blobs[blob]->bytes)});
  }
  for (Blob* blob : initial_blobs(layout.board)) blob->bytes.clear();
  return layout;
}

std::vector<u8> encode_layout(const BoardLayout& layout) {
  std::vector<u8> payload;
  StateWriter out(payload);
  write_varint(out, layout.contents.size());
  for (const BlobContent& content : layout.contents) {
    write_varint(out, content.size_bytes);
    out(content.hash);
  }
  write_varint(out, layout.content_of_blob.size());
  for (const u32 content : layout.content_of_blob) write_varint(out, content);
  BoardConfig board = layout.board;  // serialize is one function for both directions and wants an lvalue
  out(board);
  return payload;
}

BoardLayout decode_layout(std::span<const u8> payload) {
  if (payload.size() > kMaxBoardBytes) refuse("description of a machine that is too long");
  StateReader in(payload);
  BoardLayout layout;
  const u64 contents = read_varint(in);
  if (contents > kMaxBlobs) refuse("more than " + std::to_string(kMaxBlobs) + " pieces of initial memory");
  for (u64 i = 0; i < contents; ++i) {
    BlobContent content;
    content.size_bytes = read_varint(in);
    in(content.hash);
    layout.contents.push_back(content);
  }
  const u64 blobs = read_varint(in);
  if (blobs > kMaxBlobs) refuse("more than " + std::to_string(kMaxBlobs) + " pieces of initial memory");
  u64 total_bytes = 0;
  for (u64 i = 0; i < blobs; ++i) {
    const u64 content = read_varint(in);
    if (content >= contents) refuse("initial memory that is not in the trace");
    const u64 size_bytes = layout.contents[content].size_bytes;
    if (size_bytes > kMaxBlobBytes - total_bytes) refuse("more than 4 GiB of initial memory");
    total_bytes += size_bytes;
    layout.content_of_blob.push_back(static_cast<u32>(content));
  }
  in(layout.board);
  const std::vector<Blob*> placed = initial_blobs(layout.board);
  if (placed.size() != blobs) refuse("two different numbers of pieces of initial memory");
  for (const Blob* blob : placed) {
    if (!blob->bytes.empty()) refuse("initial memory in the wrong place");
  }
  if (in.left_bytes() != 0) refuse("bytes after the description of the machine");
  return layout;
}

void encode_blob_chunk(std::vector<u8>& payload, const BlobChunk& chunk, std::span<const u8> bytes) {
  StateWriter out(payload);
  write_varint(out, chunk.content);
  write_varint(out, chunk.offset);
  out.write_bytes(bytes.data(), bytes.size());
}

BlobChunk decode_blob_chunk(std::span<const u8>& payload) {
  StateReader in(payload);
  BlobChunk chunk;
  chunk.content = read_varint(in);
  chunk.offset = read_varint(in);
  payload = payload.last(in.left_bytes());
  return chunk;
}

void encode_event(std::vector<u8>& payload, Position previous, const Event& event) {
  StateWriter out(payload);
  write_event(out, {{distance(previous, event.at)}, event.batch});
}

void encode_block(std::vector<u8>& payload, Position previous, Position before, const CapturedBlock& block) {
  StateWriter out(payload);
  write_varint(out, distance(previous, before));
  out(block.disk);
  write_varint(out, block.index);
  if (block.bytes != nullptr) out.write_bytes(block.bytes->data(), block.bytes->size());
}

void encode_mark(std::vector<u8>& payload, Position previous, const HashMark& mark, u64 table) {
  StateWriter out(payload);
  write_varint(out, distance(previous, mark.at));
  write_varint(out, table);
  write_varint(out, mark.console_bytes);
  out(mark.console_hash);
  for (const ComponentHash& component : mark.components) out(component.hash);
}

std::vector<u8> encode_components(const std::vector<ComponentHash>& components) {
  std::vector<u8> payload;
  StateWriter out(payload);
  for (const ComponentHash& component : components) {
    write_text(out, component.name, kMaxNameBytes);
    out(kStateSchema);
  }
  return payload;
}

std::vector<u8> encode_start(bool initial_memory) {
  return {initial_memory ? u8{0} : kNoInitialMemory};
}

std::vector<u8> encode_branch(const BranchPoint& branch, Told told) {
  std::vector<u8> payload;
  StateWriter out(payload);
  write_varint(out, branch.number);
  if (told == Told::kFirst) {
    write_varint(out, branch.parent);
    write_text(out, branch.name, kMaxNameBytes);
  }
  return payload;
}

u64 decode_branch_number(std::span<const u8> payload) {
  StateReader in(payload);
  return read_varint(in);
}

std::vector<u8> encode_outcome(const Outcome& outcome) {
  std::vector<u8> payload;
  StateWriter out(payload);
  out(static_cast<u8>(outcome.kind), static_cast<i32>(outcome.status));
  write_text(out, outcome.why, kMaxReasonBytes);
  return payload;
}

Outcome decode_outcome(StateReader& in) {
  Outcome outcome;
  u8 kind = 0;
  i32 status = 0;
  in(kind, status);
  if (kind > static_cast<u8>(Outcome::Kind::kInterrupted)) refuse("unknown outcome");
  outcome.kind = static_cast<Outcome::Kind>(kind);
  outcome.status = status;
  outcome.why = read_text(in, kMaxReasonBytes);
  return outcome;
}

void HistoryDecoder::decode(const FrameInfo& frame, std::span<const u8> payload, HistoryListener& listener) {
  StateReader in(payload);
  if (is_beside_history(frame.kind)) return;
  if (frame.kind == FrameKind::kBranch) {
    told_any_ = true;
    decode_branch(in, frame.at, listener);
    if (in.left_bytes() != 0) refuse("bytes after a branch");
    return;
  }
  if (ended_) refuse("frame after the end");
  if (frame.at < reached_) refuse("frame that goes back from position " + std::to_string(reached_.steps));
  reached_ = advanced(frame.at, 0);
  const bool is_first = !std::exchange(told_any_, true);
  switch (frame.kind) {
    case FrameKind::kStart:
      if (!is_first) refuse("a start behind what comes after it");
      decode_start(in);
      break;
    case FrameKind::kEvents:
      decode_events(in, listener);
      break;
    case FrameKind::kBlocks:
      decode_blocks(in, Holes::kNo, listener);
      break;
    case FrameKind::kComponents:
      decode_components(in);
      break;
    case FrameKind::kMarks:
      decode_marks(in, listener);
      break;
    case FrameKind::kProgress:
      listener.on_progress(reached_);
      break;
    case FrameKind::kEnd:
      decode_end(in, listener);
      break;
    case FrameKind::kBoard:
    case FrameKind::kBlob:
      refuse("description of a machine behind its beginning");
    case FrameKind::kHoles:
      decode_blocks(in, Holes::kYes, listener);
      break;
    case FrameKind::kBranch:
    case FrameKind::kLost:
    case FrameKind::kKeyFrame:
    case FrameKind::kIndex:
    case FrameKind::kNotes:
    case FrameKind::kPages:
    case FrameKind::kSymbols:
    case FrameKind::kUnknown:
      break;  // Above.
  }
  if (in.left_bytes() != 0) refuse(std::string("bytes after the last of the ") + frame_kind_name(frame.kind));
}

Position HistoryDecoder::next_position(StateReader& in) { return reached_ = advanced(reached_, read_varint(in)); }

void HistoryDecoder::check_event(const Event& event) const {
  if (last_event_ && event.at <= *last_event_) refuse("two events at one position");
  if (event.batch.wake > kMaxWake) refuse("wake time that no guest reaches");
  const unsigned devices = kHtifIndex + (board_.tohost ? 1u : 0u);
  for (const Input& input : event.batch.inputs) {
    if (input.device != kMachineItself && input.device >= devices) {
      refuse("input for device " + std::to_string(input.device) + ", which is not there");
    }
    const auto* write = std::get_if<DebuggerWrite>(&input.what);
    if (write != nullptr && write->hart >= board_.machine.harts) refuse("debugger write to a hart that is not there");
  }
}

void HistoryDecoder::decode_start(StateReader& in) {
  u8 flags = 0;
  in(flags);
  if ((flags & ~kNoInitialMemory) != 0) refuse("a start of a kind that this build does not know");
  if (reached_ == Position{}) refuse("a start at power-on");
  begin_.at = branches_[0].at = reached_;
  begin_.initial_memory = (flags & kNoInitialMemory) == 0;
}

void HistoryDecoder::decode_events(StateReader& in, HistoryListener& listener) {
  while (in.left_bytes() != 0) {
    Event event = read_event(in);
    event.at = reached_ = advanced(reached_, event.at.steps);
    inputs_ += event.batch.inputs.size();
    if (inputs_ > kMaxInputs) refuse("more than " + std::to_string(kMaxInputs) + " inputs");
    check_event(event);
    last_event_ = event.at;
    listener.on_event(event);
  }
}

void HistoryDecoder::decode_blocks(StateReader& in, Holes holes, HistoryListener& listener) {
  while (in.left_bytes() != 0) {
    const Position before = next_position(in);
    CapturedBlock block;
    in(block.disk);
    block.index = read_varint(in);
    check_block(block);
    if (holes == Holes::kNo) {
      auto bytes = std::make_shared<PageBytes>();
      in.read_bytes(bytes->data(), bytes->size());
      block.bytes = std::move(bytes);
    }
    listener.on_block(before, block);
  }
}

void HistoryDecoder::check_block(const CapturedBlock& block) const {
  const bool on_board = block.disk < board_.disks.size() &&
                        block.index < (board_.disks[block.disk].size_bytes + kBlockBytes - 1) / kBlockBytes;
  if (on_board) return;
  refuse("block " + std::to_string(block.index) + " of disk " + std::to_string(block.disk) + ", which is not there");
}

void HistoryDecoder::decode_branch(StateReader& in, Position at, HistoryListener& listener) {
  const u64 number = read_varint(in);
  if (number > branches_.size()) refuse("branch " + std::to_string(number) + " before the one before it");
  progress_[branch_] = {reached_, last_event_, ended_};
  const bool is_new = number == branches_.size();
  if (is_new) add_branch(in, at);
  BranchPoint point = branches_[number];
  const Progress& progress = progress_[number];
  if (at != progress.reached) refuse("branch that does not go on where it was left");
  branch_ = number;
  reached_ = progress.reached;
  last_event_ = progress.last_event;
  ended_ = progress.ended;
  point.at = at;
  point.resumed = !is_new;
  listener.on_branch(point);
}

void HistoryDecoder::add_branch(StateReader& in, Position at) {
  if (branches_.size() >= kMaxBranches) refuse("more than " + std::to_string(kMaxBranches) + " branches");
  BranchPoint branch{branches_.size(), read_varint(in), at, {}};
  branch.name = read_text(in, kMaxNameBytes);
  if (branch.parent >= branches_.size()) refuse("branch that leaves one that is not there");
  if (at < branches_[branch.parent].at || at > progress_[branch.parent].reached) {
    refuse("branch that leaves its parent where that has not been");
  }
  const bool taken = std::any_of(branches_.begin(), branches_.end(),
                                 [&](const BranchPoint& other) { return other.name == branch.name; });
  if (taken || !is_branch_name(branch.name)) refuse("branch without a name of its own");
  branches_.push_back(std::move(branch));
  progress_.push_back({at, std::nullopt, false});
}

void HistoryDecoder::decode_components(StateReader& in) {
  if (tables_.size() >= kMaxComponentTables) refuse("more than " + std::to_string(kMaxComponentTables) + " tables");
  std::vector<Component>& table = tables_.emplace_back();
  while (in.left_bytes() != 0) {
    if (table.size() >= kMaxComponents) refuse("more than " + std::to_string(kMaxComponents) + " components");
    Component component;
    component.name = read_text(in, kMaxNameBytes);
    in(component.schema);
    table.push_back(std::move(component));
  }
}

void HistoryDecoder::decode_marks(StateReader& in, HistoryListener& listener) {
  while (in.left_bytes() != 0) {
    HashMark mark;
    mark.at = next_position(in);
    const u64 table = read_varint(in);
    if (table >= tables_.size()) refuse("hash mark with components that have no names");
    mark.console_bytes = read_varint(in);
    in(mark.console_hash);
    hashes_ += tables_[table].size();
    if (hashes_ > kMaxMarkedHashes) refuse("more than " + std::to_string(kMaxMarkedHashes) + " hashes");
    for (const Component& component : tables_[table]) {
      u64 hash = 0;
      in(hash);
      // The hash of a component whose fields were different then cannot be compared with ours.
      if (component.schema == kStateSchema) mark.components.push_back({component.name, hash});
    }
    listener.on_mark(mark);
  }
}

void HistoryDecoder::decode_end(StateReader& in, HistoryListener& listener) {
  const Outcome outcome = decode_outcome(in);
  ended_ = true;
  listener.on_finish(reached_, outcome);
}

}  // namespace retrov
