// What a client says of a place where the machine may stop: when it counts, and what is to be done there. Both are
// agent expressions; the text is that of a Z packet behind the address, ";Xlength,digits;cmds:persist,Xlength,digits".
//
// Must stay true: whether a place counts follows from the hart that reaches it, so going forward and backward find the
// same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gdbstub/agent_expr.hpp"
#include "replay/debugger.hpp"

namespace retrov {

struct StopClauses {
  /// It counts if one of them is not zero, or faults; without any, always.
  std::vector<AgentExpression> conditions;
  /// Done where it counts, instead of stopping.
  std::vector<AgentExpression> commands;
  /// It counts in the address space of this satp only (`monitor break-space current`).
  std::optional<u64> satp;
};

/// Conditions and commands, each behind a semicolon but the first. Throws Error.
[[nodiscard]] StopClauses parse_clauses(std::string_view text);

/// Without the address space: what a watchpoint's conditions say.
[[nodiscard]] bool conditions_hold(const HartView& hart, const StopClauses& clauses);
/// A hart that is about to execute that address, where the clauses are for, counts.
[[nodiscard]] bool clauses_hold(const HartView& hart, VirtAddr address, const StopClauses& clauses);
/// What the commands print there, and a line for each that fails.
[[nodiscard]] std::string run_commands(const HartView& hart, VirtAddr address, const StopClauses& clauses);

}  // namespace retrov
