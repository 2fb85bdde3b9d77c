// A guest that stores anything at and around tohost, with any width.
#include "devices/htif.hpp"

#include "core/check.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/device_bench.hpp"

namespace retrov::fuzz {

void htif(std::span<const u8> bytes) {
  constexpr u64 kTohost = kRamBase.value + 0x1000;
  test::Bench bench;
  Htif device(PhysAddr{kTohost}, bench.memory, bench.power, bench.output, bench.asks_position());
  Input input(bytes);
  while (!input.empty()) {
    const unsigned width = input.width();
    const u64 offset = input.byte() % 24;
    bench.poke(kTohost - 8 + offset, input.number(8), width);
  }
  for (const auto& [status, why] : bench.power.offs) RV_CHECK(status >= 0 && status <= 125 && !why.empty());
  RV_CHECK(bench.output.notices.size() <= 1);
}

}  // namespace retrov::fuzz
