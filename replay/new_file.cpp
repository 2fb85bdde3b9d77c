#include "replay/new_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/check.hpp"

namespace retrov {

namespace {

[[noreturn]] void fail(Exit exit, const std::string& path, int error) {
  const char* hint = error == EEXIST ? " (a trace is never overwritten)" : "";
  throw Error(exit, "trace " + path + ": " + std::strerror(error) + hint);
}

/// By which the kernel opens a file that a process has, whether it has a name or not.
std::string path_of(int file) { return "/proc/self/fd/" + std::to_string(file); }

/// A file without a name in the folder that `path` is in. Negative: there can be none.
int open_nameless(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path folder = std::filesystem::absolute(path, failure).parent_path();
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
  // Without /proc nobody could open it, nor give it a name.
  if (file < 0 || ::access(path_of(file).c_str(), R_OK) == 0) return file;
  ::close(file);
  return -1;
}

std::unique_ptr<TraceFile> share(int file, const std::string& path) {
  const int copy = ::fcntl(file, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) fail(Exit::kIo, path, errno);
  return std::make_unique<NewTraceFile>(path, copy);
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0) fail(Exit::kCannotCreate, path_, EEXIST);
  file_ = open_nameless(path);
  if (file_ >= 0) return;
  named_ = true;
  file_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
  if (file_ < 0) fail(Exit::kCannotCreate, path_, errno);
}

NewFile::~NewFile() {
  ::close(file_);
  if (named_ && !kept_) ::unlink(path_.c_str());
}

void NewFile::write(std::span<const u8> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(file_, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) fail(Exit::kIo, path_, size < 0 ? errno : ENOSPC);
    size_bytes_ += static_cast<u64>(size);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

std::unique_ptr<TraceFile> NewFile::as_trace() const { return share(file_, path_); }

std::string NewFile::path_now() const { return named_ ? path_ : path_of(file_); }

void NewFile::keep() {
  if (::fsync(file_) != 0 && errno != EINVAL) fail(Exit::kIo, path_, errno);
  if (!named_ && ::linkat(AT_FDCWD, path_of(file_).c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    fail(Exit::kCannotCreate, path_, errno);
  }
  named_ = true;
  if (const int error = sync_folder(path_); error != 0) fail(Exit::kIo, path_, error);
  kept_ = true;
}

WorkFile::WorkFile(const std::string& path) : file_(open_nameless(path)) {
  if (file_ >= 0) return;
  std::string named = path + ".XXXXXX";
  file_ = ::mkostemp(named.data(), O_APPEND | O_CLOEXEC);
  if (file_ < 0) fail(Exit::kCannotCreate, path, errno);
  ::unlink(named.c_str());
}

WorkFile::~WorkFile() { ::close(file_); }

std::unique_ptr<TraceFile> WorkFile::as_trace() const { return share(file_, path_of(file_)); }

std::string WorkFile::path_now() const { return path_of(file_); }

}  // namespace retrov
