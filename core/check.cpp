#include "core/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace retrov {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "retrov: internal error: %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace retrov
