// `info`: the state of the machine and of the session, by topic.
#include <algorithm>
#include <array>
#include <ostream>

#include "core/check.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov::command_rows {

namespace {

char mode_letter(unsigned privilege) { return privilege == 3 ? 'M' : privilege == 1 ? 'S' : 'U'; }

// --- topics without arguments --------------------------------------------------------------------

void info_registers(CommandContext& context, Arguments, std::ostream& out) {
  list_registers(context, out, [](const RegisterInfo&) { return true; });
}

void info_csr(CommandContext& context, Arguments names, std::ostream& out) {
  for (const std::string_view name : names) {
    const auto id = find_register(name);
    const bool is_csr = id && static_cast<u16>(*id) >= kFirstCsr;
    if (!is_csr) throw Error(Exit::kUsage, "there is no CSR '" + std::string(name) + "'");
  }
  list_registers(context, out, [&](const RegisterInfo& info) {
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), info.name) != names.end();
    return info.group == RegisterGroup::kCsr && wanted;
  });
}

void info_harts(CommandContext& context, Arguments, std::ostream& out) {
  const Machine& machine = context.debugger.machine();
  for (unsigned i = 0; i < machine.hart_count(); ++i) {
    const HartSummary summary = machine.hart_summary(i);
    out << (i == context.hart ? "* " : "  ") << "hart " << i << "  " << mode_letter(summary.privilege) << "-mode  "
        << (summary.waiting ? "WFI    " : "running") << "  pc " << hex(summary.pc.value) << "  satp "
        << hex(summary.satp) << '\n';
  }
}

void info_devices(CommandContext& context, Arguments, std::ostream& out) {
  for (const ComponentHash& component : context.debugger.component_hashes()) {
    out << "  " << component.name << std::string(component.name.size() < 20 ? 20 - component.name.size() : 1, ' ')
        << hex_digits(component.hash, 16) << '\n';
  }
}

void info_state(CommandContext& context, Arguments, std::ostream& out) {
  {
    StatePrinter printer(out);
    context.debugger.machine().print_state(printer);
  }
  out << '\n';
}

void info_recording(CommandContext& context, Arguments, std::ostream& out) {
  const Debugger& debugger = context.debugger;
  if (context.describe_recording) context.describe_recording(out);
  out << "history: steps " << group_digits(debugger.begin().steps) << " to " << group_digits(debugger.end().steps)
      << (debugger.live() ? ", live: it still grows" : "") << '\n'
      << "here: " << describe_position(debugger) << '\n';
}

void info_snapshots(CommandContext& context, Arguments, std::ostream& out) {
  if (!context.describe_snapshots) throw Error(Exit::kUsage, "info snapshots: this session keeps none");
  context.describe_snapshots(out);
}

void info_stops(CommandContext& context, Arguments, std::ostream& out) { list_stops(context, out); }

void info_bookmarks(CommandContext& context, Arguments, std::ostream& out) { list_bookmarks(context, out); }

// --- address translation -------------------------------------------------------------------------

/// Tables of a hostile guest may name each other in circles.
constexpr std::size_t kMostLeaves = 1u << 20;
constexpr const char* kBare = "No translation or protection\n";

std::string digits_of(u64 value) { return hex_digits(value, 16).substr(2); }

/// The letters QEMU's `info mem` has for the bits of a leaf.
std::string flags_text(u8 flags) {
  constexpr std::string_view kLetters = "rwxugad";
  std::string text;
  for (unsigned i = 0; i < kLetters.size(); ++i) text += (flags >> (i + 1) & 1) != 0 ? kLetters[i] : '-';
  return text;
}

/// Leaves that lie together.
struct Run {
  PageMapping first;
  u64 count = 1;
  u64 size_bytes = 0;
};

/// Whether runs may have leaves of several sizes.
enum class Sizes : bool { kOne, kAny };

std::vector<Run> runs_of(const std::vector<PageMapping>& leaves, Sizes sizes) {
  std::vector<Run> runs;
  for (const PageMapping& leaf : leaves) {
    if (!runs.empty()) {
      Run& run = runs.back();
      const bool goes_on = run.first.at.value + run.size_bytes == leaf.at.value &&
                           run.first.physical.value + run.size_bytes == leaf.physical.value &&
                           run.first.flags == leaf.flags &&
                           (sizes == Sizes::kAny || run.first.size_bytes == leaf.size_bytes);
      if (goes_on) {
        run.size_bytes += leaf.size_bytes;
        ++run.count;
        continue;
      }
    }
    runs.push_back({leaf, 1, leaf.size_bytes});
  }
  return runs;
}

bool is_translated(const CommandContext& context) {
  return context.debugger.machine().hart_summary(context.hart).satp >> 60 != 0;
}

PageMappings mappings_of(const CommandContext& context) {
  return context.debugger.machine().page_mappings(context.hart, kMostLeaves);
}

void say_if_more(const PageMappings& mappings, std::ostream& out) {
  if (!mappings.complete) out << "... and more: these page tables have no end\n";
}

