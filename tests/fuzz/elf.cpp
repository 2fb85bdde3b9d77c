// An ELF image as kernel and as firmware: parsed, asked for its symbols, and placed.
#include "core/elf.hpp"

#include "core/check.hpp"
#include "devices/loader.hpp"
#include "tests/fuzz/targets.hpp"

namespace retrov::fuzz {

namespace {

/// What place_images makes of it must be a board, whatever the image says.
void place(BootImages images) {
  BoardConfig board;
  board.machine.ram_bytes = u64{8} << 20;
  images.htif = true;
  try {
    place_images(board, images);
  } catch (const Error&) {
    return;
  }
  validate(board, Exit::kInternal);
}

}  // namespace

void elf(std::span<const u8> input) {
  try {
    const Elf parsed = parse_elf(input);
    for (const ElfSegment& segment : parsed.segments) {
      RV_CHECK(segment.bytes.size() <= segment.memory_bytes && segment.memory_bytes != 0);
      (void)hash_bytes(segment.bytes);
    }
    (void)parsed.physical(parsed.entry);
    (void)parsed.find("tohost");
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kNoInput);
  }
  const Image image{"image", {input.begin(), input.end()}};
  BootImages as_kernel, as_firmware;
  as_kernel.kernel = image;
  as_firmware.bios = image;
  place(std::move(as_kernel));
  place(std::move(as_firmware));
}

}  // namespace retrov::fuzz
