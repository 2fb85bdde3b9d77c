#include <algorithm>
#include <charconv>
#include <ctime>

#include "cli/option_table.hpp"
#include "core/check.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw Error(Exit::kUsage, sentence); }

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

/// key=value, or a word alone. QEMU writes a comma within a value as two.
struct Pair {
  std::string key;
  std::string value;
  bool has_value = false;
};

std::vector<Pair> split_pairs(std::string_view text) {
  std::vector<Pair> pairs;
  std::string part;
  const auto finish = [&] {
    const std::size_t sign = part.find('=');
    if (sign == std::string::npos) {
      pairs.push_back({part, {}, false});
    } else {
      pairs.push_back({part.substr(0, sign), part.substr(sign + 1), true});
    }
    part.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      part += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      part += ',';
      ++i;
    } else {
      finish();
    }
  }
  finish();
  return pairs;
}

bool parse_switch(const std::string& what, std::string_view text) {
  for (std::string_view yes : {"on", "true", "yes"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"off", "false", "no"}) {
    if (text == no) return false;
  }
  refuse(what + ": on or off, not " + quoted(text));
}

std::optional<u64> parse_digits(std::string_view text) {
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What concerns the host's way to the image only, and so has no meaning here.
bool is_host_detail(std::string_view key) {
  for (std::string_view known : {"cache", "aio", "discard", "detect-zeroes", "werror", "rerror", "file.locking"}) {
    if (key == known) return true;
  }
  return false;
}

void add_drive(Options& options, const std::string& what, DriveWords drive) {
  for (const DriveWords& other : options.machine.drives) {
    if (!drive.id.empty() && other.id == drive.id) refuse(what + " " + quoted(drive.id) + " is given twice");
  }
  options.machine.drives.push_back(std::move(drive));
}

const DriveWords& find_drive(const MachineWords& machine, const std::string& option, const std::string& id) {
  for (const DriveWords& drive : machine.drives) {
    if (drive.id == id) return drive;
  }
  refuse(option + ": there is no -drive with id=" + id);
}

}  // namespace

u64 parse_size(std::string_view option, std::string_view text, u64 unit_bytes) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_digits(text.substr(0, digits));
  std::string_view suffix = text.substr(digits);
  if (suffix.size() == 2 && (suffix[1] == 'B' || suffix[1] == 'b')) suffix.remove_suffix(1);
  u64 unit = unit_bytes;
  if (suffix.size() == 1) {
    switch (suffix[0] & ~0x20) {
      case 'B':
        unit = 1;
        break;
      case 'K':
        unit = u64{1} << 10;
        break;
      case 'M':
        unit = u64{1} << 20;
        break;
      case 'G':
        unit = u64{1} << 30;
        break;
      case 'T':
        unit = u64{1} << 40;
        break;
      default:
        unit = 0;
        break;
    }
  } else if (!suffix.empty()) {
    unit = 0;
  }
  if (!count || unit == 0) refuse(std::string(option) + ": " + quoted(text) + " is no size (128M, 1G)");
  if (*count > (u64{1} << 60) / unit) refuse(std::string(option) + ": " + quoted(text) + " is too large");
  return *count * unit;
}

u64 parse_whole(std::string_view option, std::string_view text) {
  const auto value = parse_digits(text);
  if (!value) refuse(std::string(option) + ": " + quoted(text) + " is no number");
  return *value;
}

u16 parse_port(std::string_view option, std::string_view text) {
  const auto value = parse_digits(text);
  if (!value || *value > 65535) refuse(std::string(option) + ": " + quoted(text) + " is no port (0 to 65535)");
  return static_cast<u16>(*value);
}

