#include "replay/verify.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "core/check.hpp"
#include "replay/fresh_replay.hpp"
#include "replay/key_frame_check.hpp"
#include "replay/marks.hpp"
#include "replay/timeline.hpp"

namespace retrov {

namespace {

constexpr u64 kProgressSteps = 10'000'000;

class Verifier {
 public:
  Verifier(const History& history, const History& second, const VerifyOptions& options)
      : history_(history),
        second_history_(second),
        options_(options),
        replay_(history, options.engine, options.output, options.output_from) {
    const SnapshotPolicy policy = options.snapshots.policy;
    if (policy == SnapshotPolicy::kEvery || policy == SnapshotPolicy::kRandom) {
      timeline_ = std::make_unique<Timeline>(history, replay_.machine(), replay_.output(), options.snapshots);
    }
    key_frames_.emplace(history, replay_.machine());
    good_ = replay_.snapshot();
    if (options.twice == Twice::kYes) start_second();
  }

  Verdict run() {
    try {
      for (const HashMark& mark : history_.marks()) {
        if (!reach(mark.at) || !compare_second() || !compare(mark) || !compare_key_frame()) break;
      }
      if (going_on() && reach(history_.end()) && compare_second()) compare_end();
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kDivergence) throw;
      diverge({}, error.what());
    }
    // Where it came to, before it is explained by going elsewhere.
    verdict_.reached = replay_.position();
    verdict_.console = replay_.console();
    verdict_.hash = replay_.machine().hash();
    std::sort(verdict_.unknown.begin(), verdict_.unknown.end());
    verdict_.unknown.erase(std::unique(verdict_.unknown.begin(), verdict_.unknown.end()), verdict_.unknown.end());
    if (verdict_.divergence) explain_divergence();
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] bool going_on() const { return !verdict_.divergence && !verdict_.interrupted; }

  void start_second() {
    second_ = std::make_unique<FreshReplay>(second_history_, options_.engine);
    second_good_ = second_->snapshot();
  }

  void diverge(const std::vector<std::string>& components, std::string detail) {
    Divergence divergence;
    divergence.after = good_.machine.at;
    divergence.at = replay_.position();
    divergence.detail = std::move(detail);
    for (const std::string& name : components) {
      const auto equal = equal_at_.find(name);
      divergence.components.push_back({name, equal == equal_at_.end() ? divergence.after : equal->second});
    }
    verdict_.divergence = std::move(divergence);
  }

  bool reach(Position target) {
    const std::atomic<bool>& interrupted = options_.interrupted != nullptr ? *options_.interrupted : never_;
    while (replay_.position() < target) {
      const u64 left = target.steps - replay_.position().steps;
      const Position limit{replay_.position().steps + std::min(left, kProgressSteps)};
      const Halt halt = timeline_ ? timeline_->run_history(limit, nullptr, interrupted)
                                  : replay_.run_to(limit, interrupted);
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
    if (timeline_ && target > history_.begin().at) reach_again(target);
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
    for (const ComponentHash& component : mark.components) equal_at_[component.name] = mark.at;
    equal_at_["console"] = mark.at;
    if (is_full) {
      good_ = replay_.snapshot();
      if (second_) second_good_ = second_->snapshot();
    }
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
  std::optional<KeyFrameCheck> key_frames_;
  std::unique_ptr<FreshReplay> second_;  ///< Only if there shall be two, or something is to be explained.
  std::unique_ptr<Timeline> timeline_;   ///< Only if there shall be snapshots.
  const std::atomic<bool> never_{false};
  Verdict verdict_;
  KeptSnapshot good_, second_good_;      ///< At the last mark of the whole state that was met.
  std::map<std::string, Position> equal_at_;
  const HashMark* missed_ = nullptr;
  bool replays_differ_ = false;
};

}  // namespace

Verdict verify(const History& history, const VerifyOptions& options) {
  return Verifier(history, history, options).run();
}

Verdict verify_beside(const History& history, const History& second, const VerifyOptions& options) {
  VerifyOptions twice = options;
  twice.twice = Twice::kYes;
  return Verifier(history, second, twice).run();
}

}  // namespace retrov
