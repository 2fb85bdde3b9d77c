#include "cli/console_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/check.hpp"

namespace retrov {

ConsoleReader::ConsoleReader(int from, Console& console) : from_(from), console_(console) {
  std::array<int, 2> ends{-1, -1};
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0 || pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Error(Exit::kFailure, "cannot make a pipe for the console");
  }
  guest_end_ = ends[0];
  write_end_ = ends[1];
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ConsoleReader::~ConsoleReader() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  wake();
  thread_.join();
  for (const int fd : {guest_end_, write_end_, wake_}) {
    if (fd >= 0) close(fd);
  }
}

void ConsoleReader::wake() const {
  const u64 one = 1;
  // It can fail only because it is awake already.
  [[maybe_unused]] const ssize_t ignored = write(wake_, &one, sizeof one);
}

void ConsoleReader::push(const std::string& bytes) {
  {
    const std::lock_guard lock(mutex_);
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
  wake();
}

void ConsoleReader::start() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  wake();
}

void ConsoleReader::pause() {
  std::unique_lock lock(mutex_);
  wanted_ = false;
  wake();
  changed_.wait(lock, [this] { return !reading_; });
}

/// An escape that asks for something ends the reading until somebody has looked: what follows may be for the prompt.
bool ConsoleReader::may_read() const {
  return wanted_ && !ended_ && pending_.empty() && console_.request() == Console::Request::kNone;
}

void ConsoleReader::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (quit_) return;
    if (ended_ && pending_.empty() && write_end_ >= 0) close(std::exchange(write_end_, -1));
    reading_ = may_read();
    if (!reading_) changed_.notify_all();
    const bool writing = !pending_.empty() && write_end_ >= 0;
    std::array<pollfd, 3> fds = {pollfd{wake_, POLLIN, 0}, pollfd{reading_ ? from_ : -1, POLLIN, 0},
                                 pollfd{writing ? write_end_ : -1, POLLOUT, 0}};
    lock.unlock();
    poll(fds.data(), fds.size(), -1);
    lock.lock();
    if (fds[0].revents != 0) {
      u64 count = 0;
      [[maybe_unused]] const ssize_t ignored = read(wake_, &count, sizeof count);
    }
    if (fds[1].revents != 0 && wanted_ && !quit_) read_some();
    if (fds[2].revents != 0) write_some();
  }
}

void ConsoleReader::read_some() {
  std::vector<u8> bytes(4096);
  const ssize_t count = read(from_, bytes.data(), bytes.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    ended_ = true;
    return;
  }
  bytes.resize(static_cast<std::size_t>(count));
  console_.filter(bytes);
  pending_ = std::move(bytes);
}

void ConsoleReader::write_some() {
  const ssize_t count = write(write_end_, pending_.data(), pending_.size());
  if (count > 0) pending_.erase(pending_.begin(), pending_.begin() + count);
}

}  // namespace retrov
