// The words a person types at a debugger, as one table: gdb's `monitor`, the prompt of `retrov debug` and the one
// behind Ctrl-a c all offer these rows. Help and completion are made from the table as well, so a new command is one
// row and one function.
//
// Must stay true: a command speaks to the Debugger and to its context, never to a terminal or a socket; it throws Error
// with one sentence for whatever the person got wrong, and then has changed nothing.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replay/debugger.hpp"
#include "replay/history_search.hpp"
#include "replay/places.hpp"

namespace retrov {

/// A breakpoint or a watchpoint of the prompt. gdb keeps its own.
struct PromptStop {
  unsigned number = 0;
  std::optional<WatchRange> watch;  ///< Absent: a breakpoint.
  VirtAddr address;
};

/// What `scan` and `log` look at. Good while their command runs.
struct ScanOrder {
  struct Place {
    VirtAddr address;
    std::string_view name;     ///< As it was typed.
    std::string_view clauses;  ///< When it counts and what to print, as gdb's stub has it; empty: always, its name.
    // The same as people write it:
    std::string_view condition = {};            ///< An expression; empty: always.
    std::optional<std::string_view> format = {};  ///< Of printf, as in C source; absent: its name.
    std::vector<std::string_view> arguments = {};  ///< Expressions.
  };
  Position from, to;
  std::vector<Place> places;
  bool json = false;
  /// The value of a symbol. Empty: there are none.
  std::function<std::optional<u64>(std::string_view name)> symbol = {};
};

/// Who offers a command; and for a context, whose lines it takes: a prompt's (all commands) or everybody's.
enum class Offered : u8 { kEverywhere, kPromptOnly };

/// What commands work on. Lives as long as the front end that offers them, because it keeps what they set.
struct CommandContext {
  Debugger& debugger;
  Places& places;  ///< May be shared with other contexts of that debugger.
  Offered where = Offered::kEverywhere;
  /// The hart that commands speak of; moving sets it to the hart that stopped.
  unsigned hart = 0;
  /// `phys on|off`.
  AddressSpace space = AddressSpace::kVirtual;

  // --- what a front end does in its own way; empty: as said here ---
  /// `goto`. Empty: moves at once and says where to. gdb's caches would then be stale, so its stub arms the next resume
  /// instead and says so on `out`.
  std::function<void(Position target, std::ostream& out)> go_to = {};
  /// `switch`: as `goto`, to where the session last stood in that branch.
  std::function<void(const std::string& branch, std::ostream& out)> switch_to = {};
  /// Runs until something stops it, on behalf of `continue`. Empty: Debugger::resume.
  std::function<Stop(Direction)> resume = {};
  /// `info recording` and `info snapshots`. Empty: the topic is not offered.
  std::function<void(std::ostream&)> describe_recording = {};
  std::function<void(std::ostream&)> describe_snapshots = {};
  /// `stats`, and `export`. Empty: not offered.
  std::function<void(std::ostream&)> describe_effort = {};
  std::function<void(const std::string& path, std::ostream& out)> export_trace = {};
  /// The value of a symbol. Empty: there are none.
  std::function<std::optional<u64>(std::string_view name)> symbol = {};
  /// The nearest symbol at or below an address, as "name+0x10"; an empty text if there is none.
  std::function<std::string(VirtAddr)> symbol_near = {};
  /// How history is searched. Empty: by the debugger.
  HistorySearch search = {};
  AccessSearch search_accesses = {};
  /// `scan` and `log`: looks through history and writes what it finds. Empty: not offered.
  std::function<void(const ScanOrder& order, std::ostream& out)> scan = {};
  /// Around what looks through history for long, so that it can be broken off. Empty: nothing.
  std::function<void(const std::function<void()>& look)> aside = {};
  /// `gdbserver [PORT]`: port 0 picks one. Empty: not offered.
  std::function<void(u16 port, std::ostream& out)> serve_gdb = {};

  // --- state of the prompt ---
  std::vector<PromptStop> stops = {};
  unsigned next_stop_number = 1;
  /// How the last run ended; says whether the next one must first get off a breakpoint.
  std::optional<Stop> last_stop = {};
  /// Set by `quit`.
  bool quit = false;
};

struct Command {
  std::string_view name;
  std::string_view aliases;  ///< Separated by blanks.
  std::string_view arguments;
  std::string_view help;
  Offered offered = Offered::kEverywhere;
  void (*run)(CommandContext& context, std::span<const std::string_view> arguments, std::ostream& out) = nullptr;
};

[[nodiscard]] std::span<const Command> commands();

/// By name, alias or unambiguous beginning. Throws Error (kUsage).
[[nodiscard]] const Command& find_command(std::string_view word, Offered where);

/// Runs one line; an empty one does nothing. Throws Error (kUsage) for an unknown or ambiguous word.
void run_command(CommandContext& context, std::string_view line, std::ostream& out);

/// The names of commands that begin with `word`, ascending.
[[nodiscard]] std::vector<std::string> complete_command(std::string_view word, Offered where);

/// `help`: one line each.
void print_commands(Offered where, std::ostream& out);

/// A number (0x1f, 31), a register ($a0, $pc), a symbol, or a sum of these (main+0x10, $sp-8).
[[nodiscard]] u64 parse_address(const CommandContext& context, std::string_view text);

/// "hart 0  pc 0x80000000 main+0x10  step 1,203", without a line end.
[[nodiscard]] std::string describe_place(const CommandContext& context);

/// Says why a run stopped and where.
void print_stop(const CommandContext& context, const Stop& stop, std::ostream& out);

}  // namespace retrov