void apply_machine(Options& options, std::string_view value) {
  for (const Pair& pair : split_pairs(value)) {
    constexpr std::string_view kFlash = "pflash";
    if (pair.has_value && pair.key.starts_with(kFlash)) {
      const auto unit = parse_digits(std::string_view(pair.key).substr(kFlash.size()));
      if (!unit || *unit >= kFlashUnits) refuse("-machine: " + quoted(pair.key) + " is not known; pflash0 or pflash1");
      options.machine.flash_drives[*unit] = pair.value;
      continue;
    }
    if (pair.key == "acpi" && pair.value != "on") continue;  // There are no ACPI tables.
    const bool is_name = !pair.has_value || pair.key == "type";
    const std::string& name = pair.has_value ? pair.value : pair.key;
    if (!is_name) refuse("-machine: unknown property " + quoted(pair.key) + "; there are pflash0 and pflash1");
    if (name != "virt") refuse("-machine: unknown machine " + quoted(name) + "; there is virt");
  }
}

void apply_memory(Options& options, std::string_view value) {
  const std::vector<Pair> pairs = split_pairs(value);
  for (const Pair& pair : pairs) {
    const bool bare = !pair.has_value && &pair == &pairs[0];
    if (!bare && pair.key != "size") refuse("-m: unknown property " + quoted(pair.key));
    const std::string& text = bare ? pair.key : pair.value;
    options.machine.ram_bytes = parse_size("-m", text, u64{1} << 20);
    if (options.machine.ram_bytes == 0) refuse("-m: a machine needs memory, " + quoted(text) + " is none");
  }
}

void apply_smp(Options& options, std::string_view value) {
  std::optional<u64> count;
  u64 product = 1;
  const std::vector<Pair> pairs = split_pairs(value);
  for (const Pair& pair : pairs) {
    const bool bare = !pair.has_value && &pair == &pairs[0];
    if (!bare && !pair.has_value) refuse("-smp: unknown property " + quoted(pair.key));
    const u64 number = parse_whole("-smp", bare ? pair.key : pair.value);
    if (bare || pair.key == "cpus") {
      count = number;
    } else if (pair.key == "sockets" || pair.key == "clusters" || pair.key == "cores" || pair.key == "threads") {
      product = std::min<u64>(product, 1'000'000) * std::min<u64>(number, 1'000'000);
    } else if (pair.key != "maxcpus") {
      refuse("-smp: unknown property " + quoted(pair.key));
    }
  }
  const u64 harts = count.value_or(product);
  if (harts == 0 || harts > kMaxHarts) {
    refuse("-smp: 1 to " + std::to_string(kMaxHarts) + " harts, not " + quoted(value));
  }
  options.machine.harts = static_cast<unsigned>(harts);
}

void apply_drive(Options& options, std::string_view value) {
  DriveWords drive;
  drive.attached = true;
  for (const Pair& pair : split_pairs(value)) {
    if (pair.key == "file") {
      drive.file = pair.value;
    } else if (pair.key == "id") {
      drive.id = pair.value;
    } else if (pair.key == "format") {
      if (pair.value != "raw") refuse("-drive: format " + quoted(pair.value) + " is not known; there is raw");
    } else if (pair.key == "if") {
      drive.attached = pair.value == "virtio";
      drive.in_flash = pair.value == "pflash";
      if (!drive.attached && !drive.in_flash && pair.value != "none") {
        refuse("-drive: if=" + pair.value + " is not known; none, virtio or pflash");
      }
    } else if (pair.key == "unit") {
      const auto unit = parse_digits(pair.value);
      if (!unit || *unit >= kFlashUnits) refuse("-drive: unit " + quoted(pair.value) + " is not known; 0 or 1");
      drive.unit = static_cast<unsigned>(*unit);
    } else if (pair.key == "snapshot") {
      drive.keeps_image = parse_switch("-drive: snapshot", pair.value);
    } else if (pair.key == "readonly" || pair.key == "read-only") {
      drive.read_only = !pair.has_value || parse_switch("-drive: readonly", pair.value);
    } else if (!is_host_detail(pair.key)) {
      refuse("-drive: unknown property " + quoted(pair.key));
    }
  }
  const std::string option = "-drive " + std::string(value);
  if (drive.file.empty()) refuse(option + ": file= is missing");
  if (drive.unit && !drive.in_flash) refuse(option + ": unit= is for if=pflash");
  if (!drive.attached && !drive.in_flash && drive.id.empty()) refuse(option + ": id= is missing");
  add_drive(options, "-drive: id", std::move(drive));
}

