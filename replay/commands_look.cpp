#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "core/check.hpp"
#include "core/disasm.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace command_rows {

namespace {

constexpr u64 kMostBytes = u64{1} << 16;

u64 bounded(std::string_view text, u64 most) {
  const u64 value = parse_number(text);
  if (value == 0 || value > most) {
    throw Error(Exit::kUsage, "'" + std::string(text) + "': from 1 to " + group_digits(most) + " at a time");
  }
  return value;
}

/// All of it, or an Error that names the first address that cannot be read.
std::vector<u8> read_all(const CommandContext& context, u64 address, u64 size_bytes) {
  std::vector<u8> bytes(size_bytes);
  const std::size_t got = context.debugger.read_memory(context.hart, context.space, address, bytes);
  if (got != bytes.size()) throw Error(Exit::kUsage, "cannot read memory at " + hex(address + got));
  return bytes;
}

/// "/8xw" as count, format and bytes per unit. As in gdb and QEMU: any order after the count, and each may be absent.
struct Examine {
  u64 count = 1;
  char format = 'x';
  unsigned unit_bytes = 4;
};

Examine parse_examine(std::string_view text) {
  Examine result;
  const std::string whole(text);
  text.remove_prefix(1);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits != 0) result.count = bounded(text.substr(0, digits), 4096);
  for (char c : text.substr(digits)) {
    switch (c) {
      case 'x':
      case 'd':
      case 'u':
      case 'o':
      case 'c':
      case 'i':
      case 's':
        result.format = c;
        break;
      case 'b':
        result.unit_bytes = 1;
        break;
      case 'h':
        result.unit_bytes = 2;
        break;
      case 'w':
        result.unit_bytes = 4;
        break;
      case 'g':
        result.unit_bytes = 8;
        break;
      default:
        throw Error(Exit::kUsage, "'" + whole + "': a count, then one of x d u o c i s, then one of b h w g");
    }
  }
  return result;
}

std::string octal(u64 value) {
  std::string text;
  for (; value != 0 || text.empty(); value >>= 3) text.insert(text.begin(), static_cast<char>('0' + (value & 7)));
  return "0" + text;
}

std::string character(u64 value) {
  const char c = static_cast<char>(value);
  return value >= 0x20 && value < 0x7f ? "'" + std::string(1, c) + "'" : "'\\x" + hex_digits(value, 2).substr(2) + "'";
}

std::string unit_text(u64 value, const Examine& what) {
  const unsigned shift = 64 - 8 * what.unit_bytes;
  switch (what.format) {
    case 'x':
      return hex_digits(value, 2 * what.unit_bytes);
    case 'u':
      return std::to_string(value);
    case 'o':
      return octal(value);
    case 'c':
      return character(value & 0xff);
    default:
      return std::to_string(static_cast<i64>(value << shift) >> shift);
  }
}

void print_units(const CommandContext& context, u64 address, const Examine& what, std::ostream& out) {
  const std::vector<u8> bytes = read_all(context, address, what.count * what.unit_bytes);
  const u64 per_line = 16 / what.unit_bytes;
  for (u64 i = 0; i < what.count; ++i) {
    if (i % per_line == 0) out << (i == 0 ? "" : "\n") << hex(address + i * what.unit_bytes) << ':';
    out << "  " << unit_text(little_endian(std::span(bytes).subspan(i * what.unit_bytes, what.unit_bytes)), what);
  }
  out << '\n';
}

void print_strings(const CommandContext& context, u64 address, u64 count, std::ostream& out) {
  for (u64 i = 0; i < count; ++i) {
    out << hex(address) << ": \"";
    for (u64 length = 0;; ++length) {
      const u8 c = read_all(context, address, 1)[0];
      ++address;
      if (c == 0 || length == 4096) break;
      if (c < 0x20 || c >= 0x7f) {
        out << "\\x" << hex_digits(c, 2).substr(2);
      } else {
        out << static_cast<char>(c);
      }
    }
    out << "\"\n";
  }
}

