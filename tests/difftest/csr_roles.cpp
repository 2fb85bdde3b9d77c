#include "tests/difftest/csr_roles.hpp"

#include <algorithm>
#include <iterator>

namespace retrov::difftest {
namespace {

constexpr std::string_view kRunner = "the runner lives by it";
constexpr std::string_view kSpeed = "QEMU counts with the host's clock";
constexpr std::string_view kOddPc = "QEMU keeps bit 0 (3.1.14)";
constexpr std::string_view kNoEvents =
    "WARL (privileged manual, 3.1.10): here always 0, on QEMU it keeps what is written";

/// Ranges of numbers, so that mhpmcounter3 to 31 need one row.
struct Row {
  u16 first, last;
  CsrRole role;
};

constexpr std::string_view kWidth = "QEMU has UXL = 1; here UXL and SXL are fixed (3.1.6.3)";
constexpr u64 kLowWord = 0xffffffff;
constexpr std::string_view kVirtual = "QEMU keeps bits of hypervisor and local interrupts, which do not exist (3.1.9)";

constexpr Row kRows[] = {
    {0x100, 0x100, {Traffic::kMasked, kLowWord, false, kWidth}},
    {0x104, 0x104, {Traffic::kMasked, 0x222, false, kVirtual}},
    {0x105, 0x105, {Traffic::kRestored, ~u64{0}, false, "without stvec no trap of a supervisor ends"}},
    {0x141, 0x141, {Traffic::kMasked, ~u64{1}, false, kOddPc}},
    {0x144, 0x144, {Traffic::kMasked, 0x222, false, kVirtual, false}},
    {0x14d, 0x14d, {Traffic::kChosen, ~u64{0}, false, "must be far from the host's clock"}},
    {0x180, 0x180, {Traffic::kRestored, ~u64{0}, false, "without its page tables a program has no code"}},
    {0x300, 0x300, {Traffic::kMasked, kLowWord, false, kWidth}},
    {0x302, 0x302, {Traffic::kRestored, 0xb3ff, false, kVirtual}},
    {0x303, 0x303, {Traffic::kMasked, 0x222, false, kVirtual}},
    {0x304, 0x304, {Traffic::kMasked, 0xaaa, false, kVirtual}},
    {0x305, 0x305, {Traffic::kRestored, ~u64{0}, false, kRunner}},
    {0x30a, 0x30a, {Traffic::kChosen, ~u64{0}, false, "QEMU keeps bit 60, of Smcdeleg, and CBIE = 2 (3.1.18)"}},
    {0x320, 0x320, {Traffic::kMasked, 5, false, kNoEvents}},
    {0x323, 0x33f, {Traffic::kMasked, 0, false, kNoEvents}},
    {0x340, 0x340, {Traffic::kRestored, ~u64{0}, false, kRunner}},
    {0x341, 0x341, {Traffic::kMasked, ~u64{1}, false, kOddPc}},
    {0x344, 0x344, {Traffic::kMasked, 0x222, false, kVirtual}},
    {0x3a0, 0x3a2, {Traffic::kChosen, ~u64{0}, false, "QEMU keeps W without R, and bits 5 and 6 (3.7.1)"}},
    {0x3b0, 0x3bf, {Traffic::kMasked, (u64{1} << 54) - 1, false, "QEMU keeps all 64 bits; an address has 56 (3.7.1)"}},
    {0x7a0, 0x7a3, {Traffic::kReadOnly, 0, true, "there are no triggers here (debug specification, 5.7.1)"}},
    {0xb00, 0xb00, {Traffic::kFree, ~u64{0}, true, kSpeed}},
    {0xb02, 0xb02, {Traffic::kFree, ~u64{0}, true, kSpeed}},
    {0xb03, 0xb1f, {Traffic::kMasked, 0, false, kNoEvents}},
    {0xc00, 0xc02, {Traffic::kReadOnly, 0, true, kSpeed}},
    {0xf13, 0xf13, {Traffic::kReadOnly, 0, true, "each machine has its own (3.1.5)"}},
};

}  // namespace

const CsrRole& role_of(u16 number) {
  static constexpr CsrRole kFree;
  const auto found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [number](const Row& row) { return row.first <= number && number <= row.last; });
  return found == std::end(kRows) ? kFree : found->role;
}

}  // namespace retrov::difftest
