#include <algorithm>
#include <ostream>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"

namespace retrov::command_rows {

namespace {

std::string_view watch_word(WatchKind kind) {
  switch (kind) {
    case WatchKind::kWrite:
      return "watchpoint";
    case WatchKind::kRead:
      return "read watchpoint";
    case WatchKind::kAccess:
      return "access watchpoint";
  }
  return "watchpoint";
}

void print_stop_line(const CommandContext& context, const PromptStop& stop, std::ostream& out) {
  out << stop_title(stop) << " at " << hex(stop.address.value);
  if (stop.watch) out << (stop.watch->physical ? " physical" : "") << ", " << stop.watch->length_bytes << " bytes";
  if (!stop.watch && context.symbol_near) {
    const std::string name = context.symbol_near(stop.address);
    if (!name.empty()) out << "  " << name;
  }
  out << '\n';
}

void watch(CommandContext& context, Arguments arguments, std::ostream& out, WatchKind kind) {
  const bool physical = !arguments.empty() && arguments[0] == "-p";
  if (physical) arguments = arguments.subspan(1);
  expect_arguments(arguments, 1, 2, "watch [-p] ADDRESS [BYTES]");
  constexpr u64 kMostBytes = 4096;
  PromptStop stop;
  stop.address = VirtAddr{parse_address(context, arguments[0])};
  WatchRange range;
  range.address = stop.address;
  range.length_bytes = arguments.size() == 2 ? parse_number(arguments[1]) : 8;
  if (range.length_bytes == 0 || range.length_bytes > kMostBytes) {
    throw Error(Exit::kUsage, "a watchpoint covers 1 to " + std::to_string(kMostBytes) + " bytes");
  }
  range.kind = kind;
  range.satp = context.debugger.machine().hart_summary(context.hart).satp;
  range.physical = physical || context.space == AddressSpace::kPhysical;
  stop.watch = range;
  stop.number = context.next_stop_number++;
  context.stops.push_back(stop);
  print_stop_line(context, stop, out);
}

}  // namespace

std::string stop_title(const PromptStop& stop) {
  return (stop.watch ? std::string(watch_word(stop.watch->kind)) : "breakpoint") + " " + std::to_string(stop.number);
}

void set_breakpoint(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 1, "break ADDRESS");
  PromptStop stop;
  stop.address = VirtAddr{parse_address(context, arguments[0])};
  stop.number = context.next_stop_number++;
  context.stops.push_back(stop);
  print_stop_line(context, stop, out);
}

void watch_writes(CommandContext& context, Arguments arguments, std::ostream& out) {
  watch(context, arguments, out, WatchKind::kWrite);
}

void watch_reads(CommandContext& context, Arguments arguments, std::ostream& out) {
  watch(context, arguments, out, WatchKind::kRead);
}

void watch_accesses(CommandContext& context, Arguments arguments, std::ostream& out) {
  watch(context, arguments, out, WatchKind::kAccess);
}

void delete_stops(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "delete [N]");
  if (arguments.empty()) {
    out << "deleted " << context.stops.size() << '\n';
    context.stops.clear();
    return;
  }
  const u64 number = parse_number(arguments[0]);
  const auto found = std::find_if(context.stops.begin(), context.stops.end(),
                                  [&](const PromptStop& stop) { return stop.number == number; });
  if (found == context.stops.end()) {
    throw Error(Exit::kUsage, "there is no breakpoint or watchpoint " + std::to_string(number));
  }
  out << "deleted " << stop_title(*found) << '\n';
  context.stops.erase(found);
}

void list_stops(const CommandContext& context, std::ostream& out) {
  if (context.stops.empty()) out << "no breakpoints or watchpoints\n";
  for (const PromptStop& stop : context.stops) print_stop_line(context, stop, out);
}

StopRequest stop_request(const CommandContext& context, const std::function<bool(const PromptStop&)>& leave_out) {
  StopRequest request;
  for (const PromptStop& stop : context.stops) {
    if (leave_out && leave_out(stop)) continue;
    if (stop.watch) {
      request.watches.push_back(*stop.watch);
    } else {
      request.breakpoints.push_back(stop.address);
    }
  }
  std::sort(request.breakpoints.begin(), request.breakpoints.end());
  request.breakpoints.erase(std::unique(request.breakpoints.begin(), request.breakpoints.end()),
                            request.breakpoints.end());
  return with_settings(std::move(request), context.debugger.stop_settings());
}

}  // namespace retrov::command_rows
