#include "replay/release.hpp"

// Passed to this file alone by the Makefile, so that a new commit recompiles nothing else.
#ifndef RETROV_COMMIT
#define RETROV_COMMIT "unknown"
#endif

namespace retrov {

std::string release() { return "0.1.0-dev"; }

std::string commit() { return RETROV_COMMIT; }

}  // namespace retrov
