#include "replay/disks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/check.hpp"
#include "devices/virtio_blk.hpp"

namespace retrov {

namespace {

Error open_error(const std::string& path, int error) {
  const Exit code = error == EACCES || error == EPERM || error == EROFS ? Exit::kNoPermission : Exit::kNoInput;
  return {code, "drive " + path + ": " + std::strerror(error)};
}

}  // namespace

DiskImage::DiskImage(std::string path, Access access) : path_(std::move(path)) {
  file_ = open(path_.c_str(), (access == Access::kWrite ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (file_ < 0) throw open_error(path_, errno);
  struct stat status {};
  const off_t end = fstat(file_, &status) == 0 && !S_ISDIR(status.st_mode) ? lseek(file_, 0, SEEK_END) : -1;
  if (end < 0) {
    close(file_);
    throw Error(Exit::kNoInput, "drive " + path_ + ": not a disk image");
  }
  size_bytes_ = static_cast<u64>(end);
}

DiskImage::~DiskImage() { close(file_); }

std::optional<DiskImage::Unread> DiskImage::read(u64 offset, std::span<u8> out) const {
  const u64 there = size_bytes_ - std::min(offset, size_bytes_);
  const auto wanted = out.first(static_cast<std::size_t>(std::min<u64>(out.size(), there)));
  std::size_t done = 0;
  // Also where reading ends before it should.
  const auto fill_rest = [&] { std::fill(out.begin() + static_cast<std::ptrdiff_t>(done), out.end(), u8{0}); };
  while (done < wanted.size()) {
    const ssize_t count = pread(file_, wanted.data() + done, wanted.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const std::string why = count == 0 ? "it has become shorter" : std::strerror(errno);
      fill_rest();
      return Unread{offset + done, why};
    }
    done += static_cast<std::size_t>(count);
  }
  fill_rest();
  return std::nullopt;
}

void DiskImage::write(u64 offset, std::span<const u8> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = pwrite(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Error(Exit::kIo, "drive " + path_ + ": cannot be written: " + std::strerror(errno));
    done += static_cast<std::size_t>(count);
  }
}

void DiskImage::sync() {
  if (fsync(file_) != 0) throw Error(Exit::kIo, "drive " + path_ + ": cannot be written: " + std::strerror(errno));
}

void DiskImage::read_block(u64 index, std::span<u8, kBlockBytes> out) {
  const auto unread = read(index * kBlockBytes, out);
  if (!unread || !tell_unread_) return;
  const auto tell = std::exchange(tell_unread_, {});
  tell("the image " + path_ + " cannot be read from offset " + std::to_string(unread->offset) + " on: " + unread->why +
       "; the guest gets zeros for what cannot be read");
}

bool LiveDisk::read_block(u64 index, std::span<u8, kBlockBytes> out) {
  if (history_ == nullptr) {
    image_->read_block(index, out);
    return true;
  }
  std::shared_ptr<const PageBytes> bytes = history_->block(disk_, index);
  if (bytes == nullptr && !history_->is_hole(disk_, index)) {
    if (image_ != nullptr) {
      auto captured = history_->fresh_block();
      image_->read_block(index, *captured);
      bytes = captured;
    } else if (on_hole_) {
      on_hole_(index);
    }
  }
  history_->add_block(position_(), CapturedBlock{disk_, index, bytes});
  if (bytes == nullptr) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

bool ScratchDisk::read_block(u64 index, std::span<u8, kBlockBytes> out) {
  if (const std::shared_ptr<const PageBytes> bytes = history_.block(disk_, index)) {
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return true;
  }
  if (history_.is_hole(disk_, index)) return false;
  if (image_ == nullptr) {
    if (on_hole_) on_hole_(index);
    return false;
  }
  image_->read_block(index, out);
  return true;
}

bool ReplayDisk::read_block(u64 index, std::span<u8, kBlockBytes> out) {
  if (on_read_) on_read_(index);
  if (history_.is_hole(disk_, index)) return false;
  const std::shared_ptr<const PageBytes> bytes = history_.block(disk_, index);
  if (bytes == nullptr) {
    throw Error(Exit::kDivergence, "replay diverged: the guest reads block " + std::to_string(index) + " of disk " +
                                       std::to_string(disk_) + ", which the recorded guest never read");
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

void commit_writes(const VirtioBlk& disk, DiskBase& base, DiskImage& image) {
  // The disk is the image rounded up to a sector; an image that still has that size does not grow by the rest.
  const u64 whole_bytes = disk.size_bytes();
  const bool same = image.size_bytes() <= whole_bytes && whole_bytes - image.size_bytes() < kDiskSectorBytes;
  const u64 size_bytes = same ? image.size_bytes() : whole_bytes;
  disk.for_each_written([&](u64 index, std::span<const u8, kBlockBytes> bytes) {
    const u64 offset = index * kBlockBytes;
    if (offset >= size_bytes) return;
    PageBytes before;
    (void)base.read_block(index, before);
    image.write(offset, bytes.first(std::min(kBlockBytes, size_bytes - offset)));
  });
  image.sync();
}

}  // namespace retrov
