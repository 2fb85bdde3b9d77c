#include "cli/cpu_words.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/check.hpp"

namespace retrov {

namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw Error(Exit::kUsage, sentence); }

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Letters that stand for several extensions (unprivileged manual, "ISA Extension Naming Conventions").
std::vector<std::string_view> members_of(std::string_view name) {
  if (name == "g") return {"i", "m", "a", "f", "d", "zicsr", "zifencei"};
  if (name == "b") return {"zba", "zbb", "zbs"};
  return {name};
}

const ExtensionRow& known(std::string_view option, std::string_view name) {
  const ExtensionRow* row = find_extension(name);
  if (row == nullptr) {
    refuse(std::string(option) + ": unknown extension " + quoted(name) + "; known are g b " + extension_names());
  }
  return *row;
}

std::string_view whole_of(const ExtensionRow& part) {
  const auto rows = extension_rows();
  return std::find_if(rows.begin(), rows.end(), [&](const ExtensionRow& row) { return part.needs.has(row.id); })->name;
}

bool parse_switch(std::string_view text, std::string_view key) {
  for (const std::string_view yes : {"on", "true", "yes"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"off", "false", "no"}) {
    if (text == no) return false;
  }
  refuse("-cpu: " + std::string(key) + " is on or off, not " + quoted(text));
}

ExtensionSet switched(ExtensionSet set, const ExtensionRow& row, bool on) {
  if (row.may_change == Switch::kPart) {
    refuse("-cpu: " + std::string(row.name) + " is a part of " + std::string(whole_of(row)) + ": switch that");
  }
  if (on) return with_extension(set, row.id);
  if (row.may_change == Switch::kAlways) refuse("-cpu: " + std::string(row.name) + " cannot be switched off");
  return without_extension(set, row.id);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// "2" or "2p1" at the beginning, as long as it is one.
std::size_t version_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  if (length == 0 || length + 1 >= text.size() || text[length] != 'p' || !is_digit(text[length + 1])) return length;
  ++length;
  while (length < text.size() && is_digit(text[length])) ++length;
  return length;
}

/// A name of several letters without the version behind it: zba1p0. Some names end in digits themselves.
std::string_view without_version(std::string_view name) {
  if (find_extension(name) != nullptr) return name;
  for (std::size_t length = 2; length < name.size(); ++length) {
    const bool begins = !is_digit(name[length - 1]) && is_digit(name[length]);
    if (begins && version_length(name.substr(length)) == name.size() - length) return name.substr(0, length);
  }
  return name;
}

/// The names in an ISA string, behind "rv64".
std::vector<std::string_view> split_names(std::string_view text) {
  std::vector<std::string_view> names;
  while (!text.empty()) {
    if (text[0] == '_') {
      text.remove_prefix(1);
      continue;
    }
    const bool has_many_letters = text[0] == 'z' || text[0] == 's' || text[0] == 'x';
    std::size_t length = 1;
    if (has_many_letters) {
      length = std::min(text.find('_'), text.size());
      names.push_back(without_version(text.substr(0, length)));
    } else {
      names.push_back(text.substr(0, 1));
      length += version_length(text.substr(1));
    }
    text.remove_prefix(length);
  }
  return names;
}

}  // namespace

ExtensionSet parse_cpu(std::string_view text) {
  const std::size_t name_length = std::min(text.find(','), text.size());
  const std::string_view name = text.substr(0, name_length);
  const std::optional<ExtensionSet> model = cpu_extensions(name);
  if (!model) refuse("-cpu: unknown CPU " + quoted(name) + "; there are rv64, max and rva22s64");
  ExtensionSet set = *model;
  text.remove_prefix(name_length);
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view word = text.substr(0, std::min(text.find(','), text.size()));
    text.remove_prefix(word.size());
    const std::size_t sign = word.find('=');
    const std::string key = lower_case(word.substr(0, sign));
    if (key.empty() || sign == std::string_view::npos) refuse("-cpu: " + quoted(word) + " is not of the form zbb=off");
    const bool on = parse_switch(word.substr(sign + 1), key);
    for (const std::string_view member : members_of(key)) {
      const ExtensionRow& row = known("-cpu", member);
      // What nobody can switch off stays when the group that it is in is switched off.
      if (member != key && row.may_change == Switch::kAlways) continue;
      set = switched(set, row, on);
    }
  }
  return set;
}

ExtensionSet parse_isa(std::string_view text) {
  const std::string lower = lower_case(text);
  const std::string_view all = lower;
  if (!all.starts_with("rv64i") && !all.starts_with("rv64g")) {
    refuse("--isa: " + quoted(text) + " does not begin with rv64i or rv64g");
  }
  ExtensionSet named = base_extensions();
  for (const Extension mode : {Extension::kSv48, Extension::kSv57}) named = with_extension(named, mode);
  std::vector<const ExtensionRow*> parts;
  for (const std::string_view name : split_names(all.substr(4))) {
    for (const std::string_view member : members_of(name)) {
      const ExtensionRow& row = known("--isa", member);
      if (row.may_change == Switch::kPart) {
        parts.push_back(&row);
      } else {
        named = with_extension(named, row.id);
      }
    }
  }
  for (const ExtensionRow* part : parts) {
    if (named.has(part->id)) continue;
    refuse("--isa: " + std::string(part->name) + " is a part of " + std::string(whole_of(*part)) + ": name that");
  }
  return named;
}

}  // namespace retrov
