#include "gdbstub/hex.hpp"

#include <algorithm>

namespace retrov {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

void append_hex_byte(std::string& out, u8 byte) {
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

std::string hex_number(u64 value) {
  std::string result;
  do {
    result += kDigits[value & 15];
    value >>= 4;
  } while (value != 0);
  std::reverse(result.begin(), result.end());
  return result;
}

std::string hex_bytes(std::span<const u8> bytes) {
  std::string result;
  result.reserve(bytes.size() * 2);
  for (const u8 byte : bytes) append_hex_byte(result, byte);
  return result;
}

std::string hex_bytes(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_hex_byte(result, static_cast<u8>(byte));
  return result;
}

std::string hex_little_endian(u64 value, unsigned size_bytes) {
  std::string result;
  for (unsigned i = 0; i < size_bytes; ++i, value >>= 8) append_hex_byte(result, static_cast<u8>(value));
  return result;
}

std::optional<u64> parse_hex(std::string_view text) {
  if (text.empty()) return std::nullopt;
  u64 result = 0;
  for (const char c : text) {
    const std::optional<unsigned> digit = hex_digit(c);
    if (!digit || result >> 60 != 0) return std::nullopt;
    result = result << 4 | *digit;
  }
  return result;
}

std::optional<std::vector<u8>> parse_bytes(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<u8> result;
  result.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::optional<unsigned> high = hex_digit(text[i]);
    const std::optional<unsigned> low = hex_digit(text[i + 1]);
    if (!high || !low) return std::nullopt;
    result.push_back(static_cast<u8>(*high << 4 | *low));
  }
  return result;
}

std::optional<u64> parse_little_endian(std::string_view text) {
  const std::optional<std::vector<u8>> bytes = parse_bytes(text);
  if (!bytes || bytes->empty() || bytes->size() > sizeof(u64)) return std::nullopt;
  u64 result = 0;
  for (std::size_t i = bytes->size(); i-- > 0;) result = result << 8 | (*bytes)[i];
  return result;
}

std::string_view split(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view result = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return result;
}

}  // namespace retrov
