#include "gdbstub/framing.hpp"

#include <optional>

#include "core/check.hpp"
#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

constexpr char kInterruptByte = 0x03;
constexpr char kEscape = '}';
constexpr char kRun = '*';
constexpr char kEscapeFlip = 0x20;
/// A run of n further copies is written as the character n + 29.
constexpr int kRunBias = 29;

bool needs_escape(char c) { return c == '#' || c == '$' || c == kEscape || c == kRun; }

struct Expanded {
  std::string payload;
  Frame::Kind kind = Frame::Kind::kPacket;
};

Expanded expand(std::string_view raw, std::size_t max) {
  Expanded result;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (result.payload.size() == max) return {{}, Frame::Kind::kOverlong};
    if (raw[i] != kEscape && raw[i] != kRun) {
      result.payload += raw[i];
      continue;
    }
    if (i + 1 == raw.size()) return {{}, Frame::Kind::kMalformed};
    const char argument = raw[++i];
    if (raw[i - 1] == kEscape) {
      result.payload += static_cast<char>(argument ^ kEscapeFlip);
      continue;
    }
    const int count = static_cast<unsigned char>(argument) - kRunBias;
    if (result.payload.empty() || count < 3 || argument > '~') return {{}, Frame::Kind::kMalformed};
    if (result.payload.size() + static_cast<std::size_t>(count) > max) return {{}, Frame::Kind::kOverlong};
    result.payload.append(static_cast<std::size_t>(count), result.payload.back());
  }
  return result;
}

}  // namespace

std::vector<Frame> FrameDecoder::feed(std::string_view bytes) {
  std::vector<Frame> result;
  for (const char byte : bytes) take(byte, result);
  return result;
}

void FrameDecoder::take(char byte, std::vector<Frame>& out) {
  // '$' is escaped inside packets, so it always begins one: this is how we find back after a packet that was cut.
  if (byte == '$') {
    state_ = State::kPayload;
    raw_.clear();
    overlong_ = false;
    sum_ = 0;
    return;
  }
  switch (state_) {
    case State::kOutside:
      if (byte == kInterruptByte) out.push_back({Frame::Kind::kInterrupt, true, {}});
      if (byte == '-') out.push_back({Frame::Kind::kNak, true, {}});
      return;
    case State::kPayload:
      if (byte == '#') {
        state_ = State::kFirstDigit;
        return;
      }
      sum_ += static_cast<unsigned char>(byte);
      if (raw_.size() < max_payload_) {
        raw_ += byte;
      } else {
        overlong_ = true;
      }
      return;
    case State::kFirstDigit:
      first_digit_ = byte;
      state_ = State::kSecondDigit;
      return;
    case State::kSecondDigit:
      state_ = State::kOutside;
      const std::optional<unsigned> high = hex_digit(first_digit_);
      const std::optional<unsigned> low = hex_digit(byte);
      Frame frame = finish();
      frame.checksum_ok = high && low && (*high << 4 | *low) == (sum_ & 0xff);
      out.push_back(std::move(frame));
      return;
  }
}

Frame FrameDecoder::finish() {
  if (overlong_) return {Frame::Kind::kOverlong, true, {}};
  Expanded expanded = expand(raw_, max_payload_);
  return {expanded.kind, true, std::move(expanded.payload)};
}

std::string encode_frame(std::string_view payload) {
  RV_CHECK(payload.find_first_of("$#") == std::string_view::npos);
  unsigned sum = 0;
  for (const char c : payload) sum += static_cast<unsigned char>(c);
  std::string result;
  result.reserve(payload.size() + 4);
  result += '$';
  result += payload;
  result += '#';
  append_hex_byte(result, static_cast<u8>(sum));
  return result;
}

std::string escape_binary(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  for (const char c : bytes) {
    if (needs_escape(c)) {
      result += kEscape;
      result += static_cast<char>(c ^ kEscapeFlip);
    } else {
      result += c;
    }
  }
  return result;
}

std::string plain_text(std::string_view sentence) {
  std::string result;
  for (const char c : sentence) {
    const bool printable = static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
    result += printable && !needs_escape(c) ? c : '?';
  }
  return result;
}

}  // namespace retrov
