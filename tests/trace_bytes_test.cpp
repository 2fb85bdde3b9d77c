#include "replay/trace_bytes.hpp"

#include <sys/stat.h>

#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

Exit refusal_of_file(const std::string& path) {
  try {
    const TraceBytes bytes(path);
  } catch (const Error& error) {
    CHECK_THAT(error.what(), has_substring("trace " + path));
    return error.exit_code();
  }
  return Exit::kOk;
}

}  // namespace

TEST_CASE("trace_bytes: a file and memory read alike, up to the limit", "[trace_bytes]") {
  const TemporaryFolder folder;
  const std::vector<u8> content = {1, 2, 3, 0, 0, 0};
  write_file(folder.file("x"), content);
  for (const bool in_file : {false, true}) {
    TraceBytes bytes = in_file ? TraceBytes(folder.file("x")) : TraceBytes(content);
    CHECK(bytes.size_bytes() == 6);
    CHECK(bytes.read(1, 3) == std::vector<u8>{2, 3, 0});
    CHECK(bytes.read(6, 0).empty());
    CHECK(bytes.all_zero_from(3));
    CHECK_FALSE(bytes.all_zero_from(2));
    bytes.limit(100);
    CHECK(bytes.size_bytes() == 6);
    bytes.limit(2);
    CHECK(bytes.size_bytes() == 2);
    const TraceBytes moved = std::move(bytes);
    CHECK(moved.read(0, 2) == std::vector<u8>{1, 2});
    CHECK(moved.all_zero_from(2));
  }
}

TEST_CASE("trace_bytes: what is no file is refused, and what becomes shorter is an error", "[trace_bytes]") {
  const TemporaryFolder folder;
  CHECK(refusal_of_file(folder.file("none")) == Exit::kNoInput);
  CHECK(refusal_of_file(folder.file(".")) == Exit::kBadTrace);
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK(refusal_of_file(folder.file("pipe")) == Exit::kBadTrace);
  write_file(folder.file("x"), std::vector<u8>(10));
  const TraceBytes bytes(folder.file("x"));
  write_file(folder.file("x"), std::vector<u8>(5));
  CHECK_THROWS_WITH(bytes.read(0, 10), has_substring("became shorter while it was read"));
}
