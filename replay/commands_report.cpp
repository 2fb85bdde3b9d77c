// The words that report on more than one position, or on the session as a whole.
#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>
#include <utility>

#include "core/check.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"
#include "replay/state_fields.hpp"
#include "replay/trace_report.hpp"

namespace retrov::command_rows {

namespace {

constexpr std::size_t kMostEvents = 500;
constexpr std::size_t kMostPages = 100;
constexpr std::size_t kMostFields = 20;

/// What can be compared of a state.
struct Looked {
  std::vector<std::vector<std::optional<u64>>> registers;  ///< By hart, in the order of register_list().
  StateFields fields;                                       ///< Of the machine and its devices.
  Snapshot snapshot;
};

Looked look(const Machine& machine, const Snapshot& snapshot) {
  Looked result;
  for (unsigned hart = 0; hart < machine.hart_count(); ++hart) {
    auto& values = result.registers.emplace_back();
    for (const RegisterInfo& info : register_list()) values.push_back(machine.read_register(hart, info.id));
  }
  result.fields = state_fields(machine);
  result.snapshot = snapshot;
  return result;
}

/// A list that may be long: `most` lines and the number of the others.
class Lines {
 public:
  Lines(std::ostream& out, std::size_t most) : out_(out), most_(most) {}
  ~Lines() {
    if (count_ > most_) out_ << "  ... and " << group_digits(count_ - most_) << " more\n";
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  void add(const std::string& line) {
    if (++count_ <= most_) out_ << "  " << line << '\n';
  }

 private:
  std::ostream& out_;
  std::size_t most_;
  std::size_t count_ = 0;
};

void diff_registers(const Looked& a, const Looked& b, std::ostream& out) {
  const auto text = [](std::optional<u64> value) { return value ? hex(*value) : std::string("-"); };
  for (std::size_t hart = 0; hart < a.registers.size(); ++hart) {
    for (std::size_t i = 0; i < register_list().size(); ++i) {
      const auto from = a.registers[hart][i];
      const auto to = b.registers[hart][i];
      if (from == to) continue;
      std::string name = register_list()[i].name;
      name.resize(std::max<std::size_t>(name.size(), 10), ' ');
      out << "hart " << hart << "  " << name << ' ' << text(from) << " -> " << text(to) << '\n';
    }
  }
}

std::string page_line(u64 address, const Page* a, const Page* b) {
  static constexpr PageBytes kZeros{};
  const PageBytes& from = a != nullptr ? a->bytes : kZeros;
  const PageBytes& to = b != nullptr ? b->bytes : kZeros;
  const auto first = std::mismatch(from.begin(), from.end(), to.begin());
  std::size_t count = 0;
  for (std::size_t i = 0; i < from.size(); ++i) count += from[i] != to[i];
  if (count == 0) return {};
  return hex(address) + "  " + std::to_string(count) + (count == 1 ? " byte" : " bytes") + ", first at " +
         hex(address + static_cast<u64>(first.first - from.begin())) + ": " + hex_digits(*first.first, 2).substr(2) +
         " -> " + hex_digits(*first.second, 2).substr(2);
}

/// Of RAM at `base`, or of what a device keeps in pages.
void diff_pages(const std::string& name, u64 base, const PageTree& a, const PageTree& b, std::ostream& out) {
  std::vector<std::string> pages;
  PageTree::diff(a, b, [&](u64 index, const Page* from, const Page* to) {
    std::string line = page_line(base + index * kPageBytes, from, to);
    if (!line.empty()) pages.push_back(std::move(line));
  });
  if (pages.empty()) return;
  out << name << ": " << group_digits(pages.size()) << (pages.size() == 1 ? " page differs\n" : " pages differ\n");
  Lines lines(out, kMostPages);
  for (const std::string& page : pages) lines.add(page);
}

void diff_fields(const Looked& a, const Looked& b, std::ostream& out) {
  std::map<std::string, std::pair<std::string, std::string>> all;
  for (const auto& [path, value] : a.fields) all[path].first = value;
  for (const auto& [path, value] : b.fields) all[path].second = value;
  std::map<std::string, std::vector<std::string>> by_component;
  for (const auto& [path, values] : all) {
    if (values.first == values.second) continue;
    const auto text = [](const std::string& value) { return value.empty() ? std::string("-") : value; };
    by_component[path.substr(0, path.find('.'))].push_back(path.substr(path.find('.') + 1) + "  " +
                                                            text(values.first) + " -> " + text(values.second));
  }
  for (const auto& [component, changes] : by_component) {
    out << component << '\n';
    Lines lines(out, kMostFields);
    for (const std::string& change : changes) lines.add(change);
  }
}

std::pair<Position, Position> parse_range(const CommandContext& context, Arguments arguments) {
  if (arguments.empty()) return {Position{}, context.debugger.end()};
  if (arguments.size() == 2) return {place_of(context, arguments[0]), place_of(context, arguments[1])};
  if (const auto words = range_words(arguments[0])) {
    return {place_of(context, words->first), place_of(context, words->second)};
  }
  return {place_of(context, arguments[0]), context.debugger.end()};
}

}  // namespace

void diff(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 2, 2, "diff A B");
  const Position from = place_of(context, arguments[0]);
  const Position to = place_of(context, arguments[1]);
  Looked a, b;
  for (const auto& [at, looked] : {std::pair(from, &a), std::pair(to, &b)}) {
    Looked& into = *looked;
    context.debugger.look_at(at, [&](const auto& machine, const auto& snapshot) { into = look(machine, snapshot); });
  }
  out << "step " << group_digits(from.steps) << " -> step " << group_digits(to.steps) << '\n';
  diff_registers(a, b, out);
  diff_fields(a, b, out);
  const Machine& machine = context.debugger.machine();
  const std::vector<std::string> owners = machine.page_owners();
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const u64 base = i == 0 ? machine.config().ram_base.value : 0;
    diff_pages(i == 0 ? "memory" : owners[i], base, a.snapshot.trees[i], b.snapshot.trees[i], out);
  }
}

void events(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 2, "events [A [B]]");
  const auto [from, to] = parse_range(context, arguments);
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
