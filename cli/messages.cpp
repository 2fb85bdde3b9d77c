#include "cli/messages.hpp"

#include <cstdio>
#include <iostream>

#include "core/check.hpp"
#include "replay/ring.hpp"

namespace retrov {

void say(const std::string& sentence) { std::fprintf(stderr, "retrov: %s\n", sentence.c_str()); }

void say_if_ring(const std::string& path) {
  const std::size_t parts = ring_parts(path).size();
  if (parts == 1) return;
  say("this is the oldest of " + std::to_string(parts) + " parts of the recording: retrov recover " + path +
      " -o FILE joins them");
}

void check_output() {
  std::cout.flush();
  if (!std::cout) throw Error(Exit::kIo, "cannot write to standard output");
}

}  // namespace retrov
