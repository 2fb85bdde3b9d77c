// Runs a program here, step by step under the referee's eyes.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/machine.hpp"
#include "tests/difftest/coverage.hpp"
#include "tests/difftest/program.hpp"
#include "tests/difftest/rules.hpp"
#include "tests/difftest/runner_image.hpp"

namespace retrov::difftest {

/// Where a program lies in a batch, which is what it may find in memory.
struct Place {
  u64 index = 0;
  u64 record_at = 0;
};

struct Outcome {
  /// Why the program was refused; empty: it ran to its end.
  std::string_view refused;
  std::vector<u64> log;  ///< DT_LOG_BYTES.
  u64 steps = 0;         ///< Of the program, without the runner's.
  bool locked = false;   ///< It has locked PMP entries.
};

/// A machine that has just been switched on and has the runner, but no program. `asked` is set when a device is, and
/// must outlive the machine.
[[nodiscard]] std::unique_ptr<Machine> bare_machine(const RunnerImage& runner, EngineKind kind, bool& asked);

class OnRetrov {
 public:
  explicit OnRetrov(const RunnerImage& runner);
  ~OnRetrov();
  /// `coverage` counts what a program that is not refused has executed.
  Outcome run(const Program& program, const Place& place, Coverage& coverage);
  /// Puts the program into a machine that has been switched on.
  static void place(Machine& machine, const Program& program, const Place& place);

 private:
  [[nodiscard]] bool run_to(u64 pc);
  [[nodiscard]] std::string_view step_through(const Program& program, Coverage& coverage, Outcome& outcome);
  [[nodiscard]] bool runner_is_intact(const Place& place) const;
  [[nodiscard]] bool touched_only_its_own(const Place& place);

  const RunnerImage& runner_;
  bool asked_ = false;  ///< A device was.
  std::unique_ptr<Machine> machine_;
  std::optional<Snapshot> fresh_;
};

}  // namespace retrov::difftest
