#include "core/elf.hpp"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/check.hpp"

namespace retrov {

namespace {

constexpr std::size_t kMaxSegments = 1024;
constexpr std::size_t kMaxSymbols = 4'000'000;
constexpr std::size_t kMaxSymbolName = 4096;
// The identification and e_type, e_machine: what is needed to say whose ELF it is.
constexpr std::size_t kIdentityBytes = 20;
constexpr std::size_t kHeaderBytes = 64;

[[noreturn]] void bad_image(const std::string& phrase) { throw Error(Exit::kNoInput, phrase); }

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "x86";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM";
    case EM_AARCH64:
      return "AArch64";
    case EM_PPC:
      return "PowerPC";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_MIPS:
      return "MIPS";
    case EM_S390:
      return "S/390";
    case EM_LOONGARCH:
      return "LoongArch";
    default:
      return "machine " + std::to_string(machine);
  }
}

// Looks at the bytes themselves, before libelf does, so that each refusal has its own words.
void check_identity(std::span<const u8> image) {
  if (!is_elf(image)) bad_image("not an ELF image");
  if (image.size() < kIdentityBytes) bad_image("truncated ELF image");
  const bool little = image[EI_DATA] == ELFDATA2LSB;
  const unsigned low = image[little ? 18 : 19], high = image[little ? 19 : 18];
  const unsigned machine = high << 8 | low;
  if (machine != EM_RISCV) bad_image("ELF for " + machine_name(machine) + ", not RISC-V");
  if (image[EI_CLASS] != ELFCLASS64) bad_image("32-bit RISC-V ELF; this machine is 64-bit");
  if (!little) bad_image("big-endian RISC-V ELF; this machine is little-endian");
  if (image.size() < kHeaderBytes) bad_image("truncated ELF image");
}

struct EndElf {
  void operator()(::Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<::Elf, EndElf>;

bool inside(u64 offset, u64 size_bytes, std::span<const u8> image) {
  return offset <= image.size() && size_bytes <= image.size() - offset;
}

void read_segments(::Elf* handle, std::span<const u8> image, Elf& out) {
  std::size_t count = 0;
  if (elf_getphdrnum(handle, &count) != 0) bad_image("damaged ELF program headers");
  if (count > kMaxSegments) bad_image("ELF with " + std::to_string(count) + " program headers");
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(handle, static_cast<int>(i), &header) == nullptr) bad_image("truncated ELF program headers");
    if (header.p_type != PT_LOAD || header.p_memsz == 0) continue;
    if (!inside(header.p_offset, header.p_filesz, image))
      bad_image("truncated ELF image: a segment ends past the file");
    if (header.p_filesz > header.p_memsz) bad_image("damaged ELF: a segment has more bytes in the file than in memory");
    if (header.p_memsz > ~u64{0} - header.p_paddr) bad_image("damaged ELF: a segment ends past the address space");
    out.segments.push_back({VirtAddr{header.p_vaddr}, PhysAddr{header.p_paddr},
                            image.subspan(header.p_offset, header.p_filesz), header.p_memsz});
  }
}

SymbolKind kind_of(unsigned char info) {
  switch (GELF_ST_TYPE(info)) {
    case STT_FUNC:
      return SymbolKind::kFunction;
    case STT_OBJECT:
      return SymbolKind::kObject;
    default:
      return SymbolKind::kOther;
  }
}

// Names are read from the image rather than with elf_strptr, which trusts that a string ends.
std::string name_at(std::span<const u8> strings, u64 offset) {
  if (offset >= strings.size()) return {};
  const auto tail = strings.subspan(offset, std::min<std::size_t>(strings.size() - offset, kMaxSymbolName));
  return std::string(tail.begin(), std::find(tail.begin(), tail.end(), u8{0}));
}

void read_symbols(::Elf* handle, const GElf_Shdr& table, std::span<const u8> image, Elf& out) {
  if (table.sh_entsize != sizeof(Elf64_Sym) || !inside(table.sh_offset, table.sh_size, image)) return;
  Elf_Scn* string_section = elf_getscn(handle, table.sh_link);
  GElf_Shdr string_header;
  if (string_section == nullptr || gelf_getshdr(string_section, &string_header) == nullptr) return;
  if (!inside(string_header.sh_offset, string_header.sh_size, image)) return;
  const auto strings = image.subspan(string_header.sh_offset, string_header.sh_size);
  const auto entries = image.subspan(table.sh_offset, table.sh_size);
  const std::size_t count = std::min(entries.size() / sizeof(Elf64_Sym), kMaxSymbols - out.symbols.size());
  for (std::size_t i = 0; i < count; ++i) {
    Elf64_Sym symbol;  // ELF64 little-endian is the host's own layout on the hosts we run on.
    std::memcpy(&symbol, entries.data() + i * sizeof symbol, sizeof symbol);
    if (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) == STT_SECTION) continue;
    std::string name = name_at(strings, symbol.st_name);
    if (name.empty()) continue;
    out.symbols.push_back({std::move(name), VirtAddr{symbol.st_value}, symbol.st_size, kind_of(symbol.st_info)});
  }
}

// An image without sections, or with damaged ones, still loads: it only has no names.
void read_symbol_tables(::Elf* handle, std::span<const u8> image, Elf& out) {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(handle, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) != nullptr && header.sh_type == SHT_SYMTAB)
      read_symbols(handle, header, image, out);
  }
}

}  // namespace

bool is_elf(std::span<const u8> image) {
  return image.size() >= SELFMAG && std::memcmp(image.data(), ELFMAG, SELFMAG) == 0;
}

std::optional<PhysAddr> Elf::physical(VirtAddr address) const {
  for (const ElfSegment& segment : segments) {
    const u64 offset = address.value - segment.virtual_address.value;
    if (offset < segment.memory_bytes) return PhysAddr{segment.physical_address.value + offset};
  }
  return std::nullopt;
}

const ElfSymbol* Elf::find(std::string_view name) const {
  const auto found =
      std::find_if(symbols.begin(), symbols.end(), [&](const ElfSymbol& symbol) { return symbol.name == name; });
  return found == symbols.end() ? nullptr : &*found;
}

Elf parse_elf(std::span<const u8> image) {
  check_identity(image);
  RV_CHECK(elf_version(EV_CURRENT) != EV_NONE);
  // elf_memory takes a pointer to non-const for writers; a reader leaves the image alone.
  char* bytes = const_cast<char*>(reinterpret_cast<const char*>(image.data()));
  const ElfHandle handle(elf_memory(bytes, image.size()));
  GElf_Ehdr header;
  if (!handle || elf_kind(handle.get()) != ELF_K_ELF || gelf_getehdr(handle.get(), &header) == nullptr) {
    bad_image("damaged ELF header");
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) bad_image("ELF that is not an executable");
  Elf result;
  result.entry = VirtAddr{header.e_entry};
  result.position_independent = header.e_type == ET_DYN;
  read_segments(handle.get(), image, result);
  if (result.segments.empty()) bad_image("ELF without loadable segments");
  read_symbol_tables(handle.get(), image, result);
  return result;
}

}  // namespace retrov
