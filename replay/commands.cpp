#include "replay/commands.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>

#include "core/check.hpp"
#include "replay/commands_rows.hpp"
#include "replay/nearest_word.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace command_rows {

namespace {

void help(CommandContext& context, Arguments arguments, std::ostream& out);
void quit(CommandContext& context, Arguments arguments, std::ostream& out);
void hart(CommandContext& context, Arguments arguments, std::ostream& out);
void gdbserver(CommandContext& context, Arguments arguments, std::ostream& out);

constexpr Offered kBoth = Offered::kEverywhere;
constexpr Offered kPrompt = Offered::kPromptOnly;

constexpr std::array kCommands = {
    Command{"help", "h ?", "[COMMAND]", "list the commands, or explain one", kBoth, help},
    Command{"when", "", "", "say the position: step, hart, event, guest time, part of the history", kBoth, when},
    Command{"when-end", "", "", "say where the history ends, as far as it is known", kBoth, when_end},
    Command{"elapsed-time", "", "", "say the guest time since power-on, to the tick", kBoth, elapsed_time},
    Command{"goto", "seek seek-ticks replay_seek", "POSITION",
            "go to a position: 412,883,190  +N  -N  50%  begin  end  #EVENT  t=3.1s  main@3  BOOKMARK", kBoth, go_to},
    Command{"scan", "", "[FROM-TO] ADDRESS...", "list each time an address was executed in history, without moving",
            kBoth, scan},
    Command{"log", "", "[FROM-TO] LOCATION [if EXPR]: [\"FORMAT\", EXPR...][; ...]",
            "printf after the fact: what it would have printed there in all of history", kBoth, log},
    Command{"last-write", "", "ADDRESS [BYTES]", "who wrote there last before here, be it with the same value", kBoth,
            last_write},
    Command{"first-write", "", "ADDRESS [BYTES]", "who wrote there first", kBoth, first_write},
    Command{"writes", "", "[FROM-TO] ADDRESS [BYTES]", "list all writes: by harts, devices, page-table walks, gdb",
            kBoth, writes},
    Command{"reads", "", "[FROM-TO] ADDRESS [BYTES]", "list all reads by harts", kBoth, reads},
    Command{"executions", "", "[FROM-TO] ADDRESS...", "list each time an instruction was executed", kBoth,
            executions},
    Command{"bookmark", "checkpoint", "[NAME [TEXT]]", "name this place", kBoth, bookmark},
    Command{"bookmarks", "", "", "list the places that have names", kBoth, bookmarks},
    Command{"restart", "", "NAME|N", "go to a bookmark", kBoth, restart},
    Command{"delete", "d", "[NAME|N|@N]", "delete a bookmark; at the prompt N is a breakpoint, none means all of them",
            kBoth, delete_one},
    Command{"back", "", "[N]", "go to the place before this one, of those where you have been", kBoth, back},
    Command{"forward", "", "[N]", "the other way", kBoth, forward},
    Command{"history", "", "", "list the places where you have been", kBoth, history},
    Command{"info", "i", "[TOPIC]", "registers, csr, mem, tlb, harts, devices, bookmarks ...: info lists them", kBoth,
            info},
    Command{"x", "", "[/NFU] ADDRESS", "print memory: N units, format x d u o c i s, unit b h w g", kBoth, examine},
    Command{"xp", "", "[/NFU] ADDRESS", "the same of physical memory", kBoth, examine_physical},
    Command{"events", "", "[A [B]]", "the recorded events, from position A to B", kBoth, events},
    Command{"diff", "", "A B", "what differs between two positions: registers, memory, devices", kBoth, diff},
    Command{"stats", "", "", "steps, speed, snapshots, memory, size of the log", kBoth, stats},
    Command{"export", "", "FILE", "write the history so far to a trace of its own", kBoth, export_history},
    Command{"system_reset", "", "", "press the reset button (at the live end, or with scratch on)", kBoth,
            system_reset},
    Command{"hash", "", "", "hash of the whole state, and of each component", kBoth, hash},
    Command{"phys", "", "[on|off]", "memory addresses are physical", kBoth, physical},
    Command{"step-irq", "", "[enter|skip]", "steps go into interrupt handlers, or over them", kBoth, step_irq},
    Command{"edge", "", "[stop|go]", "coming out of the past: stop at the live end, or run on", kBoth, edge},
    Command{"fork", "", "[NAME]", "in the past: live on from here in a branch; what came later is kept", kBoth, fork},
    Command{"branches", "", "", "list the lines of history", kBoth, branches},
    Command{"switch", "", "NAME", "go to where you were in another branch", kBoth, switch_branch},
    Command{"scratch", "", "[on|off]", "write to a throw-away copy, dropped by the next move backwards or goto", kBoth,
            scratch},
    Command{"watch-dma", "", "[on|off]", "writes by devices to watched memory stop, right behind them", kBoth,
            watch_dma},
    Command{"watch-unchanged", "", "[on|off]", "writes that change nothing stop as well", kBoth, watch_unchanged},
    Command{"watch-csr", "", "[NAME|off]", "stop at instructions that write a CSR", kBoth, watch_csr},
    Command{"break-space", "", "[current|any]", "new breakpoints hold in one address space, or in all", kBoth,
            break_space},
    Command{"break-check", "", "[on|off]", "refuse breakpoints where nothing is mapped", kBoth, break_check},
    Command{"ebreak", "", "[stop|guest] [m|s|u]", "who gets an ebreak of the guest: the debugger or the guest", kBoth,
            ebreak},
    Command{"mmio-write", "", "[on|off]", "let memory commands write device registers (at the live end)", kBoth,
            mmio_write},
    Command{"replay-output", "", "[on|off]", "show what steps print each time they are made, not only once", kBoth,
            replay_output},
    Command{"step", "s si stepi", "[N]", "make N steps of the current hart", kPrompt, step},
    Command{"continue", "c", "", "run until something stops it", kPrompt, resume},
    Command{"reverse-step", "rs rsi reverse-stepi", "[N]", "take N steps of the current hart back", kPrompt,
            reverse_step},
    Command{"reverse-continue", "rc", "", "run backwards until something stops it", kPrompt, reverse_resume},
    Command{"break", "b", "ADDRESS", "stop when an instruction is about to be executed", kPrompt, set_breakpoint},
    Command{"watch", "w", "[-p] ADDRESS [BYTES]", "stop at writes that change the value", kPrompt, watch_writes},
    Command{"rwatch", "", "[-p] ADDRESS [BYTES]", "stop at reads", kPrompt, watch_reads},
    Command{"awatch", "", "[-p] ADDRESS [BYTES]", "stop at reads and writes", kPrompt, watch_accesses},
    Command{"hart", "", "[N]", "say or choose the current hart", kPrompt, hart},
    Command{"registers", "regs", "[NAME...|all]", "print registers", kPrompt, registers},
    Command{"set", "", "REGISTER VALUE", "write a register (at the live end, or with scratch on)", kPrompt, set},
    Command{"memory", "m", "ADDRESS [BYTES]", "print memory as bytes", kPrompt, memory},
    Command{"disassemble", "disas", "[ADDRESS] [N]", "print N instructions", kPrompt, disassemble},
    Command{"gdbserver", "", "[PORT]", "let gdb attach to this session", kPrompt, gdbserver},
    Command{"quit", "q exit", "", "end the session, and retrov with it", kBoth, quit},
};

void help(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "help [COMMAND]");
  if (arguments.empty()) return print_commands(context.where, out);
  const Command& command = find_command(arguments[0], context.where);
  out << command.name << (command.arguments.empty() ? "" : " ") << command.arguments << ": " << command.help << '\n';
  if (!command.aliases.empty()) out << "also: " << command.aliases << '\n';
}

