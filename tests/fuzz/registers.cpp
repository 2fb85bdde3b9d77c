// A guest that reads and writes any register of any device with any width, while time passes and inputs come.
#include "core/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::fuzz {

namespace {

constexpr std::size_t kMostAccesses = 2000;

void access(Device& device, u64 size_bytes, Input& input, Ticks now) {
  const u8 how = input.byte();
  const unsigned width = kWidths[how % kWidths.size()];
  const u64 offset = input.number(how >> 2 & 1 ? 4 : 1) * ((how >> 3 & 1) != 0 ? width : 1);
  if (size_bytes < width || offset > size_bytes - width) return;
  if ((how >> 4 & 1) != 0) {
    (void)device.write(offset, width, input.number(8), now);
    return;
  }
  const std::optional<u64> seen = device.peek(offset, width, now);
  const std::optional<u64> value = device.read(offset, width, now);
  RV_CHECK(value == seen);
  if (value && width < 8) RV_CHECK(*value >> (8 * width) == 0);
}

}  // namespace

void registers(std::span<const u8> bytes) {
  Input input(bytes);
  test::Bench bench;
  const std::vector<PlacedDevice> devices = bench.full_board((input.byte() & 1) != 0);
  Ticks now;
  for (std::size_t i = 0; i < kMostAccesses && !input.empty(); ++i) {
    const u8 which = input.byte();
    Device& device = *devices[which % devices.size()].device;
    switch (which / 32 % 8) {
      case 0:
        now.value += input.number(2);
        break;
      case 1:
        device.accept(ConsoleBytes{std::vector<u8>(input.byte(), u8{'x'})}, now);
        break;
      case 2:
        device.lines_changed(input.number(8), input.number(8));
        break;
      default:
        access(device, devices[which % devices.size()].region.size_bytes, input, now);
    }
    const Ticks next = device.advance_to(now);
    RV_CHECK(next > now);
    for (unsigned hart = 0; hart < 3; ++hart) {
      (void)device.mip_bits(hart, now);
      RV_CHECK(device.next_mip_change(hart, now) > now);
    }
  }
}

}  // namespace retrov::fuzz
