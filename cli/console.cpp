#include "cli/console.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "cli/messages.hpp"

namespace retrov {

namespace {

constexpr u8 kEscape = 0x01;  // Ctrl-a

constexpr const char* kHelp =
    "\nCtrl-a h       this help\n"
    "Ctrl-a x       leave\n"
    "Ctrl-a c       command prompt (continue comes back)\n"
    "Ctrl-a Ctrl-a  sends Ctrl-a\n";

/// Standard output for writes that do not wait. A terminal or a pipe is opened once more, for its flags are shared with
/// whoever gave it to us; where that is not possible, and for all that never waits, it is the file we were given.
int open_output() {
  struct stat facts {};
  const bool waits = isatty(STDOUT_FILENO) == 1 || (fstat(STDOUT_FILENO, &facts) == 0 && S_ISFIFO(facts.st_mode));
  const int again = waits ? open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
  return again < 0 ? STDOUT_FILENO : again;
}

/// How long standard output is waited for before somebody is asked whether to go on.
constexpr int kPatienceMs = 50;

}  // namespace

Console::Console(ConsoleWiring wiring) : wiring_(wiring), out_(open_output()) {}

Console::~Console() {
  if (out_ != STDOUT_FILENO) close(out_);
}

void Console::console(Position, std::span<const u8> bytes) {
  if (muted_ || wiring_ == ConsoleWiring::kNone || write_error_ != 0 || bytes.empty()) return;
  at_line_start_ = bytes.back() == '\n';
  while (!bytes.empty()) {
    const ssize_t count = write(out_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (gives_up()) return;
      pollfd out{out_, POLLOUT, 0};
      poll(&out, 1, kPatienceMs);
    } else if (errno != EINTR) {
      write_error_ = errno;
      if (on_request_) on_request_(Request::kQuit);
      return;
    }
  }
}

void Console::notice(Position, const std::string& sentence) {
  if (muted_) return;
  // A sentence of ours does not begin in the middle of a line of the guest's, where both go to one terminal.
  if (!std::exchange(at_line_start_, true) && isatty(STDERR_FILENO) == 1) std::fputc('\n', stderr);
  say(sentence);
}

void Console::filter(std::vector<u8>& bytes) {
  if (wiring_ != ConsoleWiring::kMux) return;
  std::vector<u8> passed;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const u8 byte = bytes[i];
    if (!escaped_) {
      escaped_ = byte == kEscape;
      if (!escaped_) passed.push_back(byte);
      continue;
    }
    escaped_ = false;
    if (byte == kEscape) {
      passed.push_back(byte);
    } else if (byte == 'h' || byte == '?') {
      std::fputs(kHelp, stderr);
    } else if (byte == 'x' || byte == 'c') {
      const Request wanted = byte == 'x' ? Request::kQuit : Request::kPrompt;
      {
        const std::lock_guard lock(mutex_);
        typed_ahead_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(i) + 1, bytes.end());
      }
      request_ = wanted;
      if (!on_request_ || on_request_(wanted)) break;
      request_ = Request::kNone;
    }
  }
  bytes = std::move(passed);
}

std::string Console::take_typed_ahead() {
  const std::lock_guard lock(mutex_);
  return std::exchange(typed_ahead_, {});
}

}  // namespace retrov
