#include "core/elf_symbols.hpp"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "core/check.hpp"
#include "core/elf.hpp"

namespace retrov {

namespace {

constexpr std::size_t kMaxSections = 10'000;
constexpr std::size_t kMaxSectionName = 256;
constexpr const char* kBuildIdSection = ".note.gnu.build-id";
/// owner size, description size, type, "GNU\0"
constexpr std::size_t kBuildIdAt = 16;
constexpr std::size_t kMaxBuildIdBytes = 64;

struct Section {
  GElf_Shdr header{};
  std::string name;
  std::span<const u8> bytes;  ///< Empty if it has none, or they are not in the image.
  std::size_t index = 0;      ///< In the image.
};

std::string text_at(std::span<const u8> strings, u64 offset, std::size_t most) {
  if (offset >= strings.size()) return {};
  const auto tail = strings.subspan(offset, std::min<std::size_t>(strings.size() - offset, most));
  return std::string(tail.begin(), std::find(tail.begin(), tail.end(), u8{0}));
}

/// None if they are damaged: an image can do without.
std::vector<Section> read_sections(std::span<const u8> image) {
  std::vector<Section> sections;
  char* bytes = const_cast<char*>(reinterpret_cast<const char*>(image.data()));
  const std::unique_ptr<::Elf, int (*)(::Elf*)> handle(elf_memory(bytes, image.size()), elf_end);
  std::size_t names = 0;
  if (!handle || elf_getshdrstrndx(handle.get(), &names) != 0) return sections;
  Elf_Scn* entry = nullptr;
  while ((entry = elf_nextscn(handle.get(), entry)) != nullptr && sections.size() < kMaxSections) {
    Section section;
    if (gelf_getshdr(entry, &section.header) == nullptr) return {};
    section.index = elf_ndxscn(entry);
    const u64 offset = section.header.sh_offset;
    const u64 size_bytes = section.header.sh_size;
    const bool inside = offset <= image.size() && size_bytes <= image.size() - offset;
    if (section.header.sh_type != SHT_NOBITS && inside) section.bytes = image.subspan(offset, size_bytes);
    sections.push_back(section);
  }
  const auto strings = std::find_if(sections.begin(), sections.end(),
                                    [names](const Section& section) { return section.index == names; });
  if (strings == sections.end()) return {};
  const std::span<const u8> text = strings->bytes;
  for (Section& section : sections) section.name = text_at(text, section.header.sh_name, kMaxSectionName);
  return sections;
}

bool is_dwarf(const Section& section) {
  return (section.header.sh_flags & SHF_ALLOC) == 0 && section.header.sh_type == SHT_PROGBITS &&
         section.name.starts_with(".debug_");
}

/// Names that no person uses: mapping symbols, and labels of the compiler.
bool is_noise(const std::string& name) { return name.starts_with("$") || name.starts_with(".L"); }

class Writer {
 public:
  Writer(const Elf& elf, std::span<const u8> image, Dwarf dwarf) : elf_(elf), sections_(read_sections(image)) {
    begin();
    for (const Section& section : sections_) {
      if ((section.header.sh_flags & SHF_ALLOC) != 0) add_place(section);
      if (dwarf == Dwarf::kKeep && is_dwarf(section)) add_bytes(section);
    }
    for (const Section& section : sections_) {
      if (section.header.sh_type == SHT_SYMTAB) add_symbols(section);
    }
    end();
  }
  std::vector<u8> take() { return std::move(out_); }

 private:
  template <class T>
  void put(const T& part) {
    const u8* bytes = reinterpret_cast<const u8*>(&part);
    out_.insert(out_.end(), bytes, bytes + sizeof part);
  }

  void begin() {
    put(Elf64_Ehdr{});
    for (const ElfSegment& segment : elf_.segments) {
      Elf64_Phdr header{};
      header.p_type = PT_LOAD;
      header.p_flags = PF_R | PF_W | PF_X;
      header.p_vaddr = segment.virtual_address.value;
      header.p_paddr = segment.physical_address.value;
      header.p_memsz = segment.memory_bytes;
      header.p_align = 1;
      put(header);
    }
    headers_.push_back({});
    new_index_.emplace_back(SHN_UNDEF);
  }

  u32 add_name(const std::string& name) {
    const u32 at = static_cast<u32>(names_.size());
    names_.insert(names_.end(), name.begin(), name.end());
    names_.push_back(0);
    return at;
  }

  /// `header` but for name and place.
  void add(Elf64_Shdr header, const std::string& name, std::span<const u8> bytes) {
    if (out_.size() + bytes.size() > kMaxSymbolFileBytes) throw Error(Exit::kNoInput, "ELF with too many symbols");
    out_.resize((out_.size() + 7) / 8 * 8);
    header.sh_name = add_name(name);
    header.sh_offset = out_.size();
    if (header.sh_type != SHT_NOBITS) header.sh_size = bytes.size();
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    headers_.push_back(header);
  }

  void remember(const Section& section) {
    if (new_index_.size() <= section.index) new_index_.resize(section.index + 1);
    new_index_[section.index] = static_cast<u16>(headers_.size());
  }

  void add_place(const Section& section) {
    const bool is_id = section.name == kBuildIdSection && section.header.sh_type == SHT_NOTE;
    remember(section);
    Elf64_Shdr header{};
    header.sh_type = is_id ? SHT_NOTE : SHT_NOBITS;
    header.sh_flags = section.header.sh_flags & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR);
    header.sh_addr = section.header.sh_addr;
    header.sh_size = section.header.sh_size;
    header.sh_addralign = 1;
    add(header, section.name, is_id ? section.bytes : std::span<const u8>());
  }

