// Commands that change the past: branches of history, and throw-away copies of the machine.
#include <algorithm>
#include <ostream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov::command_rows {

namespace {

BranchInfo current_branch(const CommandContext& context) {
  const auto all = context.debugger.branches();
  return *std::find_if(all.begin(), all.end(), [](const BranchInfo& branch) { return branch.current; });
}

}  // namespace

void fork(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "fork [NAME]");
  const BranchInfo left = current_branch(context);
  const std::string name = context.debugger.fork(arguments.empty() ? "" : std::string(arguments[0]));
  out << "branch " << name << " leaves " << current_branch(context).parent << " at step "
      << group_digits(context.debugger.position().steps) << " and is lived from here; what came later is in "
      << left.name << " (switch " << left.name << ")\n";
}

void branches(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "branches");
  for (const BranchInfo& branch : context.debugger.branches()) {
    out << (branch.current ? "* " : "  ") << branch.name;
    if (!branch.parent.empty()) out << "  leaves " << branch.parent << " at step " << group_digits(branch.from.steps);
    out << "  ends at step " << group_digits(branch.end.steps) << (branch.grows ? ", live" : ", recorded") << '\n';
  }
}

void switch_branch(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 1, "switch NAME");
  const std::string name(arguments[0]);
  const auto all = context.debugger.branches();
  if (std::none_of(all.begin(), all.end(), [&](const BranchInfo& branch) { return branch.name == name; })) {
    throw Error(Exit::kUsage, "there is no branch '" + name + "'; `branches` lists them");
  }
  if (context.switch_to) return context.switch_to(name, out);
  if (!context.debugger.switch_to(name)) out << "interrupted\n";
  arrive_by_jump(context);
  out << describe_place(context) << '\n';
}

void scratch(CommandContext& context, Arguments arguments, std::ostream& out) {
  const auto on = choose(arguments, "scratch [on|off]", "off", "on");
  const auto here = context.debugger.forked();
  const bool had_copy = here && here->is_scratch;
  if (on) context.debugger.set_scratch(*on ? Scratch::kOn : Scratch::kOff);
  out << "scratch " << (context.debugger.scratch() == Scratch::kOn ? "on" : "off") << '\n';
  // gdb has read registers and memory of the copy, and asks again only after a move.
  const bool is_gdb = context.go_to != nullptr;
  if (on && !*on && had_copy && is_gdb) {
    out << "the copy is gone; maint flush register-cache and maint flush dcache make gdb look again\n";
  }
}

}  // namespace retrov::command_rows
