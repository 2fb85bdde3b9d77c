// Manual pages from the tables of subcommands and options, so that they say what --help says.
#pragma once

#include <iosfwd>

#include "cli/options.hpp"

namespace retrov {

/// Of one subcommand, in the language of man(7); of kHelp that of all of them, retrov(1).
void print_man_page(Subcommand subcommand, std::ostream& out);

}  // namespace retrov
