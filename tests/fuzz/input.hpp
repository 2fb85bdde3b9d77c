// An input as a row of small choices, for targets whose input is a program rather than a file. Past its end everything
// is zero, so that a short input is a short program.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "core/types.hpp"

namespace retrov::fuzz {

inline constexpr std::array<unsigned, 4> kWidths = {1, 2, 4, 8};

class Input {
 public:
  explicit Input(std::span<const u8> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] u64 number(unsigned size_bytes) {
    u64 value = 0;
    for (unsigned i = 0; i < size_bytes; ++i) value |= u64{byte()} << (8 * i);
    return value;
  }
  [[nodiscard]] u8 byte() {
    if (bytes_.empty()) return 0;
    const u8 first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  [[nodiscard]] unsigned width() { return kWidths[byte() % kWidths.size()]; }
  /// At most so many bytes, fewer at the end.
  [[nodiscard]] std::span<const u8> take(std::size_t most) {
    const std::span<const u8> taken = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  [[nodiscard]] std::span<const u8> rest() { return take(bytes_.size()); }

 private:
  std::span<const u8> bytes_;
};

}  // namespace retrov::fuzz
