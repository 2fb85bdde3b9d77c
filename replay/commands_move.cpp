#include <algorithm>
#include <array>
#include <ostream>

#include "core/check.hpp"
#include "core/disasm.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace command_rows {

namespace {

/// The prompt's watchpoint that covers the byte at which a run stopped, or null.
const PromptStop* watch_that_hit(const CommandContext& context, const Stop& stop) {
  for (const PromptStop& candidate : context.stops) {
    if (!candidate.watch || candidate.watch->kind != stop.watch_kind) continue;
    const WatchRange& range = *candidate.watch;
    // The address is the virtual one even if the range is physical.
    if (range.physical || stop.watched.value - range.address.value < range.length_bytes) return &candidate;
  }
  return nullptr;
}

std::vector<u8> watched_bytes(const CommandContext& context, unsigned hart, const WatchRange& range) {
  std::vector<u8> bytes(std::min<u64>(range.length_bytes, 8));
  const AddressSpace space = range.physical ? AddressSpace::kPhysical : AddressSpace::kVirtual;
  bytes.resize(context.debugger.read_memory(hart, space, range.address.value, bytes));
  return bytes;
}

std::string value_text(const std::vector<u8>& bytes) {
  if (bytes.empty()) return "(not mapped)";
  return hex_digits(little_endian(bytes), static_cast<unsigned>(2 * bytes.size()));
}

/// Goes over the watched access, forward or back, and says what it did to the value. As for gdb, a write that changes
/// nothing is no stop. Returns false then.
bool pass_watch(CommandContext& context, Stop& stop, Direction direction, std::ostream& out) {
  const PromptStop* hit = watch_that_hit(context, stop);
  if (hit == nullptr) return true;
  const WatchRange range = *hit->watch;
  const std::vector<u8> here = watched_bytes(context, stop.hart, range);
  context.debugger.set_stops({});
  const Stop after = context.debugger.step(stop.hart, direction);
  const std::vector<u8> there = watched_bytes(context, stop.hart, range);
  const bool forward = direction == Direction::kForward;
  if (range.kind == WatchKind::kWrite && here == there && after.reason == StopReason::kStep) return false;
  out << stop_title(*hit) << ": " << value_text(forward ? here : there);
  if (here != there) out << " -> " << value_text(forward ? there : here);
  out << '\n';
  stop.at = after.at;
  return true;
}

/// A run that stopped at a breakpoint would stop there again at once; so does one at a watched access. Makes that one
/// step with these stops taken out. Returns nothing if the run may go on.
std::optional<Stop> get_off(CommandContext& context) {
  Debugger& debugger = context.debugger;
  const unsigned hart = debugger.machine().current_hart();
  const VirtAddr pc{pc_of(context, hart)};
  const bool at_breakpoint = std::any_of(context.stops.begin(), context.stops.end(),
                                         [&](const PromptStop& stop) { return !stop.watch && stop.address == pc; });
  if (!at_breakpoint) return std::nullopt;
  debugger.set_stops(stop_request(context, [&](const PromptStop& stop) { return !stop.watch && stop.address == pc; }));
  const Stop stop = debugger.step(hart, Direction::kForward);
  if (stop.reason == StopReason::kStep) return std::nullopt;
  return stop;
}

Stop run_once(CommandContext& context, Direction direction) {
  if (direction == Direction::kForward) {
    if (const auto stop = get_off(context)) return *stop;
  }
  context.debugger.set_stops(stop_request(context));
  return context.resume ? context.resume(direction) : context.debugger.resume(direction);
}

void arrive(CommandContext& context, const Stop& stop, Visited::How how) {
  context.hart = stop.hart;
  context.last_stop = stop;
  context.places.visited.arrive(context.debugger, how);
}

void run(CommandContext& context, Direction direction, std::ostream& out) {
  Stop stop = run_once(context, direction);
  while (stop.reason == StopReason::kWatchpoint && !pass_watch(context, stop, direction, out)) {
    stop = run_once(context, direction);
  }
  arrive(context, stop, Visited::How::kJump);
  print_stop(context, stop, out);
}

void make_steps(CommandContext& context, Arguments arguments, std::ostream& out, Direction direction) {
  expect_arguments(arguments, 0, 1, "step [N]");
  const u64 count = arguments.empty() ? 1 : parse_number(arguments[0]);
  if (count == 0) throw Error(Exit::kUsage, "a number of steps begins at 1");
  // Stepping looks at what happens, so the stops of the prompt would only say what one sees.
  context.debugger.set_stops({});
  Stop stop;
  for (u64 i = 0; i < count; ++i) {
    stop = context.debugger.step(context.hart, direction);
    if (stop.reason != StopReason::kStep) break;
  }
  arrive(context, stop, Visited::How::kStep);
  print_stop(context, stop, out);
}

}  // namespace

