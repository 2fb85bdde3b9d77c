#include "devices/flash.hpp"

#include "tests/catch.hpp"
#include "tests/support/device_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

constexpr u64 kSector = 0x40000;
constexpr u32 kReady = 0x800080, kProgramFailed = 0x900090, kEraseFailed = 0xa000a0;

struct Fixture {
  RecordingOutput output;
  FlashConfig config{1, false, "vars", {flash_at(1), {}}};
  Flash flash;
  explicit Fixture(bool read_only = false, std::size_t image_bytes = 0x2000)
      : config{1, read_only, "vars", {flash_at(1), std::vector<u8>(image_bytes, 0x5a)}},
        flash(1, &config, output, [] { return Position{77}; }) {}
  void write(u64 offset, u64 value, unsigned size = 4) { REQUIRE(flash.write(offset, size, value, Ticks{})); }
  u64 read(u64 offset, unsigned size = 4) { return flash.read(offset, size, Ticks{}).value(); }
  void program(u64 offset, u64 value, unsigned size = 4) {
    write(offset / 4 * 4, 0x40);
    write(offset, value, size);
  }
  void erase(u64 offset) {
    write(offset, 0x20);
    write(offset, 0xd0);
  }
  u64 array(u64 offset, unsigned size = 4) {
    write(0, 0xff);
    return read(offset, size);
  }
  void fill_buffer(u64 offset, std::initializer_list<u32> words) {
    write(offset, 0xe8);
    write(offset, words.size() - 1);
    for (const u32 word : words) {
      write(offset, word);
      offset += 4;
    }
  }
  [[nodiscard]] u64 pages() { return flash.pages()->page_count(); }
};

}  // namespace

TEST_CASE("flash: the array is memory of any width and alignment, its image in front and zeros behind", "[flash]") {
  Fixture f;
  CHECK(f.read(0, 8) == 0x5a5a5a5a5a5a5a5a);
  CHECK(f.read(0x1ffd, 1) == 0x5a);
  CHECK(f.read(0x1ffd, 8) == 0x5a5a5a);
  CHECK(f.read(kFlashUnitBytes - 8, 8) == 0);
  Flash bare(0, nullptr, f.output, [] { return Position{}; });
  CHECK(bare.read(0, 8, Ticks{}) == u64{0});
  CHECK(bare.name() == "flash0");
}

TEST_CASE("flash: what is programmed replaces what was there and costs one page", "[flash]") {
  Fixture f;
  const u64 before = whole_hash(f.flash);
  f.program(0x1004, 0x12345678);
  CHECK(f.read(0) == kReady);
  CHECK(f.array(0x1000, 8) == 0x123456785a5a5a5a);
  f.program(0x1003, 0xab, 1);
  f.program(0x1008, 0xcdef, 2);
  CHECK(f.array(0x1000, 8) == 0x12345678ab5a5a5a);
  CHECK(f.array(0x1008, 4) == 0x5a5acdef);
  CHECK(f.pages() == 1);
  CHECK(whole_hash(f.flash) != before);
  // Changed back, all that is left is that it was changed.
  f.program(0x1004, 0x5a5a5a5a);
  f.program(0x1003, 0x5a, 1);
  f.program(0x1008, 0x5a5a, 2);
  CHECK(f.pages() == 0);
}

TEST_CASE("flash: an erased sector is all ones, and its neighbours are as before", "[flash]") {
  Fixture f(false, 3 * kSector);
  f.erase(kSector + 0x1234);
  CHECK(f.read(0) == kReady);
  CHECK(f.array(kSector, 8) == ~u64{0});
  CHECK(f.array(2 * kSector - 8, 8) == ~u64{0});
  CHECK(f.array(kSector - 4) == 0x5a5a5a5a);
  CHECK(f.array(2 * kSector) == 0x5a5a5a5a);
  CHECK(f.pages() == kSector / kPageBytes);
  f.write(0, 0x20);
  f.write(0, 0x70);  // no confirmation: back to the array
  CHECK(f.read(kSector) == 0xffffffff);
}