/// As QEMU prints it.
void info_mem(CommandContext& context, Arguments, std::ostream& out) {
  name_hart(context, out);
  if (!is_translated(context)) {
    out << kBare;
    return;
  }
  const PageMappings mappings = mappings_of(context);
  out << "vaddr            paddr            size             attr\n"
         "---------------- ---------------- ---------------- -------\n";
  for (const Run& run : runs_of(mappings.leaves, Sizes::kAny)) {
    out << digits_of(run.first.at.value) << ' ' << digits_of(run.first.physical.value) << ' '
        << digits_of(run.size_bytes) << ' ' << flags_text(run.first.flags) << '\n';
  }
  say_if_more(mappings, out);
}

std::string size_name(u64 size_bytes) {
  constexpr std::string_view kUnits = "KMGT";
  unsigned unit = 0;
  u64 size = size_bytes >> 10;
  while (size >= 1024) {
    size >>= 10;
    ++unit;
  }
  return std::to_string(size) + kUnits[unit];
}

/// Entry by entry, from the root to where one address leads.
void print_walk(const CommandContext& context, u64 address, std::ostream& out) {
  const auto walk = context.debugger.machine().walk_for_debugger(context.hart, VirtAddr{address});
  for (const WalkedEntry& step : walk) {
    out << "entry at " << digits_of(step.at.value) << ": " << digits_of(step.entry);
    if (step.physical) {
      out << "  leaf " << flags_text(static_cast<u8>(step.entry)) << "  " << hex(address) << " is "
          << hex(step.physical->value);
    }
    out << '\n';
  }
  if (walk.empty() || !walk.back().physical) out << hex(address) << " is not mapped\n";
}

/// There is no TLB that a guest could see (docs/machine.md), so what is shown is what one would be filled with.
void info_tlb(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "info tlb [ADDRESS]");
  name_hart(context, out);
  if (!is_translated(context)) {
    out << kBare;
    return;
  }
  if (!arguments.empty()) return print_walk(context, parse_address(context, arguments[0]), out);
  const PageMappings mappings = mappings_of(context);
  for (const Run& run : runs_of(mappings.leaves, Sizes::kOne)) {
    out << digits_of(run.first.at.value) << ": " << digits_of(run.first.physical.value) << ' '
        << flags_text(run.first.flags) << "  " << run.count << " x " << size_name(run.first.size_bytes) << '\n';
  }
  say_if_more(mappings, out);
}

struct Topic {
  std::string_view name;
  std::string_view alias;
  std::string_view arguments;
  std::string_view help;
  void (*print)(CommandContext& context, Arguments arguments, std::ostream& out);
};
constexpr std::array kTopics = {
    Topic{"registers", "", "", "every register of the current hart", info_registers},
    Topic{"csr", "", "[NAME...]", "its CSRs", info_csr},
    Topic{"mem", "", "", "its address space: what is mapped where, as QEMU prints it", info_mem},
    Topic{"tlb", "", "[ADDRESS]", "the leaves of its page tables, or the walk to an address", info_tlb},
    Topic{"harts", "", "", "mode, state and pc of each hart", info_harts},
    Topic{"devices", "", "", "the components of the machine and the hash of each", info_devices},
    Topic{"state", "", "", "the whole state but memory, as JSON", info_state},
    Topic{"recording", "", "", "how long the history is, and where it is kept", info_recording},
    Topic{"snapshots", "", "", "how many snapshots there are and what they cost", info_snapshots},
    Topic{"stops", "", "", "breakpoints and watchpoints of this prompt", info_stops},
    Topic{"bookmarks", "checkpoints", "", "the places that have names", info_bookmarks},
};

const Topic& find_topic(std::string_view word) {
  const Topic* found = nullptr;
  for (const Topic& topic : kTopics) {
    if (topic.name == word) return topic;
    const bool begins = topic.name.starts_with(word) || (!topic.alias.empty() && topic.alias.starts_with(word));
    if (!begins) continue;
    if (found != nullptr) {
      throw Error(Exit::kUsage, "info " + std::string(word) + " is ambiguous: " + std::string(found->name) + ", " +
                                    std::string(topic.name));
    }
    found = &topic;
  }
  if (found == nullptr) {
    throw Error(Exit::kUsage, "info " + std::string(word) + ": no such topic; info lists them");
  }
  return *found;
}

}  // namespace

void info(CommandContext& context, Arguments arguments, std::ostream& out) {
  if (arguments.empty()) {
    for (const Topic& topic : kTopics) {
      std::string left(topic.name);
      if (!topic.arguments.empty()) left += " " + std::string(topic.arguments);
      left.resize(std::max<std::size_t>(left.size(), 15), ' ');
      out << "info " << left << ' ' << topic.help << '\n';
    }
    return;
  }
  const Topic& topic = find_topic(arguments[0]);
  arguments = arguments.subspan(1);
  if (topic.arguments.empty() && !arguments.empty()) {
    throw Error(Exit::kUsage, "usage: info " + std::string(topic.name));
  }
  topic.print(context, arguments, out);
}

}  // namespace retrov::command_rows
