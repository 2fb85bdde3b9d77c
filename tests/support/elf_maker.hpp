// Makes small ELF images, sound ones and damaged ones.
#pragma once

#include <elf.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov::test {

struct MadeSegment {
  u64 address = 0;
  std::vector<u8> bytes;
  u64 memory_bytes = 0;
  u64 virtual_address = 0;
};

struct MadeSymbol {
  std::string name;
  u64 value = 0;
  u64 size_bytes = 0;
  unsigned char type = STT_OBJECT;
  u16 section = SHN_ABS;
};

struct ElfMaker {
  u64 entry = 0x80000000;
  u16 type = ET_EXEC;
  u16 machine = EM_RISCV;
  unsigned char file_class = ELFCLASS64;
  unsigned char data = ELFDATA2LSB;
  std::vector<MadeSegment> segments;
  std::vector<MadeSymbol> symbols;

  [[nodiscard]] std::vector<u8> make() const {
    std::vector<u8> out(sizeof(Elf64_Ehdr) + segments.size() * sizeof(Elf64_Phdr));
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = file_class;
    header.e_ident[EI_DATA] = data;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = data == ELFDATA2LSB ? machine : static_cast<u16>(machine << 8 | machine >> 8);
    header.e_version = EV_CURRENT;
    header.e_entry = entry;
    header.e_ehsize = sizeof header;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<u16>(segments.size());
    std::vector<Elf64_Phdr> programs;
    for (const MadeSegment& segment : segments) {
      Elf64_Phdr program{};
      program.p_type = PT_LOAD;
      program.p_offset = out.size();
      program.p_paddr = segment.address;
      program.p_vaddr = segment.virtual_address != 0 ? segment.virtual_address : segment.address;
      program.p_filesz = segment.bytes.size();
      program.p_memsz = segment.memory_bytes != 0 ? segment.memory_bytes : segment.bytes.size();
      programs.push_back(program);
      out.insert(out.end(), segment.bytes.begin(), segment.bytes.end());
      out.resize((out.size() + 7) / 8 * 8);
    }
    if (!symbols.empty()) append_symbols(out, header);
    std::memcpy(out.data(), &header, sizeof header);
    if (!programs.empty()) {
      std::memcpy(out.data() + sizeof header, programs.data(), programs.size() * sizeof(Elf64_Phdr));
    }
    return out;
  }

 private:
  void append_symbols(std::vector<u8>& out, Elf64_Ehdr& header) const {
    std::string strings(1, '\0');
    std::vector<Elf64_Sym> table(1);
    for (const MadeSymbol& symbol : symbols) {
      Elf64_Sym entry_of{};
      entry_of.st_name = static_cast<u32>(strings.size());
      entry_of.st_info = ELF64_ST_INFO(STB_GLOBAL, symbol.type);
      entry_of.st_shndx = symbol.section;
      entry_of.st_value = symbol.value;
      entry_of.st_size = symbol.size_bytes;
      table.push_back(entry_of);
      strings += symbol.name;
      strings += '\0';
    }
    std::array<Elf64_Shdr, 3> sections{};
    sections[1].sh_type = SHT_SYMTAB;
    sections[1].sh_offset = out.size();
    sections[1].sh_size = table.size() * sizeof(Elf64_Sym);
    sections[1].sh_entsize = sizeof(Elf64_Sym);
    sections[1].sh_link = 2;
    append(out, table.data(), sections[1].sh_size);
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = out.size();
    sections[2].sh_size = strings.size();
    append(out, strings.data(), strings.size());
    out.resize((out.size() + 7) / 8 * 8);
    header.e_shoff = out.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = sections.size();
    append(out, sections.data(), sizeof sections);
  }
  static void append(std::vector<u8>& out, const void* data_at, std::size_t size_bytes) {
    const u8* bytes = static_cast<const u8*>(data_at);
    out.insert(out.end(), bytes, bytes + size_bytes);
  }
};

}  // namespace retrov::test
