#include "cli/messages.hpp"

#include <cstdio>

namespace retrov {

void say(const std::string& sentence) { std::fprintf(stderr, "retrov: %s\n", sentence.c_str()); }

}  // namespace retrov