void quit(CommandContext& context, Arguments arguments, std::ostream&) {
  expect_arguments(arguments, 0, 0, "quit");
  context.quit = true;
}

void hart(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "hart [N]");
  if (!arguments.empty()) {
    const u64 number = parse_number(arguments[0]);
    const unsigned count = context.debugger.machine().hart_count();
    if (number >= count) throw Error(Exit::kUsage, "there are harts 0 to " + std::to_string(count - 1));
    context.hart = static_cast<unsigned>(number);
  }
  out << describe_place(context) << '\n';
}

void gdbserver(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 1, "gdbserver [PORT]");
  if (!context.serve_gdb) throw Error(Exit::kUsage, "gdbserver: not in this session");
  const u64 port = arguments.empty() ? 1234 : parse_number(arguments[0]);
  if (port > 65535) throw Error(Exit::kUsage, "gdbserver: a port is a number up to 65535");
  context.serve_gdb(static_cast<u16>(port), out);
}

}  // namespace

void expect_arguments(Arguments arguments, std::size_t least, std::size_t most, std::string_view usage) {
  if (arguments.size() >= least && arguments.size() <= most) return;
  throw Error(Exit::kUsage, "usage: " + std::string(usage));
}

std::optional<bool> choose(Arguments arguments, std::string_view usage, std::string_view no, std::string_view yes) {
  expect_arguments(arguments, 0, 1, usage);
  if (arguments.empty()) return std::nullopt;
  if (arguments[0] == yes) return true;
  if (arguments[0] == no) return false;
  throw Error(Exit::kUsage, "usage: " + std::string(usage));
}

