// What retrov can be told to do: one row per subcommand.
#pragma once

#include <span>
#include <string_view>

#include "cli/options.hpp"

namespace retrov {

struct SubcommandRow {
  Subcommand id;
  std::string_view name;
  std::string_view synopsis;  ///< After "retrov NAME".
  std::string_view summary;
  std::string_view examples;  ///< Two lines.
  /// Returns the status of the process. Throws Error.
  int (*run)(const Options& options);
};

[[nodiscard]] std::span<const SubcommandRow> subcommands();
[[nodiscard]] const SubcommandRow& subcommand_row(Subcommand subcommand);

/// Does what the command line says. `arguments` are argv without the program's name. Throws Error.
int run_command_line(std::span<const std::string> arguments);

}  // namespace retrov
