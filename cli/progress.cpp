#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "replay/host_clock.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace {
constexpr u64 kPatienceNs = 500'000'000;
constexpr u64 kEveryNs = 200'000'000;
}  // namespace

Progress::Progress() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::begin(std::string what) {
  end();
  what_ = std::move(what);
  moving_ = true;
  began_ns_ = host_ns();
}

void Progress::end() {
  moving_ = false;
  make_way();
}

void Progress::make_way() {
  if (std::exchange(printed_, false)) std::fputs("\r\033[K", stderr);
}

void Progress::at(Position here, Position end, Position begin) {
  if (!is_terminal_ || !moving_) return;
  const u64 now = host_ns();
  if (now - began_ns_ < kPatienceNs || (printed_ && now - printed_ns_ < kEveryNs)) return;
  printed_ = true;
  printed_ns_ = now;
  std::fprintf(stderr, "\rretrov: %s: %s; Ctrl-C stops\033[K", what_.c_str(),
               describe_progress(here, end, begin).c_str());
}

}  // namespace retrov
