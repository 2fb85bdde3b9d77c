// Bytes from a socket: what they mean must not depend on how they were cut, and a frame of ours must come back as it
// was.
#include "gdbstub/framing.hpp"

#include "core/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/targets.hpp"

namespace retrov::fuzz {

namespace {

// Small, so that packets that are too long are short enough to be found.
constexpr std::size_t kMaxPayload = 200;

bool same(const Frame& a, const Frame& b) {
  return a.kind == b.kind && a.checksum_ok == b.checksum_ok && a.payload == b.payload;
}

void must_come_back(std::string_view payload) {
  FrameDecoder decoder;
  const std::vector<Frame> frames = decoder.feed(encode_frame(escape_binary(payload)));
  RV_CHECK(frames.size() == 1 && frames[0].kind == Frame::Kind::kPacket && frames[0].checksum_ok);
  RV_CHECK(frames[0].payload == payload);
}

}  // namespace

void framing(std::span<const u8> input) {
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()), input.size());
  const std::vector<Frame> whole = FrameDecoder(kMaxPayload).feed(bytes);
  std::vector<Frame> cut;
  FrameDecoder decoder(kMaxPayload);
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step % 7 + 1) {
    for (Frame& frame : decoder.feed(bytes.substr(at, step))) cut.push_back(std::move(frame));
  }
  RV_CHECK(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    RV_CHECK(same(whole[i], cut[i]) && whole[i].payload.size() <= kMaxPayload);
  }
  must_come_back(bytes.substr(0, kPacketSize / 2));
  // What gdb does not unescape must not need it, and no terminal obeys it.
  for (const char c : plain_text(bytes)) {
    RV_CHECK(static_cast<u8>(c) >= ' ' && c != '\x7f' && std::string_view("#$}*").find(c) == std::string_view::npos);
  }
}

}  // namespace retrov::fuzz
