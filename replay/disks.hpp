// The unchanging bases of disks, live and in replay. A block of the user's image is captured when the guest first needs
// it; from then on it comes from the history, in the live session too, so that an image that changes under a running
// guest cannot make the replay differ.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/door.hpp"
#include "replay/history.hpp"

namespace retrov {

class VirtioBlk;

/// An open image of a disk.
class DiskImage {
 public:
  enum class Access : u8 { kRead, kWrite };
  /// Throws Error: kNoInput, kNoPermission or kIo, naming the file.
  DiskImage(std::string path, Access access);
  ~DiskImage();
  DiskImage(const DiskImage&) = delete;
  DiskImage& operator=(const DiskImage&) = delete;

  [[nodiscard]] u64 size_bytes() const { return size_bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Where the host could not read on, and why.
  struct Unread {
    u64 offset = 0;
    std::string why;
  };
  /// Fills `out`, with zeros past the end and for what the host cannot read.
  std::optional<Unread> read(u64 offset, std::span<u8> out) const;
  /// Throws Error (kIo).
  void write(u64 offset, std::span<const u8> bytes);
  void sync();

 private:
  std::string path_;
  int file_ = -1;
  u64 size_bytes_ = 0;
};

class LiveDisk final : public DiskBase {
 public:
  /// `image` is not written. A null `history` keeps nothing: each block is read from the image whenever it is needed.
  LiveDisk(const std::string& image, u8 disk, History* history);
  /// A position at or below the step that is being made. Before the first read, if there is a history.
  void set_position(std::function<Position()> position) { position_ = std::move(position); }
  /// Told once, in a sentence, that the image cannot be read: a trace that holds zeros instead must not be a surprise.
  void on_unread(std::function<void(const std::string&)> tell) { tell_unread_ = std::move(tell); }
  void read_block(u64 index, std::span<u8, kBlockBytes> out) override;

 private:
  void read_image(u64 index, std::span<u8, kBlockBytes> out);

  DiskImage image_;
  u8 disk_;
  History* history_;
  std::function<Position()> position_;
  std::function<void(const std::string&)> tell_unread_;  ///< Empty when it was told.
};

class ReplayDisk final : public DiskBase {
 public:
  /// The history must outlive it.
  ReplayDisk(const History& history, u8 disk) : history_(history), disk_(disk) {}
  /// Throws Error (kDivergence) for a block that was never captured.
  void read_block(u64 index, std::span<u8, kBlockBytes> out) override;

 private:
  const History& history_;
  u8 disk_;
};

/// Writes what the guest wrote to `disk` into its image (`snapshot=off`, at the live end). What it replaces is captured
/// through `base` first: the history never depends on an image that has been changed. An image that has become shorter
/// than the disk grows again, so that no write is lost. Throws Error (kIo).
void commit_writes(const VirtioBlk& disk, DiskBase& base, DiskImage& image);

}  // namespace retrov
