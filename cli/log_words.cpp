#include "cli/log_words.hpp"

#include "core/check.hpp"
#include "replay/log_syntax.hpp"

namespace retrov {

namespace {

/// Between quotes, with a backslash before those within.
std::string as_format(const std::string& text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') result += '\\';
    result += text[at];
    if (text[at] == '\\' && at + 1 < text.size()) result += text[++at];
  }
  return result + '"';
}

}  // namespace

bool names_log_place(const std::string& word) { return find_log_colon(word) != std::string::npos; }

std::string log_line(std::span<const std::string> words) {
  std::string line;
  bool in_place = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::size_t colon = find_log_colon(word);
    if (colon == std::string::npos && in_place) {
      line += ", " + word;
    } else if (colon == std::string::npos) {
      // A range, of which the first place may come behind.
      if (i != 0) throw Error(Exit::kUsage, "log: '" + word + "' stands before any 'LOCATION: FORMAT'");
      line += word + " ";
    } else {
      const std::size_t text = word.find_first_not_of(' ', colon + 1);
      if (in_place) line += "; ";
      in_place = true;
      line += word.substr(0, colon + 1);
      if (text == std::string::npos) continue;
      const std::string format = word.substr(text);
      line += " " + (format.front() == '"' ? format : as_format(format));
    }
  }
  return line;
}

}  // namespace retrov
