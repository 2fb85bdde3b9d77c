// Finds the stops of moves through a line of history by looking at its steps one after the other, by the words of
// docs/gdb.md: what the searches of a session are compared with.
#pragma once

#include "tests/support/truth.hpp"

namespace retrov::test {

/// What shall stop a move.
struct Wish {
  StopRequest request;
  bool conditions = false;  ///< Not all counts, and breakpoints may be handled: WalkRules.
};

/// Conditions as functions of what a hart's registers are.
class WalkRules final : public StopRules {
 public:
  static bool counts(const Sight& sight, VirtAddr address);
  static bool handles(const Sight& sight, VirtAddr address);
  [[nodiscard]] bool counts(const HartView& hart, VirtAddr breakpoint) const override;
  [[nodiscard]] bool counts(const HartView& hart, const WatchRange& range) const override;
  bool handle(const HartView& hart, VirtAddr breakpoint) override;
};

/// Where a move stops, and what it says.
struct TrueStop {
  Position at;
  StopReason reason = StopReason::kStep;
  unsigned hart = 0;
  VirtAddr watched;
  WatchKind watch_kind = WatchKind::kWrite;
};

class SlowSearch {
 public:
  SlowSearch(Truth& truth, const Wish& wish) : truth_(truth), wish_(wish) {}

  /// What a run passes over without stopping.
  struct Passing {
    std::optional<Position> instruction;  ///< A CSR write there.
    std::optional<unsigned> step_of;      ///< What a step of this hart has said already, or says in another way.
    StepIrq irq = StepIrq::kSkip;
  };
  /// The first stop of a run from `from` to `limit`; what is about to happen at the limit counts only `at_limit`.
  enum class AtLimit : bool { kPass, kLook };
  [[nodiscard]] std::optional<TrueStop> forward(Position from, Position limit, AtLimit at_limit,
                                                const Passing& passing);
  /// The last stop before `from`. What happened in the step before `from` counts only `at_start`; nothing at or below
  /// `after` does.
  [[nodiscard]] std::optional<TrueStop> backward(Position from, AtLimit at_start, std::optional<Position> after);
  /// The next or last stop of the hart, whatever lies between.
  [[nodiscard]] std::optional<Position> step_forward(unsigned hart, Position from, StepIrq irq);
  [[nodiscard]] std::optional<Position> step_backward(unsigned hart, Position from, StepIrq irq);
  /// Behind what was done by hand there.
  [[nodiscard]] Position past_hands(Position at);

 private:
  [[nodiscard]] std::optional<TrueStop> breakpoint(Position at);
  [[nodiscard]] std::optional<TrueStop> csr_write(Position at);
  [[nodiscard]] std::optional<TrueStop> access(Position at);
  [[nodiscard]] std::optional<TrueStop> device_write(Position behind);
  [[nodiscard]] bool passes(Position at, Position from, const Passing& passing);
  [[nodiscard]] bool begins_to_wait(unsigned hart, Position at);
  [[nodiscard]] bool is_stop(unsigned hart, Position at);
  [[nodiscard]] bool left_out(unsigned hart, Position at, Position from) const;

  Truth& truth_;
  const Wish& wish_;
};

}  // namespace retrov::test