void when(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "when");
  out << describe_position(context.debugger) << '\n';
}

void when_end(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "when-end");
  out << "step " << group_digits(context.debugger.end().steps)
      << (context.debugger.live() ? ", live: it still grows\n" : ", the end of the recording\n");
}

void elapsed_time(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "elapsed-time");
  const u64 ticks = context.debugger.machine().now().value;
  std::string decimals = std::to_string(ticks % kTicksPerSecond);
  decimals.insert(0, std::to_string(kTicksPerSecond).size() - 1 - decimals.size(), '0');
  out << "t=" << ticks / kTicksPerSecond << '.' << decimals << " s\n";
}

void go_to(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 1, "goto POSITION");
  move_to(context, place_of(context, arguments[0]), out);
}

Position place_of(const CommandContext& context, std::string_view word) {
  const auto address = [&](std::string_view text) { return parse_address(context, text); };
  // The third time that something is executed may be far away.
  return look_aside(context,
                    [&] { return resolve_position(word, context.debugger, {context.places.bookmarks, address}); });
}

PlaceRange take_range(const CommandContext& context, Arguments& arguments) {
  PlaceRange range{context.debugger.begin(), context.debugger.end()};
  if (arguments.empty()) return range;
  const auto words = range_words(arguments.front(), context.places.bookmarks);
  if (!words) return range;
  range = {place_of(context, words->first), place_of(context, words->second)};
  if (range.to < range.from) throw Error(Exit::kUsage, "the range ends before it begins");
  arguments = arguments.subspan(1);
  return range;
}

Position look_aside(const CommandContext& context, const std::function<Position()>& look) {
  Position reached;
  const auto keep = [&] { reached = look(); };
  if (context.aside) {
    context.aside(keep);
  } else {
    keep();
  }
  return reached;
}

void move_to(CommandContext& context, Position target, std::ostream& out) {
  if (context.go_to) return context.go_to(target, out);
  context.debugger.seek(target);
  arrive_by_jump(context);
  out << describe_place(context) << '\n';
}

void arrive_by_jump(CommandContext& context) {
  context.hart = context.debugger.machine().current_hart();
  context.last_stop.reset();
  context.places.visited.arrive(context.debugger, Visited::How::kJump);
}

void step(CommandContext& context, Arguments arguments, std::ostream& out) {
  make_steps(context, arguments, out, Direction::kForward);
}

void reverse_step(CommandContext& context, Arguments arguments, std::ostream& out) {
  make_steps(context, arguments, out, Direction::kBackward);
}

void resume(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "continue");
  run(context, Direction::kForward, out);
}

void reverse_resume(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "reverse-continue");
  run(context, Direction::kBackward, out);
}

}  // namespace command_rows

std::string describe_place(const CommandContext& context) {
  using namespace command_rows;
  const u64 pc = pc_of(context, context.hart);
  std::string text = "step " + group_digits(context.debugger.position().steps) + "  hart " +
                     std::to_string(context.hart) + "  pc " + hex(pc);
  if (context.symbol_near) {
    const std::string name = context.symbol_near(VirtAddr{pc});
    if (!name.empty()) text += " " + name;
  }
  std::array<u8, 4> bytes{};
  const std::size_t got = context.debugger.read_memory(context.hart, AddressSpace::kVirtual, pc, bytes);
  const std::size_t length = (bytes[0] & 3) == 3 ? 4 : 2;
  if (got >= length) {
    const u32 bits = static_cast<u32>(little_endian(std::span(bytes).first(length)));
    text += "  " + retrov::disassemble(bits, VirtAddr{pc});
  }
  return text;
}

void print_stop(const CommandContext& context, const Stop& stop, std::ostream& out) {
  using namespace command_rows;
  switch (stop.reason) {
    case StopReason::kStep:
    case StopReason::kArrived:
    case StopReason::kWatchpoint:
      break;
    case StopReason::kEbreak:
      out << "ebreak\n";
      break;
    case StopReason::kCsrWrite:
      out << stop.note << '\n';
      break;
    case StopReason::kBreakpoint:
      for (const PromptStop& candidate : context.stops) {
        if (!candidate.watch && candidate.address.value == pc_of(context, stop.hart)) {
          out << stop_title(candidate) << '\n';
        }
      }
      break;
    case StopReason::kHistoryBegin:
      out << "the beginning of history\n";
      break;
    case StopReason::kHistoryEnd:
      out << (context.debugger.live() ? "the live end" : "the end of the recording")
          << (stop.note.empty() ? "" : ": " + stop.note) << '\n';
      break;
    case StopReason::kPoweredOff:
      out << "the guest has ended" << (stop.note.empty() ? "" : ": " + stop.note) << '\n';
      break;
    case StopReason::kInterrupted:
      out << "interrupted\n";
      break;
  }
  out << describe_place(context) << '\n';
}

}  // namespace retrov
