#include "cli/man_page.hpp"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "replay/release.hpp"

namespace retrov {

namespace {

/// Dashes stay dashes, and nothing is taken for a request.
std::string plain(std::string_view text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result;
}

/// "Runs a guest." as "runs a guest".
std::string as_clause(std::string_view sentence) {
  std::string clause(sentence.substr(0, sentence.size() - 1));
  clause[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(clause[0])));
  return clause;
}

void print_title(const std::string& name, std::string_view summary, std::ostream& out) {
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  out << ".TH " << plain(title) << " 1 \"\" \"retrov " << release() << "\" \"retrov\"\n"
      << ".SH NAME\n" << plain(name) << " \\- " << plain(as_clause(summary)) << "\n.SH SYNOPSIS\n";
}

void print_option(const OptionRow& row, std::ostream& out) {
  out << ".TP\n";
  std::string separator;
  for (const std::string& name : names_of(row)) {
    out << separator << "\\fB" << plain(name) << "\\fR";
    separator = ", ";
  }
  if (!row.argument.empty()) {
    out << (row.argument.starts_with("[=") ? "" : " ") << "\\fI" << plain(row.argument) << "\\fR";
  }
  out << '\n' << (row.help.empty() ? "Taken for QEMU's sake; changes nothing." : plain(row.help)) << '\n';
}

void print_options(Subcommand subcommand, std::ostream& out) {
  out << ".SH OPTIONS\n";
  for (unsigned group = 0; group <= static_cast<unsigned>(OptionGroup::kGeneral); ++group) {
    bool headed = false;
    for (const OptionRow& row : option_rows()) {
      if (static_cast<unsigned>(row.group) != group || (row.subcommands & only(subcommand)) == 0) continue;
      if (!headed) out << ".SS " << heading(row.group) << '\n';
      headed = true;
      print_option(row, out);
    }
  }
}

void print_command(const SubcommandRow& row, std::ostream& out) {
  print_title("retrov-" + std::string(row.name), row.summary, out);
  out << "\\fBretrov " << plain(row.name) << "\\fR " << plain(row.synopsis) << "\n.SH DESCRIPTION\n"
      << plain(row.summary) << '\n';
  print_options(row.id, out);
  out << ".SH EXAMPLES\n.nf\n" << plain(row.examples) << ".fi\n"
      << ".SH SEE ALSO\n\\fBretrov\\fR(1), \\fBretrov\\-trace\\fR(5), \\fBretrov\\-gdb\\fR(7)\n";
}

void print_overview(std::ostream& out) {
  print_title("retrov", "Records a RISC-V machine, replays it bit for bit, and walks it backwards from gdb.", out);
  out << "\\fBretrov\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  for (const SubcommandRow& row : subcommands()) {
    out << ".TP\n\\fB" << plain(row.name) << "\\fR " << plain(row.synopsis) << '\n' << plain(row.summary) << '\n';
  }
  out << ".SH SEE ALSO\n";
  for (const SubcommandRow& row : subcommands()) {
    if (row.id != Subcommand::kHelp) out << "\\fBretrov\\-" << plain(row.name) << "\\fR(1),\n";
  }
  out << "\\fBretrov\\-trace\\fR(5), \\fBretrov\\-gdb\\fR(7)\n";
}

}  // namespace

void print_man_page(Subcommand subcommand, std::ostream& out) {
  if (subcommand == Subcommand::kHelp) return print_overview(out);
  print_command(subcommand_row(subcommand), out);
}

}  // namespace retrov
