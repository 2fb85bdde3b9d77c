// A file that is made anew, whole or not at all.
#pragma once

#include <span>
#include <string>

#include "core/types.hpp"

namespace retrov {

/// Gone again unless it was kept. Every function throws Error (kIo) if it cannot be written.
class NewFile {
 public:
  /// With mode 0600. Throws Error (kCannotCreate) if it exists or cannot be made.
  explicit NewFile(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::span<const u8> bytes);
  /// When this returns the disk has it.
  void keep();
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }

 private:
  const std::string path_;
  int file_ = -1;
  bool kept_ = false;
  u64 size_bytes_ = 0;
};

}  // namespace retrov
