#include "replay/key_frame_codec.hpp"

#include "core/check.hpp"
#include "core/varint.hpp"
#include "tests/catch.hpp"
#include "tests/support/key_frame_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kLastNumber = 1000;

KeyFrame sample_key_frame() {
  KeptSnapshot state;
  state.machine.at = Position{1'000'000};
  state.machine.components = {{1, 2, 3}, {}, std::vector<u8>(300, 7)};
  state.machine.trees.resize(2);
  state.machine.touched.since = Position{900'000};
  state.machine.touched.ebreaks = true;
  state.machine.touched.pages = {0, 1, 2, 9, 500, 501};
  state.machine.touched.satps = {0, u64{8} << 60 | 77};
  state.console = {12, 34};
  KeyFrame frame;
  frame.state = std::make_shared<KeptSnapshot>(state);
  frame.names = {"machine", "hart0", "uart0", "ram", "virtio-blk7.pages"};
  frame.blocks_since = Position{900'000};
  frame.blocks = {{0, 1}, {0, 2}, {0, 9}, {2, 0}};
  return frame;
}

std::vector<PageNumbers> sample_trees() {
  std::vector<PageNumbers> trees(2);
  for (u32 i = 0; i < 5; ++i) trees[0].set(10 + i, 100 + i);
  trees[0].set(14, 0);
  trees[0].set(700, 3);
  trees[0].set(701, 3);
  return trees;
}

std::vector<u8> sample_bytes() { return encode_key_frame(sample_key_frame(), 3, sample_trees()); }

}  // namespace

TEST_CASE("key_frame_codec: what is encoded is decoded", "[key_frame_codec]") {
  const std::vector<u8> bytes = sample_bytes();
  CHECK(decode_key_frame_head(bytes).at == Position{1'000'000});
  const KeyFrameBody body = decode_key_frame(bytes, kLastNumber);
  const KeyFrame told = sample_key_frame();
  CHECK(body.head.branch == 3);
  CHECK_FALSE(body.foreign);
  CHECK(body.frame.names == told.names);
  CHECK(body.frame.blocks == told.blocks);
  CHECK(body.frame.blocks_since == told.blocks_since);
  const Snapshot& machine = body.frame.state->machine;
  CHECK(machine.components == told.state->machine.components);
  CHECK(machine.touched.pages == told.state->machine.touched.pages);
  CHECK(machine.touched.satps == told.state->machine.touched.satps);
  CHECK(machine.touched.since == told.state->machine.touched.since);
  CHECK(machine.touched.ebreaks);
  CHECK_FALSE(machine.touched.everything);
  CHECK(body.frame.state->console == told.state->console);
  REQUIRE(body.trees.size() == 2);
  REQUIRE(body.trees[0].size() == 3);
  CHECK((body.trees[0][0].index == 10 && body.trees[0][0].count == 4 && body.trees[0][0].number == 100));
  CHECK((body.trees[0][2].index == 701 && body.trees[0][2].count == 1 && body.trees[0][2].number == 3));
  CHECK(body.trees[1].empty());
}

TEST_CASE("key_frame_codec: a part of one is refused", "[key_frame_codec]") {
  const std::vector<u8> bytes = sample_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_THROWS_AS(decode_key_frame(std::span(bytes).first(size), kLastNumber), Error);
  }
  std::vector<u8> more = bytes;
  more.push_back(0);
  CHECK_THROWS_AS(decode_key_frame(more, kLastNumber), Error);
}

TEST_CASE("key_frame_codec: no byte makes it do anything but refuse", "[key_frame_codec]") {
  const std::vector<u8> bytes = sample_bytes();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned value = 0; value < 256; value += at < 40 ? 1 : 15) {
      std::vector<u8> changed = bytes;
      changed[at] = static_cast<u8>(value);
      try {
        (void)decode_key_frame(changed, kLastNumber);
      } catch (const Error& error) {
        CHECK(error.exit_code() == Exit::kBadTrace);
      }
    }
  }
}

TEST_CASE("key_frame_codec: pages that are not there, and too many, are refused", "[key_frame_codec]") {
  CHECK_NOTHROW(decode_key_frame(sample_bytes(), 103));
  CHECK_THROWS_AS(decode_key_frame(sample_bytes(), 102), Error);
  const auto tree_of = [](u64 gap, u64 count, u64 number) {
    std::vector<u8> bytes;
    StateWriter out(bytes);
    for (const u64 value : {u64{5}, u64{0}, u64{0}}) write_varint(out, value);  // Position, branch, console.
    out(u64{0});
    for (const u64 value : {u64{0}, u64{1}, u64{0}}) write_varint(out, value);  // Components, trees, name.
    out(kStateSchema);
    for (const u64 value : {u64{1}, gap, count, number}) write_varint(out, value);
    write_varint(out, 0);  // Touched since.
    out(u8{0});
    for (const u64 value : {u64{0}, u64{0}, u64{0}, u64{0}}) write_varint(out, value);
    return bytes;
  };
  CHECK_NOTHROW(decode_key_frame(tree_of(0, 1000, 1), kLastNumber));
  CHECK_THROWS_AS(decode_key_frame(tree_of(0, 1001, 1), kLastNumber), Error);
  CHECK_THROWS_AS(decode_key_frame(tree_of(0, 1, 0), kLastNumber), Error);
  CHECK_THROWS_AS(decode_key_frame(tree_of(u64{1} << 32, 1, 1), kLastNumber), Error);
  CHECK_THROWS_AS(decode_key_frame(tree_of(0, kMaxKeyFramePages + 1, 1), ~u32{0}), Error);
}

TEST_CASE("key_frame_codec: one with another schema is foreign", "[key_frame_codec]") {
  std::vector<u8> bytes = sample_bytes();
  const std::string name = "uart0";
  const auto at = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  REQUIRE(at != bytes.end());
  *(at + static_cast<std::ptrdiff_t>(name.size())) ^= 0x40;
  CHECK(decode_key_frame(bytes, kLastNumber).foreign);
}