/// An image as one node, or as a raw node whose file is described in the same option.
void apply_blockdev(Options& options, std::string_view value) {
  DriveWords drive;
  for (const Pair& pair : split_pairs(value)) {
    if (pair.key == "driver" || pair.key == "file.driver") {
      const bool known = pair.value == "file" || (pair.key == "driver" && pair.value == "raw");
      if (!known) refuse("-blockdev: " + pair.key + " " + quoted(pair.value) + " is not known; there are file and raw");
    } else if (pair.key == "node-name") {
      drive.id = pair.value;
    } else if (pair.key == "filename" || pair.key == "file.filename") {
      drive.file = pair.value;
    } else if (pair.key == "read-only") {
      drive.read_only = parse_switch("-blockdev: read-only", pair.value);
    } else if (!is_host_detail(pair.key) && !pair.key.starts_with("cache.") && !pair.key.ends_with("read-only")) {
      refuse("-blockdev: unknown property " + quoted(pair.key));
    }
  }
  const std::string option = "-blockdev " + std::string(value);
  if (drive.file.empty()) refuse(option + ": filename= is missing");
  if (drive.id.empty()) refuse(option + ": node-name= is missing");
  add_drive(options, "-blockdev: node-name", std::move(drive));
}

void apply_device(Options& options, std::string_view value) {
  const std::vector<Pair> pairs = split_pairs(value);
  const std::string& type = pairs[0].key == "driver" ? pairs[0].value : pairs[0].key;
  if (type != "virtio-blk-device") refuse("-device: unknown device " + quoted(type) + "; there is virtio-blk-device");
  DiskDeviceWords disk;
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    const Pair& pair = pairs[i];
    if (pair.key == "drive") {
      disk.drive = pair.value;
    } else if (pair.key == "serial") {
      disk.serial = pair.value;
    } else if (pair.key == "bus") {
      constexpr std::string_view kBus = "virtio-mmio-bus.";
      const auto slot =
          pair.value.starts_with(kBus) ? parse_digits(std::string_view(pair.value).substr(kBus.size())) : std::nullopt;
      if (!slot || *slot >= kVirtioSlots) {
        refuse("-device: bus " + quoted(pair.value) + " does not exist; virtio-mmio-bus.0 to virtio-mmio-bus." +
               std::to_string(kVirtioSlots - 1));
      }
      disk.slot = static_cast<unsigned>(*slot);
    } else if (pair.key != "id") {
      refuse("-device " + type + ": unknown property " + quoted(pair.key));
    }
  }
  if (disk.drive.empty()) refuse("-device " + std::string(value) + ": drive= is missing");
  options.machine.disks.push_back(std::move(disk));
}

void apply_global(Options& options, std::string_view value) {
  const Pair pair = split_pairs(value)[0];
  if (pair.key != "virtio-mmio.force-legacy") {
    refuse("-global: unknown property " + quoted(pair.key) + "; there is virtio-mmio.force-legacy");
  }
  options.machine.virtio_legacy = parse_switch("-global " + pair.key, pair.value);
}

void apply_serial(Options& options, std::string_view value) {
  if (value == "mon:stdio") {
    options.live.console = ConsoleWiring::kMux;
  } else if (value == "stdio") {
    options.live.console = ConsoleWiring::kPlain;
  } else if (value == "none" || value == "null") {
    options.live.console = ConsoleWiring::kNone;
  } else {
    refuse("-serial: unknown console " + quoted(value) + "; mon:stdio, stdio or none");
  }
}

void apply_gdb(Options& options, std::string_view value) {
  try {
    options.live.gdb = parse_listen_address(value);
  } catch (const Error& error) {
    refuse(std::string("-gdb: ") + error.what());
  }
}

