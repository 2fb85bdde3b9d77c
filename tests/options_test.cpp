// The command line: cli/options, cli/option_table, cli/option_values and the rows of cli/subcommands.
#include "cli/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/paths.hpp"

using namespace retrov;

namespace {

Options parse(const std::vector<std::string>& words) { return parse_options(words); }

/// What is wrong with it; "accepted" if nothing is. Every refusal is exit 64 and one line.
std::string refusal(const std::vector<std::string>& words) {
  try {
    static_cast<void>(parse_options(words));
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUsage);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return "accepted";
}

std::vector<std::string> words_of(std::string_view names) {
  std::istringstream stream{std::string(names)};
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

}  // namespace

TEST_CASE("options: xv6's command line for QEMU is understood word by word", "[options]") {
  const Options options = parse({"run",
                                 "-machine",
                                 "virt",
                                 "-bios",
                                 "none",
                                 "-kernel",
                                 "kernel/kernel",
                                 "-m",
                                 "128M",
                                 "-smp",
                                 "3",
                                 "-nographic",
                                 "-global",
                                 "virtio-mmio.force-legacy=false",
                                 "-drive",
                                 "file=fs.img,if=none,format=raw,id=x0",
                                 "-device",
                                 "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0",
                                 "-S",
                                 "-gdb",
                                 "tcp::25000"});
  CHECK(options.subcommand == Subcommand::kRun);
  CHECK(options.machine.bios == "none");
  CHECK(options.machine.kernel == "kernel/kernel");
  CHECK(options.machine.ram_bytes == u64{128} << 20);
  CHECK(options.machine.harts == 3);
  CHECK_FALSE(options.machine.virtio_legacy);
  CHECK(options.live.stopped);
  REQUIRE(options.live.gdb);
  CHECK(options.live.gdb->port == 25000);
  const std::vector<DiskPlan> disks = plan_disks(options.machine);
  REQUIRE(disks.size() == 1);
  CHECK(disks[0].slot == 0);
  CHECK(disks[0].drive->file == "fs.img");
  CHECK(disks[0].drive->keeps_image);
}

TEST_CASE("options: one dash and two mean the same, and a value may follow an equals sign", "[options]") {
  CHECK(parse({"run", "--machine", "virt", "--bios", "none", "x.elf"}).machine.bios == "none");
  CHECK(parse({"run", "-on-exit=debug", "x.elf"}).live.at_exit == AtExit::kDebug);
  CHECK(parse({"run", "--on-exit", "debug", "x.elf"}).live.at_exit == AtExit::kDebug);
  CHECK(parse({"run", "--engine=reference", "x.elf"}).engine == EngineKind::kReference);
  CHECK(parse({"run", "--", "-odd-name.elf"}).machine.kernel == "-odd-name.elf");
  CHECK(parse({"run", "-append", "console=ttyS0 root=/dev/vda", "x"}).machine.append == "console=ttyS0 root=/dev/vda");
}

TEST_CASE("options: memory is counted in MiB unless it says otherwise", "[options]") {
  const auto ram = [](const char* text) { return parse({"run", "-m", text}).machine.ram_bytes; };
  CHECK(ram("64") == u64{64} << 20);
  CHECK(ram("64K") == u64{64} << 10);
  CHECK(ram("2G") == u64{2} << 30);
  CHECK(ram("size=256M") == u64{256} << 20);
  CHECK_THAT(refusal({"run", "-m", "0"}), has_substring("-m"));
  for (const char* bad : {"", "x", "12Q", "-5", "1e3", "99999999999999999999", "18446744073709551615G", "64,128"}) {
    CHECK_THAT(refusal({"run", "-m", bad}), has_substring("-m"));
  }
}

TEST_CASE("options: harts are counted as QEMU does", "[options]") {
  const auto harts = [](const char* text) { return parse({"run", "-smp", text}).machine.harts; };
  CHECK(harts("4") == 4);
  CHECK(harts("cpus=2") == 2);
  CHECK(harts("2,sockets=1,cores=2,threads=1") == 2);
  CHECK(harts("sockets=1,cores=3") == 3);
  for (const char* bad : {"0", "9", "many", "2,what=3", "1,2"})
    CHECK_THAT(refusal({"run", "-smp", bad}), has_substring("-smp"));
  CHECK_THAT(refusal({"run", "-smp", "1,2"}), has_substring("unknown property '2'"));
}

TEST_CASE("options: drives without a bus fill the slots from the last one down", "[options]") {
  const Options options = parse({"run", "-drive", "file=a,if=none,id=a", "-drive", "file=b,if=none,id=b,snapshot=off",
                                 "-drive", "file=c,,d,id=c,readonly=on", "-device", "virtio-blk-device,drive=b",
                                 "-device", "virtio-blk-device,drive=a,bus=virtio-mmio-bus.6,serial=S1"});
  const std::vector<DiskPlan> disks = plan_disks(options.machine);
  REQUIRE(disks.size() == 3);
  CHECK(disks[0].slot == 7);
  CHECK(disks[0].drive->file == "b");
  CHECK_FALSE(disks[0].drive->keeps_image);
  CHECK(disks[0].id == "b");
  CHECK(disks[1].slot == 6);
  CHECK(disks[1].id == "S1");
  CHECK(disks[2].slot == 5);
  CHECK(disks[2].drive->file == "c,d");
  CHECK(disks[2].drive->read_only);
}

TEST_CASE("options: drives go to flash in all of QEMU's spellings", "[options]") {
  const auto files = [](const std::vector<std::string>& words) {
    const Options options = parse(words);
    std::string result;
    for (const FlashPlan& plan : plan_flash(options.machine)) {
      result += std::to_string(plan.unit) + plan.drive->file + (plan.drive->read_only ? "! " : " ");
    }
    return result;
  };
  CHECK(files({"run", "-drive", "if=none,file=a,id=a"}).empty());
  CHECK(files({"run", "-drive", "if=pflash,format=raw,file=a,readonly=on"}) == "0a! ");
  CHECK(files({"run", "-drive", "if=pflash,file=a", "-drive", "if=pflash,file=b"}) == "0a 1b ");
  CHECK(files({"run", "-drive", "if=pflash,file=a,unit=1", "-drive", "if=pflash,file=b"}) == "0b 1a ");
  CHECK(files({"run", "-M", "virt,pflash1=x,acpi=off", "-drive", "if=none,file=a,id=x"}) == "1a ");
  CHECK(files({"run", "-machine", "virt,pflash0=c,pflash1=v", "-blockdev",
               "node-name=c,driver=file,read-only=on,filename=code", "-blockdev",
               "driver=raw,node-name=v,file.driver=file,file.filename=vars"}) == "0code! 1vars ");
  const Options options = parse({"run", "-drive", "if=pflash,file=a", "-blockdev", "driver=file,node-name=d,filename=d",
                                 "-device", "virtio-blk-device,drive=d"});
  REQUIRE(plan_disks(options.machine).size() == 1);
  CHECK(plan_disks(options.machine)[0].drive->file == "d");
}

TEST_CASE("options: what is wrong with flash is said", "[options]") {
  const auto plan = [](const std::vector<std::string>& words) {
    try {
      static_cast<void>(plan_flash(parse_options(words).machine));
    } catch (const Error& error) {
      CHECK(error.exit_code() == Exit::kUsage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const std::string drive = "-drive", pflash = "if=pflash,file=a";
  CHECK_THAT(plan({"run", drive, pflash + ",unit=2"}), has_substring("unit '2'"));
  CHECK_THAT(plan({"run", drive, "if=none,id=x,file=a,unit=0"}), has_substring("unit= is for if=pflash"));
  CHECK_THAT(plan({"run", drive, pflash + ",unit=1", drive, pflash + ",unit=1"}),
             has_substring("unit 1 is given twice"));
  CHECK_THAT(plan({"run", drive, pflash, drive, pflash, drive, pflash}), has_substring("more if=pflash drives"));
  CHECK_THAT(plan({"run", "-M", "virt,pflash2=a"}), has_substring("pflash2"));
  CHECK_THAT(plan({"run", "-M", "virt,pflash0=a"}), has_substring("no -drive with id=a"));
  CHECK_THAT(plan({"run", "-M", "virt,acpi=on"}), has_substring("acpi"));
  const std::string named = "if=none,file=a,id=a";
  CHECK_THAT(plan({"run", "-M", "virt,pflash0=a", drive, named, drive, pflash + ",unit=0"}), has_substring("twice"));
  CHECK_THAT(plan({"run", "-M", "virt,pflash0=a,pflash1=a", drive, named}), has_substring("attached twice"));
  CHECK_THAT(plan({"run", "-M", "virt,pflash0=a", drive, named, "-device", "virtio-blk-device,drive=a"}),
             has_substring("attached twice"));
  CHECK_THAT(plan({"run", "-blockdev", "driver=qcow2,node-name=a,filename=a"}), has_substring("qcow2"));
  CHECK_THAT(plan({"run", "-blockdev", "driver=file,filename=a"}), has_substring("node-name="));
  CHECK_THAT(plan({"run", "-blockdev", "driver=file,node-name=a"}), has_substring("filename="));
  CHECK_THAT(plan({"run", "-blockdev", "driver=file,node-name=a,filename=a,what=1"}), has_substring("what"));
}

TEST_CASE("options: what is wrong with a drive is said", "[options]") {
  const auto plan = [](const std::vector<std::string>& words) {
    try {
      const Options options = parse_options(words);
      static_cast<void>(plan_disks(options.machine));
    } catch (const Error& error) {
      CHECK(error.exit_code() == Exit::kUsage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(plan({"run", "-drive", "if=none,id=x"}), has_substring("file="));
  CHECK_THAT(plan({"run", "-drive", "file=x,if=none"}), has_substring("id="));
  CHECK_THAT(plan({"run", "-drive", "file=x,format=qcow2"}), has_substring("qcow2"));
  CHECK_THAT(plan({"run", "-drive", "file=x,id=a", "-drive", "file=y,id=a"}), has_substring("twice"));
  CHECK_THAT(plan({"run", "-device", "virtio-blk-device,drive=no"}), has_substring("no"));
  CHECK_THAT(plan({"run", "-device", "e1000"}), has_substring("e1000"));
  CHECK_THAT(
      plan({"run", "-drive", "file=x,id=a,if=none", "-device", "virtio-blk-device,drive=a,bus=virtio-mmio-bus.8"}),
      has_substring("virtio-mmio-bus.8"));
  CHECK_THAT(plan({"run", "-drive", "file=x,id=a,if=none", "-drive", "file=y,id=b,if=none", "-device",
                   "virtio-blk-device,drive=a,bus=virtio-mmio-bus.7", "-device",
                   "virtio-blk-device,drive=b,bus=virtio-mmio-bus.7"}),
             has_substring("virtio-mmio-bus.7"));
  CHECK_THAT(plan({"run", "-drive", "file=x,id=a,if=none", "-device", "virtio-blk-device,drive=a", "-device",
                   "virtio-blk-device,drive=a"}),
             has_substring("attached twice"));
}

TEST_CASE("options: the memory for snapshots is what the sessions, the help and the README say", "[options]") {
  CHECK(parse({"run", "x"}).snapshots.budget_bytes == SnapshotOptions{}.budget_bytes);
  const std::string mebibytes = std::to_string(SnapshotOptions{}.budget_bytes >> 20);
  std::ostringstream help;
  print_subcommand_help(Subcommand::kRun, HelpWanted::kAll, help);
  CHECK_THAT(help.str(), has_substring("default " + mebibytes + "M"));
  std::ifstream readme(test::source_dir() + "/README.md");
  const std::string text{std::istreambuf_iterator<char>(readme), std::istreambuf_iterator<char>()};
  CHECK_THAT(text, has_substring("Snapshots are in memory, " + mebibytes + " MiB at most"));
}

TEST_CASE("options: tests say when snapshots are taken", "[options]") {
  for (const char* command : {"run", "record", "replay", "debug", "verify"}) {
    const auto snapshots = [&](const char* text) { return parse({command, "--snapshots", text}).snapshots; };
    CHECK(parse({command}).snapshots.policy == SnapshotPolicy::kAuto);
    CHECK(snapshots("auto").policy == SnapshotPolicy::kAuto);
    CHECK(snapshots("none").policy == SnapshotPolicy::kNone);
    CHECK(parse({command, "--no-snapshots"}).snapshots.policy == SnapshotPolicy::kNone);
    CHECK(snapshots("every:5000").policy == SnapshotPolicy::kEvery);
    CHECK(snapshots("every:5000").distance_steps == 5000);
    CHECK(snapshots("random:70").policy == SnapshotPolicy::kRandom);
    CHECK(snapshots("random:70").distance_steps == 70);
    CHECK(snapshots("random:70,9").random_seed == 9);
    for (const char* bad : {"", "some", "auto:1", "every", "every:", "every:0", "every:1,2", "every:x", "random:0",
                            "random:9,0", "random:9,x", "random:99999999999999999999", "every:1152921504606846977"}) {
      CHECK_THAT(refusal({command, "--snapshots", bad}), has_substring("--snapshots"));
    }
  }
  CHECK_THAT(refusal({"info", "--snapshots=none"}), has_substring("--snapshots"));
}

TEST_CASE("options: an unknown word names the nearest known one", "[options]") {
  CHECK_THAT(refusal({"run", "--kernl", "x"}), has_substring("did you mean -kernel?"));
  CHECK_THAT(refusal({"run", "-nograpic"}), has_substring("did you mean -nographic?"));
  CHECK_THAT(refusal({"record", "--ouptut=x"}), has_substring("did you mean --output?"));
  CHECK_THAT(refusal({"run", "--zzzzzzzz"}), has_substring("retrov help run"));
  CHECK_THAT(refusal({"run", "-Z"}), has_substring("retrov help run"));
  CHECK_THAT(refusal({"run", "-o", "x"}), has_substring("record has: the trace"));
  CHECK_THAT(refusal({"rnu"}), has_substring("did you mean run?"));
  CHECK_THAT(refusal({"frobnicate"}), has_substring("retrov help"));
  CHECK_THAT(refusal({"-kernel", "x"}), has_substring("run, record, replay"));
  CHECK_THAT(refusal({}), has_substring("retrov help"));
}

TEST_CASE("options: a replay takes no machine options and says why", "[options]") {
  for (const char* word : {"-kernel", "-m", "-smp", "-nographic", "--seed"}) {
    CHECK_THAT(refusal({"replay", word, "x"}), has_substring("the trace holds the machine"));
    CHECK_THAT(refusal({"verify", word, "x"}), has_substring("the trace holds the machine"));
  }
}

TEST_CASE("options: replay speaks rr's words", "[options]") {
  const Options options = parse({"replay", "-s", "0", "-k", "-g", "50%", "--symbols", "vmlinux", "crash.rvt"});
  CHECK(options.replay.serve_port == u16{0});
  CHECK(options.replay.keep_listening);
  CHECK(options.replay.position == "50%");
  CHECK(options.symbols == std::vector<std::string>{"vmlinux"});
  CHECK(options.replay.trace == "crash.rvt");
  CHECK(parse({"replay", "-e"}).replay.position == "end");
  CHECK(parse({"replay", "-a"}).replay.autopilot);
  CHECK(parse({"run", "-s", "x"}).live.gdb->port == 1234);
  CHECK(parse({"dump", "crash.rvt", "1-20"}).replay.range == "1-20");
  CHECK_THAT(refusal({"replay", "-a", "-s", "1"}), has_substring("exclude"));
  CHECK_THAT(refusal({"replay", "-a", "-gdb", "tcp::1"}), has_substring("exclude"));
  CHECK(parse({"replay", "-s", "0", "--clients", "3"}).replay.clients == 3);
  CHECK_THAT(refusal({"replay", "-s", "0", "--clients", "17"}), has_substring("1 to 16"));
  CHECK_THAT(refusal({"replay", "--clients", "2"}), has_substring("-s PORT"));
  const Options branched = parse({"replay", "--branch", "fix", "--drive-base", "x0=a=b.img"});
  CHECK(branched.replay.branch == "fix");
  CHECK(branched.replay.drive_bases == std::vector<std::pair<std::string, std::string>>{{"x0", "a=b.img"}});
  CHECK_THAT(refusal({"replay", "--drive-base", "x0"}), has_substring("ID=FILE"));
  CHECK_THAT(refusal({"replay", "-s", "70000"}), has_substring("port"));
  CHECK_THAT(refusal({"replay", "-s"}), has_substring("PORT"));
  CHECK_THAT(refusal({"replay", "a", "b"}), has_substring("'b'"));
}

TEST_CASE("options: debug takes a trace, or the words that describe a machine", "[options]") {
  const Options trace = parse({"debug", "crash.rvt", "-e"});
  CHECK_FALSE(trace.names_machine);
  CHECK(trace.replay.trace == "crash.rvt");
  const Options live = parse({"debug", "-bios", "none", "kernel.elf"});
  CHECK(live.names_machine);
  CHECK(live.machine.kernel == "kernel.elf");
  CHECK(live.replay.trace.empty());
  CHECK_THAT(refusal({"debug", "-kernel", "a", "b"}), has_substring("'b'"));
}

TEST_CASE("options: gdb attaches from this host only", "[options]") {
  CHECK(parse({"run", "-gdb", "tcp:127.0.0.1:99", "x"}).live.gdb->port == 99);
  CHECK_THAT(refusal({"run", "-gdb", "tcp:0.0.0.0:1234"}), has_substring("this host"));
  CHECK_THAT(refusal({"run", "-gdb", "tcp::port"}), has_substring("-gdb"));
  CHECK(parse({"run", "-gdb", "stdio", "-serial", "none", "x"}).live.gdb->kind == ListenAddress::Kind::kStdio);
  CHECK_THAT(refusal({"run", "-gdb", "stdio", "x"}), has_substring("-serial none"));
  CHECK(parse({"replay", "-gdb", "stdio", "x"}).live.gdb->kind == ListenAddress::Kind::kStdio);
  CHECK_THAT(refusal({"debug", "-gdb", "stdio", "-serial", "none", "-bios", "none", "x"}), has_substring("debug"));
}

TEST_CASE("options: what becomes of a guest without its gdb is said once and without contradiction", "[options]") {
  CHECK_FALSE(parse({"run", "x"}).live.on_detach);
  CHECK(parse({"run", "--on-detach=run", "x"}).live.on_detach == OnDetach::kRun);
  CHECK(parse({"record", "--on-detach", "stop", "x"}).live.on_detach == OnDetach::kStop);
  CHECK(parse({"run", "--on-detach", "quit", "--once", "x"}).live.on_detach == OnDetach::kQuit);
  CHECK(parse({"run", "--once", "x"}).live.once);
  CHECK_THAT(refusal({"run", "--on-detach", "pause", "x"}), has_substring("'pause' is neither run nor stop nor quit"));
  CHECK_THAT(refusal({"run", "--once", "--on-detach", "run", "x"}), has_substring("--on-detach can only be quit"));
  CHECK_THAT(refusal({"replay", "--once"}), has_substring("replay has no such option, run has"));
  for (const char* command : {"run", "record", "replay"}) {
    CHECK(parse({command, "--exit=report"}).live.exit_report == ExitReport::kExit);
    CHECK(parse({command, "--exit=stop"}).live.exit_report == ExitReport::kStop);
    CHECK_THAT(refusal({command, "--exit", "code"}), has_substring("--exit: 'code' is neither stop nor report"));
  }
}

TEST_CASE("options: an empty argument is not an absent one", "[options]") {
  for (const char* subcommand : {"run", "record", "replay", "verify", "help"}) {
    CHECK_THAT(refusal({subcommand, ""}), has_substring("empty"));
  }
}

TEST_CASE("options: values that mean nothing are refused with the option's name", "[options]") {
  CHECK_THAT(refusal({"run", "-M", "microvm"}), has_substring("virt"));
  CHECK_THAT(refusal({"run", "-cpu", "sifive-u54"}), has_substring("rv64"));
  CHECK_THAT(refusal({"run", "-serial", "pty"}), has_substring("mon:stdio"));
  CHECK_THAT(refusal({"run", "--on-exit", "stay"}), has_substring("--on-exit"));
  CHECK_THAT(refusal({"run", "--seed", "abc"}), has_substring("--seed"));
  CHECK_THAT(refusal({"run", "-rtc", "base=yesterday"}), has_substring("-rtc"));
  CHECK_THAT(refusal({"run", "-rtc", "bsae=utc"}), has_substring("-rtc: unknown property 'bsae'"));
  CHECK(parse({"run", "-rtc", "base=utc,clock=host"}).live.rtc_unix_ns == std::nullopt);
  CHECK_THAT(refusal({"run", "--until", "idle"}), has_substring("steps:N"));
  CHECK_THAT(refusal({"run", "-kernel"}), has_substring("FILE"));
  CHECK_THAT(refusal({"run", "-nographic=yes"}), has_substring("takes no value"));
  CHECK(parse({"run", "-rtc", "base=2006-06-17T16:01:21"}).live.rtc_unix_ns == 1'150'560'081'000'000'000);
  CHECK(parse({"run", "--seed", "258"}).live.seed->at(1) == 1);
}

TEST_CASE("options: an empty value is no value, except as a kernel's command line", "[options]") {
  for (const char* option : {"-kernel", "-bios", "-initrd", "-dtb", "--symbols", "--signature", "-m", "-M"}) {
    CHECK_THAT(refusal({"run", option, ""}), has_substring(std::string(option) + ": "));
    CHECK_THAT(refusal({"run", option, ""}), has_substring("is empty"));
  }
  CHECK_THAT(refusal({"record", "-o", ""}), has_substring("-o: FILE is empty"));
  CHECK(parse({"run", "-append", ""}).machine.append.empty());
}

TEST_CASE("options: a value from the environment is refused by the name of its variable", "[options]") {
  setenv("RETROV_SEED", "abc", 1);
  CHECK_THAT(refusal({"run", "x"}), has_substring("RETROV_SEED: 'abc'"));
  setenv("RETROV_SEED", "258", 1);
  CHECK(parse({"run", "x"}).live.seed->at(1) == 1);
  unsetenv("RETROV_SEED");
}

TEST_CASE("options: QEMU's words for what is not there change nothing", "[options]") {
  const Options options = parse({"run", "-nodefaults", "-no-user-config", "-accel", "tcg,thread=single", "-name", "x",
                                 "-display", "none", "-vga", "none", "-net", "none", "-nic", "none", "kernel"});
  CHECK(options.machine.kernel == "kernel");
  CHECK_THAT(refusal({"run", "-accel", "kvm"}), has_substring("tcg"));
  CHECK_THAT(refusal({"run", "-nic", "user"}), has_substring("'user'"));
}

TEST_CASE("options: xv6's makefile finds -gdb at the beginning of a line of the help", "[options]") {
  for (const Subcommand subcommand : {Subcommand::kRun, Subcommand::kRecord}) {
    std::ostringstream text;
    print_subcommand_help(subcommand, HelpWanted::kUsual, text);
    CHECK_THAT(text.str(), has_substring("\n-gdb tcp::PORT"));
  }
}

TEST_CASE("options: QEMU's way to say record is understood", "[options]") {
  const Options options = parse({"run", "-icount", "shift=auto,rr=record,rrfile=log.bin", "-kernel", "x"});
  CHECK(options.subcommand == Subcommand::kRecord);
  CHECK(options.live.trace == "log.bin");
  CHECK_THAT(refusal({"run", "-icount", "shift=auto,rr=replay,rrfile=x"}), has_substring("retrov replay"));
}

TEST_CASE("options: no subcommand takes one word in two meanings", "[options]") {
  for (const SubcommandRow& command : subcommands()) {
    std::set<std::string> seen;
    for (const OptionRow& row : option_rows()) {
      if ((row.subcommands & only(command.id)) == 0) continue;
      for (const std::string& name : words_of(row.names)) {
        INFO(command.name << " " << name);
        CHECK(seen.insert(name.substr(name.find_first_not_of('-'))).second);
      }
    }
  }
}

TEST_CASE("options: help of each subcommand fits on a screen and says where the rest is", "[options]") {
  constexpr auto kScreenLines = 50;
  for (const SubcommandRow& command : subcommands()) {
    INFO(command.name);
    std::ostringstream usual, all;
    print_subcommand_help(command.id, HelpWanted::kUsual, usual);
    print_subcommand_help(command.id, HelpWanted::kAll, all);
    const std::string text = usual.str();
    CHECK(std::count(text.begin(), text.end(), '\n') <= kScreenLines);
    CHECK(text.ends_with("\nExamples:\n" + std::string(command.examples)));
    const auto rare = std::count_if(option_rows().begin(), option_rows().end(), [&](const OptionRow& row) {
      return (row.subcommands & only(command.id)) != 0 && row.use == OptionUse::kRare;
    });
    const std::string rest = "retrov " + std::string(command.name) + " --help=all has " + std::to_string(rare);
    CHECK((text.find(rest) != std::string::npos) == (rare != 0));
    CHECK((text == all.str()) == (rare == 0));
  }
  CHECK(parse({"run", "--help=all"}).help == HelpWanted::kAll);
  CHECK_THAT(refusal({"run", "--help=most"}), has_substring("=all"));
}

TEST_CASE("options: all help of each subcommand shows all of its words and two examples", "[options]") {
  for (const SubcommandRow& command : subcommands()) {
    std::ostringstream text;
    print_subcommand_help(command.id, HelpWanted::kAll, text);
    for (const OptionRow& row : option_rows()) {
      if ((row.subcommands & only(command.id)) == 0) continue;
      for (const std::string& name : words_of(row.names)) CHECK_THAT(text.str(), has_substring(name));
    }
    CHECK(std::count(command.examples.begin(), command.examples.end(), '\n') == 2);
    CHECK(parse({std::string(command.name), "--help"}).help == HelpWanted::kUsual);
    std::istringstream lines(text.str());
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 110);
  }
}

TEST_CASE("options: the examples of the help are themselves understood", "[options]") {
  for (const SubcommandRow& command : subcommands()) {
    std::istringstream lines{std::string(command.examples)};
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> words = words_of(line);
      REQUIRE(words.at(0) == "retrov");
      words.erase(words.begin());
      CHECK(parse_options(words).subcommand == command.id);
    }
  }
}
