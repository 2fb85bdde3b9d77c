// Does to a session what a walk lists, and compares where it then is with the truth.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/random_walk.hpp"
#include "tests/support/slow_search.hpp"
#include "tests/support/walk_session.hpp"

namespace retrov::test {

/// The session is not where, or not what, it should be.
struct WalkFailure {
  std::string what;
};

class Walker {
 public:
  explicit Walker(u64 seed);

  /// False: there was nothing to do in that way here. Throws WalkFailure.
  bool act(const WalkOp& op);
  /// Everything that was lived replays by itself. Once, at the end.
  void finish();
  /// What was done last, for people.
  [[nodiscard]] const std::string& last() const { return last_; }

  // What there is to do; the rows of the table are these.
  bool seek(const WalkOp& op);
  bool seek_near(const WalkOp& op);
  bool step_forward(const WalkOp& op);
  bool step_backward(const WalkOp& op);
  bool run_forward(const WalkOp& op);
  bool run_backward(const WalkOp& op);
  bool step_range(const WalkOp& op);
  bool wish(const WalkOp& op);
  bool wish_nothing(const WalkOp& op);
  bool set_modes(const WalkOp& op);
  bool type(const WalkOp& op);
  bool write(const WalkOp& op);
  bool set_scratch(const WalkOp& op);
  bool fork(const WalkOp& op);
  bool switch_branch(const WalkOp& op);
  bool power_cycle(const WalkOp& op);
  bool reset(const WalkOp& op);
  bool interrupted_move(const WalkOp& op);
  bool count_executions(const WalkOp& op);
  bool look_elsewhere(const WalkOp& op);

 private:
  struct Line {
    std::unique_ptr<Truth> truth;
    Position stood_at;
  };

  [[nodiscard]] Session& session() { return walked_.session(); }
  [[nodiscard]] Truth& truth() { return copy_ ? *copy_ : *lines_.at(line_).truth; }
  [[nodiscard]] bool in_past() { return !copy_ && session().position() < session().end(); }
  [[nodiscard]] bool is_off();
  /// A move from here may go beyond what is known.
  [[nodiscard]] bool crosses();
  [[nodiscard]] unsigned any_hart(u64 number);
  [[nodiscard]] u64 any_pc(u64 number);
  [[nodiscard]] WatchRange any_range(Random& random) const;
  [[nodiscard]] Input any_write(Random& random);
  void note_hand(const Input& input);
  void drop_copy();
  void let_all_run();
  void moved();
  void note_backward(const Stop& stop);
  [[nodiscard]] std::string irq_text();
  void expect(const Stop& stop, const TrueStop& expected);
  void check_state();
  void forward_expectation(const Stop& stop, Position from, Position limit, bool crossed);
  void step_expectation(const Stop& stop, Position from, unsigned hart, bool crossed);
  void say(const std::string& what) { last_ = what; }

  WalkSetup setup_;
  WalkSession walked_;
  std::map<std::string, Line> lines_;
  std::string line_ = kMainBranch;
  std::unique_ptr<Truth> copy_;
  Position copy_from_;
  Wish wish_;
  WalkRules rules_;
  std::optional<unsigned> only_hart_;
  /// What the last move has said: of the step before here, and of the step to come.
  std::optional<Position> reported_access_, reported_instruction_;
  std::optional<Position> access_before_copy_, instruction_before_copy_;
  std::string last_;
};

struct WalkKind {
  const char* name;
  unsigned weight;
  bool (Walker::*act)(const WalkOp&);
};
[[nodiscard]] std::span<const WalkKind> walk_kind_rows();

}  // namespace retrov::test
