// Makes small ELF64 images byte by byte, sound ones and damaged ones. Field offsets are those of the ELF specification.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov::test {

inline constexpr std::size_t kElfHeaderBytes = 64, kProgramHeaderBytes = 56, kSectionHeaderBytes = 64;
inline constexpr std::size_t kElfSymbolBytes = 24;
inline constexpr u16 kElfRelocatable = 1, kElfExecutable = 2, kElfDynamic = 3;
inline constexpr u16 kMachineX86_64 = 62, kMachineRiscv = 243;
inline constexpr u8 kSymbolNone = 0, kSymbolObject = 1, kSymbolFunction = 2;
inline constexpr u16 kSectionUndefined = 0, kSectionAbsolute = 0xfff1;

struct MadeSegment {
  u64 address = 0;
  std::vector<u8> bytes;
  u64 memory_bytes = 0;     ///< 0: as many as there are bytes.
  u64 virtual_address = 0;  ///< 0: the physical one.
};

struct MadeSymbol {
  std::string name;
  u64 value = 0;
  u64 size_bytes = 0;
  u8 type = kSymbolObject;
  u16 section = kSectionAbsolute;
};

class ElfMaker {
 public:
  u64 entry = 0x80000000;
  u16 type = kElfExecutable;
  u16 machine = kMachineRiscv;
  u8 file_class = 2;  ///< 1: 32-bit.
  u8 encoding = 1;    ///< 2: big-endian.
  std::vector<MadeSegment> segments;
  std::vector<MadeSymbol> symbols;

  /// Header, program headers, segments, then symbols, their strings and the section headers.
  [[nodiscard]] std::vector<u8> make() const {
    std::vector<u8> out(kElfHeaderBytes + segments.size() * kProgramHeaderBytes);
    const u8 identity[] = {0x7f, 'E', 'L', 'F', file_class, encoding, 1};
    std::copy(std::begin(identity), std::end(identity), out.begin());
    put(out, 16, type, 2);
    put(out, 18, encoding == 2 ? machine << 8 | machine >> 8 : machine, 2);
    put(out, 20, 1, 4);
    put(out, 24, entry, 8);
    put(out, 32, kElfHeaderBytes, 8);
    put(out, 52, kElfHeaderBytes, 2);
    put(out, 54, kProgramHeaderBytes, 2);
    put(out, 56, segments.size(), 2);
    for (std::size_t i = 0; i < segments.size(); ++i) add_segment(out, i);
    if (!symbols.empty()) add_symbols(out);
    return out;
  }
  /// Where the header of the section with the names of the symbols is; it is the last one.
  [[nodiscard]] static std::size_t string_section(const std::vector<u8>& image) {
    return image.size() - kSectionHeaderBytes;
  }
  static void put(std::vector<u8>& out, std::size_t offset, u64 value, std::size_t size_bytes) {
    for (std::size_t i = 0; i < size_bytes; ++i) out.at(offset + i) = static_cast<u8>(value >> (8 * i));
  }

 private:
  static void align(std::vector<u8>& out) { out.resize((out.size() + 7) / 8 * 8); }

  void add_segment(std::vector<u8>& out, std::size_t index) const {
    const MadeSegment& segment = segments[index];
    const std::size_t header = kElfHeaderBytes + index * kProgramHeaderBytes;
    put(out, header, 1, 4);  // PT_LOAD
    put(out, header + 8, out.size(), 8);
    put(out, header + 16, segment.virtual_address != 0 ? segment.virtual_address : segment.address, 8);
    put(out, header + 24, segment.address, 8);
    put(out, header + 32, segment.bytes.size(), 8);
    put(out, header + 40, segment.memory_bytes != 0 ? segment.memory_bytes : segment.bytes.size(), 8);
    out.insert(out.end(), segment.bytes.begin(), segment.bytes.end());
    align(out);
  }
  void add_symbols(std::vector<u8>& out) const {
    const std::size_t table = out.size();
    std::string strings(1, '\0');
    out.resize(table + (symbols.size() + 1) * kElfSymbolBytes);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const MadeSymbol& symbol = symbols[i];
      const std::size_t at = table + (i + 1) * kElfSymbolBytes;
      put(out, at, strings.size(), 4);
      put(out, at + 4, u64{1} << 4 | symbol.type, 1);  // Global.
      put(out, at + 6, symbol.section, 2);
      put(out, at + 8, symbol.value, 8);
      put(out, at + 16, symbol.size_bytes, 8);
      strings += symbol.name + '\0';
    }
    const std::size_t names = out.size();
    out.insert(out.end(), strings.begin(), strings.end());
    align(out);
    const std::size_t sections = out.size();
    out.resize(sections + 3 * kSectionHeaderBytes);
    add_section(out, sections + kSectionHeaderBytes, 2, table, names - table);
    put(out, sections + kSectionHeaderBytes + 40, 2, 4);  // Names are in section 2.
    put(out, sections + kSectionHeaderBytes + 56, kElfSymbolBytes, 8);
    add_section(out, sections + 2 * kSectionHeaderBytes, 3, names, strings.size());
    put(out, 40, sections, 8);
    put(out, 58, kSectionHeaderBytes, 2);
    put(out, 60, 3, 2);
  }
  static void add_section(std::vector<u8>& out, std::size_t at, u32 section_type, u64 offset, u64 size_bytes) {
    put(out, at + 4, section_type, 4);
    put(out, at + 24, offset, 8);
    put(out, at + 32, size_bytes, 8);
  }
};

}  // namespace retrov::test
