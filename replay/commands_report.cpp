// The words that report on more than one position, or on the session as a whole.
#include <ostream>
#include <utility>

#include "core/check.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"
#include "replay/state_diff.hpp"
#include "replay/trace_report.hpp"

namespace retrov::command_rows {

namespace {

constexpr std::size_t kMostEvents = 500;

/// Two positions, a range, one position to the end, or all there is.
PlaceRange range_of(const CommandContext& context, Arguments arguments) {
  if (arguments.size() == 2) return {place_of(context, arguments[0]), place_of(context, arguments[1])};
  PlaceRange range = take_range(context, arguments);
  if (!arguments.empty()) range.from = place_of(context, arguments[0]);
  return range;
}

}  // namespace

void diff(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 2, 2, "diff A B");
  const Position from = place_of(context, arguments[0]);
  const Position to = place_of(context, arguments[1]);
  LookedState a, b;
  for (const auto& [at, looked] : {std::pair(from, &a), std::pair(to, &b)}) {
    LookedState& into = *looked;
    context.debugger.look_at(
        at, [&](const auto& machine, const auto& snapshot) { into = look_at_state(machine, snapshot); });
  }
  out << "step " << group_digits(from.steps) << " -> step " << group_digits(to.steps) << '\n';
  describe_difference(context.debugger.machine(), a, b, out);
}

void events(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 2, "events [A [B]]");
  const auto [from, to] = range_of(context, arguments);
  if (to < from) throw Error(Exit::kUsage, "the range ends before it begins");
  const Debugger& debugger = context.debugger;
  std::size_t printed = 0;
  for (u64 number = 1; number <= debugger.event_count(); ++number) {
    const Event& event = debugger.event(number);
    if (event.at < from) continue;
    if (event.at > to) break;
    if (++printed > kMostEvents) {
      out << "... and more from step " << group_digits(event.at.steps) << " on; events A B lists a part\n";
      return;
    }
    out << '#' << number << "  " << describe_event(event) << '\n';
  }
  if (printed == 0) out << "no events\n";
}

void stats(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "stats");
  out << "history: " << group_digits(context.debugger.end().steps) << " steps\n";
  if (context.describe_effort) context.describe_effort(out);
  if (context.describe_snapshots) context.describe_snapshots(out);
}

void export_history(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 1, "export FILE");
  if (!context.export_trace) throw Error(Exit::kUsage, "export: not in this session");
  context.export_trace(std::string(arguments[0]), out);
}

}  // namespace retrov::command_rows