TEST_CASE("flash: a buffer is programmed when it is confirmed", "[flash]") {
  Fixture f;
  f.fill_buffer(0x1ff8, {1, 2});
  CHECK(f.read(0x1ff8) == kReady);
  CHECK(f.pages() == 0);
  f.write(0x1000, 0xd0);
  CHECK(f.read(0) == kReady);
  CHECK(f.array(0x1ff8, 8) == 0x200000001);
  CHECK(f.array(0x1ff0, 8) == 0x5a5a5a5a5a5a5a5a);
  f.fill_buffer(0x1000, {7});
  f.write(0x1000, 0xff);  // given up
  CHECK(f.read(0x1000) == 0x5a5a5a5a);
  f.fill_buffer(0x1000, {7});
  f.write(0x1000, 0xd0);
  CHECK(f.array(0x1000) == 7);
}

TEST_CASE("flash: a buffer that leaves its page is not programmed", "[flash]") {
  Fixture f;
  f.fill_buffer(0x1ffc, {1, 2});
  CHECK(f.read(0) == kProgramFailed);
  f.write(0, 0xd0);
  CHECK(f.read(0) == kProgramFailed);
  CHECK(f.pages() == 0);
  CHECK(f.array(0x1ffc) == 0x5a5a5a5a);
  f.write(0, 0x50);
  f.write(0, 0x70);
  CHECK(f.read(0) == 0);
  f.fill_buffer(0x1ffc, {1});
  f.write(0, 0xd0);
  CHECK(f.array(0x1ffc) == 1);
}

TEST_CASE("flash: a read-only unit says what it did not do", "[flash]") {
  Fixture f(true);
  f.program(0, 1);
  CHECK(f.read(0) == kProgramFailed);
  f.write(0, 0x50);
  f.erase(0);
  CHECK(f.read(0) == kEraseFailed);
  f.write(0, 0x50);
  f.fill_buffer(0, {1});
  f.write(0, 0xd0);
  CHECK(f.read(0) == kProgramFailed);
  CHECK(f.array(0) == 0x5a5a5a5a);
  CHECK(f.pages() == 0);
  CHECK(f.output.notices.empty());
}

TEST_CASE("flash: the first write is said once, and only if there is an image", "[flash]") {
  Fixture f;
  f.program(0, 1);
  f.program(4, 1);
  REQUIRE(f.output.notices.size() == 1);
  CHECK(f.output.notices[0].find("flash1 vars: the guest writes") == 0);
  CHECK(f.output.last_at == Position{77});
  RecordingOutput quiet;
  Flash bare(0, nullptr, quiet, [] { return Position{}; });
  CHECK(bare.write(0, 4, 0x40, Ticks{}));
  CHECK(bare.write(0, 4, 1, Ticks{}));
  CHECK(bare.pages()->page_count() == 1);
  CHECK(quiet.notices.empty());
}

TEST_CASE("flash: only whole aligned accesses are commands or answers", "[flash]") {
  Fixture f;
  CHECK_FALSE(f.flash.write(2, 4, 0x70, Ticks{}));
  CHECK(f.read(2, 4) == 0x5a5a5a5a);
  f.write(0, 0x70);
  CHECK_FALSE(f.flash.read(2, 4, Ticks{}));
  CHECK(f.read(8, 8) == 0x80008000800080);
  // Eight bytes are two words, the lower first.
  f.write(0, 0x1234567800000040, 8);
  CHECK(f.array(4) == 0x12345678);
}

TEST_CASE("flash: a reset ends what was begun and keeps the content", "[flash]") {
  Fixture f;
  f.program(0, 0x11);
  f.write(0, 0x50);
  f.fill_buffer(0x1000, {1, 2});
  f.flash.reset();
  CHECK(f.read(0) == 0x11);
  CHECK(f.read(0x1000) == 0x5a5a5a5a);
  f.write(0, 0x70);
  CHECK(f.read(0) == kReady);
}

TEST_CASE("flash: a half-filled buffer is kept in a snapshot", "[flash]") {
  Fixture f, other;
  f.write(0x1000, 0xe8);
  f.write(0x1000, 1);
  f.write(0x1000, 0x77);
  restore(other.flash, save(f.flash));
  other.write(0x1004, 0x88);
  other.write(0x1000, 0xd0);
  CHECK(other.array(0x1000, 8) == 0x8800000077);
}
