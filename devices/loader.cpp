#include "devices/loader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/elf.hpp"
#include "devices/fdt.hpp"
#include "devices/kernel_image.hpp"
#include "devices/ram_layout.hpp"

namespace retrov {

namespace {

constexpr u64 kMiB = u64{1} << 20;
constexpr u64 kKernelAlign = 2 * kMiB;
constexpr u64 kMaxInitrdDistance = 128 * kMiB;
constexpr PhysAddr kDtbCeiling{3072 * kMiB};
constexpr u64 kDtbAlign = 2 * kMiB;
constexpr std::size_t kMaxCommandLine = 16384;  // Linux takes 1024 bytes.

/// Where an image went: what the next one must keep clear of, and where to enter it.
struct Loaded {
  PhysAddr entry;
  PhysAddr begin;
  PhysAddr end;
};

[[noreturn]] void refuse(const std::string& role, const Image& image, const std::string& phrase) {
  throw Error(Exit::kNoInput, role + " " + image.name + ": " + phrase);
}

Elf parse_named_elf(const std::string& role, const Image& image) {
  try {
    return parse_elf(image.bytes);
  } catch (const Error& error) {
    refuse(role, image, error.what());
  }
}

Loaded load_elf(RamLayout& ram, const std::string& role, const Image& image) {
  const Elf elf = parse_named_elf(role, image);
  u64 lowest = ~u64{0}, highest = 0;
  for (const ElfSegment& segment : elf.segments) {
    lowest = std::min(lowest, segment.physical_address.value);
    highest = std::max(highest, segment.physical_address.value + segment.memory_bytes);
  }
  // A position-independent image that is linked elsewhere (OpenSBI's ELF, at 0) is moved to the start of RAM.
  const bool move = elf.position_independent && !ram.is_ram(PhysAddr{lowest});
  const u64 bias = move ? ram.base().value - lowest : 0;
  if (!move && !ram.is_ram(PhysAddr{lowest})) {
    char sentence[100];
    std::snprintf(sentence, sizeof sentence, "linked for 0x%llx, where there is no RAM",
                  static_cast<unsigned long long>(lowest));
    refuse(role, image, sentence);
  }
  ram.require_fits(role + " " + image.name, PhysAddr{lowest + bias}, highest - lowest);
  for (const ElfSegment& segment : elf.segments) {
    const PhysAddr at{segment.physical_address.value + bias};
    ram.place(role + " " + image.name, at, segment.bytes, segment.memory_bytes);
  }
  const PhysAddr entry = elf.physical(elf.entry).value_or(PhysAddr{elf.entry.value});
  return {PhysAddr{entry.value + bias}, PhysAddr{lowest + bias}, PhysAddr{highest + bias}};
}

Loaded load_raw(RamLayout& ram, const std::string& role, const Image& image, PhysAddr at) {
  u64 memory_bytes = image.bytes.size();
  if (const auto header = linux_header(image.bytes)) {
    if (header->file_bytes > image.bytes.size()) {
      refuse(role, image, "truncated: " + std::to_string(image.bytes.size()) + " bytes of at least " +
                              std::to_string(header->file_bytes));
    }
    memory_bytes = std::max(memory_bytes, header->memory_bytes);
    const PhysAddr wanted{ram.base().value + header->text_offset};
    if (header->text_offset < ram.size_bytes() && header->text_offset % kPageBytes == 0 && wanted > at &&
        at != ram.base()) {
      at = wanted;
    }
  }
  ram.place(role + " " + image.name, at, image.bytes, memory_bytes);
  return {at, at, PhysAddr{at.value + memory_bytes}};
}

Loaded load_image(RamLayout& ram, const std::string& role, const Image& image, PhysAddr raw_at) {
  if (const char* phrase = why_unusable(image.bytes)) refuse(role, image, phrase);
  return is_elf(image.bytes) ? load_elf(ram, role, image) : load_raw(ram, role, image, raw_at);
}

// As far from the kernel as QEMU puts it, so that the kernel has room to grow; nearer if RAM ends before.
PhysAddr place_initrd(RamLayout& ram, const Image& image, const Loaded& kernel) {
  if (image.bytes.empty()) refuse("initrd", image, "the file is empty");
  const u64 size_bytes = image.bytes.size();
  const u64 far = kernel.begin.value + std::min(ram.size_bytes() / 2, kMaxInitrdDistance);
  const u64 after = align_up(kernel.end.value, kKernelAlign);
  // Room for the device tree, which goes to the top of RAM.
  const u64 room_for_dtb = kDtbAlign;
  PhysAddr at{std::max(align_up(far, kPageBytes), after)};
  if (!ram.fits(at, size_bytes + room_for_dtb)) at = PhysAddr{after};
  if (!ram.fits(at, size_bytes)) at = PhysAddr{align_up(kernel.end.value, kPageBytes)};
  ram.place("initrd " + image.name, at, image.bytes, size_bytes);
  return at;
}

std::vector<u8> edit_dtb(const BoardConfig& config, const BootImages& images, PhysAddr initrd_at, u64 initrd_bytes) {
  try {
    FdtEditor editor(images.dtb->bytes);
    const MachineConfig& machine = config.machine;
    for (const FdtEditor::Range& range : editor.memory()) {
      const u64 offset = range.base - machine.ram_base.value;
      if (range.size_bytes != 0 && (offset >= machine.ram_bytes || range.size_bytes > machine.ram_bytes - offset)) {
        char phrase[120];
        std::snprintf(phrase, sizeof phrase, "says memory is at 0x%llx to 0x%llx, but there are %llu MiB from 0x%llx",
                      static_cast<unsigned long long>(range.base),
                      static_cast<unsigned long long>(range.base + range.size_bytes),
                      static_cast<unsigned long long>(machine.ram_bytes / kMiB),
                      static_cast<unsigned long long>(machine.ram_base.value));
        throw Error(Exit::kUsage, phrase);
      }
    }
    if (!images.append.empty()) editor.set_bootargs(images.append);
    if (initrd_bytes != 0) editor.set_initrd(initrd_at, initrd_bytes);
    return editor.finish();
  } catch (const Error& error) {
    throw Error(error.exit_code(), "device tree " + images.dtb->name + ": " + error.what());
  }
}

void append_le(std::vector<u8>& out, u64 value, unsigned size_bytes) {
  for (unsigned i = 0; i < size_bytes; ++i) out.push_back(static_cast<u8>(value >> (8 * i)));
}

// What every hart executes first: a0 = its number, a1 = the device tree, a2 = what OpenSBI's fw_dynamic is told.
std::vector<u8> make_rom(PhysAddr entry, PhysAddr dtb, PhysAddr next) {
  constexpr std::array<u32, 6> kCode = {
      0x00000297,  // auipc t0, 0
      0x02828613,  // addi  a2, t0, 40
      0xf1402573,  // csrr  a0, mhartid
      0x0202b583,  // ld    a1, 32(t0)
      0x0182b283,  // ld    t0, 24(t0)
      0x00028067,  // jr    t0
  };
  constexpr u64 kMagic = 0x4942534f, kVersion = 2, kSupervisorMode = 1, kNoOptions = 0, kBootHart = 0;
  std::vector<u8> rom;
  for (const u32 word : kCode) append_le(rom, word, 4);
  for (const u64 value :
       {entry.value, dtb.value, kMagic, kVersion, next.value, kSupervisorMode, kNoOptions, kBootHart}) {
    append_le(rom, value, 8);
  }
  return rom;
}

/// Where make_rom puts where it goes, and where the firmware is to go on.
constexpr std::size_t kEntryAt = 24, kNextAt = 56;

/// Firmware in flash fetches what else there is by itself, so that with it a kernel of ours would never be entered.
void refuse_kernel_behind_flash(const BootImages& images) {
  if (!images.bios || !images.kernel) return;
  throw Error(Exit::kUsage, "kernel " + images.kernel->name +
                                ": the firmware continues in pflash unit 0; give -bios none, or no -kernel");
}

PhysAddr find_tohost(const BootImages& images) {
  const Image* image = symbol_image(images);
  if (image == nullptr) throw Error(Exit::kUsage, "--htif needs an ELF image with the symbol tohost");
  const Elf elf = parse_elf(image->bytes);
  const ElfSymbol* symbol = elf.find("tohost");
  if (symbol == nullptr) throw Error(Exit::kNoInput, image->name + " has no symbol tohost, which --htif needs");
  return elf.physical(symbol->value).value_or(PhysAddr{symbol->value.value});
}

}  // namespace

const Image* symbol_image(const BootImages& images) {
  for (const auto* image : {&images.kernel, &images.bios}) {
    if (*image && is_elf((*image)->bytes)) return &**image;
  }
  return nullptr;
}

bool starts_in_kernel(const BoardConfig& config) {
  if (config.rom.size() < kNextAt + 8) return false;
  return std::equal(config.rom.begin() + kEntryAt, config.rom.begin() + kEntryAt + 8, config.rom.begin() + kNextAt);
}

void place_images(BoardConfig& config, const BootImages& images) {
  const bool in_flash = find_flash(config, 0) != nullptr;
  if (!images.bios && !images.kernel && !in_flash) {
    throw Error(Exit::kUsage, "nothing to run: give -kernel or -bios");
  }
  if (in_flash) refuse_kernel_behind_flash(images);
  if (images.append.size() > kMaxCommandLine) {
    throw Error(Exit::kUsage, "the kernel command line is longer than " + std::to_string(kMaxCommandLine) + " bytes");
  }
  validate(config, Exit::kUsage);
  RamLayout ram(config.machine.ram_base, config.machine.ram_bytes);
  const Loaded none{ram.base(), ram.base(), ram.base()};
  const Loaded firmware = images.bios ? load_image(ram, "bios", *images.bios, ram.base()) : none;
  const PhysAddr kernel_at{align_up(firmware.end.value, kKernelAlign)};
  const Loaded kernel = images.kernel ? load_image(ram, "kernel", *images.kernel, kernel_at) : firmware;
  PhysAddr initrd_at;
  u64 initrd_bytes = 0;
  if (images.initrd) {
    initrd_at = place_initrd(ram, *images.initrd, kernel);
    initrd_bytes = images.initrd->bytes.size();
  }
  const std::vector<u8> dtb = images.dtb ? edit_dtb(config, images, initrd_at, initrd_bytes)
                                         : make_device_tree(config, images.append, initrd_at, initrd_bytes);
  const PhysAddr dtb_at = ram.place_high("device tree", dtb, kDtbCeiling, kDtbAlign);
  const std::optional<u64> seed = find_rng_seed(dtb);
  config.machine.rng_seed_at = seed ? std::optional<PhysAddr>(PhysAddr{dtb_at.value + *seed}) : std::nullopt;
  config.machine.reset_pc = kRomRegion.base;
  config.machine.initial_memory = ram.take_blobs();
  // Flash is entered first, or by the firmware that has been loaded into RAM.
  PhysAddr entry = images.bios ? firmware.entry : kernel.entry;
  PhysAddr next = images.kernel ? kernel.entry : PhysAddr{};
  if (in_flash) (images.bios ? next : entry) = flash_at(0);
  config.rom = make_rom(entry, dtb_at, next);
  config.tohost = images.htif ? std::optional<PhysAddr>(find_tohost(images)) : std::nullopt;
  config.bootargs = images.append;
  validate(config, Exit::kNoInput);
}

}  // namespace retrov
