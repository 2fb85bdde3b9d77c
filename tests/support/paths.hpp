// Where the tests find the source tree and what was built from it.
#pragma once

#include <string>

namespace retrov::test {

/// Root of the source tree these tests were built from: they find its files wherever they are started.
std::string source_dir();

/// Build folder these tests were built into; `guests/NAME.elf` lie there.
std::string build_dir();

}  // namespace retrov::test
