#include "cli/subcommands.hpp"

#include <algorithm>
#include <array>
#include <iostream>

#include "cli/completion.hpp"
#include "cli/fsck.hpp"
#include "cli/gdb_script.hpp"
#include "cli/live.hpp"
#include "cli/ls.hpp"
#include "cli/man_page.hpp"
#include "cli/messages.hpp"
#include "cli/replay.hpp"
#include "cli/reports.hpp"
#include "cli/shelf.hpp"
#include "cli/status_file.hpp"
#include "core/check.hpp"
#include "replay/release.hpp"
#include "replay/trace_format.hpp"

namespace retrov {

namespace {

int run_live(const Options& options) {
  LiveRun live(options);
  const int status = live.run();
  write_status(options.live.status_file, status, live.ending());
  return status;
}

int run_debug(const Options& options) {
  const bool of_trace = !options.names_machine;
  return of_trace ? run_debug_trace(options) : run_live(options);
}

const SubcommandRow& topic_row(const Options& options) {
  const std::span<const SubcommandRow> rows = subcommands();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const SubcommandRow& one) { return one.name == options.topic; });
  if (row == rows.end()) {
    throw Error(Exit::kUsage, "unknown command '" + options.topic + "'; retrov help lists them");
  }
  return *row;
}

int run_help(const Options& options) {
  if (!options.completion.empty()) {
    print_completion(options.completion, std::cout);
    check_output();
    return 0;
  }
  if (options.man_page) {
    print_man_page(options.topic.empty() ? Subcommand::kHelp : topic_row(options).id, std::cout);
    check_output();
    return 0;
  }
  if (options.topic.empty()) {
    print_usage(std::cout);
    check_output();
    return 0;
  }
  print_subcommand_help(topic_row(options).id, HelpWanted::kUsual, std::cout);
  check_output();
  return 0;
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
    SubcommandRow{Subcommand::kLastWrite, "last-write", "[TRACE] ADDRESS|SYMBOL [BYTES]",
                  "Says who wrote there last before the end, or before -g: hart, device, page-table walk.",
                  "  retrov last-write crash.rvt 0x87f4a000\n"
                  "  retrov last-write --symbols kernel -g 50% ticks 4\n",
                  run_question},
    SubcommandRow{Subcommand::kFirstWrite, "first-write", "[TRACE] ADDRESS|SYMBOL [BYTES]",
                  "Says who wrote there first.",
                  "  retrov first-write crash.rvt 0x87f4a000\n"
                  "  retrov first-write --json crash.rvt 0x87f4a000 1\n",
                  run_question},
    SubcommandRow{Subcommand::kWrites, "writes", "[TRACE] [A-B] ADDRESS|SYMBOL [BYTES]",
                  "Lists all writes there, with positions.",
                  "  retrov writes crash.rvt 0x87f4a000\n"
                  "  retrov writes --json crash.rvt 1,000,000-50% 0x87f4a000 64\n",
                  run_question},
    SubcommandRow{Subcommand::kReads, "reads", "[TRACE] [A-B] ADDRESS|SYMBOL [BYTES]",
                  "Lists all reads there by harts, with positions.",
                  "  retrov reads crash.rvt 0x87f4a000\n"
                  "  retrov reads --symbols kernel crash.rvt 50%-end ticks 4\n",
                  run_question},
    SubcommandRow{Subcommand::kExecutions, "executions", "[TRACE] [A-B] ADDRESS|SYMBOL...",
                  "Lists each time an instruction was executed, with positions.",
                  "  retrov executions --symbols kernel crash.rvt panic\n"
                  "  retrov executions --json crash.rvt 0x80000010\n",
                  run_question},
    SubcommandRow{Subcommand::kLog, "log", "[TRACE] [A-B] 'LOCATION [if EXPR]: FORMAT' [EXPR...]...",
                  "Prints what printf would have said there, each time in all of history.",
                  "  retrov log crash.rvt 'kfree: free %lx' a0\n"
                  "  retrov log --json crash.rvt 50%-end 'do_exit if a0 != 0: code %ld, sp %p' a0 sp 'panic: %s' a0\n",
                  run_question},
    SubcommandRow{Subcommand::kDiff, "diff", "[TRACE] POSITION POSITION",
                  "Says what differs between the states at two positions: registers, memory, devices.",
                  "  retrov diff crash.rvt 1,000,000 end\n"
                  "  retrov diff crash.rvt 50% t=3.1s\n",
                  run_question},
    SubcommandRow{Subcommand::kFsck, "fsck", "[TRACE]", "Checks every byte of a trace and names what is damaged.",
                  "  retrov fsck crash.rvt\n"
                  "  retrov fsck --json crash.rvt\n",
                  run_fsck},
    SubcommandRow{Subcommand::kRecover, "recover", "TRACE -o FILE",
                  "Writes what still replays of a damaged trace to a new one.",
                  "  retrov recover crash.rvt -o whole.rvt\n"
                  "  retrov recover -o whole.rvt\n",
                  run_recover},
    SubcommandRow{Subcommand::kLs, "ls", "[-l -t -r] [FOLDER]", "Lists the traces in the folder for them.",
                  "  retrov ls -l -t\n"
                  "  retrov ls --json\n",
                  run_ls},
    SubcommandRow{Subcommand::kRm, "rm", "TRACE...", "Removes traces and their bookmarks.",
                  "  retrov rm Image-1.rvt Image-2.rvt\n"
                  "  retrov rm latest-trace\n",
                  run_rm},
    SubcommandRow{Subcommand::kMv, "mv", "TRACE... NAME|FOLDER", "Renames a trace, or moves traces to another folder.",
                  "  retrov mv Image-3.rvt bug-77.rvt\n"
                  "  retrov mv latest-trace /srv/traces\n",
                  run_mv},
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
                  "  retrov help --completion bash\n",
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
  if (options.lists_commands) {
    for (const SubcommandRow& row : subcommands()) std::cout << row.name << '\n';
    check_output();
    return 0;
  }
  if (options.help != HelpWanted::kNone) {
    print_subcommand_help(options.subcommand, options.help, std::cout);
    check_output();
    return 0;
  }
  try {
    return subcommand_row(options.subcommand).run(options);
  } catch (const Error& error) {
    write_status(options.live.status_file, error);
    throw;
  }
}

}  // namespace retrov
