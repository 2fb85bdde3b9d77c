#include "cli/terminal.hpp"

#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include "tests/catch.hpp"

using namespace retrov;

namespace {

struct Pty {
  Pty() { REQUIRE(openpty(&master, &slave, nullptr, nullptr, nullptr) == 0); }
  ~Pty() {
    close(master);
    close(slave);
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  [[nodiscard]] tcflag_t local_modes() const {
    termios mode{};
    REQUIRE(tcgetattr(slave, &mode) == 0);
    return mode.c_lflag;
  }
  int master = -1;
  int slave = -1;
};

}  // namespace

TEST_CASE("terminal: raw lets every key through, plain keeps the signals, restoring brings all back", "[terminal]") {
  const Pty pty;
  const tcflag_t before = pty.local_modes();
  REQUIRE((before & ICANON) != 0);
  REQUIRE((before & ISIG) != 0);
  {
    Terminal terminal(pty.slave);
    CHECK(terminal.is_terminal());
    terminal.make_raw(Keys::kGuest);
    CHECK((pty.local_modes() & (ICANON | ECHO | ISIG)) == 0);
    terminal.make_raw(Keys::kSignals);
    CHECK((pty.local_modes() & (ICANON | ECHO)) == 0);
    CHECK((pty.local_modes() & ISIG) != 0);
    terminal.restore();
    CHECK(pty.local_modes() == before);
    terminal.make_raw(Keys::kGuest);
  }
  CHECK(pty.local_modes() == before);
}

TEST_CASE("terminal: what a signal handler puts back can be taken up again", "[terminal]") {
  const Pty pty;
  const tcflag_t before = pty.local_modes();
  Terminal terminal(pty.slave);
  terminal.make_raw(Keys::kGuest);
  const tcflag_t raw = pty.local_modes();
  restore_terminal();
  CHECK(pty.local_modes() == before);
  resume_terminal();
  CHECK(pty.local_modes() == raw);
  terminal.restore();
  resume_terminal();
  CHECK(pty.local_modes() == before);
}

TEST_CASE("terminal: what is no terminal is left alone", "[terminal]") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  Terminal terminal(ends[0]);
  CHECK_FALSE(terminal.is_terminal());
  terminal.make_raw(Keys::kGuest);
  terminal.restore();
  for (const int fd : ends) close(fd);
}
