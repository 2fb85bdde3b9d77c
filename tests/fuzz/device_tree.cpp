// A device tree that the user gives: read, patched as -append and -initrd have it patched, and read again.
#include "core/check.hpp"
#include "devices/fdt.hpp"
#include "devices/loader.hpp"
#include "tests/fuzz/targets.hpp"

namespace retrov::fuzz {

void device_tree(std::span<const u8> input) {
  (void)find_rng_seed(input);
  try {
    FdtEditor editor(input);
    (void)editor.memory();
    editor.set_bootargs("console=ttyS0 root=/dev/vda");
    editor.set_initrd(PhysAddr{0x84000000}, 5000);
    const std::vector<u8> edited = editor.finish();
    if (const auto seed = find_rng_seed(edited)) RV_CHECK(*seed + 32 <= edited.size());
    FdtEditor again(edited);
    (void)again.memory();
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kNoInput || error.exit_code() == Exit::kUsage);
  }
  BoardConfig board;
  board.machine.ram_bytes = u64{16} << 20;
  BootImages images;
  images.kernel = Image{"kernel", std::vector<u8>(0x100, 0x13)};
  images.initrd = Image{"initrd", std::vector<u8>(5000, 1)};
  images.dtb = Image{"tree", {input.begin(), input.end()}};
  images.append = "quiet";
  try {
    place_images(board, images);
  } catch (const Error&) {
    return;
  }
  validate(board, Exit::kInternal);
}

}  // namespace retrov::fuzz
