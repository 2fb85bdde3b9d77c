// Packets about threads, which are the harts.

#include <array>
#include <vector>

#include "gdbstub/hex.hpp"
#include "gdbstub/packets.hpp"
#include "gdbstub/target_xml.hpp"

namespace retrov {
namespace {

std::string select(Stub& stub, ThreadRef& which, std::string_view arguments) {
  const std::optional<ThreadRef> thread = stub.parse_thread(arguments);
  if (!thread) return stub.error("no such thread");
  which = *thread;
  return "OK";
}

std::string select_general(Stub& stub, std::string_view arguments) {
  return select(stub, stub.general_thread, arguments);
}

std::string select_resume(Stub& stub, std::string_view arguments) {
  return select(stub, stub.resume_thread, arguments);
}

std::string is_alive(Stub& stub, std::string_view arguments) {
  return stub.parse_thread(arguments) && !stub.gone ? "OK" : stub.error("no such thread");
}

std::string current_thread(Stub& stub, std::string_view arguments) {
  return arguments.empty() && !stub.gone ? "QC" + stub.thread_id(stub.general_hart()) : "";
}

std::string first_threads(Stub& stub, std::string_view) {
  if (stub.gone) return "l";
  std::string result = "m";
  for (unsigned hart = 0; hart < stub.machine().hart_count(); ++hart) {
    result += (hart == 0 ? "" : ",") + stub.thread_id(hart);
  }
  return result;
}

/// The first answer had them all.
std::string more_threads(Stub&, std::string_view) { return "l"; }

std::string extra_info(Stub& stub, std::string_view arguments) {
  const std::optional<ThreadRef> thread = stub.parse_thread(arguments);
  if (!thread) return stub.error("no such thread");
  const unsigned hart = stub.hart_of(*thread);
  return hex_bytes("hart " + std::to_string(hart) + ": " + stub.hart_text(hart));
}

std::string read_threads(Stub& stub, std::string_view arguments) {
  std::vector<ThreadLine> lines;
  for (unsigned hart = 0; hart < stub.machine().hart_count() && !stub.gone; ++hart) {
    lines.push_back({stub.thread_id(hart), hart, stub.hart_text(hart)});
  }
  return transfer(threads_xml(lines), arguments);
}

constexpr std::array kRows = {
    PacketHandler{"Hg", "", OnError::kText, select_general},
    PacketHandler{"Hc", "", OnError::kText, select_resume},
    PacketHandler{"T", "", OnError::kText, is_alive},
    PacketHandler{"qC", "", OnError::kText, current_thread},
    PacketHandler{"qfThreadInfo", "", OnError::kText, first_threads},
    PacketHandler{"qsThreadInfo", "", OnError::kText, more_threads},
    PacketHandler{"qThreadExtraInfo,", "", OnError::kText, extra_info},
    PacketHandler{"qXfer:threads:read::", "qXfer:threads:read+", OnError::kCode, read_threads},
    PacketHandler{"qXfer:threads:read:", "", OnError::kCode, refuse_annex},
};

}  // namespace

std::span<const PacketHandler> thread_packets() { return kRows; }

}  // namespace retrov
