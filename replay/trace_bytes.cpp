#include "replay/trace_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.hpp"

namespace retrov {

TraceBytes::TraceBytes(const std::string& path) : path_(path) {
  // Not to wait for the other end of a pipe.
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file_ < 0) {
    throw Error(errno == EACCES ? Exit::kNoPermission : Exit::kNoInput, "trace " + path + ": " + std::strerror(errno));
  }
  struct stat facts {};
  if (::fstat(file_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(file_);
    throw Error(Exit::kBadTrace, "trace " + path + ": not a regular file");
  }
  size_bytes_ = static_cast<u64>(facts.st_size);
}

TraceBytes::~TraceBytes() {
  if (file_ >= 0) ::close(file_);
}

TraceBytes::TraceBytes(TraceBytes&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      memory_(std::move(other.memory_)),
      size_bytes_(other.size_bytes_) {}

void TraceBytes::read(u64 offset, std::span<u8> out) const {
  RV_CHECK(offset <= size_bytes_ && out.size() <= size_bytes_ - offset);
  if (file_ < 0) {
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return;
  }
  while (!out.empty()) {
    const ssize_t size = ::pread(file_, out.data(), out.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      const std::string why = size < 0 ? std::strerror(errno) : "became shorter while it was read";
      throw Error(Exit::kIo, "trace " + path_ + ": " + why);
    }
    out = out.subspan(static_cast<std::size_t>(size));
    offset += static_cast<u64>(size);
  }
}

std::vector<u8> TraceBytes::read(u64 offset, u64 size_bytes) const {
  std::vector<u8> bytes(static_cast<std::size_t>(size_bytes));
  read(offset, bytes);
  return bytes;
}

bool TraceBytes::all_zero_from(u64 offset) const {
  std::array<u8, 65536> buffer;
  while (offset < size_bytes_) {
    const std::span<u8> part(buffer.data(), std::min<u64>(buffer.size(), size_bytes_ - offset));
    read(offset, part);
    if (std::any_of(part.begin(), part.end(), [](u8 byte) { return byte != 0; })) return false;
    offset += part.size();
  }
  return true;
}

}  // namespace retrov
