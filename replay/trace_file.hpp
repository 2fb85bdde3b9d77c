// Where a TraceWriter's bytes go: what it needs of a file, so that tests can put one between that fails.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "core/types.hpp"

namespace retrov {

class TraceFile {
 public:
  virtual ~TraceFile() = default;
  /// Appends. How many bytes were taken, which may be fewer, or the negative errno.
  virtual i64 write(std::span<const u8> bytes) = 0;
  /// Of what was written. As pread(2): how many bytes were read, or the negative errno. Any thread.
  [[nodiscard]] virtual i64 read(u64 offset, std::span<u8> out) const = 0;
  /// Makes it that short again. 0, or the errno.
  virtual int cut_back(u64 size_bytes) = 0;
  /// What was written survives a loss of power. 0, or the errno.
  virtual int sync() = 0;
  /// Nothing came of it: it is not to be found any more.
  virtual void discard() {}
};

/// A new file of its owner's alone, locked as long as it is open, so that others can see that it is being recorded.
class NewTraceFile final : public TraceFile {
 public:
  /// Throws Error(kCannotCreate) if it exists or cannot be made.
  explicit NewTraceFile(const std::string& path);
  /// Takes over an open file, which is somebody else's to remove; `path` is where it will be.
  NewTraceFile(std::string path, int file) : path_(std::move(path)), file_(file), shared_(true) {}
  ~NewTraceFile() override;
  NewTraceFile(const NewTraceFile&) = delete;
  NewTraceFile& operator=(const NewTraceFile&) = delete;
  i64 write(std::span<const u8> bytes) override;
  [[nodiscard]] i64 read(u64 offset, std::span<u8> out) const override;
  int cut_back(u64 size_bytes) override;
  int sync() override;
  void discard() override;

 private:
  const std::string path_;
  int file_ = -1;
  const bool shared_ = false;
  bool named_ = false;  ///< Its entry in the folder survives a loss of power, too.
};

/// The entry of `path` in its folder survives a loss of power. 0, or the errno.
[[nodiscard]] int sync_folder(const std::string& path);

/// Somebody records to it now. False also where the file system knows no locks.
[[nodiscard]] bool is_being_recorded(const std::string& path);

}  // namespace retrov
