#include "cli/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <ostream>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "cli/log_words.hpp"
#include "core/check.hpp"
#include "replay/nearest_word.hpp"

namespace retrov {

namespace {

std::string_view without_dashes(std::string_view word) {
  const std::size_t dashes = word.starts_with("--") ? 2 : 1;
  return word.substr(dashes);
}

/// As the table spells it, or nothing.
std::optional<std::string> find_name(const OptionRow& row, std::string_view name) {
  for (std::string& candidate : names_of(row)) {
    if (without_dashes(candidate) == name) return std::move(candidate);
  }
  return std::nullopt;
}

const OptionRow* find_row(Subcommand subcommand, std::string_view name) {
  for (const OptionRow& row : option_rows()) {
    if ((row.subcommands & only(subcommand)) != 0 && find_name(row, name)) return &row;
  }
  return nullptr;
}

[[noreturn]] void refuse_unknown(Subcommand subcommand, const std::string& argument, std::string_view name) {
  const std::string command(subcommand_row(subcommand).name);
  const bool from_trace = !find_row(subcommand, "machine");
  const OptionRow* of_run = find_row(Subcommand::kRun, name);
  if (from_trace && of_run != nullptr && of_run->group != OptionGroup::kDebugging) {
    throw Error(Exit::kUsage, argument + ": " + command + " takes no machine options, the trace holds the machine");
  }
  std::vector<std::string> known;
  for (const OptionRow& row : option_rows()) {
    if ((row.subcommands & only(subcommand)) == 0) continue;
    for (const std::string& candidate : names_of(row)) known.emplace_back(without_dashes(candidate));
  }
  for (const SubcommandRow& other : subcommands()) {
    const OptionRow* row = find_row(other.id, name);
    if (row == nullptr) continue;
    throw Error(Exit::kUsage, argument + ": " + command + " has no such option, " + std::string(other.name) + " has" +
                                  (row->help.empty() ? "" : ": " + std::string(row->help)));
  }
  std::string sentence = "unknown option " + argument;
  if (const auto nearest = nearest_word(name, known)) {
    sentence += "; did you mean " + find_name(*find_row(subcommand, *nearest), *nearest).value_or(*nearest) + "?";
  } else {
    sentence += "; retrov help " + command + " lists them";
  }
  throw Error(Exit::kUsage, sentence);
}

/// Arguments one after the other.
class Words {
 public:
  explicit Words(std::span<const std::string> words) : words_(words) {}
  [[nodiscard]] bool empty() const { return words_.empty(); }
  const std::string& next() {
    const std::string& word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

 private:
  std::span<const std::string> words_;
};

void apply_option(Options& options, const std::string& argument, Words& rest) {
  std::string_view name = without_dashes(argument);
  std::optional<std::string_view> value;
  const std::size_t sign = name.find('=');
  if (sign != std::string_view::npos) {
    value = name.substr(sign + 1);
    name = name.substr(0, sign);
  }
  const OptionRow* row = find_row(options.subcommand, name);
  if (row == nullptr) refuse_unknown(options.subcommand, argument.substr(0, argument.find('=')), name);
  const bool is_optional = row->argument.starts_with("[=");
  if (row->argument.empty()) {
    if (value) throw Error(Exit::kUsage, argument + ": takes no value");
    value = std::string_view();
  } else if (!value && is_optional) {
    value = std::string_view();
  } else if (!value) {
    if (rest.empty()) throw Error(Exit::kUsage, argument + ": " + std::string(row->argument) + " is missing after it");
    value = rest.next();
  }
  // An unset variable of a script must not become a machine without a kernel.
  const bool was_left_out = is_optional && sign == std::string::npos;
  const bool may_be_empty = row->argument.empty() || row->argument == "TEXT" || was_left_out;
  if (value->empty() && !may_be_empty) {
    throw Error(Exit::kUsage, argument + ": " + std::string(row->argument) + " is empty");
  }
  if (row->group == OptionGroup::kMachine) options.names_machine = true;
  row->apply(options, *value);
}

void apply_positional(Options& options, const std::string& word) {
  // An empty word is a variable that was never set, not a wish for what happens without one.
  if (word.empty()) throw Error(Exit::kUsage, "an argument is empty");
  const auto refuse = [&] { throw Error(Exit::kUsage, "unexpected argument '" + word + "'"); };
  switch (options.subcommand) {
    case Subcommand::kRun:
    case Subcommand::kRecord:
      if (!options.machine.kernel.empty()) refuse();
      options.machine.kernel = word;
      return;
    case Subcommand::kGdbinit:
      return refuse();
    case Subcommand::kLs:
    case Subcommand::kRm:
    case Subcommand::kMv:
      options.shelf.names.push_back(word);
      return;
    case Subcommand::kHelp:
      if (!options.topic.empty()) refuse();
      options.topic = word;
      return;
    case Subcommand::kLastWrite:
    case Subcommand::kFirstWrite:
    case Subcommand::kWrites:
    case Subcommand::kReads:
    case Subcommand::kExecutions:
    case Subcommand::kLog:
    case Subcommand::kDiff: {
      const bool names_place = options.subcommand == Subcommand::kLog && names_log_place(word);
      const bool names_trace = !names_place && (word.ends_with(".rvt") || word.find('/') != std::string::npos);
      if (!names_trace || !options.replay.words.empty() || !options.replay.trace.empty()) {
        options.replay.words.push_back(word);
        return;
      }
      options.replay.trace = word;
      return;
    }
    case Subcommand::kDump:
      if (!options.replay.trace.empty() && options.replay.range.empty()) {
        options.replay.range = word;
        return;
      }
      [[fallthrough]];
    default:
      if (!options.replay.trace.empty()) refuse();
      options.replay.trace = word;
      return;
  }
}

void apply_environment(Options& options) {
  if (const char* budget = std::getenv("RETROV_SNAPSHOT_BUDGET"); budget != nullptr && *budget != '\0') {
    options.snapshots.budget_bytes = parse_size("RETROV_SNAPSHOT_BUDGET", budget, u64{1} << 20);
  }
  if (const char* seed = std::getenv("RETROV_SEED"); seed != nullptr && *seed != '\0') {
    options.live.seed = parse_seed("RETROV_SEED", seed);
  }
}

void check_combination(Options& options) {
  // A trace is named by its place on the command line, an ELF too: what else was said tells which.
  if (options.subcommand == Subcommand::kDebug && options.names_machine && !options.replay.trace.empty()) {
    if (!options.machine.kernel.empty()) {
      throw Error(Exit::kUsage, "unexpected argument '" + options.replay.trace + "'");
    }
    options.machine.kernel = std::exchange(options.replay.trace, {});
  }
  const bool replays = options.subcommand == Subcommand::kReplay;
  const bool serves_replay = options.replay.serve_port || (replays && options.live.gdb);
  if (options.replay.autopilot && serves_replay) throw Error(Exit::kUsage, "-a and -s exclude each other");
  if (options.replay.clients > 1 && !serves_replay) {
    throw Error(Exit::kUsage, "--clients: -s PORT says where they attach");
  }
  const bool gdb_on_stdio = options.live.gdb && options.live.gdb->kind == ListenAddress::Kind::kStdio;
  const bool console_wants_it = !replays && options.live.console != ConsoleWiring::kNone;
  if (gdb_on_stdio && (console_wants_it || options.subcommand == Subcommand::kDebug)) {
    throw Error(Exit::kUsage, "-gdb stdio has standard input and output for itself: -serial none, and not for debug");
  }
  if (options.live.once && options.live.on_detach && *options.live.on_detach != OnDetach::kQuit) {
    throw Error(Exit::kUsage, "--once ends with its gdb, so --on-detach can only be quit");
  }
  const bool records = options.subcommand == Subcommand::kRecord;
  if (!options.live.from_snapshot.empty() && (options.names_machine || !options.machine.kernel.empty())) {
    throw Error(Exit::kUsage, "record --from-snapshot takes no machine options, the trace holds the machine");
  }
  if (records && options.live.from_snapshot.empty() && !options.replay.drive_bases.empty()) {
    throw Error(Exit::kUsage, "--drive-base goes with --from-snapshot; -drive attaches a disk");
  }
  if (options.live.ring_bytes != 0 && options.live.key_frames.policy == KeyFramePolicy::kOff) {
    throw Error(Exit::kUsage, "--ring needs key frames, at which its parts begin: no --key-frames=off");
  }
  if (records && !options.live.keep_history) throw Error(Exit::kUsage, "record without a recording: use run");
}

Subcommand parse_subcommand(const std::string& word) {
  std::vector<std::string> known;
  for (const SubcommandRow& row : subcommands()) {
    if (row.name == word) return row.id;
    known.emplace_back(row.name);
  }
  if (word.starts_with("-")) {
    throw Error(Exit::kUsage, "before " + word + " comes what to do: run, record, replay …; retrov help lists it");
  }
  const auto nearest = nearest_word(word, known);
  throw Error(Exit::kUsage, "unknown command '" + word + "'; " +
                                (nearest ? "did you mean " + *nearest + "?" : "retrov help lists them"));
}

void print_option(const OptionRow& row, std::ostream& out) {
  constexpr std::size_t kColumn = 34;
  // Makefiles look for QEMU's words where its help has them, at the beginning of a line: `-help | grep '^-gdb'`.
  std::string left;
  for (const std::string& name : names_of(row)) left += (left.empty() ? "" : ", ") + name;
  if (!row.argument.empty()) left += (row.argument.starts_with("[=") ? "" : " ") + std::string(row.argument);
  out << left;
  if (!row.help.empty()) {
    out << (left.size() < kColumn ? std::string(kColumn - left.size(), ' ') : "\n" + std::string(kColumn, ' '));
  }
  out << row.help << '\n';
}

}  // namespace

Options parse_options(std::span<const std::string> arguments) {
  Options options;
  if (arguments.empty()) {
    throw Error(Exit::kUsage, "what to do is missing: run, record, replay …; retrov help lists it");
  }
  const std::string& first = arguments[0];
  if (first == "--version" || first == "-V") {
    options.version = true;
    return options;
  }
  if (first == "--list-commands") {
    options.lists_commands = true;
    return options;
  }
  if (first == "--help" || first == "-h" || first == "-help") return options;
  options.subcommand = parse_subcommand(first);
  apply_environment(options);
  Words words(arguments.subspan(1));
  bool only_positional = false;
  while (!words.empty()) {
    const std::string& word = words.next();
    if (!only_positional && word == "--") {
      only_positional = true;
    } else if (!only_positional && word.size() > 1 && word[0] == '-') {
      apply_option(options, word, words);
    } else {
      apply_positional(options, word);
    }
    if (options.help != HelpWanted::kNone) return options;
  }
  check_combination(options);
  return options;
}

void print_usage(std::ostream& out) {
  out << "usage: retrov COMMAND [OPTIONS]\n\n"
         "Records a RISC-V machine, replays it bit for bit, and walks it backwards from gdb.\n\n";
  for (const SubcommandRow& row : subcommands()) {
    std::string left = "  " + std::string(row.name) + " " + std::string(row.synopsis);
    left.append(left.size() < 30 ? 30 - left.size() : 1, ' ');
    out << left << row.summary << '\n';
  }
  out << "\nretrov help COMMAND explains one of them; retrov --version says which build this is.\n";
}

void print_subcommand_help(Subcommand subcommand, HelpWanted wanted, std::ostream& out) {
  const SubcommandRow& command = subcommand_row(subcommand);
  unsigned left_out = 0;
  out << "usage: retrov " << command.name << ' ' << command.synopsis << '\n' << command.summary << '\n';
  for (unsigned group = 0; group <= static_cast<unsigned>(OptionGroup::kGeneral); ++group) {
    bool headed = false;
    for (const OptionRow& row : option_rows()) {
      if (static_cast<unsigned>(row.group) != group || (row.subcommands & only(subcommand)) == 0) continue;
      if (wanted != HelpWanted::kAll && row.use == OptionUse::kRare) {
        ++left_out;
        continue;
      }
      if (!headed) out << '\n' << heading(row.group) << ":\n";
      headed = true;
      print_option(row, out);
    }
  }
  if (left_out != 0) out << "\nretrov " << command.name << " --help=all has " << left_out << " more.\n";
  out << "\nExamples:\n" << command.examples;
}

}  // namespace retrov
