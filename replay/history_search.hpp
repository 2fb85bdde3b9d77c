// Looking through history for what was executed or accessed: by a session, which goes there and comes back, or on
// several threads between the key frames of a trace. Both find the same, in the same order.
#pragma once

#include <functional>
#include <string>

#include "replay/accesses.hpp"
#include "replay/debugger.hpp"
#include "replay/segments.hpp"

namespace retrov {

/// What is to be said where a breakpoint that counts was about to be executed.
struct HitText {
  std::string text;  ///< Lines.
  u64 hits = 0;      ///< So many times somebody wanted to know.
};
/// May be asked by any thread, several at once.
using HitTeller = std::function<HitText(Position at, unsigned hart, const HartView& view, VirtAddr breakpoint)>;
/// Shown in the order of history, by the thread that asked. False: enough.
using HitShow = std::function<bool(const HitText& hit)>;

/// Goes through the steps of [from, to) for the breakpoints of a request; its rules are asked which count, by any
/// thread, and do not handle them. Returns how far it came: to `to`, behind what was enough, or to where it was
/// interrupted; all that lies before has been shown. Throws Error as Debugger::scan.
using HistorySearch = std::function<Position(const StopRequest& request, Position from, Position to,
                                             const HitTeller& tell, const HitShow& show)>;
/// As Debugger::accesses, for orders that are not `last_only`.
using AccessSearch = std::function<Position(const AccessOrder& order, const AccessVisit& visit)>;

/// By the debugger's own walk; it must outlive the search.
[[nodiscard]] HistorySearch search_by(Debugger& debugger);

/// How to search between key frames.
struct SegmentSearch {
  const History& history;  ///< Must outlive the search.
  EngineKind engine = EngineKind::kFast;
  SnapshotOptions snapshots = {};
  SegmentOptions threads = {};
  u64 least_segment_steps = kLeastSegmentSteps;
  /// Told by the thread that asked of a key frame that could not be used. Empty: nobody.
  std::function<void(const std::string&)> note = {};
};
[[nodiscard]] HistorySearch search_segments(SegmentSearch how);
[[nodiscard]] AccessSearch search_accesses_in_segments(SegmentSearch how);

}  // namespace retrov
