// Files that are made anew, whole or not at all, and files that are needed on the way there. Neither has a name before
// it is whole, so nothing is left behind however the process ends; only where the file system knows no files without a
// name does a process that is killed leave a part of one.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/types.hpp"
#include "replay/trace_file.hpp"

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
  /// The same for a TraceWriter; then size_bytes() says nothing.
  [[nodiscard]] std::unique_ptr<TraceFile> as_trace() const;
  /// When this returns the disk has it, under its name. Throws Error (kCannotCreate) if somebody else took that.
  void keep();
  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Where it can be opened until it is kept.
  [[nodiscard]] std::string path_now() const;

 private:
  const std::string path_;
  int file_ = -1;
  bool named_ = false;
  bool kept_ = false;
  u64 size_bytes_ = 0;
};

/// Never has a name, and is gone with this.
class WorkFile {
 public:
  /// On the same file system as `path`. Throws Error (kCannotCreate) that names `path`.
  explicit WorkFile(const std::string& path);
  ~WorkFile();
  WorkFile(const WorkFile&) = delete;
  WorkFile& operator=(const WorkFile&) = delete;
  [[nodiscard]] std::unique_ptr<TraceFile> as_trace() const;
  [[nodiscard]] std::string path_now() const;

 private:
  int file_ = -1;
};

}  // namespace retrov
