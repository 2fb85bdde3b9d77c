#include "cli/messages.hpp"

#include <cstdio>
#include <iostream>

#include "core/check.hpp"

namespace retrov {

void say(const std::string& sentence) { std::fprintf(stderr, "retrov: %s\n", sentence.c_str()); }

void check_output() {
  std::cout.flush();
  if (!std::cout) throw Error(Exit::kIo, "cannot write to standard output");
}

}  // namespace retrov
