#include "cli/option_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/cpu_words.hpp"
#include "core/check.hpp"
#include "replay/segments.hpp"

namespace retrov {

namespace {

using Group = OptionGroup;

constexpr SubcommandSet kLive = only(Subcommand::kRun) | only(Subcommand::kRecord) | only(Subcommand::kDebug);
constexpr SubcommandSet kRecords = only(Subcommand::kRecord);
constexpr SubcommandSet kMakesTraces = kRecords | only(Subcommand::kPack);
constexpr SubcommandSet kReplays = only(Subcommand::kReplay);
constexpr SubcommandSet kDebugs = only(Subcommand::kReplay) | only(Subcommand::kDebug);
constexpr SubcommandSet kAsks = only(Subcommand::kLastWrite) | only(Subcommand::kFirstWrite) |
                                only(Subcommand::kWrites) | only(Subcommand::kReads) |
                                only(Subcommand::kExecutions);
constexpr SubcommandSet kLogs = only(Subcommand::kLog);
constexpr SubcommandSet kDiffs = only(Subcommand::kDiff);
constexpr SubcommandSet kParallel = only(Subcommand::kVerify) | only(Subcommand::kFirstWrite) |
                                    only(Subcommand::kWrites) | only(Subcommand::kReads) |
                                    only(Subcommand::kExecutions) | kLogs;
constexpr SubcommandSet kExecutes = kLive | kReplays | kAsks | kLogs | kDiffs | only(Subcommand::kVerify);
constexpr SubcommandSet kReports = only(Subcommand::kInfo) | only(Subcommand::kDump) | only(Subcommand::kFsck) |
                                   only(Subcommand::kLs) | only(Subcommand::kVerify) | only(Subcommand::kRecover) |
                                   only(Subcommand::kPack);
constexpr SubcommandSet kLists = only(Subcommand::kLs);

/// One of two words.
bool is_second(std::string_view option, std::string_view value, std::string_view first, std::string_view second) {
  if (value == second) return true;
  if (value == first) return false;
  throw Error(Exit::kUsage, std::string(option) + ": '" + std::string(value) + "' is neither " + std::string(first) +
                                " nor " + std::string(second));
}

void apply_none(Options&, std::string_view value) {
  if (value == "none") return;
  throw Error(Exit::kUsage, "'" + std::string(value) + "': there are no displays, printers and networks; none");
}

void apply_accelerator(Options&, std::string_view value) {
  if (!value.starts_with("tcg")) throw Error(Exit::kUsage, "-accel: there is tcg, which changes nothing");
}

void ignore(Options&, std::string_view) {}

void apply_monitor(Options&, std::string_view value) {
  if (value != "none" && value != "null" && value != "stdio") {
    throw Error(Exit::kUsage, "-monitor: none; the command prompt is behind Ctrl-a c");
  }
}

void apply_granularity(Options& options, std::string_view value) {
  options.live.signature_granularity = parse_whole("--signature-granularity", value);
  if (value != "4") throw Error(Exit::kUsage, "--signature-granularity: only 4 is known");
}

void apply_ring(Options& options, std::string_view value) {
  options.live.ring_bytes = parse_size("--ring", value, u64{1} << 20);
  if (options.live.ring_bytes == 0) throw Error(Exit::kUsage, "--ring: 0 bytes keep nothing");
}

void apply_clients(Options& options, std::string_view value) {
  constexpr u64 kMostClients = 16;
  const u64 count = parse_whole("--clients", value);
  if (count == 0 || count > kMostClients) throw Error(Exit::kUsage, "--clients: 1 to 16");
  options.replay.clients = static_cast<unsigned>(count);
}

void apply_jobs(Options& options, std::string_view value) {
  const u64 count = parse_whole("--jobs", value);
  if (count == 0 || count > kMostJobs) throw Error(Exit::kUsage, "--jobs: 1 to " + std::to_string(kMostJobs));
  options.replay.jobs = static_cast<unsigned>(count);
}

void apply_on_detach(Options& options, std::string_view value) {
  constexpr std::array kWords = {std::pair{std::string_view("run"), OnDetach::kRun},
                                 std::pair{std::string_view("stop"), OnDetach::kStop},
                                 std::pair{std::string_view("quit"), OnDetach::kQuit}};
  for (const auto& [word, meaning] : kWords) {
    if (value == word) options.live.on_detach = meaning;
  }
  const bool known = std::any_of(kWords.begin(), kWords.end(), [&](const auto& row) { return row.first == value; });
  if (!known) throw Error(Exit::kUsage, "--on-detach: '" + std::string(value) + "' is neither run nor stop nor quit");
}

void apply_drive_base(Options& options, std::string_view value) {
  const std::size_t sign = value.find('=');
  if (sign == std::string_view::npos || sign == 0 || sign + 1 == value.size()) {
    throw Error(Exit::kUsage, "--drive-base: write ID=FILE; retrov info says the id of each disk");
  }
  options.replay.drive_bases.emplace_back(value.substr(0, sign), value.substr(sign + 1));
}

void apply_help(Options& options, std::string_view value) {
  if (!value.empty() && value != "all") throw Error(Exit::kUsage, "--help: =all shows every option");
  options.help = value.empty() ? HelpWanted::kUsual : HelpWanted::kAll;
}

constexpr OptionUse kRare = OptionUse::kRare;

constexpr std::array kRows =
    {
        OptionRow{"-M -machine", "virt", "the board; also pflash0=ID,pflash1=ID for drives in its flash",
                  Group::kMachine, kLive, apply_machine},
        OptionRow{"-cpu", "rv64|max|rva22s64[,EXT=on|off]", "the processor, and extensions it has or lacks",
                  Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.extensions = parse_cpu(v); }},
        OptionRow{"--isa", "STRING", "exactly these extensions, spelt as for -march: rv64gc_zba", Group::kMachine,
                  kLive,
                  [](Options& o, std::string_view v) { o.machine.extensions = parse_isa(v); }, kRare},
        OptionRow{"-m", "SIZE", "memory, in MiB without a suffix (default 128)", Group::kMachine, kLive, apply_memory},
        OptionRow{"-smp", "N", "harts, 1 to 8", Group::kMachine, kLive, apply_smp},
        OptionRow{"-bios", "default|none|FILE", "firmware", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.bios = v; }},
        OptionRow{"-kernel", "FILE", "ELF, Linux Image or raw", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.kernel = v; }},
        OptionRow{"-initrd", "FILE", "initial RAM disk", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.initrd = v; }},
        OptionRow{"-append", "TEXT", "the kernel's command line", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.append = v; }},
        OptionRow{"-dtb", "FILE", "device tree instead of the generated one", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.machine.dtb = v; }, kRare},
        OptionRow{"-drive", "file=F,format=raw,if=none,id=ID",
                  "an image; also snapshot=on|off, readonly=on|off; if=pflash,unit=N", Group::kMachine, kLive,
                  apply_drive},
        OptionRow{"-blockdev", "driver=file,node-name=ID,filename=F", "an image; also read-only=on|off",
                  Group::kMachine, kLive, apply_blockdev, kRare},
        OptionRow{"-device", "virtio-blk-device,drive=ID", "attaches a drive; also bus=virtio-mmio-bus.N, serial=S",
                  Group::kMachine, kLive, apply_device},
        OptionRow{"-global", "virtio-mmio.force-legacy=off", "virtio-mmio version 2 instead of 1", Group::kMachine,
                  kLive, apply_global, kRare},
        OptionRow{"-accel", "tcg", "", Group::kMachine, kLive, apply_accelerator, kRare},
        OptionRow{"-name", "TEXT", "", Group::kMachine, kLive, ignore, kRare},
        OptionRow{"-nodefaults -no-user-config", "", "nothing: there are no defaults and no configuration",
                  Group::kMachine, kLive, ignore, kRare},
        OptionRow{"-rtc", "base=utc|DATE", "what the clock says at power-on", Group::kMachine, kLive, apply_rtc, kRare},
        OptionRow{"--seed", "N", "entropy the guest gets (default: the host's)", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.live.seed = parse_seed("--seed", v); }, kRare},
        OptionRow{"--htif", "", "watch the ELF symbol tohost", Group::kMachine, kLive,
                  [](Options& o, std::string_view) { o.machine.htif = true; }, kRare},
        OptionRow{"--signature", "FILE", "at the end, write begin_signature to end_signature", Group::kMachine, kLive,
                  [](Options& o, std::string_view v) { o.live.signature = v; }, kRare},
        OptionRow{"--signature-granularity", "4", "bytes per line of the signature", Group::kMachine, kLive,
                  apply_granularity, kRare},
        OptionRow{"-nographic", "", "console on this terminal (the default)", Group::kConsole, kLive,
                  [](Options& o, std::string_view) { o.live.console = ConsoleWiring::kMux; }},
        OptionRow{"-serial", "mon:stdio|stdio|none", "console with Ctrl-a escapes, without, or none", Group::kConsole,
                  kLive, apply_serial},
        OptionRow{"-monitor", "none", "", Group::kConsole, kLive, apply_monitor, kRare},
        OptionRow{"-display -vga -parallel -net -nic", "none", "", Group::kConsole, kLive, apply_none, kRare},
        OptionRow{"--clock", "real|virtual", "idle time passes on the host, or is skipped", Group::kConsole, kLive,
                  [](Options& o, std::string_view v) {
                    o.live.clock = is_second("--clock", v, "real", "virtual") ? ClockMode::kVirtual : ClockMode::kReal;
                  }, kRare},
        OptionRow{"-no-reboot", "", "end where the guest would reboot", Group::kConsole, kLive,
                  [](Options& o, std::string_view) { o.live.on_reboot = OnReboot::kExit; }},
        OptionRow{
            "--on-exit", "quit|debug", "when the guest powers off: leave, or keep the session", Group::kConsole, kLive,
            [](Options& o, std::string_view v) {
              o.live.at_exit = is_second("--on-exit", v, "quit", "debug") ? AtExit::kDebug : AtExit::kQuit;
            }},
        OptionRow{"--until", "steps:N|idle:T|panic|uart:/RE/|pc:SYMBOL",
                  "stop with status 124 at step N, after T of waiting, or that said or executed",
                  Group::kConsole, kLive,
                  [](Options& o, std::string_view v) { parse_until(o.live.until, v); }},
        OptionRow{"--status-json", "FILE", "how it ended, whose the status is, and why; written at the end",
                  Group::kConsole, kLive | kReplays,
                  [](Options& o, std::string_view v) { o.live.status_file = v; }, kRare},
        OptionRow{"-s", "", "let gdb attach: -gdb tcp::1234", Group::kDebugging, kLive,
                  [](Options& o, std::string_view) {
                    o.live.gdb = ListenAddress{ListenAddress::Kind::kTcp, 1234, {}};
                  }},
        OptionRow{"-gdb", "tcp::PORT", "let gdb attach, from this host only", Group::kDebugging, kLive | kReplays,
                  apply_gdb},
        OptionRow{"--on-detach", "run|stop|quit", "when gdb detaches (default: run at the live end, stop in the past)",
                  Group::kDebugging, kLive, apply_on_detach, kRare},
        OptionRow{"--once", "", "end when the first gdb has gone, however", Group::kDebugging, kLive,
                  [](Options& o, std::string_view) { o.live.once = true; }, kRare},
        OptionRow{"--exit", "stop|report", "when the guest ends, gdb stops there, or is told that it exited",
                  Group::kDebugging, kLive | kReplays,
                  [](Options& o, std::string_view v) {
                    const bool reports = is_second("--exit", v, "stop", "report");
                    o.live.exit_report = reports ? ExitReport::kExit : ExitReport::kStop;
                  }, kRare},
        OptionRow{"-S", "", "do not start: wait for gdb, or at the prompt", Group::kDebugging, kLive,
                  [](Options& o, std::string_view) { o.live.stopped = true; }},
        OptionRow{"-o --output", "FILE", "the trace (default: a new one in the trace folder)", Group::kRecording,
                  kMakesTraces, [](Options& o, std::string_view v) { o.live.trace = v; }},
        OptionRow{"-o --output", "FILE", "the new trace", Group::kReport, only(Subcommand::kRecover),
                  [](Options& o, std::string_view v) { o.live.trace = v; }},
        OptionRow{"--sync", "", "wait for the disk, too: a loss of power takes no more than a kill", Group::kRecording,
                  kRecords | kReplays, [](Options& o, std::string_view) { o.live.sync = Sync::kYes; }, kRare},
        OptionRow{"--with-debug", "", "keep the DWARF of ELFs in the trace, beside their symbols", Group::kRecording,
                  kRecords, [](Options& o, std::string_view) { o.live.with_debug = true; }, kRare},
        OptionRow{"--on-full", "stop|continue",
                  "when the trace cannot be written on (disk full): end, or go on without it", Group::kRecording,
                  kRecords | kReplays,
                  [](Options& o, std::string_view v) {
                    o.live.on_full = is_second("--on-full", v, "stop", "continue") ? OnFull::kContinue : OnFull::kStop;
                  }},
        OptionRow{"--ring", "SIZE", "keep only the last part of the recording, about so many bytes", Group::kRecording,
                  kRecords, apply_ring},
        OptionRow{"--from-snapshot", "TRACE[@POSITION]", "go on from there (its end) instead of power-on",
                  Group::kRecording, kRecords,
                  [](Options& o, std::string_view v) { o.live.from_snapshot = v; }},
        OptionRow{"--slice", "A-B", "only from the last key frame at or before A to B", Group::kRecording,
                  only(Subcommand::kPack), [](Options& o, std::string_view v) { o.replay.range = v; }},
        OptionRow{"--paranoid", "[=STEPS[,A-B]]",
                  "hash all of the state every STEPS steps (1000), or only from A to B", Group::kRecording, kRecords,
                  apply_paranoid, kRare},
        OptionRow{"--key-frames", "off|auto|every=STEPS", "whole states in the trace, where a replay can begin",
                  Group::kRecording, kMakesTraces, apply_key_frames},
        OptionRow{"--record", "on|off", "off: keep no history; the run cannot go back", Group::kRecording,
                  only(Subcommand::kRun) | only(Subcommand::kDebug),
                  [](Options& o, std::string_view v) { o.live.keep_history = is_second("--record", v, "off", "on"); },
                  kRare},
        OptionRow{"-icount", "rr=record,rrfile=F", "QEMU's way to say record", Group::kRecording,
                  only(Subcommand::kRun) | kRecords, apply_icount, kRare},
        OptionRow{"-a --autopilot", "", "print the console, return the recorded status", Group::kReplay, kReplays,
                  [](Options& o, std::string_view) { o.replay.autopilot = true; }},
        OptionRow{"-s --serve", "PORT", "serve gdb on this port (0 picks one) instead of starting it", Group::kReplay,
                  kReplays, [](Options& o, std::string_view v) { o.replay.serve_port = parse_port("-s", v); }},
        OptionRow{"-k --keep-listening", "", "with -s: wait for the next gdb when one has left", Group::kReplay,
                  kReplays, [](Options& o, std::string_view) { o.replay.keep_listening = true; }, kRare},
        OptionRow{"--clients", "N", "with -s: so many gdbs at once, each at its own place (1 to 16)", Group::kReplay,
                  kReplays, apply_clients, kRare},
        OptionRow{"-e --end", "", "begin at the end", Group::kReplay, kDebugs,
                  [](Options& o, std::string_view) { o.replay.position = "end"; }},
        OptionRow{"-g --goto", "POSITION", "begin at 412,883,190, 50%, #EVENT, t=3.1s", Group::kReplay,
                  kDebugs | kAsks,
                  [](Options& o, std::string_view v) { o.replay.position = v; }},
        OptionRow{"--batch", "", "run the scripts of -x and leave; without any, say where it is",
                  Group::kReplay, kReplays, [](Options& o, std::string_view) { o.replay.batch = true; }, kRare},
        OptionRow{"--branch", "NAME", "of the trace: this line of history (default: the last that was recorded)",
                  Group::kReplay,
                  kDebugs | kAsks | kLogs | kDiffs | only(Subcommand::kVerify) | only(Subcommand::kPack),
                  [](Options& o, std::string_view v) { o.replay.branch = v; }},
        OptionRow{"--drive-base", "ID=FILE", "for branches: a disk's image, for blocks that the trace lacks",
                  Group::kReplay, kDebugs | kRecords, apply_drive_base, kRare},
        OptionRow{"-d --debugger", "GDB", "the gdb to start (else RETROV_GDB, gdb-multiarch, gdb)", Group::kReplay,
                  kReplays, [](Options& o, std::string_view v) { o.replay.gdb = v; }, kRare},
        OptionRow{"-x --command", "FILE", "a script for gdb", Group::kReplay, kReplays,
                  [](Options& o, std::string_view v) { o.replay.gdb_scripts.emplace_back(v); }},
        OptionRow{"--symbols", "FILE", "ELF to take symbols from", Group::kDebugging,
                  kLive | kReplays | kAsks | kLogs | kDiffs,
                  [](Options& o, std::string_view v) { o.symbols.emplace_back(v); }},
        OptionRow{"--phys", "", "the address is physical", Group::kReport, kAsks,
                  [](Options& o, std::string_view) { o.replay.physical = true; }},
        OptionRow{"--twice", "", "replay two times, and compare the two as well", Group::kReport,
                  only(Subcommand::kVerify), [](Options& o, std::string_view) { o.replay.twice = true; }},
        OptionRow{"--jobs -j", "N", "threads, each for other parts between key frames (default: all cores)",
                  Group::kReport, kParallel, apply_jobs},
        OptionRow{"--report", "FILE", "what is said of a divergence goes there, too", Group::kReport,
                  only(Subcommand::kVerify) | kReplays,
                  [](Options& o, std::string_view v) { o.replay.report_file = v; }},
        OptionRow{"--no-stored-symbols", "", "leave alone the symbols in the trace", Group::kReplay, kDebugs,
                  [](Options& o, std::string_view) { o.stored_symbols = false; }, kRare},
        OptionRow{"--json", "", "for programs", Group::kReport, kReports | kAsks | kLogs,
                  [](Options& o, std::string_view) { o.replay.json = true; }},
        OptionRow{"-s --sizes", "", "frames and bytes by kind, instead of the events", Group::kReport,
                  only(Subcommand::kDump), [](Options& o, std::string_view) { o.replay.sizes = true; }},
        OptionRow{"-l --long", "", "with size, steps, guest time, key frames and how it ended", Group::kReport,
                  kLists, [](Options& o, std::string_view) { o.shelf.in_full = true; }},
        OptionRow{"-t --by-time", "", "the one written last first", Group::kReport, kLists,
                  [](Options& o, std::string_view) { o.shelf.by_time = true; }},
        OptionRow{"-r --reverse", "", "the other way round", Group::kReport, kLists,
                  [](Options& o, std::string_view) { o.shelf.reversed = true; }},
        OptionRow{"--engine", "fast|reference", "reference: decode each time (slow)", Group::kGeneral, kExecutes,
                  [](Options& o, std::string_view v) {
                    o.engine =
                        is_second("--engine", v, "fast", "reference") ? EngineKind::kReference : EngineKind::kFast;
                  }, kRare},
        OptionRow{"--snapshot-budget", "SIZE", "memory for snapshots (default 512M)", Group::kGeneral, kExecutes,
                  [](Options& o, std::string_view v) {
                    o.snapshots.budget_bytes = parse_size("--snapshot-budget", v, u64{1} << 20);
                  }, kRare},
        OptionRow{"--snapshots", "auto|none|every:STEPS|random:STEPS[,SEED]",
                  "when to take them; all but auto are for tests", Group::kGeneral, kExecutes, apply_snapshots, kRare},
        OptionRow{"--no-snapshots", "", "--snapshots=none: going back runs from the beginning", Group::kGeneral,
                  kExecutes, [](Options& o, std::string_view) { apply_snapshots(o, "none"); }, kRare},
        OptionRow{"--jobs", "1|2", "threads that search backwards (default 2)",
                  Group::kGeneral, kExecutes & ~kParallel,
                  [](Options& o, std::string_view v) { o.jobs = is_second("--jobs", v, "1", "2") ? 2 : 1; }, kRare},
        OptionRow{"-q --quiet", "", "say nothing that is not an error", Group::kGeneral,
                  kExecutes | only(Subcommand::kPack),
                  [](Options& o, std::string_view) { o.quiet = true; }},
        OptionRow{"--man", "", "a manual page: of COMMAND, or retrov(1)", Group::kReport, only(Subcommand::kHelp),
                  [](Options& o, std::string_view) { o.man_page = true; }},
        OptionRow{"--completion", "bash|zsh|fish", "a script that completes command lines", Group::kReport,
                  only(Subcommand::kHelp), [](Options& o, std::string_view v) { o.completion = v; }},
        OptionRow{"-h --help", "[=all]", "this; =all: with every option", Group::kGeneral, ~0u, apply_help},
};

}  // namespace

std::span<const OptionRow> option_rows() { return kRows; }

std::vector<std::string> names_of(const OptionRow& row) {
  std::vector<std::string> names;
  std::string_view rest = row.names;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

std::string_view heading(OptionGroup group) {
  switch (group) {
    case Group::kMachine:
      return "Machine";
    case Group::kConsole:
      return "Console and end";
    case Group::kDebugging:
      return "Debugging";
    case Group::kRecording:
      return "Recording";
    case Group::kReplay:
      return "Replay";
    case Group::kReport:
      return "Output";
    case Group::kGeneral:
      return "General";
  }
  return {};
}

}  // namespace retrov
