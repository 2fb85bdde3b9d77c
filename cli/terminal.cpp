#include "cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <atomic>

namespace retrov {

namespace {

/// A signal handler cannot be handed an object, so what it must put back is kept here and nowhere else.
struct RawTerminal {
  std::atomic<int> fd{-1};  ///< -1: none is raw.
  termios before{};
  termios raw{};
};
RawTerminal raw_terminal;

}  // namespace

Terminal::Terminal(int fd) : fd_(fd), is_terminal_(isatty(fd) == 1) {}

Terminal::~Terminal() { restore(); }

void Terminal::make_raw(Keys keys) {
  if (!is_terminal_) return;
  if (raw_terminal.fd.load() < 0 && tcgetattr(fd_, &raw_terminal.before) != 0) return;
  termios raw = raw_terminal.before;
  raw.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  // Output stays processed: guests and our own messages end lines with a line feed.
  raw.c_oflag |= OPOST;
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN);
  if (keys == Keys::kGuest) raw.c_lflag &= ~static_cast<tcflag_t>(ISIG);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  raw_terminal.raw = raw;
  raw_terminal.fd.store(fd_);
  tcsetattr(fd_, TCSANOW, &raw);
}

void Terminal::restore() noexcept {
  if (!is_terminal_ || raw_terminal.fd.load() != fd_) return;
  restore_terminal();
  raw_terminal.fd.store(-1);
}

void restore_terminal() noexcept {
  const int fd = raw_terminal.fd.load();
  if (fd >= 0) tcsetattr(fd, TCSANOW, &raw_terminal.before);
}

void resume_terminal() noexcept {
  const int fd = raw_terminal.fd.load();
  if (fd >= 0) tcsetattr(fd, TCSANOW, &raw_terminal.raw);
}

}  // namespace retrov
