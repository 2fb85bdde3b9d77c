#include "replay/history_search.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "replay/hart_view.hpp"
#include "replay/position.hpp"
#include "replay/stop_filter.hpp"

namespace retrov {

namespace {

/// Long enough that stopping costs nothing, short enough for Ctrl-C.
constexpr u64 kSliceSteps = 10'000'000;
constexpr std::size_t kMostInHand = 1000;

/// Lets a debugger's walk stop at what the request's own rules say counts, and says it.
class Telling final : public StopRules {
 public:
  Telling(const Debugger& debugger, const StopRules* inner, const HitTeller& tell, const HitShow& show)
      : debugger_(debugger), inner_(inner), tell_(tell), show_(show) {}
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr breakpoint) const override {
    return inner_ == nullptr || inner_->counts(hart, breakpoint);
  }
  [[nodiscard]] bool counts(const HartView&, const WatchRange&) const override { return false; }
  bool handle(const HartView& hart, VirtAddr breakpoint) override {
    return show_(tell_(debugger_.position(), debugger_.machine().current_hart(), hart, breakpoint));
  }

 private:
  const Debugger& debugger_;
  const StopRules* inner_;
  const HitTeller& tell_;
  const HitShow& show_;
};

/// One for each thread, made when it has something to do.
class Cursors {
 public:
  explicit Cursors(const SegmentSearch& how) : how_(how), cursors_(kMostJobs) {
    options_ = how.snapshots;
    options_.budget_bytes /= std::max(how.threads.jobs, 1u);
  }
  SegmentCursor& at(unsigned worker) {
    std::unique_ptr<SegmentCursor>& cursor = cursors_[worker];
    if (!cursor) cursor = std::make_unique<SegmentCursor>(how_.history, how_.engine, options_);
    return *cursor;
  }
  /// The thread's, where the segment begins; null if it was interrupted on the way.
  SegmentCursor* enter(SegmentTask& task) {
    SegmentCursor& cursor = at(task.worker());
    if (!cursor.enter(task.segment(), task.broken_off())) return nullptr;
    if (cursor.took_a_detour() && how_.note) {
      task.hand_on([this, at = task.segment().from] {
        how_.note("a key frame at or before step " + group_digits(at.steps) +
                  " cannot be used; retrov verify says why");
        return true;
      });
    }
    return &cursor;
  }

 private:
  const SegmentSearch& how_;
  SnapshotOptions options_;
  std::vector<std::unique_ptr<SegmentCursor>> cursors_;
};

std::vector<Segment> segments_for(const SegmentSearch& how, Position from, Position to) {
  // Without snapshots there are no key frames either.
  const bool whole = how.threads.jobs == 1 || how.snapshots.policy == SnapshotPolicy::kNone;
  const std::size_t most = whole ? 1 : how.threads.jobs * kSegmentsPerJob;
  return cut_at_key_frames(how.history, from, to, most, how.least_segment_steps);
}

[[noreturn]] void came_to_rest(Position here, Position target) {
  throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " + std::to_string(here.steps) +
                                     " and cannot reach step " + std::to_string(target.steps));
}

/// What one segment has for those who wait.
class Scan {
 public:
  Scan(SegmentTask& task, SegmentCursor& cursor, const StopRequest& request, const HitTeller& tell,
       const HitShow& show)
      : task_(task),
        replay_(cursor.replay()),
        filter_(replay_.machine(), request.watches, request.rules),
        tell_(tell),
        show_(show) {
    stops_.breakpoints = request.breakpoints;
    stops_.filter = &filter_;
  }

  void run() {
    const Position to = task_.segment().to;
    while (replay_.position() < to && !task_.broken_off()) {
      const Position limit{replay_.position().steps + std::min(kSliceSteps, to.steps - replay_.position().steps)};
      const Halt halt = run_slice(limit);
      hand_on();
      if (halt == Halt::kInterrupted) return;
      if (replay_.position() < limit) came_to_rest(replay_.position(), to);
    }
  }

 private:
  Halt run_slice(Position limit) {
    for (;;) {
      const Halt halt = replay_.run_to(limit, task_.broken_off(), &stops_);
      if (halt != Halt::kStop) return halt;
      const unsigned hart = stops_.hit->hart;
      const MachineHart view(replay_.machine(), hart);
      found_.push_back(tell_(replay_.position(), hart, view, stops_.hit->address));
      stops_.pass_breakpoint_at = replay_.position();
      if (found_.size() == kMostInHand) hand_on();
    }
  }

  void hand_on() {
    if (!found_.empty()) {
      task_.hand_on([&show = show_, found = std::exchange(found_, {})] {
        return std::all_of(found.begin(), found.end(), show);
      });
    }
    task_.reached(replay_.position());
  }

  SegmentTask& task_;
  FreshReplay& replay_;
  RulesFilter filter_;
  StopSet stops_;
  const HitTeller& tell_;
  const HitShow& show_;
  std::vector<HitText> found_;
};

}  // namespace

HistorySearch search_by(Debugger& debugger) {
  return [&debugger](const StopRequest& request, Position from, Position to, const HitTeller& tell,
                     const HitShow& show) {
    Telling rules(debugger, request.rules, tell, show);
    StopRequest telling = request;
    telling.rules = &rules;
    return debugger.scan(telling, from, to);
  };
}

HistorySearch search_segments(SegmentSearch how) {
  return [how = std::move(how)](const StopRequest& request, Position from, Position to, const HitTeller& tell,
                                const HitShow& show) {
    Cursors cursors(how);
    const auto work = [&](SegmentTask& task) {
      if (SegmentCursor* cursor = cursors.enter(task)) Scan(task, *cursor, request, tell, show).run();
    };
    return run_segments(segments_for(how, from, to), how.threads, work).reached;
  };
}

AccessSearch search_accesses_in_segments(SegmentSearch how) {
  return [how = std::move(how)](const AccessOrder& order, const AccessVisit& visit) {
    RV_CHECK(!order.last_only);
    Cursors cursors(how);
    const auto work = [&](SegmentTask& task) {
      SegmentCursor& cursor = cursors.at(task.worker());
      AccessOrder mine = order;
      mine.from = task.segment().from;
      mine.to = task.segment().to;
      std::vector<Access> found;
      const auto hand_on = [&](Position here) {
        task.hand_on([&visit, seen = std::exchange(found, {})] {
          return std::all_of(seen.begin(), seen.end(), visit);
        });
        task.reached(here);
      };
      AccessWalk walk(cursor.timeline(), cursor.replay().machine(), mine, task.broken_off());
      const Position reached = walk.run([&](const Access& access) {
        found.push_back(access);
        if (found.size() == kMostInHand) hand_on(access.at);
        return true;
      });
      hand_on(reached);
    };
    return run_segments(segments_for(how, order.from, order.to), how.threads, work).reached;
  };
}

}  // namespace retrov
