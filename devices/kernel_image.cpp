#include "devices/kernel_image.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace retrov {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kHeaderBytes = 64;

bool has_at(std::span<const u8> bytes, u64 offset, std::string_view magic) {
  return bytes.size() >= magic.size() && offset <= bytes.size() - magic.size() &&
         std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

/// Zero for what lies past the end.
u64 little_endian(std::span<const u8> bytes, u64 offset, std::size_t size_bytes) {
  u64 value = 0;
  for (std::size_t i = 0; i < size_bytes && offset + i < bytes.size(); ++i) value |= u64{bytes[offset + i]} << (8 * i);
  return value;
}

/// Where the last of what a PE file describes ends: its table of sections, and the data of each. Offsets are those of
/// Microsoft's "PE Format": COFF header, section table.
u64 pe_file_bytes(std::span<const u8> bytes) {
  const u64 header_at = little_endian(bytes, 60, 4);
  if (!has_at(bytes, 0, "MZ"sv) || !has_at(bytes, header_at, "PE\0\0"sv)) return 0;
  constexpr u64 kCoffBytes = 24, kSectionBytes = 40;
  const u64 sections = little_endian(bytes, header_at + 6, 2);
  const u64 table_at = header_at + kCoffBytes + little_endian(bytes, header_at + 20, 2);
  u64 end = table_at + sections * kSectionBytes;
  for (u64 i = 0; i < sections; ++i) {
    const u64 section_at = table_at + i * kSectionBytes;
    end = std::max(end, little_endian(bytes, section_at + 16, 4) + little_endian(bytes, section_at + 20, 4));
  }
  return end;
}

}  // namespace

const char* why_unusable(std::span<const u8> bytes) {
  if (bytes.empty()) return "the file is empty";
  if (has_at(bytes, 0, "\x1f\x8b"sv)) return "gzip-compressed; decompress it first (gunzip)";
  if (has_at(bytes, 0, "MZ"sv) && has_at(bytes, 4, "zimg"sv)) {
    return "an EFI zboot image; extract the compressed kernel in it first";
  }
  if (has_at(bytes, 0, "\x27\x05\x19\x56"sv)) {
    return "a U-Boot image; give the kernel that was wrapped (dumpimage extracts it)";
  }
  return nullptr;
}

std::optional<LinuxHeader> linux_header(std::span<const u8> bytes) {
  if (bytes.size() < kHeaderBytes || !has_at(bytes, 56, "RSC\x05"sv)) return std::nullopt;
  return LinuxHeader{little_endian(bytes, 8, 8), little_endian(bytes, 16, 8), pe_file_bytes(bytes)};
}

}  // namespace retrov
