// The functions behind the rows of the command table (replay/commands.cpp), by the file they live in, and what these
// files share. Nobody else includes this.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "replay/commands.hpp"

namespace retrov::command_rows {

using Arguments = std::span<const std::string_view>;

/// Throws Error(kUsage) unless there are `least` to `most` arguments.
void expect_arguments(Arguments arguments, std::size_t least, std::size_t most, std::string_view usage);
/// One of two words: whether it is the second; nothing without an argument. Throws Error(kUsage) for another.
[[nodiscard]] std::optional<bool> choose(Arguments arguments, std::string_view usage, std::string_view no,
                                         std::string_view yes);
[[nodiscard]] u64 parse_number(std::string_view text);
/// 0x and 16 digits, or as many as needed.
[[nodiscard]] std::string hex(u64 value);
[[nodiscard]] std::string hex_digits(u64 value, unsigned digits);
[[nodiscard]] u64 pc_of(const CommandContext& context, unsigned hart);
/// Little-endian; at most 8 bytes.
[[nodiscard]] u64 little_endian(std::span<const u8> bytes);

// commands_info.cpp
void info(CommandContext&, Arguments, std::ostream&);

// commands_look.cpp
/// For gdb, where there are several: it does not always tell which of them it shows.
void name_hart(const CommandContext& context, std::ostream& out);
/// Those for which `which` holds, of the current hart.
void list_registers(CommandContext& context, std::ostream& out,
                    const std::function<bool(const RegisterInfo&)>& which);
void hash(CommandContext&, Arguments, std::ostream&);
void registers(CommandContext&, Arguments, std::ostream&);
void set(CommandContext&, Arguments, std::ostream&);
void system_reset(CommandContext&, Arguments, std::ostream&);
void memory(CommandContext&, Arguments, std::ostream&);
void examine(CommandContext&, Arguments, std::ostream&);
void examine_physical(CommandContext&, Arguments, std::ostream&);
void disassemble(CommandContext&, Arguments, std::ostream&);

// commands_move.cpp
void when(CommandContext&, Arguments, std::ostream&);
void when_end(CommandContext&, Arguments, std::ostream&);
void elapsed_time(CommandContext&, Arguments, std::ostream&);
void go_to(CommandContext&, Arguments, std::ostream&);
/// Of a word for one, bookmarks among them.
[[nodiscard]] Position place_of(const CommandContext& context, std::string_view word);
/// Looks through history, perhaps for long, so that Ctrl-C reaches it; what the look returns.
Position look_aside(const CommandContext& context, const std::function<Position()>& look);
struct PlaceRange {
  Position from, to;
};
/// A-B if that is the first argument, which is then taken away, or all there is. Throws Error(kUsage) if it ends before
/// it begins.
[[nodiscard]] PlaceRange take_range(const CommandContext& context, Arguments& arguments);
/// The move that `goto` and its kind make, each front end in its own way.
void move_to(CommandContext& context, Position target, std::ostream& out);
/// After a move that had a target and no reason to stop.
void arrive_by_jump(CommandContext& context);
void step(CommandContext&, Arguments, std::ostream&);
void reverse_step(CommandContext&, Arguments, std::ostream&);
void resume(CommandContext&, Arguments, std::ostream&);
void reverse_resume(CommandContext&, Arguments, std::ostream&);

// commands_accesses.cpp
void last_write(CommandContext&, Arguments, std::ostream&);
void first_write(CommandContext&, Arguments, std::ostream&);
void writes(CommandContext&, Arguments, std::ostream&);
void reads(CommandContext&, Arguments, std::ostream&);
void executions(CommandContext&, Arguments, std::ostream&);

// commands_report.cpp
void diff(CommandContext&, Arguments, std::ostream&);
void events(CommandContext&, Arguments, std::ostream&);
void stats(CommandContext&, Arguments, std::ostream&);
void export_history(CommandContext&, Arguments, std::ostream&);

// commands_settings.cpp
void physical(CommandContext&, Arguments, std::ostream&);
void step_irq(CommandContext&, Arguments, std::ostream&);
void edge(CommandContext&, Arguments, std::ostream&);
void watch_dma(CommandContext&, Arguments, std::ostream&);
void watch_unchanged(CommandContext&, Arguments, std::ostream&);
void watch_csr(CommandContext&, Arguments, std::ostream&);
void break_space(CommandContext&, Arguments, std::ostream&);
void break_check(CommandContext&, Arguments, std::ostream&);
void ebreak(CommandContext&, Arguments, std::ostream&);
void mmio_write(CommandContext&, Arguments, std::ostream&);
void replay_output(CommandContext&, Arguments, std::ostream&);
// commands_branches.cpp
void fork(CommandContext&, Arguments, std::ostream&);
void branches(CommandContext&, Arguments, std::ostream&);
void switch_branch(CommandContext&, Arguments, std::ostream&);
void scratch(CommandContext&, Arguments, std::ostream&);

// commands_scan.cpp
void scan(CommandContext&, Arguments, std::ostream&);
void log(CommandContext&, Arguments, std::ostream&);

// commands_places.cpp
void bookmark(CommandContext&, Arguments, std::ostream&);
void bookmarks(CommandContext&, Arguments, std::ostream&);
void list_bookmarks(const CommandContext& context, std::ostream& out);
void restart(CommandContext&, Arguments, std::ostream&);
void delete_one(CommandContext&, Arguments, std::ostream&);
void back(CommandContext&, Arguments, std::ostream&);
void forward(CommandContext&, Arguments, std::ostream&);
void history(CommandContext&, Arguments, std::ostream&);

// commands_stops.cpp
void set_breakpoint(CommandContext&, Arguments, std::ostream&);
void watch_writes(CommandContext&, Arguments, std::ostream&);
void watch_reads(CommandContext&, Arguments, std::ostream&);
void watch_accesses(CommandContext&, Arguments, std::ostream&);
void delete_stops(CommandContext&, Arguments, std::ostream&);
void list_stops(const CommandContext& context, std::ostream& out);
/// The prompt's stops as the debugger wants them; those for which `leave_out` holds are left out.
[[nodiscard]] StopRequest stop_request(const CommandContext& context,
                                       const std::function<bool(const PromptStop&)>& leave_out = {});
/// "breakpoint 1", "watchpoint 2".
[[nodiscard]] std::string stop_title(const PromptStop& stop);

}  // namespace retrov::command_rows
