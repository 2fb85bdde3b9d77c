#include "cli/completion.hpp"

#include <sstream>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "core/check.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::string script_for(const char* shell) {
  std::ostringstream out;
  print_completion(shell, out);
  return out.str();
}

}  // namespace

TEST_CASE("completion: each shell's has all subcommands and the names of all options", "[completion]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    INFO(shell);
    const std::string script = script_for(shell);
    const bool is_fish = std::string(shell) == "fish";
    for (const SubcommandRow& command : subcommands()) {
      CHECK_THAT(script, has_substring(std::string(command.name)));
      for (const OptionRow& row : option_rows()) {
        if ((row.subcommands & only(command.id)) == 0) continue;
        for (const std::string& name : names_of(row)) {
          const std::string bare = name.substr(name.find_first_not_of('-'));
          CHECK_THAT(script, has_substring(is_fish ? " " + bare + " " : name));
        }
      }
    }
    CHECK(run_cli({"help", "--completion", shell}).out == script);
  }
  CHECK_THROWS_WITH(script_for("csh"), has_substring("neither bash nor zsh nor fish"));
}
