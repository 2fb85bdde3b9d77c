#include "replay/state_fields.hpp"

#include <algorithm>
#include <sstream>

#include "core/machine.hpp"

namespace retrov {

namespace {

/// An object or array we are in: its path, and the index of the next element of an array.
struct Level {
  std::string path;
  std::size_t next = 0;
};

/// Takes `"name": ` off the front of a line; an element of an array has none, or a number.
std::string take_name(std::string_view& line) {
  if (!line.starts_with('"')) return {};
  const std::size_t end = line.find("\": ");
  if (end == std::string_view::npos) return {};
  std::string_view name = line.substr(1, end - 1);
  line.remove_prefix(end + 3);
  constexpr std::string_view kElement = "value";
  const bool is_element = name.size() > kElement.size() && name.starts_with(kElement) &&
                          name.find_first_not_of("0123456789", kElement.size()) == std::string_view::npos;
  if (is_element) name.remove_prefix(kElement.size());
  return std::string(name);
}

bool is_of_hart(const std::string& path) { return path.starts_with("hart"); }

}  // namespace

/// Reads what the printer prints, which is a line for each value and each bracket.
StateFields state_fields(const Machine& machine) {
  std::stringstream text;
  {
    StatePrinter printer(text);
    machine.print_state(printer);
  }
  StateFields fields;
  std::vector<Level> levels;
  for (std::string whole; std::getline(text, whole);) {
    std::string_view line = whole;
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.ends_with(',')) line.remove_suffix(1);
    if (line == "}" || line == "]") {
      levels.pop_back();
      continue;
    }
    std::string name = take_name(line);
    if (name.empty() && !levels.empty()) name = std::to_string(levels.back().next++);
    const bool at_top = levels.size() <= 1;
    const std::string path = at_top ? name : levels.back().path + "." + name;
    if (line == "{" || line == "[") {
      levels.push_back({levels.empty() ? std::string() : path});
    } else if (!is_of_hart(path)) {
      fields.emplace_back(path, line);
    }
  }
  return fields;
}

}  // namespace retrov
