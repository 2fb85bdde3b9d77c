// cli/man_page against the tables, as text that man takes.
#include "cli/man_page.hpp"

#include <sstream>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "tests/catch.hpp"
#include "tests/support/cli_run.hpp"

using namespace retrov;
using namespace retrov::test;

namespace {

std::string page_of(Subcommand subcommand) {
  std::ostringstream out;
  print_man_page(subcommand, out);
  return out.str();
}

/// As man shows it.
std::string shown(std::string text) {
  for (const auto& [from, to] : {std::pair("\\-", "-"), std::pair("\\fB", ""), std::pair("\\fI", ""),
                                 std::pair("\\fR", ""), std::pair("\\e", "\\"), std::pair("\\&", "")}) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
      text.replace(at, std::string(from).size(), to);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("man_page: each subcommand's has all of its options, with what they do", "[man_page]") {
  for (const SubcommandRow& command : subcommands()) {
    if (command.id == Subcommand::kHelp) continue;
    const std::string page = page_of(command.id);
    const std::string text = shown(page);
    INFO(command.name);
    CHECK(page.starts_with(".TH RETROV\\-"));
    CHECK_THAT(text, has_substring("retrov-" + std::string(command.name) + " - "));
    CHECK_THAT(text, has_substring("\n" + std::string(command.summary) + "\n"));
    CHECK_THAT(text, has_substring(std::string(command.examples)));
    for (const OptionRow& row : option_rows()) {
      if ((row.subcommands & only(command.id)) == 0) continue;
      std::string head;
      for (const std::string& name : names_of(row)) head += (head.empty() ? "" : ", ") + name;
      CHECK_THAT(text, has_substring(".TP\n" + head));
      CHECK_THAT(text, has_substring("\n" + std::string(row.help)));
    }
    // No line is a request by accident.
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('.')) CHECK_THAT(" .TH .SH .SS .TP .nf .fi ", has_substring(" " + line.substr(0, 3) + " "));
      CHECK_FALSE(line.starts_with('\''));
    }
  }
}

TEST_CASE("man_page: retrov(1) has every subcommand, and so has --list-commands", "[man_page]") {
  const std::string text = shown(page_of(Subcommand::kHelp));
  std::string names;
  for (const SubcommandRow& command : subcommands()) {
    CHECK_THAT(text, has_substring(".TP\n" + std::string(command.name) + " " + std::string(command.synopsis) + "\n"));
    names += std::string(command.name) + "\n";
  }
  CHECK(run_cli({"--list-commands"}).out == names);
  CHECK(run_cli({"help", "--man"}).out == page_of(Subcommand::kHelp));
  CHECK(run_cli({"help", "--man", "record"}).out == page_of(Subcommand::kRecord));
  CHECK(run_cli({"help", "--man", "nosuch"}).status == 64);
}
