// Numbers and bytes as gdb writes them: numbers as hexadecimal digits, highest first; memory and registers as two
// digits per byte in the order of the target's memory. Everything a client sends is hostile, so parsing gives an
// optional.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov {

[[nodiscard]] std::optional<unsigned> hex_digit(char c);
void append_hex_byte(std::string& out, u8 byte);
/// Without leading zeros, "0" for zero.
[[nodiscard]] std::string hex_number(u64 value);
[[nodiscard]] std::string hex_bytes(std::span<const u8> bytes);
[[nodiscard]] std::string hex_bytes(std::string_view bytes);
/// `size_bytes` bytes of the value, lowest first.
[[nodiscard]] std::string hex_little_endian(u64 value, unsigned size_bytes);

/// The whole text is one number of at most 64 bits.
[[nodiscard]] std::optional<u64> parse_hex(std::string_view text);
/// The whole text is pairs of digits.
[[nodiscard]] std::optional<std::vector<u8>> parse_bytes(std::string_view text);
/// Lowest byte first; at most eight bytes.
[[nodiscard]] std::optional<u64> parse_little_endian(std::string_view text);

/// Cuts `text` at the first `separator`: returns what stands before it and leaves what follows. Without one, returns
/// all and leaves nothing.
std::string_view split(std::string_view& text, char separator);

}  // namespace retrov
