// Goes through a stretch of history on several threads at once: it is cut at key frames, where a replay can begin, and
// what the threads find is handed on in the order of history. Each thread has a machine of its own; they share the
// history, to which nobody adds meanwhile.
//
// Must stay true: what is handed on, and in which order, depends neither on the number of threads nor on which key
// frames are there and can be used.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <vector>

#include "replay/fresh_replay.hpp"
#include "replay/history.hpp"
#include "replay/timeline.hpp"

namespace retrov {

/// Steps of [from, to).
struct Segment {
  Position from, to;
  bool operator==(const Segment&) const = default;
};

/// Beginning in the middle costs about as much as running so far.
inline constexpr u64 kLeastSegmentSteps = 4'000'000;

/// [from, to) cut at key frames that have a hash mark, into at most `most` segments of about equal length, and of
/// `least_steps` or more; steps cost about the same. At least one, which is all of it if there are no key frames.
[[nodiscard]] std::vector<Segment> cut_at_key_frames(const History& history, Position from, Position to,
                                                     std::size_t most, u64 least_steps = kLeastSegmentSteps);

/// So many threads if nobody says how many: one for each processor, but not very many, for each has a guest's memory.
[[nodiscard]] unsigned default_jobs();
inline constexpr unsigned kMostJobs = 64;
/// So many segments for each thread: the last ones are done at about the same time, even if they are not alike.
inline constexpr std::size_t kSegmentsPerJob = 4;

/// A machine for one segment after the other.
class SegmentCursor {
 public:
  /// The history must outlive it. Throws Error (kBadTrace) if the board cannot be built.
  SegmentCursor(const History& history, EngineKind engine, const SnapshotOptions& snapshots = {});

  [[nodiscard]] FreshReplay& replay() { return replay_; }
  [[nodiscard]] Timeline& timeline() { return timeline_; }
  /// Goes where the segment begins, by the key frame there, or from an earlier one if that is no use. False if it was
  /// interrupted. Throws Error (kDivergence).
  bool enter(const Segment& segment, const std::atomic<bool>& interrupted);
  /// A key frame that it wanted to use for the last segment could not be.
  [[nodiscard]] bool took_a_detour() const { return detour_; }

 private:
  FreshReplay replay_;
  Timeline timeline_;
  const Position first_;  ///< Of the history.
  bool detour_ = false;
};

/// What is to be done with what a segment gave. False: enough, nothing that comes later is wanted.
using Delivery = std::function<bool()>;

/// A segment in the hands of a thread.
class SegmentTask {
 public:
  virtual ~SegmentTask() = default;
  [[nodiscard]] virtual std::size_t index() const = 0;
  [[nodiscard]] virtual const Segment& segment() const = 0;
  /// Which thread this is, from 0.
  [[nodiscard]] virtual unsigned worker() const = 0;
  /// Nobody wants the rest.
  [[nodiscard]] virtual const std::atomic<bool>& broken_off() const = 0;
  /// It has come so far, and what it found on the way was handed on.
  virtual void reached(Position here) = 0;
  /// To be done by the thread that waits for all, in the order of segments and of calls. May wait for that.
  virtual void hand_on(Delivery delivery) = 0;
};

struct SegmentOptions {
  unsigned jobs = 1;
  /// Called now and then by the thread that waits for all: how far they are, together.
  std::function<void(Position)> progress = {};
  /// Looked at after `progress`. Null: never.
  const std::atomic<bool>* interrupted = nullptr;
};

struct SegmentsEnd {
  Position reached;  ///< All was handed on that lies before.
  bool enough = false;
  bool interrupted = false;
};

/// Has `work` done for each segment, earlier ones first, on at most `jobs` threads. Throws what the earliest `work`
/// threw that did, after what was found before it has been delivered, and Error (kUnavailable) if there is no thread.
SegmentsEnd run_segments(std::span<const Segment> segments, const SegmentOptions& options,
                         const std::function<void(SegmentTask&)>& work);

}  // namespace retrov
