#include "replay/trace_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "replay/quiet_thread.hpp"
#include "replay/trace_codec.hpp"

namespace retrov {

namespace {

/// More than this waits for nobody: a burst of disk blocks must not pile up in memory, and what is written soon is in
/// the host's cache. BlockStore::kMostWaiting counts on it.
constexpr u64 kFullBytes = u64{1} << 18;
static_assert(2 * kFullBytes / kBlockBytes <= BlockStore::kMostWaiting);

std::string name_failure(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) return "no space left on " + path;
  return "trace " + path + ": " + std::strerror(error);
}

}  // namespace

TraceWriter::TraceWriter(const std::string& path, const BoardConfig& board, const TraceIdentity& identity,
                         const TraceExtras& extras)
    : TraceWriter(path, std::make_shared<NewTraceFile>(path), board, identity, extras) {}

TraceWriter::TraceWriter(std::string path, std::shared_ptr<TraceFile> file, const BoardConfig& board,
                         const TraceIdentity& identity, const TraceExtras& extras)
    : path_(std::move(path)), id_(identity.id), file_(std::move(file)), sync_(extras.sync) {
  try {
    write_header(board, identity, extras);
    if (extras.start) {
      make_key_frame_writer(Needed::kYes);
      key_frames_->take(extras.start->state, 0);
    }
    flusher_ = start_quiet_thread([this] { run_flusher(); });
  } catch (...) {
    file_->discard();
    throw;
  }
}

TraceWriter::~TraceWriter() {
  key_frames_.reset();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  flusher_.join();
  if (finished_ && !failed_) frames_.add_index();
  flush();
}

void TraceWriter::write_header(const BoardConfig& board, const TraceIdentity& identity,
                               const TraceExtras& extras) {
  const auto write = [this](std::span<const u8> bytes) {
    const int error = write_out(bytes);
    if (error != 0) throw Error(Exit::kIo, name_failure(path_, error));
  };
  std::vector<std::size_t> first_blob;
  const BoardLayout layout = make_layout(board, first_blob);
  const std::vector<u8> description = encode_layout(layout);
  if (description.size() > kMaxBoardBytes || layout.content_of_blob.size() > kMaxBlobs) {
    throw Error(Exit::kIo, "trace " + path_ + ": a trace cannot hold a description of the machine as long as this one");
  }
  write(make_preamble(identity));
  const std::vector<const Blob*> blobs = initial_blobs(board);
  std::vector<u8> frame;
  const auto write_frame = [&](FrameKind kind, std::span<const u8> payload) {
    frame.clear();
    append_frame(frame, written_bytes_, kind, {}, payload);
    write(frame);
  };
  write_frame(FrameKind::kBoard, description);
  for (std::size_t content = 0; content < first_blob.size(); ++content) {
    const std::vector<u8>& bytes = blobs[first_blob[content]]->bytes;
    for (std::size_t done = 0; done < bytes.size();) {
      const std::size_t size_bytes = std::min<std::size_t>(kBlobChunkBytes, bytes.size() - done);
      std::vector<u8> payload;
      encode_blob_chunk(payload, {content, done}, {bytes.data() + done, size_bytes});
      write_frame(FrameKind::kBlob, payload);
      done += size_bytes;
    }
  }
  for (const std::vector<u8>& payload : encode_symbols(extras.symbols)) write_frame(FrameKind::kSymbols, payload);
  frames_.start_at(written_bytes_);
  if (const auto& start = extras.start) frames_.add_start(start->state.state->machine.at, start->initial_memory);
  if (sync_ == Sync::kNo) return;
  if (const int error = file_->sync(); error != 0) throw Error(Exit::kIo, name_failure(path_, error));
  synced_bytes_ = written_bytes_;
}

