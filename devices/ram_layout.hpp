// Which part of RAM holds what when a machine is put together. Nothing is placed twice: two images that want the same
// bytes are an error that names both, because the guest would fail in ways nobody can explain.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/types.hpp"

namespace retrov {

constexpr u64 align_up(u64 value, u64 alignment) { return (value + alignment - 1) / alignment * alignment; }

class RamLayout {
 public:
  RamLayout(PhysAddr base, u64 size_bytes) : base_(base), size_bytes_(size_bytes) {}

  [[nodiscard]] PhysAddr base() const { return base_; }
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }
  [[nodiscard]] bool is_ram(PhysAddr at) const { return at.value - base_.value < size_bytes_; }
  /// All of it is RAM and nothing is there yet.
  [[nodiscard]] bool fits(PhysAddr at, u64 size_bytes) const;
  /// Throws Error (kUsage) if it ends past RAM.
  void require_fits(const std::string& who, PhysAddr at, u64 size_bytes) const;
  /// Places `bytes` and keeps the `memory_bytes` from `at` for it. Throws Error (kUsage) if it cannot be.
  void place(const std::string& who, PhysAddr at, std::span<const u8> bytes, u64 memory_bytes);
  /// Places `bytes` as high as possible below `ceiling`, aligned if there is such a place. Throws Error (kUsage).
  PhysAddr place_high(const std::string& who, std::span<const u8> bytes, PhysAddr ceiling, u64 alignment);
  [[nodiscard]] std::vector<Blob> take_blobs() { return std::move(blobs_); }

 private:
  struct Taken {
    u64 begin, end;
    std::string who;
  };
  PhysAddr base_;
  u64 size_bytes_;
  std::vector<Taken> taken_;
  std::vector<Blob> blobs_;

  [[nodiscard]] const Taken* overlapping(u64 begin, u64 end) const;
};

}  // namespace retrov
