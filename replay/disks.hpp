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
  /// The same for a block, and tells whoever wants to know.
  void read_block(u64 index, std::span<u8, kBlockBytes> out);
  /// Told once, in a sentence, that a block cannot be read: a trace that holds zeros instead must not be a surprise.
  void on_unread(std::function<void(const std::string&)> tell) { tell_unread_ = std::move(tell); }
  /// Throws Error (kIo).
  void write(u64 offset, std::span<const u8> bytes);
  void sync();

 private:
  std::string path_;
  int file_ = -1;
  u64 size_bytes_ = 0;
  std::function<void(const std::string&)> tell_unread_;  ///< Empty when it was told.
};

/// Of a machine that runs on with the world outside.
class LiveDisk final : public DiskBase {
 public:
  /// `image` is not written; null: there is none, as for a branch of a recording, and what the history lacks is a hole.
  /// A null `history` keeps nothing: each block is read from the image whenever it is needed. Both must outlive it.
  LiveDisk(DiskImage* image, u8 disk, History* history) : image_(image), disk_(disk), history_(history) {}
  /// A position at or below the step that is being made. Before the first read, if there is a history.
  void set_position(std::function<Position()> position) { position_ = std::move(position); }
  /// Told when a block cannot be had.
  void on_hole(std::function<void(u64 index)> callback) { on_hole_ = std::move(callback); }
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override;

 private:
  DiskImage* image_;
  u8 disk_;
  History* history_;
  std::function<Position()> position_;
  std::function<void(u64 index)> on_hole_;
};

/// Of a throw-away copy: reads what a branch would, and keeps nothing.
class ScratchDisk final : public DiskBase {
 public:
  /// As for LiveDisk.
  ScratchDisk(DiskImage* image, u8 disk, const History& history)
      : image_(image), disk_(disk), history_(history) {}
  /// As for LiveDisk.
  void on_hole(std::function<void(u64 index)> callback) { on_hole_ = std::move(callback); }
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override;

 private:
  DiskImage* image_;
  u8 disk_;
  const History& history_;
  std::function<void(u64 index)> on_hole_;
};

/// Stands in a machine for the base of whichever branch it is in.
class DiskSlot final : public DiskBase {
 public:
  /// Before the first read; it must outlive its use.
  void use(DiskBase& base) { base_ = &base; }
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override { return base_->read_block(index, out); }

 private:
  DiskBase* base_ = nullptr;
};

class ReplayDisk final : public DiskBase {
 public:
  /// The history must outlive it.
  ReplayDisk(const History& history, u8 disk) : history_(history), disk_(disk) {}
  /// Told of each block that is read. Empty: nobody is.
  void on_read(std::function<void(u64 index)> callback) { on_read_ = std::move(callback); }
  /// Throws Error (kDivergence) for a block that was never captured.
  bool read_block(u64 index, std::span<u8, kBlockBytes> out) override;

 private:
  const History& history_;
  u8 disk_;
  std::function<void(u64 index)> on_read_;
};

/// Writes what the guest wrote to `disk` into its image (`snapshot=off`, at the live end). What it replaces is captured
/// through `base` first: the history never depends on an image that has been changed. An image that has become shorter
/// than the disk grows again, so that no write is lost. Throws Error (kIo).
void commit_writes(const VirtioBlk& disk, DiskBase& base, DiskImage& image);

}  // namespace retrov
