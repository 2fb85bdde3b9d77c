// Covers gdbstub/framing and gdbstub/hex.

#include "gdbstub/framing.hpp"

#include <random>

#include "gdbstub/hex.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

std::vector<Frame> decode(std::string_view bytes, std::size_t max = kPacketSize) {
  FrameDecoder decoder(max);
  return decoder.feed(bytes);
}

/// The one packet in `bytes`.
std::string payload_of(std::string_view bytes) {
  const std::vector<Frame> frames = decode(bytes);
  REQUIRE(frames.size() == 1);
  REQUIRE(frames[0].kind == Frame::Kind::kPacket);
  return frames[0].payload;
}

}  // namespace

TEST_CASE("framing: a packet is found between its marks and its checksum is checked", "[framing]") {
  CHECK(decode("$m80000000,4#55")[0].payload == "m80000000,4");
  CHECK(decode("$m80000000,4#55")[0].checksum_ok);
  CHECK_FALSE(decode("$m80000000,4#56")[0].checksum_ok);
  CHECK_FALSE(decode("$m80000000,4#zz")[0].checksum_ok);
  CHECK(decode("$?#3F")[0].checksum_ok);
  CHECK(decode("$#00")[0].payload.empty());
  CHECK(encode_frame("OK") == "$OK#9a");
  CHECK(encode_frame("") == "$#00");
}

TEST_CASE("framing: a packet may arrive byte by byte", "[framing]") {
  FrameDecoder decoder;
  std::size_t seen = 0;
  for (const char c : std::string("+$g#67-\x03$?#3f")) seen += decoder.feed({&c, 1}).size();
  CHECK(seen == 4);
}

TEST_CASE("framing: 0x03 is Ctrl-C outside of packets and data inside", "[framing]") {
  const std::vector<Frame> frames = decode("\x03$X\x03#5b\x03");
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].kind == Frame::Kind::kInterrupt);
  CHECK(frames[1].payload == "X\x03");
  CHECK(frames[1].checksum_ok);
  CHECK(frames[2].kind == Frame::Kind::kInterrupt);
}

TEST_CASE("framing: escapes and run lengths are undone", "[framing]") {
  CHECK(payload_of("$X1,2:}\x03}]#00") == "X1,2:#}");
  CHECK(payload_of("$0* #00") == "0000");
  CHECK(payload_of("$a0*~#00") == "a" + std::string(98, '0'));
}

TEST_CASE("framing: escapes and run lengths that mean nothing are reported", "[framing]") {
  for (const char* bytes : {"$*!#00", "$a*#00", "$a}#00", "$a*\x1f#00", "$a*\x7f#00"}) {
    const std::vector<Frame> frames = decode(bytes);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].kind == Frame::Kind::kMalformed);
  }
}

TEST_CASE("framing: a packet that is too long is reported and the next one is found", "[framing]") {
  const std::string long_one = "$" + std::string(100, 'a') + "#00$?#3f";
  const std::vector<Frame> frames = decode(long_one, 99);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].kind == Frame::Kind::kOverlong);
  CHECK(frames[1].payload == "?");
  CHECK(decode(long_one, 100)[0].kind == Frame::Kind::kPacket);
  // A run length must not expand beyond the limit either.
  CHECK(decode("$a*~#00", 50)[0].kind == Frame::Kind::kOverlong);
}

TEST_CASE("framing: a packet that was cut off does not swallow the next one", "[framing]") {
  CHECK(payload_of("$m8000$?#3f") == "?");
  CHECK(payload_of("noise#12$?#3f") == "?");
}

TEST_CASE("framing: what we escape, the decoder reads back", "[framing]") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::string framed = encode_frame("b" + escape_binary(all));
  CHECK(payload_of(framed) == "b" + all);
  CHECK(decode(framed)[0].checksum_ok);
}

TEST_CASE("framing: text for errors has nothing in it that gdb would interpret", "[framing]") {
  CHECK(plain_text("a#b$c}d*e\nf") == "a?b?c?d?e?f");
}

TEST_CASE("framing: no stream of bytes breaks the decoder", "[framing]") {
  std::mt19937 random(1);
  const std::string alphabet = "$$#}*\x03+-ag0\xff\x20~";
  FrameDecoder decoder(64);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes;
    for (unsigned n = random() % 40; n > 0; --n) bytes += alphabet[random() % alphabet.size()];
    for (const Frame& frame : decoder.feed(bytes)) REQUIRE(frame.payload.size() <= 64);
  }
  const std::vector<Frame> after = decoder.feed("$?#3f");
  REQUIRE(after.size() == 1);
  CHECK(after[0].payload == "?");
}

TEST_CASE("framing: numbers and bytes are read strictly", "[framing]") {
  CHECK(hex_number(0) == "0");
  CHECK(hex_number(0x80000000ffffffff) == "80000000ffffffff");
  CHECK(parse_hex("ffffffffffffffff") == ~u64{0});
  CHECK(parse_hex("0000000000000000000001") == 1u);
  CHECK_FALSE(parse_hex("10000000000000000"));
  CHECK_FALSE(parse_hex(""));
  CHECK_FALSE(parse_hex("-1"));
  CHECK_FALSE(parse_hex("12g"));
  CHECK(parse_bytes("00fF") == std::vector<u8>{0, 0xff});
  CHECK_FALSE(parse_bytes("0"));
  CHECK_FALSE(parse_bytes("0x"));
  CHECK(hex_little_endian(0x1234, 4) == "34120000");
  CHECK(parse_little_endian("3412") == 0x1234u);
  CHECK_FALSE(parse_little_endian(""));
  CHECK_FALSE(parse_little_endian("000000000000000000"));
}
