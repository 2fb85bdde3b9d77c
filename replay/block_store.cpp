#include "replay/block_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "core/check.hpp"
#include "core/door.hpp"

namespace retrov {

namespace {

int open_nameless_file() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/var/tmp";
  const int file = ::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system has O_TMPFILE.
  std::string path = std::string(folder) + "/retrov-blocks-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

bool write_at(int file, std::span<const u8> bytes, u64 offset) {
  while (!bytes.empty()) {
    const ssize_t size = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    offset += static_cast<u64>(size);
  }
  return true;
}

}  // namespace

BlockStore::BlockStore(u64 budget_bytes)
    : budget_bytes_(budget_bytes), zero_(std::make_shared<const PageBytes>(PageBytes{})) {}

BlockStore::~BlockStore() {
  if (file_ >= 0) ::close(file_);
}

bool BlockStore::spill(const PageBytes& bytes, u64& offset) {
  if (file_failed_) return false;
  if (file_ < 0) file_ = open_nameless_file();
  // A failure is final: what is in the file stays readable, the rest stays in memory.
  file_failed_ = file_ < 0 || !write_at(file_, bytes, spilled_bytes_);
  if (file_failed_) return false;
  offset = spilled_bytes_;
  spilled_bytes_ += bytes.size();
  return true;
}

bool BlockStore::put(u8 disk, u64 index, std::shared_ptr<const PageBytes> bytes) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = places_.try_emplace({disk, index});
  if (!is_new) return false;
  Place& place = at->second;
  if (bytes == nullptr) {
    place.hole = true;
  } else if (*bytes == *zero_) {
    place.bytes = zero_;
  } else if (memory_bytes_ + kBlockBytes <= budget_bytes_ || !spill(*bytes, place.offset)) {
    memory_bytes_ += kBlockBytes;
    place.bytes = std::move(bytes);
  }
  return true;
}

std::shared_ptr<const PageBytes> BlockStore::find(u8 disk, u64 index) const {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find({disk, index});
  return at != places_.end() ? read(at->second) : nullptr;
}

std::shared_ptr<const PageBytes> BlockStore::read(const Place& place) const {
  if (place.hole) return nullptr;
  if (place.bytes != nullptr) return place.bytes;
  auto bytes = std::make_shared<PageBytes>();
  std::size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t size =
        ::pread(file_, bytes->data() + done, bytes->size() - done, static_cast<off_t>(place.offset + done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      const std::string why = size < 0 ? std::strerror(errno) : "it is shorter than it was";
      throw Error(Exit::kIo, "cannot read captured disk blocks back from the temporary file: " + why);
    }
    done += static_cast<std::size_t>(size);
  }
  return bytes;
}

bool BlockStore::is_hole(u8 disk, u64 index) const {
  const std::lock_guard lock(mutex_);
  const auto at = places_.find({disk, index});
  return at != places_.end() && at->second.hole;
}

void BlockStore::for_each(const Visit& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, place] : places_) visit(key.first, key.second, read(place));
}

u64 BlockStore::count() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

u64 BlockStore::spilled_bytes() const {
  const std::lock_guard lock(mutex_);
  return spilled_bytes_;
}

}  // namespace retrov