u64 parse_number(std::string_view text) {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = is_hex ? text.substr(2) : text;
  u64 value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    throw Error(Exit::kUsage, "'" + std::string(text) + "' is not a number (12 or 0xc)");
  }
  return value;
}

}  // namespace command_rows

namespace {

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kBlanks = " \t\r\n";
  for (;;) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool is_offered(const Command& command, Offered where) {
  return where == Offered::kPromptOnly || command.offered == Offered::kEverywhere;
}

bool has_name(const Command& command, std::string_view word) {
  if (command.name == word) return true;
  const auto aliases = split_words(command.aliases);
  return std::find(aliases.begin(), aliases.end(), word) != aliases.end();
}

[[noreturn]] void refuse_unknown(std::string_view word, Offered where) {
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (!is_offered(command, where)) continue;
    known.emplace_back(command.name);
    for (const std::string_view alias : split_words(command.aliases)) known.emplace_back(alias);
  }
  const auto nearest = nearest_word(word, known);
  throw Error(Exit::kUsage, "unknown command '" + std::string(word) + "'; " +
                                (nearest ? "did you mean " + *nearest + "?" : "help lists what there is"));
}

}  // namespace

std::span<const Command> commands() { return command_rows::kCommands; }

const Command& find_command(std::string_view word, Offered where) {
  const Command* found = nullptr;
  std::string candidates;
  for (const Command& command : commands()) {
    if (!is_offered(command, where)) {
      // Not to be taken for the beginning of another word.
      if (has_name(command, word)) {
        throw Error(Exit::kUsage, "'" + std::string(word) + "' is for the prompt of retrov; gdb has words of its own");
      }
      continue;
    }
    if (has_name(command, word)) return command;
    if (!command.name.starts_with(word)) continue;
    candidates += (found == nullptr ? "" : ", ") + std::string(command.name);
    found = &command;
  }
  if (found == nullptr) refuse_unknown(word, where);
  if (candidates != found->name) {
    throw Error(Exit::kUsage, "'" + std::string(word) + "' is ambiguous: " + candidates);
  }
  return *found;
}

void run_command(CommandContext& context, std::string_view line, std::ostream& out) {
  std::vector<std::string_view> words = split_words(line);
  if (words.empty()) return;
  // As in gdb, the format of x and xp may follow without a blank: x/4i.
  const std::size_t slash = words[0].find('/');
  if (slash != std::string_view::npos && slash != 0) {
    words.insert(words.begin() + 1, words[0].substr(slash));
    words[0] = words[0].substr(0, slash);
  }
  const Command& command = find_command(words[0], context.where);
  context.places.visited.arrive(context.debugger, Visited::How::kJump);
  command.run(context, std::span<const std::string_view>(words).subspan(1), out);
}

std::vector<std::string> complete_command(std::string_view word, Offered where) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (is_offered(command, where) && command.name.starts_with(word)) names.emplace_back(command.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void print_commands(Offered where, std::ostream& out) {
  constexpr std::size_t kColumn = 28;
  for (const Command& command : commands()) {
    if (!is_offered(command, where)) continue;
    std::string left = std::string(command.name);
    if (!command.arguments.empty()) left += " " + std::string(command.arguments);
    if (left.size() < kColumn) left.append(kColumn - left.size(), ' ');
    out << left << "  " << command.help << '\n';
  }
}

}  // namespace retrov