void apply_icount(Options& options, std::string_view value) {
  for (const Pair& pair : split_pairs(value)) {
    if (pair.key == "rr") {
      if (pair.value != "record") refuse("-icount rr=" + pair.value + ": only rr=record; replay by retrov replay");
      options.subcommand = Subcommand::kRecord;
    } else if (pair.key == "rrfile") {
      options.live.trace = pair.value;
    } else if (pair.has_value && pair.key != "shift" && pair.key != "sleep" && pair.key != "align" &&
               pair.key != "rrsnapshot") {
      refuse("-icount: unknown property " + quoted(pair.key));
    }
  }
}

void apply_rtc(Options& options, std::string_view value) {
  for (const Pair& pair : split_pairs(value)) {
    if (pair.key == "clock" || pair.key == "driftfix") continue;  // They are about the host.
    if (pair.key != "base") refuse("-rtc: unknown property " + quoted(pair.key) + "; there is base");
    if (pair.value == "utc") {
      options.live.rtc_unix_ns.reset();
      continue;
    }
    std::tm date{};
    const bool has_time = pair.value.find('T') != std::string::npos;
    const char* end = strptime(pair.value.c_str(), has_time ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d", &date);
    const std::time_t seconds = end != nullptr && *end == '\0' ? timegm(&date) : -1;
    if (seconds < 0) refuse("-rtc: base " + quoted(pair.value) + " is not known; utc or 2006-06-17T16:01:21");
    options.live.rtc_unix_ns = static_cast<u64>(seconds) * 1'000'000'000;
  }
}

void apply_paranoid(Options& options, std::string_view value) {
  MarkPlan& marks = options.live.marks;
  marks.dense_steps = kDenseMarkSteps;
  const std::size_t comma = std::min(value.find(','), value.size());
  if (comma > 0) marks.dense_steps = parse_whole("--paranoid", value.substr(0, comma));
  if (marks.dense_steps == 0) refuse("--paranoid: a mark every 0 steps");
  if (comma == value.size()) return;
  const std::string_view range = value.substr(comma + 1);
  const std::size_t sign = range.find('-');
  if (sign == std::string_view::npos) refuse("--paranoid: " + quoted(range) + " is no range; write STEPS,A-B");
  marks.dense_from.steps = parse_whole("--paranoid", range.substr(0, sign));
  marks.dense_to.steps = parse_whole("--paranoid", range.substr(sign + 1));
  if (marks.dense_to < marks.dense_from) refuse("--paranoid: " + std::string(range) + " ends before it begins");
}

std::array<u8, 32> parse_seed(std::string_view option, std::string_view text) {
  const u64 number = parse_whole(option, text);
  std::array<u8, 32> seed{};
  for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<u8>(number >> (8 * i));
  return seed;
}

namespace {

/// Twice the distance, from any position there is, is still a position.
u64 parse_distance(std::string_view option, std::string_view text) {
  constexpr u64 kFarthestSteps = u64{1} << 60;
  const u64 steps = parse_whole(option, text);
  if (steps == 0 || steps > kFarthestSteps) {
    refuse(std::string(option) + ": a distance of 1 to 2^60 steps, not " + quoted(text));
  }
  return steps;
}

}  // namespace

void apply_key_frames(Options& options, std::string_view value) {
  constexpr std::string_view kEvery = "every=";
  KeyFrameOptions& frames = options.live.key_frames;
  if (value.starts_with(kEvery)) {
    frames = {KeyFramePolicy::kEvery, parse_distance("--key-frames", value.substr(kEvery.size()))};
  } else if (value == "off" || value == "auto") {
    frames.policy = value == "off" ? KeyFramePolicy::kOff : KeyFramePolicy::kAuto;
  } else {
    refuse("--key-frames: unknown policy " + quoted(value) + "; off, auto or every=STEPS");
  }
}

void apply_snapshots(Options& options, std::string_view value) {
  SnapshotOptions& snapshots = options.snapshots;
  const std::size_t colon = std::min(value.find(':'), value.size());
  const std::string_view word = value.substr(0, colon);
  std::string_view distance = value.substr(std::min(colon + 1, value.size()));
  if (colon == value.size() && (word == "auto" || word == "none")) {
    snapshots.policy = word == "auto" ? SnapshotPolicy::kAuto : SnapshotPolicy::kNone;
    return;
  }
  if (word != "every" && word != "random") {
    refuse("--snapshots: unknown policy " + quoted(value) + "; auto, none, every:STEPS or random:STEPS,SEED");
  }
  snapshots.policy = word == "every" ? SnapshotPolicy::kEvery : SnapshotPolicy::kRandom;
  if (const std::size_t comma = distance.find(','); word == "random" && comma != std::string_view::npos) {
    snapshots.random_seed = parse_whole("--snapshots", distance.substr(comma + 1));
    if (snapshots.random_seed == 0) refuse("--snapshots: seeds begin at 1");
    distance = distance.substr(0, comma);
  }
  snapshots.distance_steps = parse_distance("--snapshots", distance);
}

std::vector<DiskPlan> plan_disks(const MachineWords& machine) {
  std::vector<DiskPlan> plans;
  std::array<bool, kVirtioSlots> taken{};
  const auto add = [&](const DriveWords& drive, std::optional<unsigned> wanted, const std::string& serial) {
    unsigned slot = kVirtioSlots;
    if (wanted) {
      slot = *wanted;
      if (taken[slot]) refuse("virtio-mmio-bus." + std::to_string(slot) + " is taken twice");
    } else {
      while (slot > 0 && taken[slot - 1]) --slot;
      if (slot == 0) refuse("more drives than the board has virtio-mmio slots (" + std::to_string(kVirtioSlots) + ")");
      --slot;
    }
    taken[slot] = true;
    for (const DiskPlan& other : plans) {
      if (other.drive == &drive) refuse("drive " + quoted(drive.id) + " is attached twice");
    }
    plans.push_back({slot, &drive, serial.empty() ? drive.id : serial});
  };
  for (const DiskDeviceWords& disk : machine.disks) {
    add(find_drive(machine, "-device", disk.drive), disk.slot, disk.serial);
  }
  for (const DriveWords& drive : machine.drives) {
    const bool has_device =
        std::any_of(plans.begin(), plans.end(), [&](const DiskPlan& plan) { return plan.drive == &drive; });
    if (drive.attached && !has_device) add(drive, std::nullopt, {});
  }
  return plans;
}

std::vector<FlashPlan> plan_flash(const MachineWords& machine) {
  std::array<const DriveWords*, kFlashUnits> drives{};
  const auto put = [&](std::size_t unit, const DriveWords& drive) {
    if (drives[unit] != nullptr) refuse("pflash unit " + std::to_string(unit) + " is given twice");
    drives[unit] = &drive;
  };
  for (std::size_t unit = 0; unit < kFlashUnits; ++unit) {
    const std::string& id = machine.flash_drives[unit];
    if (!id.empty()) put(unit, find_drive(machine, "-machine: pflash" + std::to_string(unit), id));
  }
  for (const DriveWords& drive : machine.drives) {
    if (drive.in_flash && drive.unit) put(*drive.unit, drive);
  }
  for (const DriveWords& drive : machine.drives) {
    if (!drive.in_flash || drive.unit) continue;
    const auto unit = std::find(drives.begin(), drives.end(), nullptr);
    if (unit == drives.end()) refuse("more if=pflash drives than the board has units (2)");
    *unit = &drive;
  }
  std::vector<FlashPlan> plans;
  for (unsigned unit = 0; unit < kFlashUnits; ++unit) {
    if (drives[unit] != nullptr) plans.push_back({unit, drives[unit]});
  }
  for (const DiskPlan& disk : plan_disks(machine)) {
    for (const FlashPlan& plan : plans) {
      if (plan.drive == disk.drive) refuse("drive " + quoted(disk.drive->id) + " is attached twice");
    }
  }
  if (plans.size() == 2 && plans[0].drive == plans[1].drive) {
    refuse("drive " + quoted(plans[0].drive->id) + " is attached twice");
  }
  return plans;
}

}  // namespace retrov
