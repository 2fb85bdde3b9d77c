// The command line as values. `run` and `record` speak QEMU's words, with one or two dashes; `replay` and the rest
// speak rr's. Every option is one row of a table (cli/option_table.cpp), from which parsing, --help and the suggestion
// for a mistyped word are made.
//
// Must stay true: parsing looks at nothing but its arguments and the environment; no file is opened here.
#pragma once

#include <array>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/until.hpp"
#include "core/machine.hpp"
#include "core/types.hpp"
#include "devices/memory_map.hpp"
#include "gdbstub/listen_address.hpp"
#include "gdbstub/stub.hpp"
#include "replay/key_frame_plan.hpp"
#include "replay/live_inputs.hpp"
#include "replay/marks.hpp"
#include "replay/snapshots.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

enum class Subcommand : u8 {
  kRun, kRecord, kReplay, kDebug, kInfo, kVerify, kDump, kLastWrite, kFirstWrite, kWrites, kReads, kExecutions, kLog,
  kDiff, kFsck, kRecover, kPack, kLs, kRm, kMv, kGdbinit, kHelp
};

/// -drive.
struct DriveWords {
  std::string file;
  std::string id;
  bool keeps_image = true;  ///< snapshot=on: what the guest writes stays in the session.
  bool read_only = false;
  bool attached = false;  ///< if=virtio: attached without a -device of its own.
  bool in_flash = false;  ///< if=pflash.
  std::optional<unsigned> unit;  ///< unit=N, of if=pflash.
};

/// -device virtio-blk-device.
struct DiskDeviceWords {
  std::string drive;
  std::optional<unsigned> slot;  ///< bus=virtio-mmio-bus.N.
  std::string serial;
};

struct MachineWords {
  u64 ram_bytes = u64{128} << 20;
  unsigned harts = 1;
  ExtensionSet extensions = default_extensions();
  std::string bios = "default";  ///< default, none, or a file.
  std::string kernel, initrd, dtb, append;
  std::vector<DriveWords> drives;
  std::vector<DiskDeviceWords> disks;
  std::array<std::string, kFlashUnits> flash_drives;  ///< -machine pflash0=ID,pflash1=ID.
  bool virtio_legacy = true;
  bool htif = false;
  u64 turn_steps = 10'000;
};

/// Where the guest's console goes. kMux: raw terminal, Ctrl-a escapes. kPlain: Ctrl-C ends the run, nothing escapes.
enum class ConsoleWiring : u8 { kMux, kPlain, kNone };

enum class AtExit : u8 { kQuit, kDebug };
/// What becomes of a live guest when gdb detaches. kRun: from the past it runs through history to the live end, and on.
enum class OnDetach : u8 { kRun, kStop, kQuit };
/// When the trace can no longer be written. kContinue: the guest goes on without one.
enum class OnFull : u8 { kStop, kContinue };
enum class OnReboot : u8 { kReset, kExit };

struct LiveWords {
  ConsoleWiring console = ConsoleWiring::kMux;
  std::optional<ListenAddress> gdb;
  bool stopped = false;  ///< -S
  OnReboot on_reboot = OnReboot::kReset;
  AtExit at_exit = AtExit::kQuit;
  std::optional<OnDetach> on_detach;  ///< Absent: kRun at the live end, kStop in the past.
  bool once = false;                  ///< The session ends with its first gdb.
  ExitReport exit_report = ExitReport::kStop;
  bool keep_history = true;  ///< --record off
  Sync sync = Sync::kNo;
  OnFull on_full = OnFull::kStop;
  bool with_debug = false;   ///< DWARF goes into the trace, too.
  std::string trace;         ///< -o, of recover, too.
  u64 ring_bytes = 0;         ///< --ring; 0: all is kept.
  std::string from_snapshot;  ///< TRACE[@POSITION]; empty: power-on.
  KeyFrameOptions key_frames{KeyFramePolicy::kAuto};
  ClockMode clock = ClockMode::kReal;
  std::optional<std::array<u8, 32>> seed;
  std::optional<u64> rtc_unix_ns;
  UntilWords until;
  MarkPlan marks;  ///< --paranoid
  std::string status_file;  ///< --status-json; of replay, too.
  std::string signature;
  u64 signature_granularity = 4;
};

struct ReplayWords {
  std::string trace;  ///< Empty: the latest.
  bool autopilot = false;
  std::optional<u16> serve_port;
  bool keep_listening = false;
  unsigned clients = 1;
  std::string position;  ///< -g, or "end" by -e.
  bool batch = false;    ///< Nobody is there to type: gdb runs its scripts and leaves; without any it is not started.
  std::vector<std::string> gdb_scripts;
  std::string gdb;
  std::string branch;  ///< --branch; empty: the last.
  /// --drive-base: id and file.
  std::vector<std::pair<std::string, std::string>> drive_bases;
  std::string range;  ///< dump: A-B or end; pack --slice: A-B.
  /// last-write and its kind: what stands behind the trace.
  std::vector<std::string> words;
  bool physical = false;
  bool json = false;
  bool sizes = false;
  bool twice = false;       ///< verify --twice
  std::optional<unsigned> jobs;  ///< --jobs
  std::string report_file;  ///< --report; empty: none.
};

/// ls, rm, mv.
struct ShelfWords {
  std::vector<std::string> names;
  bool in_full = false;
  bool by_time = false;
  bool reversed = false;
};

/// kAll: with options that are rarely needed.
enum class HelpWanted : u8 { kNone, kUsual, kAll };

struct Options {
  Subcommand subcommand = Subcommand::kHelp;
  MachineWords machine;
  LiveWords live;
  ReplayWords replay;
  ShelfWords shelf;
  EngineKind engine = EngineKind::kFast;
  SnapshotOptions snapshots;
  /// Threads that search backwards.
  unsigned jobs = 2;
  bool quiet = false;
  std::vector<std::string> symbols;
  bool stored_symbols = true;  ///< Those in the trace are used.
  /// debug: an option that describes a machine was given, so it is a live session.
  bool names_machine = false;
  HelpWanted help = HelpWanted::kNone;  ///< --help: of the subcommand.
  bool version = false;
  bool lists_commands = false;
  bool man_page = false;    ///< help --man
  std::string completion;   ///< help --completion; a shell.
  std::string topic;  ///< `help CMD`.
};

/// `arguments` are argv without the program's name. Throws Error(kUsage) with one line.
[[nodiscard]] Options parse_options(std::span<const std::string> arguments);

/// `retrov --help`.
void print_usage(std::ostream& out);
/// `retrov help CMD`: options in groups, and two examples.
void print_subcommand_help(Subcommand subcommand, HelpWanted wanted, std::ostream& out);

/// A disk as the board gets it.
struct DiskPlan {
  unsigned slot = 0;
  const DriveWords* drive = nullptr;  ///< Of the machine words given.
  std::string id;
};
/// Which drive is in which virtio-mmio slot. Without bus= slots fill from the last one downward, as in QEMU. Throws
/// Error(kUsage) for a drive that does not exist or a slot that is taken.
[[nodiscard]] std::vector<DiskPlan> plan_disks(const MachineWords& machine);

/// A unit of flash and its drive.
struct FlashPlan {
  unsigned unit = 0;
  const DriveWords* drive = nullptr;  ///< Of the machine words given.
};
/// if=pflash without unit= fills units from 0 upward, as in QEMU. Throws Error(kUsage) as plan_disks does, and for a
/// drive that is a disk already.
[[nodiscard]] std::vector<FlashPlan> plan_flash(const MachineWords& machine);

}  // namespace retrov
