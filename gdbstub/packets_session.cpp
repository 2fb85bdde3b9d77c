// Packets about the session: who supports what, how it ends, `monitor`.

#include <array>

#include "gdbstub/framing.hpp"
#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"
#include "gdbstub/target_xml.hpp"

namespace retrov {
namespace {

std::string supported(Stub& stub, std::string_view arguments) {
  if (arguments.starts_with(':')) arguments.remove_prefix(1);
  while (!arguments.empty()) {
    const std::string_view feature = split(arguments, ';');
    if (feature == "multiprocess+") stub.features.multiprocess = true;
    if (feature == "swbreak+") stub.features.swbreak = true;
    if (feature == "hwbreak+") stub.features.hwbreak = true;
    if (feature == "error-message+") stub.features.error_message = true;
  }
  std::string result = "PacketSize=" + hex_number(kPacketSize);
  result += ";swbreak+;hwbreak+";
  if (stub.features.multiprocess) result += ";multiprocess+";
  if (stub.features.error_message) result += ";error-message+";
  for (const PacketHandler& row : packet_handlers()) {
    if (!row.feature.empty()) result += ";" + std::string(row.feature);
  }
  return result;
}

std::string start_no_ack_mode(Stub& stub, std::string_view) {
  stub.no_ack = true;
  return "OK";
}

std::string extended_mode(Stub& stub, std::string_view arguments) {
  if (!arguments.empty()) return "";
  stub.extended = true;
  return "OK";
}

/// 1: the guest was there before the client, which therefore detaches when it quits.
std::string attached(Stub&, std::string_view) { return "1"; }

/// We never need to look up a symbol.
std::string symbol(Stub&, std::string_view) { return "OK"; }

std::string detach(Stub& stub, std::string_view) {
  stub.end = SessionEnd::kDetached;
  return "OK";
}

std::string kill(Stub& stub, std::string_view arguments) {
  if (arguments.empty()) stub.end = SessionEnd::kKilled;
  return "";
}

/// An extended client stays: it may run the program again.
std::string kill_process(Stub& stub, std::string_view) {
  if (!stub.extended) stub.end = SessionEnd::kKilled;
  stub.gone = stub.extended;
  return "OK";
}

/// Which program and which arguments is settled by the machine.
std::string run_again(Stub& stub, std::string_view) { return stub.restart(); }

/// The same of old. The client asks why it stopped.
std::string restart(Stub& stub, std::string_view arguments) {
  if (!parse_hex(arguments)) return "";
  stub.no_answer = true;
  (void)stub.restart();
  return "";
}

std::string attach(Stub& stub, std::string_view arguments) {
  if (arguments != "1") return stub.error("the machine is process 1");
  stub.gone = false;
  return stub.last_stop_reply();
}

std::string monitor(Stub& stub, std::string_view arguments) {
  const std::optional<std::vector<u8>> bytes = parse_bytes(arguments);
  if (!bytes) return stub.error("qRcmd wants pairs of digits");
  stub.run_monitor(std::string(bytes->begin(), bytes->end()));
  if (stub.controls.quit) stub.end = SessionEnd::kQuit;
  return "OK";
}

std::string read_target_xml(Stub& stub, std::string_view arguments) {
  return transfer(target_xml(stub.machine().registers()), arguments);
}

std::string qemu_supported(Stub&, std::string_view arguments) { return arguments.empty() ? "PhyMemMode" : ""; }

std::string physical_mode(Stub& stub, std::string_view) { return stub.controls.physical ? "1" : "0"; }

std::string set_physical_mode(Stub& stub, std::string_view arguments) {
  const std::optional<u64> value = parse_hex(arguments);
  if (!value) return stub.error("Qqemu.PhyMemMode is 0 or 1");
  stub.controls.physical = *value != 0;
  return "OK";
}

constexpr std::array kRows = {
    PacketHandler{"qSupported", "", OnError::kText, supported},
    PacketHandler{"QStartNoAckMode", "QStartNoAckMode+", OnError::kText, start_no_ack_mode},
    PacketHandler{"!", "", OnError::kText, extended_mode},
    PacketHandler{"qAttached", "", OnError::kText, attached},
    PacketHandler{"qSymbol:", "", OnError::kText, symbol},
    PacketHandler{"D", "", OnError::kText, detach},
    PacketHandler{"k", "", OnError::kText, kill},
    PacketHandler{"vKill;", "", OnError::kText, kill_process},
    PacketHandler{"vRun;", "", OnError::kText, run_again},
    PacketHandler{"R", "", OnError::kLogged, restart},
    PacketHandler{"vAttach;", "", OnError::kText, attach},
    PacketHandler{"qRcmd,", "", OnError::kConsole, monitor},
    PacketHandler{"qXfer:features:read:target.xml:", "qXfer:features:read+", OnError::kCode, read_target_xml},
    PacketHandler{"qXfer:features:read:", "", OnError::kCode, refuse_annex},
    PacketHandler{"qqemu.Supported", "", OnError::kText, qemu_supported},
    PacketHandler{"qqemu.PhyMemMode", "", OnError::kText, physical_mode},
    PacketHandler{"Qqemu.PhyMemMode:", "", OnError::kText, set_physical_mode},
};

}  // namespace

std::span<const PacketHandler> session_packets() { return kRows; }

}  // namespace retrov
