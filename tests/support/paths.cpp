// The one file that is compiled with the two paths, so that all others are the same in every clone.
#include "tests/support/paths.hpp"

namespace retrov::test {

std::string source_dir() { return RETROV_SOURCE_DIR; }

std::string build_dir() { return RETROV_BUILD_DIR; }

}  // namespace retrov::test
