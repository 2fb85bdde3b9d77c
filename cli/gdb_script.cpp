#include "cli/gdb_script.hpp"

#include <iostream>
#include <string_view>

#include "cli/messages.hpp"

namespace retrov {

namespace {

constexpr std::string_view kScript =
#include "cli/gdb_script.inc"
    ;

}  // namespace

int run_gdbinit(const Options&) {
  std::cout << kScript;
  check_output();
  return 0;
}

}  // namespace retrov
