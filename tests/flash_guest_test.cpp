// Flash as a guest in it sees it: devices/flash under both engines, against what QEMU shows the same guest.
#include "core/elf.hpp"
#include "devices/loader.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/guest_bench.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

/// Guest "flash" in unit 0, nothing else on the board.
BoardConfig board_in_flash() {
  const std::vector<u8> file = read_guest("flash");
  FlashConfig flash{0, false, "code", {flash_at(0), {}}};
  for (const ElfSegment& segment : parse_elf(file).segments) {
    const u64 offset = segment.physical_address.value - kRamBase.value;
    if (flash.image.bytes.size() < offset + segment.bytes.size()) {
      flash.image.bytes.resize(offset + segment.bytes.size());
    }
    std::copy(segment.bytes.begin(), segment.bytes.end(),
              flash.image.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  BoardConfig board;
  board.machine.ram_bytes = 2u << 20;
  board.flash.push_back(std::move(flash));
  place_images(board, {});
  return board;
}

/// What QEMU 7.2 prints, but for the 2 near the end: it still executes the instruction that is not there any more.
constexpr const char* kAsInQemu =
    " 2000\n"
    " 0 0\n"
    " 510051 520052 590059 18001800000000 180018 b000b 10001 7f007f 20002 500050 10001 0 0 51 51 51 510051\n"
    " 890089 180018 0 18001800890089 18 800080 80 80 80008000800080 0\n"
    " 800080 800080 0 ffffffffffffffff ffffffff 0\n"
    " 800080 ffffabff12345678 ffffffffffffcdef f0f0f0f0\n"
    " 800080 800080 2222222211111111 4444444433333333 ffffffff 800080 55555555\n"
    " 800080 800080 f0f0f0f0 f0f0f0f0 0 f0f0f0f0\n"
    " d5cefd79a0e5e662 1 2 200513\n";

}  // namespace

TEST_CASE("flash: a guest that runs from it sees what it sees in QEMU, and replays", "[flash_guest]") {
  const BoardConfig board = board_in_flash();
  for (const EngineKind engine : {EngineKind::kFast, EngineKind::kReference}) {
    RandomWorld world(1, 30, 300);
    const Recorded recorded = record(board, world, Position{10'000'000}, engine);
    CHECK(recorded.text == kAsInQemu);
    REQUIRE(recorded.history->outcome().kind == Outcome::Kind::kPoweredOff);
    VerifyOptions options;
    options.engine = engine == EngineKind::kFast ? EngineKind::kReference : EngineKind::kFast;
    const Verdict verdict = verify(*recorded.history, options);
    CHECK(verdict.identical());
    CHECK(verdict.hash == recorded.end_hash);
  }
}
