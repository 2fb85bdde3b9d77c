// The bytes around gdb's packets: "$payload#checksum", escapes, run lengths, acknowledgements and the lone 0x03 that is
// Ctrl-C. Pure functions on bytes, no I/O, so that any stream of bytes, however broken, can be tried on them.
//
// Must stay true: no input makes the decoder throw, keep more than `max_payload` bytes, or lose the start of the next
// packet ("Overview" and "Packet Acknowledgment" in gdb's manual, appendix "Remote Protocol").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace retrov {

/// What a client may send at most in one packet, and what we say in qSupported.
inline constexpr std::size_t kPacketSize = 0x20000;

struct Frame {
  enum class Kind {
    kPacket,     ///< `payload` is unescaped and expanded.
    kInterrupt,  ///< 0x03 outside a packet.
    kNak,        ///< '-': the client wants the last packet again.
    kOverlong,   ///< A packet longer than allowed; its content is lost.
    kMalformed,  ///< An escape or a run length that means nothing.
  };
  Kind kind = Kind::kPacket;
  bool checksum_ok = true;
  std::string payload;
};

class FrameDecoder {
 public:
  explicit FrameDecoder(std::size_t max_payload = kPacketSize) : max_payload_(max_payload) {}
  /// The frames that are complete with these bytes, in order. Acknowledgements ('+') are dropped.
  std::vector<Frame> feed(std::string_view bytes);

 private:
  enum class State { kOutside, kPayload, kFirstDigit, kSecondDigit };
  void take(char byte, std::vector<Frame>& out);
  [[nodiscard]] Frame finish();

  std::size_t max_payload_;
  State state_ = State::kOutside;
  std::string raw_;  ///< Between '$' and '#', as received.
  bool overlong_ = false;
  unsigned sum_ = 0;
  char first_digit_ = 0;
};

/// "$payload#xx". The payload must already be free of '$' and '#': text made by us, hexadecimal, or escape_binary().
[[nodiscard]] std::string encode_frame(std::string_view payload);
/// Escapes '#', '$', '}' and '*' for answers that gdb reads as binary.
[[nodiscard]] std::string escape_binary(std::string_view bytes);
/// A sentence as it may stand in an E.text answer, which gdb does not unescape.
[[nodiscard]] std::string plain_text(std::string_view sentence);

}  // namespace retrov
