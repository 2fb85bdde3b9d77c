#include "replay/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.hpp"

namespace retrov {

namespace {

[[noreturn]] void fail(Exit exit, const std::string& path, int error) {
  const char* hint = error == EEXIST ? " (a trace is never overwritten)" : "";
  throw Error(exit, "trace " + path + ": " + std::strerror(error) + hint);
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path) {
  file_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file_ < 0) fail(Exit::kCannotCreate, path_, errno);
}

NewFile::~NewFile() {
  ::close(file_);
  if (!kept_) ::unlink(path_.c_str());
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

void NewFile::keep() {
  if (::fsync(file_) != 0 && errno != EINVAL) fail(Exit::kIo, path_, errno);
  kept_ = true;
}

}  // namespace retrov
