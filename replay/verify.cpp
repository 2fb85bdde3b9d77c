#include "replay/verify.hpp"

#include <algorithm>
#include <memory>

#include "core/check.hpp"
#include "replay/disks.hpp"
#include "replay/drive.hpp"
#include "replay/key_frame_check.hpp"
#include "replay/replayer.hpp"
#include "replay/timeline.hpp"

namespace retrov {

namespace {

constexpr u64 kProgressSteps = 10'000'000;

class Nobody final : public OutputSink {
 public:
  void console(Position, std::span<const u8>) override {}
  void notice(Position, const std::string&) override {}
};

class Verifier {
 public:
  Verifier(const History& history, const VerifyOptions& options)
      : history_(history),
        options_(options),
        output_(options.output != nullptr ? *options.output : nobody_),
        replayer_(history) {
    std::vector<DiskBase*> bases;
    for (std::size_t i = 0; i < history.board().disks.size(); ++i) {
      disks_.push_back(std::make_unique<ReplayDisk>(history, static_cast<u8>(i)));
      bases.push_back(disks_.back().get());
    }
    machine_ = build_board(history.board(), options.engine, output_, bases);
    key_frames_.emplace(history, *machine_);
    const SnapshotPolicy policy = options.snapshots.policy;
    if (policy == SnapshotPolicy::kEvery || policy == SnapshotPolicy::kRandom) {
      timeline_ = std::make_unique<Timeline>(history, *machine_, output_, options.snapshots);
    }
  }

  Verdict run() {
    try {
      for (const HashMark& mark : history_.marks()) {
        if (!reach(mark.at) || !compare(mark) || !compare_key_frame()) break;
      }
      if (going_on() && reach(history_.end())) compare_end();
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kDivergence) throw;
      diverge({}, error.what());
    }
    verdict_.reached = machine_->position();
    verdict_.console = output_.tally();
    verdict_.hash = machine_->hash();
    std::sort(verdict_.unknown.begin(), verdict_.unknown.end());
    verdict_.unknown.erase(std::unique(verdict_.unknown.begin(), verdict_.unknown.end()), verdict_.unknown.end());
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] bool going_on() const { return !verdict_.divergence && !verdict_.interrupted; }

  void diverge(std::vector<std::string> components, std::string detail) {
    verdict_.divergence = Divergence{last_good_, machine_->position(), std::move(components), std::move(detail)};
  }

  bool reach(Position target) {
    const std::atomic<bool>& interrupted = options_.interrupted != nullptr ? *options_.interrupted : never_;
    while (machine_->position() < target) {
      const u64 left = target.steps - machine_->position().steps;
      const Position limit{machine_->position().steps + std::min(left, kProgressSteps)};
      const Halt halt = timeline_ ? timeline_->run_history(limit, nullptr, interrupted)
                                  : drive(*machine_, replayer_, limit, nullptr, interrupted);
      if (options_.progress) options_.progress(machine_->position());
      if (halt == Halt::kInterrupted) {
        verdict_.interrupted = true;
        return false;
      }
      if (halt != Halt::kLimit && machine_->position() < target) {
        diverge({}, halt == Halt::kPoweredOff ? "the replayed guest powered off too early"
                                              : "the replayed guest waits where the recorded one went on");
        return false;
      }
    }
    if (timeline_ && target > Position{0}) reach_again(target);
    return true;
  }

  /// From the snapshot before it.
  void reach_again(Position target) {
    timeline_->restore(timeline_->snapshot_before(target));
    timeline_->seek(target, never_);
  }

  bool compare(const HashMark& mark) {
    const std::vector<ComponentHash> mine = machine_->component_hashes();
    std::vector<std::string> differing;
    for (const ComponentHash& theirs : mark.components) {
      const auto same = std::find_if(mine.begin(), mine.end(),
                                     [&](const ComponentHash& component) { return component.name == theirs.name; });
      if (same == mine.end()) {
        verdict_.unknown.push_back(theirs.name);
      } else if (same->hash != theirs.hash) {
        differing.push_back(theirs.name);
      }
    }
    const ConsoleTally& tally = output_.tally();
    if (tally.bytes != mark.console_bytes || tally.hash != mark.console_hash) differing.push_back("console");
    if (!differing.empty()) {
      diverge(std::move(differing), "the state differs from what was recorded");
      return false;
    }
    last_good_ = mark.at;
    ++verdict_.marks;
    return true;
  }

  bool compare_key_frame() {
    const auto fault = key_frames_->compare(output_.tally());
    verdict_.key_frames = key_frames_->compared();
    if (fault) diverge(fault->components, fault->detail);
    return !fault;
  }

  void compare_end() {
    const Outcome& outcome = history_.outcome();
    const PowerState& power = machine_->power();
    const bool was_off = outcome.kind == Outcome::Kind::kPoweredOff;
    if (outcome.kind == Outcome::Kind::kUnknown) return;
    if (was_off != power.off || (was_off && outcome.status != power.status)) {
      diverge({"machine"}, was_off ? "the recorded guest powered off here, the replayed one did not in the same way"
                                   : "the replayed guest powered off where the recorded one did not");
    }
  }

  const History& history_;
  const VerifyOptions& options_;
  Nobody nobody_;
  OutputLog output_;
  Replayer replayer_;
  std::vector<std::unique_ptr<DiskBase>> disks_;
  std::unique_ptr<Machine> machine_;
  std::optional<KeyFrameCheck> key_frames_;
  std::unique_ptr<Timeline> timeline_;  ///< Only if there shall be snapshots.
  const std::atomic<bool> never_{false};
  Verdict verdict_;
  Position last_good_;
};

}  // namespace

Verdict verify(const History& history, const VerifyOptions& options) { return Verifier(history, options).run(); }

}  // namespace retrov
