// Where the bytes of a trace come from: a file that is read piece by piece, for it may be larger than memory, or
// memory. Nothing is believed of what is read here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov {

class TraceBytes {
 public:
  /// All of `memory`.
  TraceBytes(std::vector<u8> memory) : memory_(std::move(memory)), size_bytes_(memory_.size()) {}
  /// Throws Error: kNoInput or kNoPermission if it cannot be opened, kBadTrace if it is no regular file.
  explicit TraceBytes(const std::string& path);
  ~TraceBytes();
  TraceBytes(TraceBytes&& other) noexcept;
  TraceBytes& operator=(TraceBytes&&) = delete;

  /// As it was when it was opened; a recorder may be adding to it.
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }
  /// Nothing behind that is there any more.
  void limit(u64 size_bytes) { size_bytes_ = size_bytes < size_bytes_ ? size_bytes : size_bytes_; }
  /// `out` must lie inside. Throws Error (kIo).
  void read(u64 offset, std::span<u8> out) const;
  [[nodiscard]] std::vector<u8> read(u64 offset, u64 size_bytes) const;
  [[nodiscard]] bool all_zero_from(u64 offset) const;

 private:
  std::string path_;
  int file_ = -1;
  std::vector<u8> memory_;
  u64 size_bytes_ = 0;
};

}  // namespace retrov
