// The platform-level interrupt controller: 95 level-triggered lines, and for each hart a context for M-mode (2h) and
// one for S-mode (2h + 1), at the offsets of QEMU's `virt`. PLIC specification 1.0.0.
//
// Must stay true: `pending` is at a fixpoint of the lines (a line that is high and not being served is pending), so
// telling the levels again changes nothing. The levels themselves follow from the devices and are not state.
#pragma once

#include <array>

#include "core/device.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Plic final : public StatefulAs<Plic, Device> {
 public:
  static constexpr unsigned kSources = 95;
  static constexpr unsigned kWords = (kSources + 32) / 32;

  explicit Plic(unsigned harts) : harts_(harts) {}

  [[nodiscard]] std::string_view name() const override { return "plic"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override;
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  void reset() override;
  void lines_changed(u64 levels, u64 asked) override;
  [[nodiscard]] u64 mip_bits(unsigned hart, Ticks now) const override;

  template <class A>
  void serialize(A& a) {
    a(field("priority", priority_), field("pending", pending_), field("claimed", claimed_));
    a(field("asked", asked_));
    a(field("enable", enable_), field("threshold", threshold_));
  }

 private:
  static constexpr unsigned kContexts = 2 * kMaxHarts;
  using Bits = std::array<u32, kWords>;

  unsigned harts_;
  std::array<u8, kSources + 1> priority_{};
  Bits pending_{};
  Bits claimed_{};
  Bits asked_{};  ///< Has asked since it was last claimed.
  std::array<Bits, kContexts> enable_{};
  std::array<u8, kContexts> threshold_{};
  u64 levels_ = 0;  ///< As last told; the sources above 63 are never high.

  [[nodiscard]] unsigned contexts() const { return 2 * harts_; }
  /// The pending source that `context` would be given with a priority above `floor`; 0: none.
  [[nodiscard]] unsigned best(unsigned context, unsigned floor) const;
  void latch();
};

}  // namespace retrov
