#include "replay/compress.hpp"

#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

TEST_CASE("compress: what compresses comes back, what does not is said", "[compress]") {
  Dice dice(1);
  std::vector<u8> text;
  for (int i = 0; i < 500; ++i) text.insert(text.end(), {'r', 'e', 't', static_cast<u8>(dice.below(4))});
  std::vector<u8> stored;
  REQUIRE(compress(text, stored));
  CHECK(stored.size() < text.size());
  std::vector<u8> raw(text.size());
  CHECK(decompress(stored, raw));
  CHECK(raw == text);
  CHECK_FALSE(compress(dice.bytes(2000), stored));
  CHECK_FALSE(compress({}, stored));
}

TEST_CASE("compress: damaged or wrongly sized blocks are refused", "[compress]") {
  const std::vector<u8> zeros(5000);
  std::vector<u8> stored;
  REQUIRE(compress(zeros, stored));
  std::vector<u8> raw(4999);
  CHECK_FALSE(decompress(stored, raw));
  raw.resize(5001);
  CHECK_FALSE(decompress(stored, raw));
  raw.resize(5000);
  for (std::size_t size = 0; size < stored.size(); ++size) CHECK_FALSE(decompress({stored.data(), size}, raw));
  Dice dice(2);
  for (int i = 0; i < 200; ++i) (void)decompress(dice.bytes(dice.below(300)), raw);  // must not crash
}

TEST_CASE("compress: the expansion that is believed is the most there is", "[compress]") {
  const std::vector<u8> zeros(u64{2} << 20);
  std::vector<u8> stored;
  REQUIRE(compress(zeros, stored));
  CHECK(zeros.size() <= stored.size() * kMostExpansion);
}

TEST_CASE("compress: a checksum depends on every byte and on the seed", "[compress]") {
  std::vector<u8> bytes(100, 1);
  const u64 before = checksum(bytes, 5);
  CHECK(checksum(bytes, 6) != before);
  bytes[50] ^= 1;
  CHECK(checksum(bytes, 5) != before);
}
