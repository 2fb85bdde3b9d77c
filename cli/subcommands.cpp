#include "cli/subcommands.hpp"

#include <array>
#include <iostream>

#include "cli/gdb_script.hpp"
#include "cli/live.hpp"
#include "cli/messages.hpp"
#include "cli/replay.hpp"
#include "cli/reports.hpp"
#include "core/check.hpp"
#include "replay/release.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

namespace {

int run_live(const Options& options) { return LiveRun(options).run(); }

int run_debug(const Options& options) {
  const bool of_trace = !options.names_machine;
  return of_trace ? run_debug_trace(options) : run_live(options);
}

int run_help(const Options& options) {
  if (options.topic.empty()) {
    print_usage(std::cout);
    check_output();
    return 0;
  }
  for (const SubcommandRow& row : subcommands()) {
    if (row.name != options.topic) continue;
    print_subcommand_help(row.id, std::cout);
    check_output();
    return 0;
  }
  throw Error(Exit::kUsage, "unknown command '" + options.topic + "'; retrov help lists them");
}

constexpr std::array kSubcommands = {
    SubcommandRow{Subcommand::kRun, "run", "[OPTIONS] [ELF]",
                  "Runs a guest, like qemu-system-riscv64; a debugger can take it back to its first instruction.",
                  "  retrov run -M virt -smp 2 -m 256M -kernel Image -initrd initrd -append console=ttyS0 -nographic\n"
                  "  retrov run -bios none -kernel kernel -nographic -s -S\n",
                  run_live},
    SubcommandRow{Subcommand::kRecord, "record", "[OPTIONS] [ELF]", "Runs a guest and writes all of it to a trace.",
                  "  retrov record -m 256M -kernel Image -initrd initrd -append console=ttyS0 -nographic\n"
                  "  retrov record -o crash.rvt -bios none -kernel kernel -nographic\n",
                  run_live},
    SubcommandRow{Subcommand::kReplay, "replay", "[OPTIONS] [TRACE]",
                  "Replays a trace (the latest) under gdb, forwards and backwards.",
                  "  retrov replay -e --symbols vmlinux\n"
                  "  retrov replay -a crash.rvt\n",
                  run_replay},
    SubcommandRow{Subcommand::kDebug, "debug", "[TRACE | run options]",
                  "The same at a command prompt of its own, for a trace or for a machine that is yet to run.",
                  "  retrov debug crash.rvt -e\n"
                  "  retrov debug -bios none -kernel kernel -nographic\n",
                  run_debug},
    SubcommandRow{Subcommand::kInfo, "info", "[TRACE]", "Says what is in a trace: machine, outcome, where bytes go.",
                  "  retrov info\n"
                  "  retrov info --json crash.rvt\n",
                  run_info},
    SubcommandRow{Subcommand::kVerify, "verify", "[TRACE]", "Replays a trace and compares every hash in it.",
                  "  retrov verify\n"
                  "  retrov verify --engine reference crash.rvt\n",
                  run_verify},
    SubcommandRow{Subcommand::kDump, "dump", "[TRACE [A-B|end]]", "Prints the events of a trace.",
                  "  retrov dump crash.rvt 0-1,000,000\n"
                  "  retrov dump -s crash.rvt\n",
                  run_dump},
    SubcommandRow{Subcommand::kPack, "pack", "[TRACE] -o FILE",
                  "Makes the smallest file of a trace, with its bookmarks; the trace stays as it is.",
                  "  retrov pack -o crash.rvt\n"
                  "  retrov pack --key-frames off -o small.rvt crash.rvt\n",
                  run_pack},
    SubcommandRow{Subcommand::kGdbinit, "gdbinit", "", "Prints the rv commands for gdb, a script in Python.",
                  "  retrov gdbinit\n"
                  "  retrov gdbinit --help\n",
                  run_gdbinit},
    SubcommandRow{Subcommand::kHelp, "help", "[COMMAND]", "Explains a command.",
                  "  retrov help record\n"
                  "  retrov help replay\n",
                  run_help},
};

}  // namespace

std::span<const SubcommandRow> subcommands() { return kSubcommands; }

const SubcommandRow& subcommand_row(Subcommand subcommand) {
  for (const SubcommandRow& row : kSubcommands) {
    if (row.id == subcommand) return row;
  }
  RV_CHECK(!"a subcommand without a row");
  return kSubcommands[0];
}

int run_command_line(std::span<const std::string> arguments) {
  const Options options = parse_options(arguments);
  if (options.version) {
    std::cout << "retrov " << release() << " (commit " << commit() << ")\n"
              << "machine version " << kMachineVersion << ", trace container version " << kContainerVersion << '\n';
    check_output();
    return 0;
  }
  if (options.help) {
    print_subcommand_help(options.subcommand, std::cout);
    check_output();
    return 0;
  }
  return subcommand_row(options.subcommand).run(options);
}

}  // namespace retrov
