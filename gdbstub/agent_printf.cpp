#include "gdbstub/agent_printf.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

constexpr std::size_t kMostStringBytes = 4096;

[[noreturn]] void refuse(const std::string& why) { throw Error(Exit::kFailure, "printf: " + why); }

/// The character an escape means; `text` begins behind the backslash and is cut behind the escape.
char take_escape(std::string_view& text) {
  constexpr std::string_view kLetters = "abefnrtv\\\"'?";
  constexpr std::string_view kMeanings = "\a\b\033\f\n\r\t\v\\\"'?";
  if (text.empty()) refuse("the format ends in the middle of an escape");
  if (const std::size_t at = kLetters.find(text.front()); at != std::string_view::npos) {
    text.remove_prefix(1);
    return kMeanings[at];
  }
  std::size_t digits = 0;
  unsigned value = 0;
  for (; digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '7'; ++digits) {
    value = value * 8 + static_cast<unsigned>(text[digits] - '0');
  }
  if (digits == 0 || value > 255) refuse("there is no escape \\" + std::string(1, text.front()));
  text.remove_prefix(digits);
  return static_cast<char>(value);
}

/// What a length modifier means for the width of an integer here, as on the guest.
std::optional<unsigned> size_of(std::string_view length) {
  struct Row {
    std::string_view length;
    unsigned bits;
  };
  constexpr std::array kRows = {Row{"", 32},  Row{"hh", 8}, Row{"h", 16}, Row{"l", 64},
                                Row{"ll", 64}, Row{"j", 64}, Row{"z", 64}, Row{"t", 64}};
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& each) { return each.length == length; });
  return row == kRows.end() ? std::nullopt : std::optional(row->bits);
}

std::string read_string(const HartView& hart, u64 address) {
  std::string text;
  while (text.size() < kMostStringBytes) {
    u8 byte = 0;
    if (hart.read_memory(VirtAddr{address + text.size()}, {&byte, 1}) == 0) {
      if (text.empty()) text = "<nothing can be read at 0x" + hex_number(address) + ">";
      break;
    }
    if (byte == 0) break;
    text += static_cast<char>(byte);
  }
  return text;
}

/// `pattern` is made by parse_conversion, and `value` is of the type that it names.
template <class Value>
void append(std::string& out, const std::string& pattern, Value value) {
  const int size = std::snprintf(nullptr, 0, pattern.c_str(), value);
  std::string text(static_cast<std::size_t>(std::max(size, 0)) + 1, '\0');
  std::snprintf(text.data(), text.size(), pattern.c_str(), value);
  text.pop_back();
  out += text;
}

/// How many bytes of the beginning are one character of UTF-8 (RFC 3629, section 4); 0 if they are none.
std::size_t character_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<u8>(text[i]); };
  if (at(0) < 0x80) return 1;
  const std::size_t size = at(0) < 0xc2 ? 0 : at(0) < 0xe0 ? 2 : at(0) < 0xf0 ? 3 : at(0) < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (at(i) >> 6 != 2) return 0;
  }
  // Too long for what they mean, halves of UTF-16, beyond the last character.
  const bool overlong = (at(0) == 0xe0 && at(1) < 0xa0) || (at(0) == 0xf0 && at(1) < 0x90);
  const bool no_character = (at(0) == 0xed && at(1) >= 0xa0) || (at(0) == 0xf4 && at(1) >= 0x90);
  return overlong || no_character ? 0 : size;
}

/// With \ooo for each byte of the guest's that is no text: gdb's Python takes no other.
std::string as_text(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    if (size == 0) {
      std::array<char, 8> escape;
      std::snprintf(escape.data(), escape.size(), "\\%03o", static_cast<unsigned>(static_cast<u8>(bytes[0])));
      text += escape.data();
    }
    text += bytes.substr(0, size);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

}  // namespace

AgentFormat::AgentFormat(std::string_view text, unsigned arguments) {
  Piece piece;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\\') {
      piece.text += take_escape(text);
    } else if (c != '%') {
      piece.text += c;
    } else if (text.starts_with('%')) {
      piece.text += '%';
      text.remove_prefix(1);
    } else {
      text = parse_conversion(text, piece);
      pieces_.push_back(std::exchange(piece, {}));
      ++argument_count_;
    }
  }
  if (!piece.text.empty()) pieces_.push_back(piece);
  if (argument_count_ != arguments) refuse("the format has another number of conversions than there are arguments");
}

/// What follows a '%'. Returns what follows the conversion.
std::string_view AgentFormat::parse_conversion(std::string_view text, Piece& piece) const {
  const auto take = [&](std::string_view set, std::size_t most) {
    const std::size_t count = std::min(text.find_first_not_of(set), text.size());
    if (count > most) refuse("a width is too large");
    const std::string_view taken = text.substr(0, count);
    text.remove_prefix(count);
    return std::string(taken);
  };
  constexpr std::string_view kDigits = "0123456789";
  piece.flags = take("-+ #0", 8);
  piece.flags += take(kDigits, 3);
  if (text.starts_with('.')) {
    piece.flags += take(".", 1);
    piece.flags += take(kDigits, 3);
  }
  const std::optional<unsigned> bits = size_of(take("hljzt", 2));
  const char conversion = text.empty() ? '\0' : text.front();
  constexpr std::string_view kKnown = "diuoxXcsp";
  const bool is_wide = bits == 64u && (conversion == 'c' || conversion == 's');
  if (conversion == 0 || !bits || is_wide || kKnown.find(conversion) == std::string_view::npos) {
    refuse("a conversion that is not known");
  }
  piece.conversion = conversion == 'i' ? 'd' : conversion;
  piece.size_bits = *bits;
  return text.substr(1);
}

void AgentFormat::print(const HartView& hart, std::span<const u64> arguments, std::string& out) const {
  std::size_t next = 0;
  std::string bytes;
  for (const Piece& piece : pieces_) {
    bytes += piece.text;
    if (piece.conversion == 0) continue;
    const u64 argument = arguments[next++];
    const unsigned unused_bits = 64 - piece.size_bits;
    switch (piece.conversion) {
      case 'd':
        append(bytes, "%" + piece.flags + "lld",
               static_cast<long long>(static_cast<i64>(argument << unused_bits) >> unused_bits));
        break;
      case 'c':
        append(bytes, "%" + piece.flags + "c", static_cast<int>(argument & 0xff));
        break;
      case 's':
        append(bytes, "%" + piece.flags + "s", read_string(hart, argument).c_str());
        break;
      case 'p':
        append(bytes, "%" + piece.flags + "s", ("0x" + hex_number(argument)).c_str());
        break;
      default:
        append(bytes, "%" + piece.flags + "ll" + piece.conversion,
               static_cast<unsigned long long>(argument << unused_bits >> unused_bits));
    }
  }
  out += as_text(bytes);
}

}  // namespace retrov
