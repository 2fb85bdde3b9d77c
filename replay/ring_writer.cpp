#include "replay/ring_writer.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "replay/key_frame_codec.hpp"
#include "replay/ring.hpp"

namespace retrov {

namespace {

/// A file is followed by the next when it has this part of the ring, a quarter of which it has written itself.
constexpr u64 kFilesPerRing = 4;
constexpr u64 kOwnPart = 4;

}  // namespace

void RingWriter::Open::tell_block(Position before, const CapturedBlock& block) {
  if (blocks.emplace(block.disk, block.index).second) writer->on_block(before, block);
}

RingWriter::RingWriter(const std::string& path, const BoardConfig& board, u64 ring_bytes,
                       const TraceIdentity& identity, const TraceExtras& extras)
    : path_(path), board_(board), ring_bytes_(ring_bytes), identity_(identity), extras_(extras) {
  std::error_code failure;
  for (u64 number = 2; number < 2 + kFilesPerRing; ++number) {
    const std::string part = ring_part(path, number);
    if (!std::filesystem::exists(part, failure)) continue;
    throw Error(Exit::kCannotCreate, "trace " + part + ": there is a part of another recording");
  }
  newest_.path = path;
  newest_.writer = std::make_unique<TraceWriter>(path, board, identity, extras);
  if (extras.start) newest_.begin = extras.start->state.state->machine.at;
}

RingWriter::~RingWriter() {
  drop_next();
  if (lock_ >= 0) ::close(lock_);
}

void RingWriter::fail(const Error& error) {
  if (!std::exchange(failed_, true)) error_ = error;
}

void RingWriter::on_event(const Event& event) {
  if (!take_next()) return;
  newest_.writer->on_event(event);
  if (next_) next_->writer->on_event(event);
}

void RingWriter::on_block(Position before, const CapturedBlock& block) { on_block_again(before, block); }

void RingWriter::on_block_again(Position before, const CapturedBlock& block) {
  if (!take_next()) return;
  newest_.tell_block(before, block);
  if (next_) next_->tell_block(before, block);
}

void RingWriter::on_mark(const HashMark& mark) {
  if (!take_next()) return;
  newest_.writer->on_mark(mark);
  if (next_) next_->writer->on_mark(mark);
  last_mark_ = mark;
}

void RingWriter::on_progress(Position now) {
  if (!take_next()) return;
  newest_.writer->on_progress(now);
  if (next_) next_->writer->on_progress(now);
}

void RingWriter::on_branch(const BranchPoint& branch) {
  turns_ = false;
  drop_next();
  if (!branch.resumed && branch.at < newest_.begin) {
    fail(Error(Exit::kIo, "trace " + path_ + ": the branch leaves at step " + std::to_string(branch.at.steps) +
                              ", before what the newest file of the ring keeps: recording stopped"));
    return;
  }
  newest_.writer->on_branch(branch);
}

void RingWriter::on_key_frame(const KeyFrame& frame) {
  if (!take_next()) return;
  if (is_due(frame)) return begin_next(frame);
  newest_.writer->on_key_frame(frame);
}

void RingWriter::on_finish(Position end, const Outcome& outcome) {
  if (!take_next()) return;
  newest_.writer->on_finish(end, outcome);
}

bool RingWriter::is_due(const KeyFrame& frame) const {
  const Position at = frame.state->machine.at;
  if (!turns_ || next_ || failed() || !last_mark_ || last_mark_->at != at || at <= newest_.begin) return false;
  u64 pages = 0;
  for (const PageTree& tree : frame.state->machine.trees) pages += tree.page_count();
  if (pages > kMaxKeyFramePages) return false;
  const u64 bytes = newest_.writer->told_bytes();
  const u64 share = ring_bytes_ / kFilesPerRing;
  return bytes >= share && bytes - newest_.begin_bytes >= share / kOwnPart;
}

void RingWriter::begin_next(const KeyFrame& frame) {
  try {
    // Whoever finds the next one finds all that is before it.
    newest_.writer->flush();
    Open next;
    next.path = ring_part(path_, next_number_);
    next.begin = frame.state->machine.at;
    next.writer = std::make_unique<TraceWriter>(
        next.path, board_, identity_,
        TraceExtras{extras_.sync, extras_.symbols, TraceStart{frame, !extras_.start || extras_.start->initial_memory}});
    ++next_number_;
    next_ = std::move(next);
    next_->writer->on_mark(*last_mark_);
  } catch (const Error& error) {
    fail(error);
  }
}

bool RingWriter::take_next() {
  if (failed()) return false;
  if (!next_ || !next_->writer->key_frames_done()) return true;
  next_->writer->flush();
  newest_.writer->flush();
  if (failed()) return false;
  closed_.push_back({newest_.path, newest_.writer->written_bytes()});
  newest_ = std::move(*next_);
  next_.reset();
  newest_.begin_bytes = newest_.writer->written_bytes();
  if (lock_ < 0) lock_oldest();
  give_up_oldest();
  return !failed();
}

void RingWriter::give_up_oldest() {
  u64 bytes = 0;
  for (const Closed& closed : closed_) bytes += closed.bytes;
  while (closed_.size() > 1 && bytes > ring_bytes_) {
    // At any moment the name of the recording is that of a whole trace.
    if (std::rename(closed_[1].path.c_str(), path_.c_str()) != 0) {
      return fail(Error(Exit::kIo, "trace " + path_ + ": " + std::generic_category().message(errno) +
                                       ": recording stopped"));
    }
    bytes -= closed_.front().bytes;
    closed_.erase(closed_.begin());
    closed_.front().path = path_;
    lock_oldest();
  }
}

/// It is being recorded, though nobody writes to that file.
void RingWriter::lock_oldest() {
  if (lock_ >= 0) ::close(lock_);
  lock_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (lock_ >= 0) (void)::flock(lock_, LOCK_EX | LOCK_NB);
}

void RingWriter::drop_next() {
  if (!next_) return;
  const std::string path = next_->path;
  next_.reset();
  ::unlink(path.c_str());
}

void RingWriter::end() {
  drop_next();
  flush();
  if (failed() || closed_.empty()) return;
  newest_.writer.reset();
  closed_.push_back({newest_.path, 0});
  std::vector<std::string> parts;
  for (const Closed& closed : closed_) parts.push_back(closed.path);
  const std::string joined = path_ + ".joined";
  try {
    (void)join_ring(parts, joined, extras_.sync);
    std::filesystem::rename(joined, path_);
    for (std::size_t i = 1; i < parts.size(); ++i) ::unlink(parts[i].c_str());
    closed_ = {{path_, std::filesystem::file_size(path_)}};
  } catch (const std::exception& error) {
    fail(Error(Exit::kIo, std::string("the parts of the ring are not joined, which retrov recover can do: ") +
                              error.what()));
  }
}

void RingWriter::flush() {
  if (newest_.writer) newest_.writer->flush();
}

std::optional<Error> RingWriter::take_error() {
  if (error_) return std::exchange(error_, std::nullopt);
  if (next_) {
    if (auto error = next_->writer->take_error()) return error;
  }
  return newest_.writer ? newest_.writer->take_error() : std::nullopt;
}

bool RingWriter::failed() const {
  return failed_ || (newest_.writer && newest_.writer->failed()) || (next_ && next_->writer->failed());
}

u64 RingWriter::written_bytes() const {
  u64 bytes = newest_.writer ? newest_.writer->written_bytes() : 0;
  for (const Closed& closed : closed_) bytes += closed.bytes;
  return next_ ? bytes + next_->writer->written_bytes() : bytes;
}

}  // namespace retrov
