#include "gdbstub/stop_clauses.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

/// "XLENGTH,DIGITS" as many times as there are. Throws Error.
std::vector<AgentExpression> parse_expressions(std::string_view text, AgentUse use) {
  std::vector<AgentExpression> result;
  while (!text.empty()) {
    const bool is_expression = text.front() == 'X';
    text.remove_prefix(1);
    const std::optional<u64> length = parse_hex(split(text, ','));
    if (!is_expression || !length || *length > text.size() / 2) {
      throw Error(Exit::kFailure, "an agent expression is Xlength,digits");
    }
    const std::optional<std::vector<u8>> bytes = parse_bytes(text.substr(0, 2 * *length));
    if (!bytes) throw Error(Exit::kFailure, "an agent expression wants pairs of digits");
    result.emplace_back(*bytes, use);
    text.remove_prefix(2 * *length);
  }
  return result;
}

constexpr u64 kSatpRoot = (u64{1} << 44) - 1;
constexpr RegisterId kSatp = csr_register(0x180);

/// As for watched ranges: the upper half, and what was set without paging, is the same everywhere.
bool in_space(const HartView& hart, VirtAddr address, std::optional<u64> satp) {
  if (!satp || *satp >> 60 == 0 || static_cast<i64>(address.value) < 0) return true;
  const bool translates = hart.read_register(kRegisterPriv) != 3u;
  const u64 current = hart.read_register(kSatp).value_or(0);
  return translates && current >> 60 != 0 && ((current ^ *satp) & kSatpRoot) == 0;
}

}  // namespace

StopClauses parse_clauses(std::string_view text) {
  constexpr std::string_view kCommands = "cmds:";
  StopClauses clauses;
  while (!text.empty()) {
    std::string_view clause = split(text, ';');
    if (!clause.starts_with(kCommands)) {
      clauses.conditions = parse_expressions(clause, AgentUse::kCondition);
      continue;
    }
    clause.remove_prefix(kCommands.size());
    // Whether they shall outlive the connection: nothing does (R5), there would be nobody to read it.
    if (!parse_hex(split(clause, ','))) throw Error(Exit::kFailure, "commands want cmds:persist,expressions");
    clauses.commands = parse_expressions(clause, AgentUse::kCommand);
  }
  return clauses;
}

/// Nobody knows what an expression that faults would have said, so it counts: better one stop too many.
bool conditions_hold(const HartView& hart, const StopClauses& clauses) {
  const auto holds = [&](const AgentExpression& condition) {
    const AgentResult result = condition.evaluate(hart, nullptr);
    return !result.fault.empty() || result.value != 0;
  };
  return clauses.conditions.empty() || std::any_of(clauses.conditions.begin(), clauses.conditions.end(), holds);
}

bool clauses_hold(const HartView& hart, VirtAddr address, const StopClauses& clauses) {
  return in_space(hart, address, clauses.satp) && conditions_hold(hart, clauses);
}

std::string run_commands(const HartView& hart, VirtAddr address, const StopClauses& clauses) {
  std::string text;
  for (const AgentExpression& command : clauses.commands) {
    const AgentResult result = command.evaluate(hart, &text);
    if (result.fault.empty()) continue;
    text += "retrov: the command at 0x" + hex_number(address.value) + " fails: " + std::string(result.fault) + "\n";
  }
  return text;
}

}  // namespace retrov
