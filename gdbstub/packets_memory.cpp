// Packets that read, write and search memory: through the selected hart's translation, or physical if the client asked
// for that. Addresses wrap at 2^64 in the guest, but no packet reaches across that end.

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/framing.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"

namespace retrov {
namespace {

constexpr std::size_t kChunkBytes = 1u << 16;

struct Range {
  u64 address = 0;
  u64 length = 0;
};

/// "address,length", cut where addresses end.
std::optional<Range> parse_range(std::string_view text, char separator = ',') {
  const std::optional<u64> address = parse_hex(split(text, separator));
  const std::optional<u64> length = parse_hex(text);
  if (!address || !length) return std::nullopt;
  const u64 bytes_to_end = ~*address;  // after the first
  return Range{*address, *length == 0 ? 0 : std::min(*length - 1, bytes_to_end) + 1};
}

AddressSpace space_of(const Stub& stub) {
  return stub.controls.physical ? AddressSpace::kPhysical : AddressSpace::kVirtual;
}

/// The readable beginning, at most `limit` bytes. Throws Error if there is none.
std::vector<u8> read_some(Stub& stub, Range range, std::size_t limit) {
  std::vector<u8> bytes(std::min<u64>(range.length, limit));
  bytes.resize(stub.debugger().read_memory(stub.general_hart(), space_of(stub), range.address, bytes));
  if (bytes.empty() && range.length != 0) {
    throw Error(Exit::kFailure, "nothing can be read at 0x" + hex_number(range.address));
  }
  return bytes;
}

/// All of it, in pieces, until `visit` returns false. Throws Error at the first byte that cannot be read.
void read_in_chunks(Stub& stub, Range range, const std::function<bool(std::span<const u8>)>& visit) {
  while (range.length != 0) {
    const std::vector<u8> bytes = read_some(stub, range, kChunkBytes);
    if (!visit(bytes)) return;
    range.address += bytes.size();
    range.length -= bytes.size();
  }
}

std::string read_hex(Stub& stub, std::string_view arguments) {
  const std::optional<Range> range = parse_range(arguments);
  if (!range || range->length == 0) throw Error(Exit::kFailure, "m wants address,length");
  return hex_bytes(read_some(stub, *range, kPacketSize / 2 - 16));
}

std::string read_binary(Stub& stub, std::string_view arguments) {
  const std::optional<Range> range = parse_range(arguments);
  if (!range) throw Error(Exit::kFailure, "x wants address,length");
  const std::vector<u8> bytes = read_some(stub, *range, kPacketSize / 2 - 16);
  return "b" + escape_binary({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// `length` is what the client says; it must be what it sent.
std::string write_bytes(Stub& stub, std::string_view where, std::span<const u8> bytes) {
  const std::optional<Range> range = parse_range(where);
  if (!range || range->length != bytes.size()) {
    throw Error(Exit::kFailure, "a write wants address,length:bytes, and as many bytes as it says");
  }
  // gdb asks with no bytes whether we know X.
  if (!bytes.empty()) {
    stub.debugger().write_memory(stub.general_hart(), space_of(stub), range->address, bytes);
  }
  return "OK";
}

std::string write_hex(Stub& stub, std::string_view arguments) {
  const std::string_view where = split(arguments, ':');
  const std::optional<std::vector<u8>> bytes = parse_bytes(arguments);
  if (!bytes) throw Error(Exit::kFailure, "M wants pairs of digits");
  return write_bytes(stub, where, *bytes);
}

std::string write_binary(Stub& stub, std::string_view arguments) {
  const std::string_view where = split(arguments, ':');
  return write_bytes(stub, where, std::vector<u8>(arguments.begin(), arguments.end()));
}

bool all_zeros(std::span<const u8> bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin()));
}

/// "1,address" of the first match, or "0".
std::string search(Stub& stub, std::string_view arguments) {
  const std::optional<u64> address = parse_hex(split(arguments, ';'));
  const std::optional<u64> length = parse_hex(split(arguments, ';'));
  const std::string_view pattern = arguments;
  if (!address || !length || pattern.empty()) throw Error(Exit::kFailure, "qSearch wants address;length;pattern");
  const Range range{*address, *length == 0 ? 0 : std::min(*length - 1, ~*address) + 1};
  // Matches may lie across two pieces, so the tail of one is kept in front of the next.
  std::string window;
  u64 window_address = range.address;
  std::optional<u64> found;
  const std::boyer_moore_horspool_searcher searcher(pattern.begin(), pattern.end());
  const bool in_zeros = all_zeros({reinterpret_cast<const u8*>(pattern.data()), pattern.size()});
  read_in_chunks(stub, range, [&](std::span<const u8> bytes) {
    // Most of a large memory was never written, and gdb does not wait for long.
    if (!in_zeros && all_zeros(bytes) && window.find_first_not_of('\0') == std::string::npos) {
      const std::size_t keep = std::min(pattern.size() - 1, bytes.size());
      window_address += window.size() + bytes.size() - keep;
      window.assign(keep, '\0');
      return true;
    }
    window.append(bytes.begin(), bytes.end());
    const auto hit = std::search(window.cbegin(), window.cend(), searcher);
    if (hit != window.cend()) {
      found = window_address + static_cast<u64>(hit - window.cbegin());
      return false;
    }
    const std::size_t keep = std::min(window.size(), pattern.size() - 1);
    window_address += window.size() - keep;
    window.erase(0, window.size() - keep);
    return true;
  });
  return found ? "1," + hex_number(*found) : "0";
}

/// The checksum of `compare-sections`: CRC-32 with polynomial 0x04c11db7, most significant bit first, starting from all
/// ones, not inverted at the end (gdb's manual, "Separate Debug Files" names another one).
std::string checksum(Stub& stub, std::string_view arguments) {
  const std::optional<Range> range = parse_range(arguments);
  if (!range) throw Error(Exit::kFailure, "qCRC wants address,length");
  static const std::array<u32, 256> table = [] {
    std::array<u32, 256> result{};
    for (u32 i = 0; i < result.size(); ++i) {
      u32 value = i << 24;
      for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ (value >> 31 != 0 ? 0x04c11db7u : 0);
      result[i] = value;
    }
    return result;
  }();
  u32 crc = ~u32{0};
  read_in_chunks(stub, *range, [&](std::span<const u8> bytes) {
    for (const u8 byte : bytes) crc = crc << 8 ^ table[(crc >> 24 ^ byte) & 0xff];
    return true;
  });
  return "C" + hex_number(crc);
}

constexpr std::array kRows = {
    PacketHandler{"m", "", OnError::kCode, read_hex},
    PacketHandler{"M", "", OnError::kLogged, write_hex},
    PacketHandler{"x", "binary-upload+", OnError::kCode, read_binary},
    PacketHandler{"X", "", OnError::kLogged, write_binary},
    PacketHandler{"qSearch:memory:", "", OnError::kCode, search},
    PacketHandler{"qCRC:", "", OnError::kCode, checksum},
};

}  // namespace

std::span<const PacketHandler> memory_packets() { return kRows; }

}  // namespace retrov
