// Packets that move the machine, and those that say where it shall stop.

#include <array>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"
#include "gdbstub/stop_clauses.hpp"

namespace retrov {
namespace {

// --- vCont ---------------------------------------------------------------------------------------

struct Action {
  char what = 'c';  ///< 'c', 's', 'r' or 't'; signals are left out, because a machine has none.
  VirtAddr start;   ///< 'r' only.
  VirtAddr end;
  ThreadRef thread;
};

std::optional<Action> parse_action(const Stub& stub, std::string_view text) {
  const bool names_thread = text.find(':') != std::string_view::npos;
  std::string_view what = split(text, ':');
  if (what.empty()) return std::nullopt;
  Action action;
  action.thread = {ThreadRef::Kind::kAll, 0};
  if (names_thread) {
    const std::optional<ThreadRef> thread = stub.parse_thread(text);
    if (!thread) return std::nullopt;
    action.thread = *thread;
  }
  const char letter = what.front();
  what.remove_prefix(1);
  if (letter == 'C' || letter == 'S') {
    if (!parse_hex(what)) return std::nullopt;
    action.what = letter == 'C' ? 'c' : 's';
    return action;
  }
  action.what = letter;
  if (letter == 'r') {
    const std::optional<u64> start = parse_hex(split(what, ','));
    const std::optional<u64> end = parse_hex(what);
    if (!start || !end) return std::nullopt;
    action.start.value = *start;
    action.end.value = *end;
    return action;
  }
  if ((letter != 'c' && letter != 's' && letter != 't') || !what.empty()) return std::nullopt;
  return action;
}

/// The first action that matches the hart.
const Action* action_for(const Stub& stub, const std::vector<Action>& actions, unsigned hart) {
  for (const Action& action : actions) {
    const bool matches = action.thread.kind == ThreadRef::Kind::kAll || stub.hart_of(action.thread) == hart;
    if (matches) return &action;
  }
  return nullptr;
}

/// The hart that steps: one that is named, else that of the last stop, else the first that shall step.
std::optional<unsigned> stepping_hart(const Stub& stub, const std::vector<Action>& actions) {
  const auto steps = [&](unsigned hart) {
    const Action* action = action_for(stub, actions, hart);
    return action != nullptr && (action->what == 's' || action->what == 'r');
  };
  for (const Action& action : actions) {
    const bool named = action.thread.kind == ThreadRef::Kind::kHart;
    if (named && steps(action.thread.hart)) return action.thread.hart;
  }
  const unsigned last = stub.hart_of({ThreadRef::Kind::kAny, 0});
  if (steps(last)) return last;
  for (unsigned hart = 0; hart < stub.machine().hart_count(); ++hart) {
    if (steps(hart)) return hart;
  }
  return std::nullopt;
}

/// The only hart that shall move, if there is one and others are there (gdb's scheduler-locking).
std::optional<unsigned> only_hart(const Stub& stub, const std::vector<Action>& actions) {
  std::vector<unsigned> moving;
  for (unsigned hart = 0; hart < stub.machine().hart_count(); ++hart) {
    const Action* action = action_for(stub, actions, hart);
    if (action != nullptr && action->what != 't') moving.push_back(hart);
  }
  return moving.size() == 1 && stub.machine().hart_count() > 1 ? std::optional(moving.front()) : std::nullopt;
}

std::string vcont(Stub& stub, std::string_view arguments) {
  std::vector<Action> actions;
  while (!arguments.empty()) {
    const std::optional<Action> action = parse_action(stub, split(arguments, ';'));
    if (!action) return stub.error("vCont has an action that is not known");
    actions.push_back(*action);
  }
  stub.only_hart = only_hart(stub, actions);
  if (const std::optional<unsigned> hart = stepping_hart(stub, actions)) {
    const Action& action = *action_for(stub, actions, *hart);
    if (action.what == 'r') return stub.step_range(*hart, action.start, action.end);
    return stub.step(*hart, Direction::kForward);
  }
  bool stops = false;
  for (unsigned hart = 0; hart < stub.machine().hart_count(); ++hart) {
    const Action* action = action_for(stub, actions, hart);
    if (action != nullptr && action->what == 'c') return stub.resume(Direction::kForward);
    stops = stops || action != nullptr;
  }
  // "t" alone: it is stopped already.
  return stops ? stub.last_stop_reply() : stub.error("vCont moves no thread");
}

std::string vcont_query(Stub&, std::string_view) { return "vCont;c;C;s;S;t;r"; }

// --- the single letters --------------------------------------------------------------------------

enum class Motion { kStep, kContinue };

/// The rest of c, s, C and S: perhaps an address to go on from.
std::string move_from(Stub& stub, std::string_view address, Motion motion) {
  const unsigned hart = stub.resume_hart();
  if (!address.empty()) {
    const std::optional<u64> pc = parse_hex(address);
    if (!pc) return stub.error("no address to resume from");
    stub.debugger().write_register(hart, kRegisterPc, *pc & ~u64{1});
  }
  return motion == Motion::kStep ? stub.step(hart, Direction::kForward) : stub.resume(Direction::kForward);
}

std::string move_with_signal(Stub& stub, std::string_view arguments, Motion motion) {
  if (!parse_hex(split(arguments, ';'))) return stub.error("no signal");
  return move_from(stub, arguments, motion);
}

std::string continue_from(Stub& stub, std::string_view arguments) {
  return move_from(stub, arguments, Motion::kContinue);
}
std::string step_from(Stub& stub, std::string_view arguments) { return move_from(stub, arguments, Motion::kStep); }
std::string continue_with_signal(Stub& stub, std::string_view arguments) {
  return move_with_signal(stub, arguments, Motion::kContinue);
}
std::string step_with_signal(Stub& stub, std::string_view arguments) {
  return move_with_signal(stub, arguments, Motion::kStep);
}

std::string step_back(Stub& stub, std::string_view arguments) {
  return arguments.empty() ? stub.step(stub.resume_hart(), Direction::kBackward) : "";
}
std::string continue_back(Stub& stub, std::string_view arguments) {
  return arguments.empty() ? stub.resume(Direction::kBackward) : "";
}
std::string why_stopped(Stub& stub, std::string_view arguments) {
  return arguments.empty() ? stub.last_stop_reply() : "";
}

// --- Z and z -------------------------------------------------------------------------------------

enum class Change { kAdd, kRemove };

/// `arguments` is ",address,kind".
std::optional<std::array<u64, 2>> parse_place(std::string_view arguments) {
  if (!arguments.starts_with(',')) return std::nullopt;
  arguments.remove_prefix(1);
  const std::optional<u64> address = parse_hex(split(arguments, ','));
  const std::optional<u64> kind = parse_hex(arguments);
  if (!address || !kind) return std::nullopt;
  return std::array<u64, 2>{*address, *kind};
}

template <Change change, BreakKind kind>
std::string breakpoint(Stub& stub, std::string_view arguments) {
  const auto place = parse_place(split(arguments, ';'));
  if (!place) return stub.error("a breakpoint wants address,kind");
  const VirtAddr address{(*place)[0]};
  if (change == Change::kAdd) {
    StopClauses clauses = parse_clauses(arguments);
    const StopSettings& settings = stub.debugger().stop_settings();
    const unsigned hart = stub.general_hart();
    if (settings.break_space_current) clauses.satp = stub.machine().summary(hart).satp;
    u8 byte = 0;
    const bool mapped = stub.debugger().read_memory(hart, AddressSpace::kVirtual, address.value, {&byte, 1}) == 1;
    if (settings.break_check && !mapped) return stub.error("nothing is mapped at 0x" + hex_number(address.value));
    stub.stops.add_breakpoint(kind, address, std::move(clauses));
  } else {
    stub.stops.remove_breakpoint(kind, address);
  }
  return "OK";
}

template <Change change, WatchKind kind>
std::string watchpoint(Stub& stub, std::string_view arguments) {
  const auto place = parse_place(split(arguments, ';'));
  if (!place) return stub.error("a watchpoint wants address,length");
  const auto [address, length] = *place;
  if (length == 0 || length - 1 > ~address) return stub.error("a watchpoint wants a range inside the address space");
  if (change == Change::kAdd) {
    WatchRange range;
    range.address.value = address;
    range.length_bytes = length;
    range.kind = kind;
    range.satp = stub.machine().summary(stub.general_hart()).satp;
    range.physical = stub.controls.physical;
    stub.stops.add_watch(range, parse_clauses(arguments));
  } else {
    stub.stops.remove_watch(kind, VirtAddr{address}, length);
  }
  return "OK";
}

constexpr std::array kRows = {
    PacketHandler{"vCont?", "vContSupported+", OnError::kText, vcont_query},
    PacketHandler{"vCont;", "", OnError::kStopped, vcont},
    PacketHandler{"c", "", OnError::kStopped, continue_from},
    PacketHandler{"s", "", OnError::kStopped, step_from},
    PacketHandler{"C", "", OnError::kStopped, continue_with_signal},
    PacketHandler{"S", "", OnError::kStopped, step_with_signal},
    PacketHandler{"bs", "ReverseStep+", OnError::kStopped, step_back},
    PacketHandler{"bc", "ReverseContinue+", OnError::kStopped, continue_back},
    PacketHandler{"?", "", OnError::kText, why_stopped},
    PacketHandler{"Z0", "ConditionalBreakpoints+", OnError::kText, breakpoint<Change::kAdd, BreakKind::kSoftware>},
    PacketHandler{"Z1", "BreakpointCommands+", OnError::kText, breakpoint<Change::kAdd, BreakKind::kHardware>},
    PacketHandler{"Z2", "", OnError::kText, watchpoint<Change::kAdd, WatchKind::kWrite>},
    PacketHandler{"Z3", "", OnError::kText, watchpoint<Change::kAdd, WatchKind::kRead>},
    PacketHandler{"Z4", "", OnError::kText, watchpoint<Change::kAdd, WatchKind::kAccess>},
    PacketHandler{"z0", "", OnError::kText, breakpoint<Change::kRemove, BreakKind::kSoftware>},
    PacketHandler{"z1", "", OnError::kText, breakpoint<Change::kRemove, BreakKind::kHardware>},
    PacketHandler{"z2", "", OnError::kText, watchpoint<Change::kRemove, WatchKind::kWrite>},
    PacketHandler{"z3", "", OnError::kText, watchpoint<Change::kRemove, WatchKind::kRead>},
    PacketHandler{"z4", "", OnError::kText, watchpoint<Change::kRemove, WatchKind::kAccess>},
};

}  // namespace

std::span<const PacketHandler> run_packets() { return kRows; }

}  // namespace retrov
