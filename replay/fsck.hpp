// Looks at every byte of a trace: what is whole, what is damaged and where, what was cut off, and how much of it still
// replays. Goes on behind damage where a whole frame stands again: a frame's check has its offset as seed, so bytes
// that look like one are one.
//
// Must stay true: what it says ends at `good_bytes` is a trace that TraceReader opens and reads without an error.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "replay/report_fields.hpp"
#include "replay/trace_bytes.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

struct TraceFinding {
  enum class What : u8 {
    kDamage,   ///< Bytes that agree with no check, or a frame that breaks a rule: the history ends before them.
    kCut,      ///< The file ends before the frame does, or in zeros that were never written.
    kDropped,  ///< A damaged frame that the history does not need.
    kIndex,    ///< A damaged index at the end of the file. Readers do without; it follows from the rest.
    kUnknown,  ///< A whole optional frame that only another build knows. Nothing is wrong with it.
  };
  What what = What::kDamage;
  u64 offset = 0;
  u64 size_bytes = 0;
  Position at;         ///< Of the frame, or of the one before if that cannot be read.
  std::string kind;    ///< Of the frame; empty if that cannot be read.
  std::string why;
};

struct TraceCheck {
  std::string name;
  u64 file_bytes = 0;
  std::optional<TraceIdentity> identity;  ///< Absent: the first 96 bytes are damaged.
  u64 whole_frames = 0;
  std::vector<TraceFinding> findings;  ///< By offset.
  /// Of another machine version: frames agree with their checks, and what is in them was not looked at.
  bool unread = false;

  u64 good_bytes = 0;        ///< This much replays; 0: nothing does.
  Position good_to;          ///< Up to here, in the branch that is told last in it.
  bool good_ends = false;    ///< The recorder ended that branch.
  u64 steps_per_second = 0;  ///< Of guest time; 0: nothing replays.
  u64 behind_frames = 0;     ///< Whole frames behind that, which nothing can be done with.
  Position behind_to;        ///< The highest position any of them begins at.

  /// Nothing is damaged and nothing cut off.
  [[nodiscard]] bool clean() const;
};

/// `open` is called twice and gives the same bytes; `name` stands for the path. Throws Error: what `open` throws;
/// kBadTrace for what is no trace, or one of another container version.
[[nodiscard]] TraceCheck check_trace(const std::string& name, const std::function<TraceBytes()>& open);
[[nodiscard]] TraceCheck check_trace(const std::string& path);

/// What was found, a line each, and how much replays. One JSON object.
void report_check(const TraceCheck& check, std::ostream& out, ReportFormat format);
/// In one sentence; empty if it is clean.
[[nodiscard]] std::string summarise(const TraceCheck& check);

}  // namespace retrov
