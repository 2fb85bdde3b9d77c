// Writes a trace while it is being recorded. Everything told goes into whole frames (docs/trace-format.md) that a
// thread of its own hands to write(2) at the latest kFlushMilliseconds after it was told, so a recorder that is killed
// leaves a trace that replays up to there, whatever the session was waiting for. Nothing is written while nothing
// happens.
//
// Must stay true: frames reach the file in the order of the history, each write is of whole frames, and after the first
// failure nothing more is written. No function but the constructor throws: they are called from inside a guest's step.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/check.hpp"
#include "replay/beginning.hpp"
#include "replay/frame_builder.hpp"
#include "replay/history.hpp"
#include "replay/key_frame_writer.hpp"
#include "replay/trace_blocks.hpp"
#include "replay/trace_file.hpp"
#include "replay/trace_sink.hpp"
#include "replay/trace_symbols.hpp"

namespace retrov {

/// What a loss of power may take. kYes: as little as a kill takes, and what one fdatasync(2) takes longer.
enum class Sync : bool { kNo, kYes };

/// What a recording has beside its history.
struct TraceExtras {
  Sync sync = Sync::kNo;
  std::vector<SymbolFile> symbols = {};
  std::optional<TraceStart> start = {};  ///< Absent: it begins at power-on.
};

class TraceWriter final : public TraceSink {
 public:
  /// Together with Recorder::kTellEveryNs at most a tenth of half a second, so that even a short recording that is
  /// killed keeps nine tenths of its steps, and far below the promised 100 ms of input on a loaded host.
  static constexpr unsigned kFlushMilliseconds = 30;

  /// Creates `path` (mode 0600) and writes the header and the initial memory. Throws Error: kCannotCreate if it exists
  /// or cannot be made, kIo if it cannot be written, and then removes what it created.
  TraceWriter(const std::string& path, const BoardConfig& board, const TraceIdentity& identity = this_build(),
              const TraceExtras& extras = {});
  /// The same, to a file that was made already; `path` is its name in messages.
  TraceWriter(std::string path, std::shared_ptr<TraceFile> file, const BoardConfig& board,
              const TraceIdentity& identity, const TraceExtras& extras);
  /// Flushes. Without on_finish the trace says that its recorder did not end it.
  ~TraceWriter() override;
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  void on_event(const Event& event) override;
  void on_block(Position before, const CapturedBlock& block) override;
  [[nodiscard]] std::shared_ptr<BlockHome> block_home() override;
  void on_mark(const HashMark& mark) override;
  void on_progress(Position now) override;
  void on_branch(const BranchPoint& branch) override;
  void on_key_frame(const KeyFrame& frame) override;
  void on_finish(Position end, const Outcome& outcome) override;

  /// The same on the disk, with Sync::kYes.
  void end() override { flush(); }
  void flush() override;
  [[nodiscard]] std::optional<Error> take_error() override;
  [[nodiscard]] bool failed() const override;
  [[nodiscard]] u64 written_bytes() const override;
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] const std::array<u8, 16>& id() const override { return id_; }
  /// What will have been written once all that was told so far is; frames that are not full yet count uncompressed.
  [[nodiscard]] u64 told_bytes() const;
  /// What it begins with is in the file, if that is a state; so are all key frames that were told.
  [[nodiscard]] bool key_frames_done() const;

 private:
  void write_header(const BoardConfig& board, const TraceIdentity& identity, const TraceExtras& extras);
  void make_key_frame_writer(Needed first);
  /// Adds to the frames by `add(frames_)`, unless recording is over.
  template <class Add>
  void tell(Add add);
  void flush_locked();
  /// Waits for the disk, without the lock meanwhile: who tells must not wait.
  void sync(std::unique_lock<std::mutex>& lock);
  /// 0, or the errno; then the file is as it was.
  int write_out(std::span<const u8> bytes);
  /// `sentence` is for the user, `why` for the trace.
  void fail(const std::string& sentence, const std::string& why);
  void run_flusher();

  const std::string path_;
  const std::array<u8, 16> id_;
  const std::shared_ptr<TraceFile> file_;
  std::shared_ptr<TraceBlocks> blocks_;  ///< Null: nobody reads them back.
  const Sync sync_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  FrameBuilder frames_;
  u64 written_bytes_ = 0;  ///< Size of the file: always whole frames.
  bool torn_ = false;      ///< A half frame stands behind that.
  Position written_;       ///< The file replays up to here.
  u64 synced_bytes_ = 0;   ///< With Sync::kYes: that much of it is on the disk.
  bool dirty_ = false;
  bool closing_ = false;
  bool finished_ = false;
  std::optional<Error> error_;
  bool failed_ = false;
  std::thread flusher_;
  /// Null before the first key frame. Frames of its making come behind what was told meanwhile.
  std::unique_ptr<KeyFrameWriter> key_frames_;
};

}  // namespace retrov
