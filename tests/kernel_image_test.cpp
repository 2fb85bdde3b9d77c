#include "devices/kernel_image.hpp"

#include <string_view>
#include <vector>

#include "devices/loader.hpp"
#include "tests/catch.hpp"

using namespace retrov;

namespace {

void put(std::vector<u8>& bytes, std::size_t at, u64 value, unsigned size_bytes) {
  for (unsigned i = 0; i < size_bytes; ++i) bytes.at(at + i) = static_cast<u8>(value >> (8 * i));
}

void put(std::vector<u8>& bytes, std::size_t at, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) bytes.at(at + i) = static_cast<u8>(text[i]);
}

std::vector<u8> plain_image() {
  std::vector<u8> bytes(4096);
  put(bytes, 8, 0x200000, 8);
  put(bytes, 16, 0x9000, 8);
  put(bytes, 56, "RSC\x05");
  return bytes;
}

/// With an EFI stub: two sections, of which the second ends with the file.
std::vector<u8> efi_image() {
  std::vector<u8> bytes = plain_image();
  put(bytes, 0, "MZ");
  put(bytes, 60, 64, 4);
  put(bytes, 64, "PE");
  put(bytes, 64 + 6, 2, 2);
  put(bytes, 64 + 20, 16, 2);
  for (unsigned i = 0; i < 2; ++i) {
    put(bytes, 64 + 24 + 16 + 40 * i + 16, i == 0 ? 1024 : 2048, 4);
    put(bytes, 64 + 24 + 16 + 40 * i + 20, i == 0 ? 1024 : 2048, 4);
  }
  return bytes;
}

void place(std::vector<u8> bytes) {
  BoardConfig config;
  BootImages images;
  images.kernel = Image{"Image", std::move(bytes)};
  place_images(config, images);
}

}  // namespace

TEST_CASE("kernel_image: a header says where it wants to be and how large it is", "[kernel_image]") {
  const auto plain = linux_header(plain_image());
  REQUIRE(plain);
  CHECK(plain->text_offset == 0x200000);
  CHECK(plain->memory_bytes == 0x9000);
  CHECK(plain->file_bytes == 0);
  const auto efi = linux_header(efi_image());
  REQUIRE(efi);
  CHECK(efi->file_bytes == 4096);
  std::vector<u8> other = plain_image();
  other[56] = 0;
  CHECK_FALSE(linux_header(other));
  CHECK_FALSE(linux_header(std::vector<u8>(63)));
}

TEST_CASE("kernel_image: a kernel that is cut anywhere behind its header is refused", "[kernel_image]") {
  CHECK_NOTHROW(place(efi_image()));
  CHECK_NOTHROW(place(plain_image()));
  for (const std::size_t size_bytes : {68u, 90u, 110u, 200u, 2048u, 4095u}) {
    std::vector<u8> bytes = efi_image();
    bytes.resize(size_bytes);
    CHECK_THROWS_WITH(place(std::move(bytes)), has_substring("kernel Image: truncated: " + std::to_string(size_bytes)));
  }
}

TEST_CASE("kernel_image: a header full of nonsense reads nothing past the end", "[kernel_image]") {
  for (const std::size_t at : {60u, 70u, 84u}) {
    std::vector<u8> bytes = efi_image();
    put(bytes, at, 0xffffffff, at == 60 ? 4 : 2);
    CHECK(linux_header(bytes));
  }
}
