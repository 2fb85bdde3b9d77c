// Completion of the command line by the user's shell, from the tables of subcommands and options.
#pragma once

#include <iosfwd>
#include <string_view>

namespace retrov {

/// A script for bash, zsh or fish. Throws Error (kUsage) for another shell.
void print_completion(std::string_view shell, std::ostream& out);

}  // namespace retrov
