// A kernel that is no ELF, with and without an initrd behind it.
#include "core/check.hpp"
#include "devices/kernel_image.hpp"
#include "devices/loader.hpp"
#include "tests/fuzz/targets.hpp"

namespace retrov::fuzz {

void linux_image(std::span<const u8> input) {
  (void)why_unusable(input);
  (void)linux_header(input);
  for (const std::size_t initrd_bytes : {std::size_t{0}, std::size_t{5000}}) {
    BoardConfig board;
    board.machine.ram_bytes = u64{16} << 20;
    BootImages images;
    images.bios = Image{"firmware", std::vector<u8>(0x400, 0x13)};
    images.kernel = Image{"kernel", {input.begin(), input.end()}};
    if (initrd_bytes != 0) images.initrd = Image{"initrd", std::vector<u8>(initrd_bytes, 1)};
    images.append = "console=ttyS0";
    try {
      place_images(board, images);
    } catch (const Error&) {
      continue;
    }
    validate(board, Exit::kInternal);
  }
}

}  // namespace retrov::fuzz