int TraceWriter::write_out(std::span<const u8> bytes) {
  const u64 whole_bytes = bytes.size();
  while (!bytes.empty()) {
    const i64 size = file_->write(bytes);
    if (size == -EINTR) continue;
    if (size <= 0) {
      // Without its half frame the trace ends cleanly; should that fail too, readers ignore the half frame as long as
      // nothing follows it.
      torn_ = file_->cut_back(written_bytes_) != 0;
      return size < 0 ? static_cast<int>(-size) : ENOSPC;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  written_bytes_ += whole_bytes;
  return 0;
}

void TraceWriter::fail(const std::string& sentence, const std::string& why) {
  failed_ = true;
  error_ = Error(Exit::kIo, sentence + ": recording stopped at position " + std::to_string(written_.steps) +
                                "; the trace replays up to there");
  if (torn_) return;
  // An end is small, and cutting the file back may have made room for it; without it the trace looks like a killed one.
  std::vector<u8> frame;
  append_frame(frame, written_bytes_, FrameKind::kEnd, written_, encode_outcome({Outcome::Kind::kUnknown, 0, why}));
  (void)write_out(frame);
}

void TraceWriter::flush_locked() {
  if (failed_ || !frames_.pending()) return;
  const Position reached = frames_.reached();
  const int error = write_out(frames_.take());
  if (error != 0) return fail(name_failure(path_, error), std::strerror(error));
  written_ = reached;
  if (blocks_ != nullptr) blocks_->add(frames_.taken_blocks());
}

template <class Add>
void TraceWriter::tell(Add add) {
  const std::lock_guard lock(mutex_);
  if (failed_ || finished_) return;
  try {
    add(frames_);
  } catch (const Error& error) {
    flush_locked();
    if (!failed_) fail("trace " + path_ + ": " + error.what(), error.what());
    return;
  }
  if (!frames_.pending()) return;
  // What is written here leaves it dirty, so that a burst wakes the flusher once and not for each buffer.
  if (frames_.pending_bytes() >= kFullBytes) flush_locked();
  if (std::exchange(dirty_, true)) return;
  wake_.notify_one();
}

void TraceWriter::on_event(const Event& event) {
  tell([&](FrameBuilder& frames) { frames.add_event(event); });
}

void TraceWriter::on_block(Position before, const CapturedBlock& block) {
  tell([&](FrameBuilder& frames) { frames.add_block(before, block); });
}

std::shared_ptr<BlockHome> TraceWriter::block_home() {
  const std::lock_guard lock(mutex_);
  if (blocks_ == nullptr) blocks_ = std::make_shared<TraceBlocks>(file_);
  return blocks_;
}

void TraceWriter::on_mark(const HashMark& mark) {
  tell([&](FrameBuilder& frames) { frames.add_mark(mark); });
}

void TraceWriter::on_progress(Position now) {
  tell([&](FrameBuilder& frames) { frames.add_progress(now); });
}

void TraceWriter::on_branch(const BranchPoint& branch) {
  if (key_frames_) key_frames_->drain();
  {
    const std::lock_guard lock(mutex_);
    finished_ = false;
  }
  tell([&](FrameBuilder& frames) { frames.add_branch(branch); });
}

void TraceWriter::make_key_frame_writer(Needed first) {
  key_frames_ = std::make_unique<KeyFrameWriter>(
      [this](FrameKind kind, const PackedPayload& payload, Needed needed) {
        tell([&](FrameBuilder& frames) { frames.add_frame(kind, payload, needed); });
        return !failed();
      },
      first);
}

void TraceWriter::on_key_frame(const KeyFrame& frame) {
  if (failed()) return;
  if (!key_frames_) make_key_frame_writer(Needed::kNo);
  key_frames_->take(frame, frames_.branch());
}

void TraceWriter::on_finish(Position end, const Outcome& outcome) {
  if (key_frames_) key_frames_->drain();
  tell([&](FrameBuilder& frames) { frames.add_end(end, outcome); });
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  flush();
}

void TraceWriter::sync(std::unique_lock<std::mutex>& lock) {
  const u64 size_bytes = written_bytes_;
  if (sync_ == Sync::kNo || failed_ || size_bytes == synced_bytes_) return;
  lock.unlock();
  const int error = file_->sync();
  lock.lock();
  if (failed_) return;
  if (error != 0) return fail(name_failure(path_, error), std::strerror(error));
  synced_bytes_ = std::max(synced_bytes_, size_bytes);
}

void TraceWriter::flush() {
  std::unique_lock lock(mutex_);
  dirty_ = false;
  flush_locked();
  sync(lock);
}

std::optional<Error> TraceWriter::take_error() {
  const std::lock_guard lock(mutex_);
  return std::exchange(error_, std::nullopt);
}

bool TraceWriter::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

u64 TraceWriter::told_bytes() const {
  const std::lock_guard lock(mutex_);
  return written_bytes_ + frames_.pending_bytes();
}

bool TraceWriter::key_frames_done() const { return !key_frames_ || key_frames_->idle(); }

u64 TraceWriter::written_bytes() const {
  const std::lock_guard lock(mutex_);
  return written_bytes_;
}

void TraceWriter::run_flusher() {
  std::unique_lock lock(mutex_);
  while (!closing_) {
    wake_.wait(lock, [this] { return dirty_ || closing_; });
    wake_.wait_for(lock, std::chrono::milliseconds(kFlushMilliseconds), [this] { return closing_; });
    dirty_ = false;
    flush_locked();
    sync(lock);
  }
}

}  // namespace retrov
