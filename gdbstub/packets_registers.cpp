// Packets that read and write registers.

#include <algorithm>
#include <array>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"
#include "gdbstub/target_xml.hpp"

namespace retrov {
namespace {

/// Throws Error if the machine would refuse it.
void write(Stub& stub, unsigned hart, RegisterId id, u64 value) {
  // gdb may compute an odd pc from a function pointer; instructions are at even addresses.
  if (id == kRegisterPc) value &= ~u64{1};
  if (const std::optional<std::string> why = stub.machine().refuse_register_write(hart, id)) {
    throw Error(Exit::kFailure, *why);
  }
  stub.debugger().write_register(hart, id, value);
}

std::optional<RegisterId> parse_register(std::string_view text) {
  const std::optional<u64> number = parse_hex(text);
  if (!number || *number > 0xffff) return std::nullopt;
  return RegisterId{static_cast<u16>(*number)};
}

std::string read_all(Stub& stub, std::string_view arguments) {
  if (!arguments.empty()) return "";
  std::string result;
  for (const RegisterId id : general_registers(stub.machine().registers())) {
    result += register_text(stub.machine(), stub.general_hart(), id);
  }
  return result;
}

/// Only what differs is written: at the live end each write is an event of the recording, and some registers refuse.
std::string write_all(Stub& stub, std::string_view arguments) {
  struct Write {
    RegisterId id;
    u64 value;
  };
  std::vector<Write> writes;
  const unsigned hart = stub.general_hart();
  for (const RegisterId id : general_registers(stub.machine().registers())) {
    const std::size_t digits = std::size_t{2} * register_bytes(stub.machine().registers(), id);
    if (arguments.empty()) break;
    if (arguments.size() < digits) return stub.error("G ends in the middle of a register");
    const std::string_view text = arguments.substr(0, digits);
    arguments.remove_prefix(digits);
    if (text.find_first_not_of('x') == std::string_view::npos) continue;
    const std::optional<u64> value = parse_little_endian(text);
    if (!value) return stub.error("G wants pairs of digits");
    if (stub.machine().read_register(hart, id) != value) writes.push_back({id, *value});
  }
  if (!arguments.empty()) return stub.error("G is longer than the registers");
  for (const Write& one : writes) write(stub, hart, one.id, one.value);
  return "OK";
}

std::string read_one(Stub& stub, std::string_view arguments) {
  const std::optional<RegisterId> id = parse_register(arguments);
  if (!id) return stub.error("p wants a register's number");
  // What the description lists is always readable, if need be as x's; what it does not list is a mistake of the client.
  const std::vector<RegisterInfo>& known = stub.machine().registers();
  const bool exists = std::any_of(known.begin(), known.end(), [&](const RegisterInfo& info) { return info.id == *id; });
  if (!exists) return stub.error("there is no register " + std::to_string(static_cast<unsigned>(*id)));
  return register_text(stub.machine(), stub.general_hart(), *id);
}

std::string write_one(Stub& stub, std::string_view arguments) {
  const std::optional<RegisterId> id = parse_register(split(arguments, '='));
  const std::optional<u64> value = parse_little_endian(arguments);
  if (!id || !value) return stub.error("P wants number=value");
  write(stub, stub.general_hart(), *id, *value);
  return "OK";
}

constexpr std::array kRows = {
    PacketHandler{"g", "", OnError::kText, read_all},
    PacketHandler{"G", "", OnError::kText, write_all},
    PacketHandler{"p", "", OnError::kText, read_one},
    PacketHandler{"P", "", OnError::kText, write_one},
};

}  // namespace

std::span<const PacketHandler> register_packets() { return kRows; }

}  // namespace retrov
