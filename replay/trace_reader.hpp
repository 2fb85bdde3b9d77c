// Reads a trace that may come from a stranger. Opening checks every frame's checksum; read_history and visit decode
// what was checked. Every count and size has a cap that is compared before anything is allocated (docs/trace-format.md,
// "Limits"); no path in a trace is ever opened, and nothing is written.
//
// Must stay true: a byte is used only after the checksum over it was compared; a file cut anywhere behind its header
// reads as a shorter history with a note; any other damage is an Error(kBadTrace) that names offset and position.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "replay/history.hpp"
#include "replay/trace_bytes.hpp"
#include "replay/key_frame_reader.hpp"
#include "replay/trace_codec.hpp"
#include "replay/trace_index.hpp"
#include "replay/trace_symbols.hpp"

namespace retrov {

/// Where bytes go, by kind of frame.
struct FrameTotals {
  u64 frames = 0;
  u64 stored_bytes = 0;  ///< With headers and checksums.
  u64 raw_bytes = 0;     ///< Decompressed payload.
};

/// A frame that does not agree with its checksum, or breaks a rule of the format.
class BadFrame final : public Error {
 public:
  BadFrame(const std::string& trace, u64 offset, Position at, const std::string& why);
  u64 offset;
  Position at;
  std::string why;
};

/// A branch, as the trace tells it. The first began where the trace does.
struct TracedBranch {
  std::string name;
  u64 parent = 0;
  Position from;  ///< Where it leaves its parent.
  Position end;
  Outcome outcome;
};

/// A branch with what happened in it.
struct BranchHistory {
  TracedBranch branch;
  std::unique_ptr<History> history;  ///< Shares with its parent's, which must outlive it.
};

/// Of which frames the checksums are compared when a trace is opened. kWhatIsUsed: not of those that its index knows,
/// which are compared when somebody wants what is in them.
enum class Check : u8 { kAll, kWhatIsUsed };

class TraceReader {
 public:
  /// Throws Error: kNoInput if it cannot be opened, kBadTrace if it is no trace, damaged, or of another version.
  explicit TraceReader(const std::string& path, Check check = Check::kAll);
  /// Of what was opened already, or is in memory; `name` stands for the path in messages.
  TraceReader(std::string name, TraceBytes bytes, Check check = Check::kAll);
  ~TraceReader() = default;
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] u64 file_bytes() const { return file_bytes_; }
  [[nodiscard]] const TraceIdentity& identity() const { return identity_; }
  /// The machine without the bytes of its initial memory, of which it has sizes and hashes.
  [[nodiscard]] const BoardLayout& layout() const { return layout_; }
  /// Where it begins, with the state of a key frame unless that is power-on.
  [[nodiscard]] const HistoryBegin& begin() const { return begin_; }
  /// By number, never empty.
  [[nodiscard]] const std::vector<TracedBranch>& branches() const { return branches_; }
  /// The branch that was told last, which is the one to open if none is named.
  [[nodiscard]] u64 last_branch() const { return last_branch_; }
  /// The number of a branch. Throws Error (kUsage) that lists those there are.
  [[nodiscard]] u64 branch_named(const std::string& name) const;
  /// Where the last branch ends.
  [[nodiscard]] Position end() const { return branches_[last_branch_].end; }
  /// The recorder ended the last branch itself.
  [[nodiscard]] bool complete() const { return complete_; }
  /// Damaged frames that nothing of the history is lost with. They are passed over.
  [[nodiscard]] const std::vector<FrameInfo>& lost_frames() const { return lost_frames_; }
  /// Bytes after the last whole frame, which are ignored.
  [[nodiscard]] u64 torn_bytes() const { return torn_bytes_; }
  /// A sentence for people if the trace is cut, or was not ended or given up by its recorder, or if its index or a
  /// frame is damaged that it replays without; else empty.
  [[nodiscard]] std::string note() const;
  /// Those that agree with their checks and are known, in the order of the file.
  [[nodiscard]] const std::vector<FrameInfo>& frames() const { return frames_; }
  /// Indexed by FrameKind; unknown optional kinds are counted under kUnknown.
  [[nodiscard]] const std::array<FrameTotals, kFrameKinds>& totals() const { return totals_; }

  /// The description of the machine with its initial memory, checked by validate().
  [[nodiscard]] BoardConfig read_board() const;
  /// Tells everything in the order of the file, without keeping it.
  void visit(HistoryListener& listener) const;
  /// All branches, by number.
  [[nodiscard]] std::vector<BranchHistory> read_branches() const;
  /// Those that can be found, in the order of the file.
  [[nodiscard]] std::vector<FoundKeyFrame> find_key_frames() const;
  /// The symbols in it; what is damaged or against the rules is left out.
  [[nodiscard]] std::vector<SymbolFile> read_symbols() const;
  /// What is in that frame of frames().
  [[nodiscard]] std::vector<u8> payload(const FrameInfo& frame) const;
  /// Bookmarks that were packed into it, for parse_bookmarks; from a stranger.
  [[nodiscard]] std::string notes() const;
  /// Of a trace with one branch.
  [[nodiscard]] std::unique_ptr<History> read_history() const;

 private:
  void open(Check check);
  void scan();
  /// Where the index begins that the end of the file tells of.
  [[nodiscard]] std::optional<u64> find_index() const;
  void read_index();
  [[nodiscard]] const IndexedFrame* indexed(const FrameInfo& frame) const;
  /// Nothing if the file ends before the frame does.
  [[nodiscard]] std::optional<FrameInfo> scan_frame(u64 offset);
  FrameInfo skip_index(u64 offset);
  /// False: to be skipped. Throws if it must not be.
  [[nodiscard]] bool is_known(const FrameInfo& frame) const;
  [[nodiscard]] std::string note_of_end() const;
  void read_layout();
  void find_ends();
  void find_beginning();
  /// Those behind the description and the initial memory.
  [[nodiscard]] std::span<const FrameInfo> told_frames() const;
  [[nodiscard]] std::vector<std::vector<u8>> read_contents() const;
  [[nodiscard]] std::vector<u8> frame_bytes(const FrameInfo& frame) const;
  [[nodiscard]] Error cut(const std::string& where) const;
  [[nodiscard]] BadFrame damage(u64 offset, Position at, const std::string& what) const;

  const std::string name_;
  std::shared_ptr<const TraceBytes> bytes_;  ///< Key frames that were handed out need it.
  u64 file_bytes_ = 0;
  TraceIdentity identity_;
  BoardLayout layout_;
  std::vector<FrameInfo> frames_;  ///< That tell the history.
  std::vector<FrameInfo> lost_frames_;
  std::vector<FrameInfo> symbol_frames_;
  std::array<FrameTotals, kFrameKinds> totals_{};
  std::vector<IndexedFrame> index_;        ///< Empty: there is none, or none is wanted.
  std::optional<u64> damaged_index_;       ///< Where it is.
  std::vector<TracedBranch> branches_ = {{kMainBranch, 0, {}, {}, {}}};
  u64 last_branch_ = 0;
  HistoryBegin begin_;
  std::set<u64> ended_;  ///< Branches with an end.
  bool complete_ = false;
  u64 torn_bytes_ = 0;
};

}  // namespace retrov
