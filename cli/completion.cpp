#include "cli/completion.hpp"

#include <ostream>
#include <string>

#include "cli/option_table.hpp"
#include "cli/subcommands.hpp"
#include "core/check.hpp"

namespace retrov {

namespace {

/// The names of its options, with a blank between.
std::string words_of(Subcommand subcommand) {
  std::string words;
  for (const OptionRow& row : option_rows()) {
    if ((row.subcommands & only(subcommand)) == 0) continue;
    words += (words.empty() ? "" : " ") + std::string(row.names);
  }
  return words;
}

std::string command_names() {
  std::string names;
  for (const SubcommandRow& row : subcommands()) names += (names.empty() ? "" : " ") + std::string(row.name);
  return names;
}

bool takes_trace(const SubcommandRow& row) { return row.synopsis.find("TRACE") != std::string_view::npos; }

/// In single quotes; `quote` is how one stands in them.
std::string quoted(std::string_view text, std::string_view quote) {
  std::string result = "'";
  for (const char c : text) c == '\'' ? result += quote : result += c;
  return result + "'";
}

void print_bash(std::ostream& out) {
  out << "_retrov() {\n"
         "  local here=${COMP_WORDS[COMP_CWORD]} options='' traces=''\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    COMPREPLY=($(compgen -W '" << command_names() << "' -- \"$here\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n";
  for (const SubcommandRow& row : subcommands()) {
    const bool is_help = row.id == Subcommand::kHelp;
    out << "    " << row.name << ") options='" << words_of(row.id) << (is_help ? " " + command_names() : "") << '\'';
    if (takes_trace(row)) out << " traces=1";
    out << " ;;\n";
  }
  out << "  esac\n"
         "  if [[ $here == -* || ${COMP_WORDS[1]} == help ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$here\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$here\"))\n"
         "    [[ $traces ]] && COMPREPLY+=($(compgen -W \"$(retrov ls 2>/dev/null)\" -- \"$here\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _retrov retrov\n";
}

void print_zsh(std::ostream& out) {
  out << "#compdef retrov\n"
         "local -a commands\n"
         "commands=(\n";
  for (const SubcommandRow& row : subcommands()) {
    out << "  " << quoted(std::string(row.name) + ":" + std::string(row.summary), "'\\''") << '\n';
  }
  out << ")\n"
         "if (( CURRENT == 2 )); then\n"
         "  _describe command commands\n"
         "  return\n"
         "fi\n"
         "case $words[2] in\n";
  for (const SubcommandRow& row : subcommands()) {
    out << "  " << row.name << ") compadd -- " << words_of(row.id);
    if (row.id == Subcommand::kHelp) out << ' ' << command_names();
    if (takes_trace(row)) out << "; compadd -- ${(f)\"$(retrov ls 2>/dev/null)\"}";
    out << " ;;\n";
  }
  out << "esac\n"
         "_files\n";
}

void print_fish(std::ostream& out) {
  for (const SubcommandRow& row : subcommands()) {
    out << "complete -c retrov -n __fish_use_subcommand -f -a " << row.name << " -d " << quoted(row.summary, "\\'")
        << '\n';
    const std::string begin =
        "complete -c retrov -n '__fish_seen_subcommand_from " + std::string(row.name) + "' ";
    for (const OptionRow& option : option_rows()) {
      if ((option.subcommands & only(row.id)) == 0) continue;
      out << begin;
      for (const std::string& name : names_of(option)) {
        const bool is_long = name.starts_with("--");
        out << (is_long ? "-l " : name.size() == 2 ? "-s " : "-o ") << name.substr(is_long ? 2 : 1) << ' ';
      }
      const bool needs_value = !option.argument.empty() && !option.argument.starts_with("[=");
      out << (needs_value ? "-r " : "") << "-d " << quoted(option.help, "\\'") << '\n';
    }
    if (takes_trace(row)) out << begin << "-a '(retrov ls 2>/dev/null)'\n";
  }
}

}  // namespace

void print_completion(std::string_view shell, std::ostream& out) {
  if (shell == "bash") return print_bash(out);
  if (shell == "zsh") return print_zsh(out);
  if (shell == "fish") return print_fish(out);
  throw Error(Exit::kUsage, "--completion: '" + std::string(shell) + "' is neither bash nor zsh nor fish");
}

}  // namespace retrov
