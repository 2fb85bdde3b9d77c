#include "gdbstub/packets.hpp"

#include <algorithm>
#include <vector>

#include "core/check.hpp"
#include "gdbstub/framing.hpp"
#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

std::string answer_error(Stub& stub, OnError on_error, const std::string& sentence) {
  switch (on_error) {
    case OnError::kCode:
      return stub.features.error_message ? stub.error(sentence) : "E01";
    case OnError::kLogged:
      stub.client().log(sentence);
      return stub.error(sentence);
    case OnError::kConsole:
      if (stub.features.error_message) return stub.error(sentence);
      stub.print(sentence + "\n");
      return "OK";
    case OnError::kStopped:
      stub.print("retrov: " + sentence + "\n");
      return stub.last_stop_reply();
    case OnError::kText:
      break;
  }
  return stub.error(sentence);
}

}  // namespace

std::span<const PacketHandler> packet_handlers() {
  static const std::vector<PacketHandler> all = [] {
    std::vector<PacketHandler> rows;
    for (const auto part : {session_packets(), thread_packets(), memory_packets(), register_packets(), run_packets()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return all;
}

const PacketHandler* find_packet_handler(std::string_view packet) {
  const PacketHandler* best = nullptr;
  for (const PacketHandler& row : packet_handlers()) {
    if (packet.starts_with(row.prefix) && (best == nullptr || row.prefix.size() > best->prefix.size())) best = &row;
  }
  return best;
}

std::string handle_packet(Stub& stub, std::string_view packet) {
  const PacketHandler* row = find_packet_handler(packet);
  if (row == nullptr) return "";
  try {
    return row->handle(stub, packet.substr(row->prefix.size()));
  } catch (const Error& error) {
    return answer_error(stub, row->on_error, error.what());
  }
}

std::string transfer(std::string_view document, std::string_view arguments) {
  std::string_view rest = arguments;
  const std::optional<u64> offset = parse_hex(split(rest, ','));
  const std::optional<u64> length = parse_hex(rest);
  if (!offset || !length || *offset > document.size()) {
    throw Error(Exit::kFailure, "qXfer wants offset,length within the document");
  }
  // Half a packet: each byte may need an escape.
  const u64 count = std::min<u64>(*length, kPacketSize / 2 - 16);
  const std::string_view part = document.substr(*offset, count);
  const bool last = *offset + part.size() == document.size();
  return (last ? "l" : "m") + escape_binary(part);
}

std::string refuse_annex(Stub&, std::string_view) { return "E00"; }

}  // namespace retrov
