#include "cli/messages.hpp"

#include <cstdio>
#include <iostream>

#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/ring.hpp"

namespace retrov {

void say(const std::string& sentence) { std::fprintf(stderr, "retrov: %s\n", sentence.c_str()); }

void say_if_ring(const std::string& path) {
  const std::size_t parts = ring_parts(path).size();
  if (parts == 1) return;
  say("this is the oldest of " + std::to_string(parts) + " parts of the recording: retrov recover " + path +
      " -o FILE joins them");
}

std::string size_text(u64 size_bytes) {
  if (size_bytes < 1024) return std::to_string(size_bytes) + " bytes";
  if (size_bytes < u64{10} << 20) return group_digits(size_bytes >> 10) + " KiB";
  return group_digits(size_bytes >> 20) + " MiB";
}

void check_output() {
  std::cout.flush();
  if (!std::cout) throw Error(Exit::kIo, "cannot write to standard output");
}

}  // namespace retrov