void print_instructions(const CommandContext& context, u64 address, u64 count, std::ostream& out) {
  const u64 pc = pc_of(context, context.hart);
  for (u64 i = 0; i < count; ++i) {
    std::array<u8, 4> bytes{};
    const std::size_t got = context.debugger.read_memory(context.hart, context.space, address, bytes);
    const std::size_t length = got >= 2 && (bytes[0] & 3) == 3 ? 4 : 2;
    if (got < length) throw Error(Exit::kUsage, "cannot read memory at " + hex(address + got));
    const u32 bits = static_cast<u32>(little_endian(std::span(bytes).first(length)));
    out << (address == pc ? "=> " : "   ") << hex(address) << ":  "
        << hex_digits(bits, static_cast<unsigned>(2 * length)).substr(2) << (length == 2 ? "      " : "  ")
        << retrov::disassemble(bits, VirtAddr{address}) << '\n';
    address += length;
  }
}

}  // namespace

void name_hart(const CommandContext& context, std::ostream& out) {
  const bool is_gdb = context.go_to != nullptr;
  if (is_gdb && context.debugger.machine().hart_count() > 1) out << "hart " << context.hart << ":\n";
}

void list_registers(CommandContext& context, std::ostream& out, const std::function<bool(const RegisterInfo&)>& which) {
  constexpr std::size_t kColumns = 3;
  constexpr std::size_t kNameWidth = 14;
  name_hart(context, out);
  std::size_t column = 0;
  for (const RegisterInfo& info : register_list()) {
    if (!which(info)) continue;
    const auto value = context.debugger.machine().read_register(context.hart, info.id);
    if (!value) continue;
    std::string name = info.name;
    name.append(name.size() < kNameWidth ? kNameWidth - name.size() : 1, ' ');
    out << (column % kColumns == 0 ? "" : "   ") << name << hex_digits(*value, 16);
    if (++column % kColumns == 0) out << '\n';
  }
  if (column % kColumns != 0) out << '\n';
}

std::string hex_digits(u64 value, unsigned digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x";
  for (unsigned i = digits; i-- > 0;) text += kDigits[value >> (4 * i) & 15];
  return text;
}

std::string hex(u64 value) {
  unsigned digits = 1;
  while (digits < 16 && value >> (4 * digits) != 0) ++digits;
  return hex_digits(value, digits);
}

u64 little_endian(std::span<const u8> bytes) {
  u64 value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= u64{bytes[i]} << (8 * i);
  return value;
}

u64 pc_of(const CommandContext& context, unsigned hart) {
  return context.debugger.machine().read_register(hart, kRegisterPc).value_or(0);
}

void hash(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "hash");
  out << hex_digits(context.debugger.hash(), 16).substr(2) << "  step "
      << group_digits(context.debugger.position().steps) << '\n';
  for (const ComponentHash& component : context.debugger.component_hashes()) {
    out << "  " << hex_digits(component.hash, 16).substr(2) << "  " << component.name << '\n';
  }
}

void registers(CommandContext& context, Arguments arguments, std::ostream& out) {
  if (arguments.empty()) {
    list_registers(context, out, [](const RegisterInfo& info) { return info.group == RegisterGroup::kGeneral; });
  } else if (arguments.size() == 1 && arguments[0] == "all") {
    list_registers(context, out, [](const RegisterInfo&) { return true; });
  } else {
    for (std::string_view name : arguments) {
      const auto id = find_register(name.starts_with("$") ? name.substr(1) : name);
      if (!id) throw Error(Exit::kUsage, "no register '" + std::string(name) + "'");
    }
    list_registers(context, out, [&](const RegisterInfo& info) {
      return std::any_of(arguments.begin(), arguments.end(), [&](std::string_view name) {
        return find_register(name.starts_with("$") ? name.substr(1) : name) == info.id;
      });
    });
  }
}

