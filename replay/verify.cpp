#include "replay/verify.hpp"

#include <algorithm>
#include <memory>

#include "core/check.hpp"
#include "replay/fresh_replay.hpp"
#include "replay/key_frame_check.hpp"
#include "replay/marks.hpp"
#include "replay/timeline.hpp"

namespace retrov {

namespace {

constexpr u64 kProgressSteps = 10'000'000;

/// Of a history, or of a segment of it: what is marked at its beginning is for the one before to compare.
class Verifier {
 public:
  Verifier(const History& history, const History& second, const VerifyOptions& options)
      : history_(history),
        second_history_(second),
        options_(options),
        replay_(history, options.engine, options.output, options.output_from),
        first_(replay_.position()) {
    const SnapshotPolicy policy = options.snapshots.policy;
    if (policy == SnapshotPolicy::kEvery || policy == SnapshotPolicy::kRandom) {
      timeline_ = std::make_unique<Timeline>(history, replay_.machine(), replay_.output(), options.snapshots);
    }
  }

  Verdict run(const Segment& segment) {
    try {
      if (begin(segment)) verify(segment);
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kDivergence) throw;
      diverge({}, error.what());
    }
    // Where it came to, before it is explained by going elsewhere.
    verdict_.reached = replay_.position();
    verdict_.console = replay_.console();
    verdict_.hash = replay_.machine().hash();
    if (verdict_.divergence) explain_divergence();
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] bool going_on() const { return !verdict_.divergence && !verdict_.interrupted; }

  bool begin(const Segment& segment) {
    if (segment.from > first_) {
      std::optional<Timeline> way;
      if (!timeline_) way.emplace(history_, replay_.machine(), replay_.output(), SnapshotOptions{});
      verdict_.interrupted = !(timeline_ ? *timeline_ : *way).seek(segment.from, interrupted());
      replay_.moved();
    }
    key_frames_.emplace(history_, replay_.machine());
    good_ = replay_.snapshot();
    replay_.machine().begin_stretch();
    if (options_.twice == Twice::kYes) start_second();
    return going_on();
  }

  void verify(const Segment& segment) {
    next_mark_ = segment.from > first_ ? history_.first_mark_at(Position{segment.from.steps + 1}) : 0;
    while (next_mark_ < history_.marks().size() && history_.marks()[next_mark_].at <= segment.to) {
      const HashMark& mark = history_.marks()[next_mark_];
      if (!reach(mark.at) || !compare_second() || !compare(mark) || !compare_key_frame()) return;
    }
    if (reach(segment.to) && compare_second() && segment.to == history_.end()) compare_end();
  }

  [[nodiscard]] const std::atomic<bool>& interrupted() const {
    return options_.interrupted != nullptr ? *options_.interrupted : never_;
  }

  void start_second() {
    second_ = std::make_unique<FreshReplay>(second_history_, options_.engine);
    if (replay_.position() > first_) second_->restore(good_);
    second_good_ = second_->snapshot();
  }

  void diverge(const std::vector<std::string>& components, std::string detail) {
    Divergence divergence;
    divergence.after = good_.machine.at;
    divergence.at = replay_.position();
    divergence.detail = std::move(detail);
    for (const std::string& name : components) {
      divergence.components.push_back({name, equal_at(name).value_or(divergence.after)});
    }
    verdict_.divergence = std::move(divergence);
  }

  /// The last mark that was met and says it.
  [[nodiscard]] std::optional<Position> equal_at(const std::string& name) const {
    for (std::size_t i = next_mark_; i-- > 0;) {
      const HashMark& mark = history_.marks()[i];
      const bool says_it =
          name == "console" || std::any_of(mark.components.begin(), mark.components.end(),
                                           [&](const ComponentHash& component) { return component.name == name; });
      if (says_it) return mark.at;
    }
    return std::nullopt;
  }

  bool reach(Position target) {
    while (replay_.position() < target) {
      const u64 left = target.steps - replay_.position().steps;
      const Position limit{replay_.position().steps + std::min(left, kProgressSteps)};
      const Halt halt = timeline_ ? timeline_->run_history(limit, nullptr, interrupted())
                                  : replay_.run_to(limit, interrupted());
      if (second_ && halt != Halt::kInterrupted) (void)second_->run_to(replay_.position(), never_);
      if (options_.progress) options_.progress(replay_.position());
      if (halt == Halt::kInterrupted) {
        verdict_.interrupted = true;
        return false;
      }
      if (halt != Halt::kLimit && replay_.position() < target) {
        diverge({}, halt == Halt::kPoweredOff ? "the replayed guest powered off too early"
                                              : "the replayed guest waits where the recorded one went on");
        return false;
      }
    }
    if (timeline_ && target > first_) reach_again(target);
    return true;
  }

  /// From the snapshot before it.
  void reach_again(Position target) {
    timeline_->restore(timeline_->snapshot_before(target));
    timeline_->seek(target, never_);
  }

  bool compare(const HashMark& mark) {
    const bool is_full = has_ram(mark);
    const std::vector<ComponentHash> mine = replay_.machine().component_hashes(HashRam{is_full});
    std::vector<std::string> names = differing(mine, mark.components);
    for (const ComponentHash& theirs : mark.components) {
      const bool known = std::any_of(mine.begin(), mine.end(),
                                     [&](const ComponentHash& component) { return component.name == theirs.name; });
      if (!known) verdict_.unknown.push_back(theirs.name);
    }
    const ConsoleTally& tally = replay_.console();
    if (tally.bytes != mark.console_bytes || tally.hash != mark.console_hash) names.emplace_back("console");
    if (!names.empty()) {
      diverge(names, "the state differs from what was recorded");
      missed_ = &mark;
      return false;
    }
    if (is_full) {
      good_ = replay_.snapshot();
      if (second_) second_good_ = second_->snapshot();
    }
    ++next_mark_;
    ++verdict_.marks;
    return true;
  }

