// Who touched these bytes, and when was that executed: questions to the whole history, asked without moving.
#include <algorithm>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/disasm.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov::command_rows {

namespace {

constexpr u64 kMostBytes = u64{1} << 20;
constexpr u64 kBytesUnlessSaid = 8;

/// The words of a question but for its options, which may stand anywhere.
struct Question {
  std::vector<std::string_view> words;
  AddressSpace space = AddressSpace::kVirtual;
  bool json = false;
};

Question parse_question(const CommandContext& context, Arguments arguments) {
  Question question;
  question.space = context.space;
  for (const std::string_view word : arguments) {
    if (word == "--phys" || word == "-p")
      question.space = AddressSpace::kPhysical;
    else if (word == "--json")
      question.json = true;
    else
      question.words.push_back(word);
  }
  return question;
}

/// A range in front, which is taken away, or all there is.
PlaceRange take_range(const CommandContext& context, Question& question) {
  Arguments words = question.words;
  const PlaceRange range = command_rows::take_range(context, words);
  question.words.erase(question.words.begin(), question.words.end() - static_cast<std::ptrdiff_t>(words.size()));
  return range;
}

/// Where the bytes are now. Throws Error if they are nowhere, or not in RAM.
std::vector<PhysicalPiece> place_bytes(const CommandContext& context, const Question& question,
                                       std::string_view usage) {
  expect_arguments(question.words, 1, 2, usage);
  const u64 address = parse_address(context, question.words[0]);
  const u64 size_bytes = question.words.size() == 2 ? parse_number(question.words[1]) : kBytesUnlessSaid;
  if (size_bytes == 0 || size_bytes > kMostBytes) {
    throw Error(Exit::kUsage, "from 1 to " + group_digits(kMostBytes) + " bytes at a time");
  }
  const Machine& machine = context.debugger.machine();
  const auto pieces = physical_pieces(machine, context.hart, question.space, address, size_bytes);
  u64 placed_bytes = 0;
  for (const PhysicalPiece& piece : pieces) {
    const MachineConfig& ram = machine.config();
    const u64 offset = piece.at.value - ram.ram_base.value;
    if (offset >= ram.ram_bytes || piece.size_bytes > ram.ram_bytes - offset) {
      throw Error(Exit::kUsage, hex(address + placed_bytes) + " is not in RAM");
    }
    placed_bytes += piece.size_bytes;
  }
  if (placed_bytes != size_bytes) throw Error(Exit::kUsage, hex(address + placed_bytes) + " is not mapped here");
  return pieces;
}

std::string value_text(const std::vector<u8>& bytes) {
  return hex_digits(little_endian(bytes), static_cast<unsigned>(2 * bytes.size()));
}

/// "0xffffffff80001234 kfree+0x1c".
std::string code_place(const CommandContext& context, VirtAddr pc) {
  const std::string name = context.symbol_near ? context.symbol_near(pc) : std::string();
  return hex(pc.value) + (name.empty() ? "" : " " + name);
}

std::string who_text(const CommandContext& context, const Access& access) {
  const std::string hart = "hart " + std::to_string(access.hart) + "  " + code_place(context, access.pc);
  const std::string instruction = access.raw != 0 ? "  " + disassemble(access.raw, access.pc) : std::string();
  switch (access.who) {
    case Writer::kHart:
      return hart + instruction;
    case Writer::kWalker:
      return hart + instruction + "  (A and D of a page table entry)";
    case Writer::kDevice:
      if (access.request.empty()) return "a device";
      return access.device + ": " + access.request + ", queued at step " + group_digits(access.queued_at.steps) +
             (access.queuer_known ? " by hart " + std::to_string(access.queued_by_hart) + ", " +
                                        code_place(context, access.queued_by_pc)
                                  : ", before the history begins");
    case Writer::kDebugger:
      return "the debugger";
    case Writer::kLoader:
    case Writer::kRestore:
      break;
  }
  return "a reset, or entropy for the guest";
}

void print_access(const CommandContext& context, const Access& access, std::ostream& out) {
  out << "step " << group_digits(access.at.steps) << "  " << who_text(context, access) << "  "
      << hex(access.address.value) << ": " << value_text(access.before);
  if (access.is_write) out << (access.before == access.after ? " written again" : " -> " + value_text(access.after));
  out << '\n';
}

std::string_view who_word(Writer who) {
  switch (who) {
    case Writer::kHart:
      return "instruction";
    case Writer::kWalker:
      return "page-table walk";
    case Writer::kDevice:
      return "device";
    case Writer::kDebugger:
      return "debugger";
    case Writer::kLoader:
    case Writer::kRestore:
      break;
  }
  return "reset";
}

void print_json(const Access& access, std::ostream& out) {
  out << "{\"step\": " << access.at.steps << ", \"by\": \"" << who_word(access.who) << "\", \"physical\": \""
      << hex(access.address.value) << "\", \"" << (access.is_write ? "before" : "value") << "\": \""
      << value_text(access.before) << '"';
  if (access.is_write) out << ", \"after\": \"" << value_text(access.after) << '"';
  if (access.who == Writer::kHart || access.who == Writer::kWalker) {
    out << ", \"hart\": " << access.hart << ", \"pc\": \"" << hex(access.pc.value) << "\", \"instruction\": \""
        << (access.raw != 0 ? disassemble(access.raw, access.pc) : std::string()) << '"';
  }
  if (!access.request.empty()) {
    out << ", \"device\": \"" << access.device << "\", \"request\": \"" << access.request
        << "\", \"queued_at\": " << access.queued_at.steps;
  }
  if (access.queuer_known) {
    out << ", \"queued_by_hart\": " << access.queued_by_hart << ", \"queued_by_pc\": \""
        << hex(access.queued_by_pc.value) << '"';
  }
  out << "}\n";
}

Position search_accesses(const CommandContext& context, const AccessOrder& order, const AccessVisit& visit) {
  return look_aside(context, [&] {
    const bool by_context = context.search_accesses && !order.last_only;
    return by_context ? context.search_accesses(order, visit) : context.debugger.accesses(order, visit);
  });
}

/// `count` says of what.
void say_end(const std::string& count, Position from, Position to, Position reached, std::ostream& out) {
  out << count << " in steps " << group_digits(from.steps) << " to " << group_digits(reached.steps)
      << (reached < to ? ", where it was broken off" : "") << '\n';
}

void list_accesses(CommandContext& context, Arguments arguments, std::ostream& out, WatchKind kind,
                   std::string_view usage) {
  Question question = parse_question(context, arguments);
  AccessOrder order;
  order.kind = kind;
  const PlaceRange range = take_range(context, question);
  order.from = range.from;
  order.to = range.to;
  order.pieces = place_bytes(context, question, usage);
  u64 count = 0;
  const Position reached = search_accesses(context, order, [&](const Access& access) {
    ++count;
    question.json ? print_json(access, out) : print_access(context, access, out);
    return out.good();
  });
  if (question.json) return;
  say_end(group_digits(count) + (count == 1 ? " access" : " accesses"), order.from, order.to, reached, out);
}

/// The one access that `order` finds, or that there is none.
void one_write(CommandContext& context, const Question& question, const AccessOrder& order, std::ostream& out) {
  std::optional<Access> found;
  const Position reached = search_accesses(context, order, [&](const Access& access) {
    found = access;
    return false;
  });
  if (found) return question.json ? print_json(*found, out) : print_access(context, *found, out);
  const bool all_seen = reached == (order.last_only ? order.from : order.to);
  if (!all_seen) throw Error(Exit::kUsage, "interrupted at step " + group_digits(reached.steps));
  if (question.json) {
    out << "{}\n";
  } else {
    out << "nothing wrote there in steps " << group_digits(order.from.steps) << " to " << group_digits(order.to.steps)
        << ": it holds what it "
        << (order.from == Position{} ? "was loaded with at power-on" : "held when the history began") << '\n';
  }
}

}  // namespace

