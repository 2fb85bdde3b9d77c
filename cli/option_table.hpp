// The table of options: who takes which word, what it means, how it is explained. To add an option is to add a row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace retrov {

/// Headings of --help, in this order.
enum class OptionGroup : u8 { kMachine, kConsole, kDebugging, kRecording, kReplay, kReport, kGeneral };

[[nodiscard]] std::string_view heading(OptionGroup group);

/// A set of subcommands.
using SubcommandSet = unsigned;
constexpr SubcommandSet only(Subcommand subcommand) { return 1u << static_cast<unsigned>(subcommand); }

/// kRare: only --help=all shows it, so that --help fits on a screen.
enum class OptionUse : u8 { kUsual, kRare };

struct OptionRow {
  std::string_view names;     ///< As --help shows them: "-M -machine". One or two dashes are taken for each.
  std::string_view argument;  ///< Empty: takes none. "[=…]": may be left out, and then `apply` gets nothing.
  std::string_view help;
  OptionGroup group = OptionGroup::kGeneral;
  SubcommandSet subcommands = 0;
  /// Throws Error(kUsage) if the value means nothing. Null: a word of QEMU's that changes nothing here.
  void (*apply)(Options& options, std::string_view value) = nullptr;
  OptionUse use = OptionUse::kUsual;
};

[[nodiscard]] std::span<const OptionRow> option_rows();
/// "-M", "-machine".
[[nodiscard]] std::vector<std::string> names_of(const OptionRow& row);

// --- values with a grammar of their own (cli/option_values.cpp); each throws Error(kUsage) ---

/// "128", "128M", "1.5G"; a number without a suffix counts `unit_bytes`.
[[nodiscard]] u64 parse_size(std::string_view option, std::string_view text, u64 unit_bytes);
[[nodiscard]] std::array<u8, 32> parse_seed(std::string_view option, std::string_view text);
[[nodiscard]] u64 parse_whole(std::string_view option, std::string_view text);
[[nodiscard]] u16 parse_port(std::string_view option, std::string_view text);
void apply_machine(Options& options, std::string_view value);
void apply_memory(Options& options, std::string_view value);
void apply_smp(Options& options, std::string_view value);
void apply_drive(Options& options, std::string_view value);
void apply_blockdev(Options& options, std::string_view value);
void apply_device(Options& options, std::string_view value);
void apply_global(Options& options, std::string_view value);
void apply_serial(Options& options, std::string_view value);
void apply_gdb(Options& options, std::string_view value);
void apply_icount(Options& options, std::string_view value);
void apply_rtc(Options& options, std::string_view value);
void apply_paranoid(Options& options, std::string_view value);
void apply_snapshots(Options& options, std::string_view value);
void apply_key_frames(Options& options, std::string_view value);

}  // namespace retrov
