// The exceptions: what the manual leaves open or to software, so that two right machines may differ; and what QEMU is
// known to do against the manual. Each is a row with its reason and section. A program that does such a thing is drawn
// anew, and counted.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/hart.hpp"
#include "core/insn.hpp"
#include "core/machine.hpp"
#include "tests/difftest/program.hpp"

namespace retrov::difftest {

/// A step that is about to be made, and then has been made.
struct StepSeen {
  const InsnRow* row = nullptr;  ///< Null: nothing that is an instruction, an interrupt, or a failed fetch.
  u32 raw = 0;
  Operands operands;
  u64 fetched_at = 0;  ///< Physical; 0 if the fetch fails.
  u64 address = 0;     ///< What rs1 holds.
  bool trapped = false;
  u64 cause = ~u64{0}, trap_value = 0;  ///< If it trapped.
  bool paged = false;                   ///< Some of its accesses are translated.
  bool fp_dirty = false;                ///< mstatus.FS was 3.
  [[nodiscard]] bool illegal() const { return cause == 2; }
};

struct Rule {
  std::string_view name;
  std::string_view reason;
};

/// The rules that rules_broken() may name, for the report.
[[nodiscard]] std::span<const Rule> rules();

/// Watches one program.
class Referee {
 public:
  Referee(Machine& machine, const Program& program);
  /// The step at hand, before it is made. An index of rules() if it breaks one.
  [[nodiscard]] std::optional<unsigned> before(StepSeen& step);
  [[nodiscard]] std::optional<unsigned> after(const StepSeen& step);
  /// The runner is about to return to the program by MRET; all that was written is known.
  [[nodiscard]] std::optional<unsigned> runner_returns();

 private:
  void synchronised();
  [[nodiscard]] bool leaves_without_entry() const;
  [[nodiscard]] const u8* arena() const;
  [[nodiscard]] bool tables_changed();
  [[nodiscard]] bool breaks_role(const StepSeen& step) const;
  [[nodiscard]] std::optional<u64> leaf_of(u64 address) const;
  [[nodiscard]] bool marks_too_early(const StepSeen& step) const;
  [[nodiscard]] std::optional<unsigned> halves_differ(const StepSeen& step) const;
  [[nodiscard]] bool has_entry_inside(const StepSeen& step) const;
  [[nodiscard]] bool reads_foreign(const StepSeen& step) const;
  [[nodiscard]] bool store_is_felt(u64 address, unsigned size_bytes) const;
  [[nodiscard]] bool timer_differs(const StepSeen& step) const;

  Machine& machine_;
  const Hart& hart_;
  std::vector<u8> code_;    ///< The arena as of the last FENCE.I or trap.
  std::vector<u8> tables_;  ///< As of the last step.
  bool stale_ = false;      ///< A table has changed without SFENCE.VMA.
  bool reserved_ = false;   ///< Nothing but arithmetic since LR.
  u64 menvcfg_ = 0;
};

}  // namespace retrov::difftest