void last_write(CommandContext& context, Arguments arguments, std::ostream& out) {
  const Question question = parse_question(context, arguments);
  AccessOrder order;
  order.last_only = true;
  order.from = context.debugger.begin();
  order.to = context.debugger.position();
  order.pieces = place_bytes(context, question, "last-write ADDRESS [BYTES] [--phys] [--json]");
  one_write(context, question, order, out);
}

void first_write(CommandContext& context, Arguments arguments, std::ostream& out) {
  const Question question = parse_question(context, arguments);
  AccessOrder order;
  order.from = context.debugger.begin();
  order.to = context.debugger.end();
  order.pieces = place_bytes(context, question, "first-write ADDRESS [BYTES] [--phys] [--json]");
  one_write(context, question, order, out);
}

void writes(CommandContext& context, Arguments arguments, std::ostream& out) {
  list_accesses(context, arguments, out, WatchKind::kWrite, "writes [FROM-TO] ADDRESS [BYTES] [--phys] [--json]");
}

void reads(CommandContext& context, Arguments arguments, std::ostream& out) {
  list_accesses(context, arguments, out, WatchKind::kRead, "reads [FROM-TO] ADDRESS [BYTES] [--phys] [--json]");
}

void executions(CommandContext& context, Arguments arguments, std::ostream& out) {
  Question question = parse_question(context, arguments);
  const PlaceRange range = take_range(context, question);
  expect_arguments(question.words, 1, 1000, "executions [FROM-TO] ADDRESS... [--json]");
  StopRequest request;
  for (const std::string_view word : question.words) {
    request.breakpoints.push_back(VirtAddr{parse_address(context, word)});
  }
  std::sort(request.breakpoints.begin(), request.breakpoints.end());
  const auto doubles = std::unique(request.breakpoints.begin(), request.breakpoints.end());
  request.breakpoints.erase(doubles, request.breakpoints.end());
  const auto tell = [&](Position at, unsigned hart, const HartView&, VirtAddr breakpoint) {
    std::ostringstream line;
    if (question.json) {
      line << "{\"step\": " << at.steps << ", \"hart\": " << hart << ", \"pc\": \"" << hex(breakpoint.value) << "\"}\n";
    } else {
      line << "step " << group_digits(at.steps) << "  hart " << hart << "  " << code_place(context, breakpoint) << '\n';
    }
    return HitText{line.str(), 1};
  };
  u64 count = 0;
  const auto show = [&](const HitText& hit) {
    ++count;
    out << hit.text;
    return out.good();
  };
  const HistorySearch search = context.search ? context.search : search_by(context.debugger);
  const Position reached = look_aside(context, [&] { return search(request, range.from, range.to, tell, show); });
  if (question.json) return;
  say_end(group_digits(count) + (count == 1 ? " time" : " times"), range.from, range.to, reached, out);
}

}  // namespace retrov::command_rows