  /// Whether both replays are where they are in the same state.
  bool compare_second() {
    if (!second_) return true;
    const std::vector<ComponentHash> hashes = replay_.machine().component_hashes();
    std::vector<std::string> names = differing(second_->machine().component_hashes(), hashes);
    if (replay_.console() != second_->console()) names.emplace_back("console");
    if (names.empty()) return true;
    diverge(names, "two replays differ from each other");
    replays_differ_ = true;
    return false;
  }

  /// Runs what went wrong once more, which can go wrong in another way: what is known already stays known.
  void explain_divergence() {
    try {
      look_closer(*verdict_.divergence);
    } catch (const Error& error) {
      verdict_.divergence->explanation = std::string("  looking closer failed: ") + error.what() + "\n";
    }
  }

  void look_closer(Divergence& divergence) {
    if (missed_ != nullptr) {
      const Mismatch mismatch{good_, *missed_, replay_.machine().component_hashes()};
      if (!second_) start_second();
      explain(divergence, mismatch, replay_, *second_);
    } else if (replays_differ_) {
      explain_replays(divergence, replay_, good_, *second_, second_good_);
    }
  }

  bool compare_key_frame() {
    const auto fault = key_frames_->compare(replay_.console());
    verdict_.key_frames = key_frames_->compared();
    if (fault) diverge(fault->components, fault->detail);
    return !fault;
  }

  void compare_end() {
    const Outcome& outcome = history_.outcome();
    const PowerState& power = replay_.machine().power();
    const bool was_off = outcome.kind == Outcome::Kind::kPoweredOff;
    if (outcome.kind == Outcome::Kind::kUnknown) return;
    if (was_off != power.off || (was_off && outcome.status != power.status)) {
      diverge({"machine"}, was_off ? "the recorded guest powered off here, the replayed one did not in the same way"
                                   : "the replayed guest powered off where the recorded one did not");
    }
  }

  const History& history_;
  const History& second_history_;
  const VerifyOptions& options_;
  FreshReplay replay_;
  const Position first_;  ///< Of the history.
  std::optional<KeyFrameCheck> key_frames_;
  std::unique_ptr<FreshReplay> second_;  ///< Only if there shall be two, or something is to be explained.
  std::unique_ptr<Timeline> timeline_;   ///< Only if there shall be snapshots.
  const std::atomic<bool> never_{false};
  Verdict verdict_;
  KeptSnapshot good_, second_good_;      ///< At the last mark of the whole state that was met.
  std::size_t next_mark_ = 0;            ///< Those before it were met.
  const HashMark* missed_ = nullptr;
  bool replays_differ_ = false;
};

/// Of all segments up to the one that was added last.
class Sum {
 public:
  void add(Verdict&& part) {
    part.marks += sum_.marks;
    part.key_frames += sum_.key_frames;
    part.unknown.insert(part.unknown.end(), sum_.unknown.begin(), sum_.unknown.end());
    sum_ = std::move(part);
  }
  [[nodiscard]] bool going_on() const { return sum_.identical(); }
  Verdict take() {
    std::sort(sum_.unknown.begin(), sum_.unknown.end());
    sum_.unknown.erase(std::unique(sum_.unknown.begin(), sum_.unknown.end()), sum_.unknown.end());
    return std::move(sum_);
  }

 private:
  Verdict sum_;
};

/// Each segment begins at a key frame, which is compared with the state that the one before it ends in: so all of them
/// say what one replay from the beginning would.
Verdict verify_segments(const History& history, const VerifyOptions& options, std::span<const Segment> segments) {
  Sum sum;
  const auto work = [&](SegmentTask& task) {
    VerifyOptions mine = options;
    mine.interrupted = &task.broken_off();
    mine.progress = [&task](Position here) { task.reached(here); };
    auto part = std::make_shared<Verdict>(Verifier(history, history, mine).run(task.segment()));
    task.hand_on([&sum, part] {
      sum.add(std::move(*part));
      return sum.going_on();
    });
  };
  const SegmentsEnd end = run_segments(segments, {options.jobs, options.progress, options.interrupted}, work);
  Verdict verdict = sum.take();
  verdict.interrupted |= end.interrupted;
  return verdict;
}

std::vector<Segment> segments_of(const History& history, const VerifyOptions& options) {
  if (options.jobs == 1 || options.output != nullptr) return {{{}, history.end()}};
  const Position first = FreshReplay(history, options.engine).position();
  return cut_at_key_frames(history, first, history.end(), options.jobs * kSegmentsPerJob, options.least_segment_steps);
}

}  // namespace

Verdict verify(const History& history, const VerifyOptions& options) {
  const std::vector<Segment> segments = segments_of(history, options);
  if (segments.size() > 1) return verify_segments(history, options, segments);
  Sum sum;
  sum.add(Verifier(history, history, options).run(segments.front()));
  return sum.take();
}

Verdict verify_beside(const History& history, const History& second, const VerifyOptions& options) {
  VerifyOptions twice = options;
  twice.twice = Twice::kYes;
  Sum sum;
  sum.add(Verifier(history, second, twice).run({{}, history.end()}));
  return sum.take();
}

}  // namespace retrov
