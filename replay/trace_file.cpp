#include "replay/trace_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/check.hpp"

namespace retrov {

int sync_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return errno;
  const int error = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // Some file systems cannot, and keep the name all the same.
  return error == EINVAL ? 0 : error;
}

NewTraceFile::NewTraceFile(const std::string& path) : path_(path) {
  file_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0) {
    const int error = errno;
    const std::string hint = error == EEXIST ? " (a trace is never overwritten)" : "";
    throw Error(Exit::kCannotCreate, "trace " + path + ": " + std::strerror(error) + hint);
  }
  (void)::flock(file_, LOCK_EX | LOCK_NB);
}

NewTraceFile::~NewTraceFile() { ::close(file_); }

i64 NewTraceFile::write(std::span<const u8> bytes) {
  const ssize_t size = ::write(file_, bytes.data(), bytes.size());
  return size < 0 ? -errno : size;
}

i64 NewTraceFile::read(u64 offset, std::span<u8> out) const {
  const ssize_t size = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
  return size < 0 ? -errno : size;
}

int NewTraceFile::cut_back(u64 size_bytes) {
  return ::ftruncate(file_, static_cast<off_t>(size_bytes)) == 0 ? 0 : errno;
}

int NewTraceFile::sync() {
  if (::fdatasync(file_) != 0) return errno;
  if (named_ || shared_) return 0;
  named_ = true;
  return sync_folder(path_);
}

void NewTraceFile::discard() {
  if (!shared_) ::unlink(path_.c_str());
}

bool is_being_recorded(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return locked;
}

}  // namespace retrov