  void add_bytes(const Section& section) {
    remember(section);
    Elf64_Shdr header{};
    header.sh_type = SHT_PROGBITS;
    header.sh_flags = section.header.sh_flags & (SHF_COMPRESSED | SHF_MERGE | SHF_STRINGS);
    header.sh_entsize = section.header.sh_entsize;
    header.sh_addralign = 1;
    add(header, section.name, section.bytes);
  }

  /// Nothing: the symbol is of a section that is not here.
  std::optional<u16> place_of(const Elf64_Sym& symbol) const {
    if (symbol.st_shndx == SHN_ABS) return u16{SHN_ABS};
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= new_index_.size()) return std::nullopt;
    return new_index_[symbol.st_shndx];
  }

  void add_symbols(const Section& table) {
    const auto strings = std::find_if(sections_.begin(), sections_.end(), [&](const Section& section) {
      return section.index == table.header.sh_link;
    });
    if (strings == sections_.end()) return;
    std::vector<u8> names{0};
    // Those of one file come before those of all, as the format demands.
    std::array<std::vector<u8>, 2> kept;
    kept[0].resize(sizeof(Elf64_Sym));
    for (std::size_t at = 0; table.bytes.size() - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, table.bytes.data() + at, sizeof symbol);
      const std::optional<u16> place = place_of(symbol);
      const std::string name = text_at(strings->bytes, symbol.st_name, kMaxSymbolName);
      if (!place || name.empty() || is_noise(name) || GELF_ST_TYPE(symbol.st_info) == STT_SECTION) continue;
      symbol.st_name = static_cast<u32>(names.size());
      symbol.st_shndx = *place;
      names.insert(names.end(), name.begin(), name.end());
      names.push_back(0);
      std::vector<u8>& list = kept[GELF_ST_BIND(symbol.st_info) == STB_LOCAL ? 0 : 1];
      const u8* bytes = reinterpret_cast<const u8*>(&symbol);
      list.insert(list.end(), bytes, bytes + sizeof symbol);
      if (names.size() > kMaxSymbolFileBytes) throw Error(Exit::kNoInput, "ELF with too many symbols");
    }
    Elf64_Shdr header{};
    header.sh_type = SHT_SYMTAB;
    header.sh_entsize = sizeof(Elf64_Sym);
    header.sh_addralign = 8;
    header.sh_info = static_cast<u32>(kept[0].size() / sizeof(Elf64_Sym));
    header.sh_link = static_cast<u32>(headers_.size() + 1);
    kept[0].insert(kept[0].end(), kept[1].begin(), kept[1].end());
    add(header, ".symtab", kept[0]);
    Elf64_Shdr text{};
    text.sh_type = SHT_STRTAB;
    text.sh_addralign = 1;
    add(text, ".strtab", names);
  }

  void end() {
    Elf64_Shdr text{};
    text.sh_type = SHT_STRTAB;
    text.sh_addralign = 1;
    const std::size_t strings = headers_.size();
    const u32 name = add_name(".shstrtab");
    add(text, {}, names_);
    headers_.back().sh_name = name;
    out_.resize((out_.size() + 7) / 8 * 8);
    const u64 headers_at = out_.size();
    for (const Elf64_Shdr& header : headers_) put(header);
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_ident[EI_VERSION] = EV_CURRENT;
    head.e_type = elf_.position_independent ? ET_DYN : ET_EXEC;
    head.e_machine = EM_RISCV;
    head.e_version = EV_CURRENT;
    head.e_entry = elf_.entry.value;
    head.e_phoff = sizeof head;
    head.e_shoff = headers_at;
    head.e_ehsize = sizeof head;
    head.e_phentsize = sizeof(Elf64_Phdr);
    head.e_phnum = static_cast<u16>(elf_.segments.size());
    head.e_shentsize = sizeof(Elf64_Shdr);
    head.e_shnum = static_cast<u16>(headers_.size());
    head.e_shstrndx = static_cast<u16>(strings);
    std::memcpy(out_.data(), &head, sizeof head);
  }

  static constexpr std::size_t kMaxSymbolName = 4096;
  const Elf& elf_;
  const std::vector<Section> sections_;
  std::vector<u8> out_;
  std::vector<u8> names_{0};
  std::vector<Elf64_Shdr> headers_;
  std::vector<std::optional<u16>> new_index_;  ///< By the index in the image.
};

}  // namespace

std::vector<u8> make_symbol_file(std::span<const u8> image, Dwarf dwarf) {
  const Elf elf = parse_elf(image);
  return Writer(elf, image, dwarf).take();
}

std::vector<u8> build_id_of(std::span<const u8> image) {
  if (!is_elf(image)) return {};
  for (const Section& section : read_sections(image)) {
    if (section.name != kBuildIdSection || section.bytes.size() <= kBuildIdAt) continue;
    u32 size_bytes = 0;
    std::memcpy(&size_bytes, section.bytes.data() + 4, sizeof size_bytes);
    if (size_bytes > kMaxBuildIdBytes || size_bytes > section.bytes.size() - kBuildIdAt) continue;
    const auto id = section.bytes.subspan(kBuildIdAt, size_bytes);
    return {id.begin(), id.end()};
  }
  return {};
}

}  // namespace retrov
