// The packets a client may send: a table of rows, each a prefix and a function. To add a packet, write one row and one
// function in the packets_*.cpp of its kind; qSupported is made from the rows.
//
// Must stay true: the longest prefix wins; what no row knows is answered empty, which to gdb means "not supported"; no
// argument, however hostile, does more than earn an error.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gdbstub/stub.hpp"

namespace retrov {

/// What becomes of an Error thrown while a packet is handled. gdb 13 understands a sentence in some places only.
enum class OnError : u8 {
  kText,     ///< E.text.
  kCode,     ///< E01 unless the client offered error-message: it would read the text as data.
  kLogged,   ///< E.text; and a line in the log, because gdb shows its user nothing of it.
  kConsole,  ///< Text for the user, then OK (for `monitor`).
  kStopped,  ///< Text for the user, then a stop where we stand: a client that waits for a stop takes no error for it.
};

struct PacketHandler {
  std::string_view prefix;
  /// What qSupported says of it, "" for nothing.
  std::string_view feature;
  OnError on_error;
  std::string (*handle)(Stub& stub, std::string_view arguments);
};

/// All rows, as one table.
[[nodiscard]] std::span<const PacketHandler> packet_handlers();
/// The row whose prefix is the longest that `packet` begins with, or null.
[[nodiscard]] const PacketHandler* find_packet_handler(std::string_view packet);
/// The answer. After it, stub.end says whether the session is over.
[[nodiscard]] std::string handle_packet(Stub& stub, std::string_view packet);

// The rows of each file.
[[nodiscard]] std::span<const PacketHandler> session_packets();
[[nodiscard]] std::span<const PacketHandler> thread_packets();
[[nodiscard]] std::span<const PacketHandler> memory_packets();
[[nodiscard]] std::span<const PacketHandler> register_packets();
[[nodiscard]] std::span<const PacketHandler> run_packets();

/// A part of `document` in the way of qXfer: `arguments` is "offset,length". Throws Error if it is not.
[[nodiscard]] std::string transfer(std::string_view document, std::string_view arguments);
/// E00: the object of a qXfer is known, this part of it is not. (An unknown object is an unknown packet.)
[[nodiscard]] std::string refuse_annex(Stub& stub, std::string_view arguments);

}  // namespace retrov
