// The one way to Catch2. Debian 12 has version 2 (one header), Debian 13 version 3 (a library); the tests use what both
// have. What they spell differently is named once here, so a test includes this file and never <catch2/…>.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace retrov {

/// Matches a string that has `text` in it: CHECK_THAT(line, has_substring("busy")).
inline auto has_substring(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}

}  // namespace retrov