void set(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 2, 2, "set REGISTER VALUE");
  const std::string_view name = arguments[0].starts_with("$") ? arguments[0].substr(1) : arguments[0];
  const auto id = find_register(name);
  if (!id) throw Error(Exit::kUsage, "no register '" + std::string(name) + "'");
  context.debugger.write_register(context.hart, *id, parse_address(context, arguments[1]));
  const auto value = context.debugger.machine().read_register(context.hart, *id);
  out << name << ' ' << hex_digits(value.value_or(0), 16) << '\n';
}

void system_reset(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "system_reset");
  context.debugger.reset_machine();
  out << "the machine is reset with its next step\n";
}

void memory(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 2, "memory ADDRESS [BYTES]");
  const u64 address = parse_address(context, arguments[0]);
  const u64 size_bytes = arguments.size() == 2 ? bounded(arguments[1], kMostBytes) : 64;
  const std::vector<u8> bytes = read_all(context, address, size_bytes);
  for (std::size_t line = 0; line < bytes.size(); line += 16) {
    out << hex_digits(address + line, 16).substr(2) << ' ';
    std::string letters;
    for (std::size_t i = line; i < line + 16; ++i) {
      if (i % 8 == 0) out << ' ';
      out << (i < bytes.size() ? hex_digits(bytes[i], 2).substr(2) : "  ") << ' ';
      if (i < bytes.size()) letters += bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '.';
    }
    out << " |" << letters << "|\n";
  }
}

void examine(CommandContext& context, Arguments arguments, std::ostream& out) {
  const bool has_format = !arguments.empty() && arguments[0].starts_with("/");
  const std::size_t expected = has_format ? 2 : 1;
  expect_arguments(arguments, expected, expected, "x [/NFU] ADDRESS");
  const Examine what = has_format ? parse_examine(arguments[0]) : Examine{};
  const u64 address = parse_address(context, arguments.back());
  name_hart(context, out);
  switch (what.format) {
    case 'i':
      return print_instructions(context, address, what.count, out);
    case 's':
      return print_strings(context, address, what.count, out);
    default:
      return print_units(context, address, what, out);
  }
}

/// QEMU's word: x of physical addresses, whatever `phys` says.
void examine_physical(CommandContext& context, Arguments arguments, std::ostream& out) {
  const AddressSpace space = std::exchange(context.space, AddressSpace::kPhysical);
  try {
    examine(context, arguments, out);
  } catch (const Error&) {
    context.space = space;
    throw;
  }
  context.space = space;
}

void disassemble(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 2, "disassemble [ADDRESS] [N]");
  const u64 address = arguments.empty() ? pc_of(context, context.hart) : parse_address(context, arguments[0]);
  print_instructions(context, address, arguments.size() == 2 ? bounded(arguments[1], 4096) : 10, out);
}

}  // namespace command_rows

u64 parse_address(const CommandContext& context, std::string_view text) {
  using namespace command_rows;
  const std::size_t sign = text.find_first_of("+-", 1);
  if (sign != std::string_view::npos) {
    const u64 left = parse_address(context, text.substr(0, sign));
    // The rest is a sum of its own, so a minus belongs to its first part only.
    const std::string_view rest = text.substr(sign + 1);
    const std::size_t next = std::min(rest.find_first_of("+-", 1), rest.size());
    const u64 right = parse_address(context, rest.substr(0, next));
    const u64 sum = text[sign] == '+' ? left + right : left - right;
    if (next == rest.size()) return sum;
    return parse_address(context, hex(sum) + std::string(rest.substr(next)));
  }
  if (text.empty()) throw Error(Exit::kUsage, "an address is missing");
  if (text[0] >= '0' && text[0] <= '9') return parse_number(text);
  if (text[0] == '$') {
    const auto id = find_register(text.substr(1));
    const auto value = id ? context.debugger.machine().read_register(context.hart, *id) : std::nullopt;
    if (!value) throw Error(Exit::kUsage, "no register '" + std::string(text.substr(1)) + "'");
    return *value;
  }
  if (context.symbol) {
    if (const auto value = context.symbol(text)) return *value;
  }
  throw Error(Exit::kUsage, "'" + std::string(text) +
                                "' is no number, no register (a dollar sign and its name) and no known symbol");
}

}  // namespace retrov
