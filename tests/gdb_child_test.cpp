#include "cli/gdb_child.hpp"

#include <cstdlib>

#include "core/check.hpp"
#include "tests/catch.hpp"

using namespace retrov;

TEST_CASE("gdb child: the named one comes first, then the environment's, then what is installed", "[gdb_child]") {
  const char* path = std::getenv("PATH");
  const std::string saved = path == nullptr ? "" : path;
  setenv("PATH", "/nowhere", 1);
  unsetenv("RETROV_GDB");
  CHECK_FALSE(find_gdb("").has_value());
  CHECK(find_gdb("my-gdb") == "my-gdb");
  setenv("RETROV_GDB", "/opt/gdb", 1);
  CHECK(find_gdb("") == "/opt/gdb");
  CHECK(find_gdb("my-gdb") == "my-gdb");
  unsetenv("RETROV_GDB");
  setenv("PATH", saved.c_str(), 1);
}

TEST_CASE("gdb child: its status is known once it has ended", "[gdb_child]") {
  GdbChild child("/bin/sh", {"-c", "exit 7"});
  CHECK(child.wait() == 7);
  CHECK(child.ended() == 7);
  GdbChild killed("/bin/sh", {"-c", "kill -9 $$"});
  CHECK(killed.wait() == 128 + 9);
  GdbChild other("/bin/true", {});
  CHECK(other.wait() == 0);
}

TEST_CASE("gdb child: one that cannot be started is named", "[gdb_child]") {
  try {
    const GdbChild child("/nowhere/gdb", {});
    FAIL("started what does not exist");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kUnavailable);
    CHECK_THAT(error.what(), has_substring("/nowhere/gdb"));
  }
}
