// Looking through all of history for what was executed there, and what could have been printed there.
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"
#include "replay/log_syntax.hpp"

namespace retrov::command_rows {

namespace {

constexpr std::size_t kMostPlaces = 1000;

/// All that history has, or the range that the first argument is: then that is taken away.
ScanOrder begin_order(const CommandContext& context, Arguments& arguments, const std::string& command) {
  if (!context.scan) throw Error(Exit::kUsage, command + ": not in this session");
  ScanOrder order;
  order.symbol = context.symbol;
  const PlaceRange range = take_range(context, arguments);
  order.from = range.from;
  order.to = range.to;
  return order;
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// Up to the first `separator` that is in no string and no parentheses, which is taken off with what stands before it.
std::string_view take_part(std::string_view& text, char separator) {
  unsigned depth = 0;
  bool in_string = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string && c == '\\') {
      ++at;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && c == separator && depth == 0) {
      break;
    } else if (!in_string && c == '(') {
      ++depth;
    } else if (!in_string && c == ')' && depth > 0) {
      --depth;
    }
  }
  const std::string_view part = without_blanks(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

u64 parse_location(const CommandContext& context, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool is_line = colon != std::string_view::npos && colon + 1 < text.size() &&
                       std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(),
                                   [](unsigned char c) { return std::isdigit(c) != 0; });
  if (is_line) {
    throw Error(Exit::kUsage, "log: lines of source are known to gdb alone (info line " + std::string(text) +
                                  "); a symbol, symbol+0x10 or an address is known here");
  }
  return parse_address(context, text);
}

/// `LOCATION [if EXPR]: ["FORMAT"{, EXPR}]`.
ScanOrder::Place parse_place(const CommandContext& context, std::string_view text) {
  const std::size_t colon = find_log_colon(text);
  if (colon == std::string_view::npos) {
    throw Error(Exit::kUsage, "log: '" + std::string(text) + "' is no LOCATION [if EXPR]: \"FORMAT\", EXPR...");
  }
  ScanOrder::Place place;
  place.name = without_blanks(text.substr(0, colon));
  std::string_view rest = without_blanks(text.substr(colon + 1));
  if (const std::size_t condition = place.name.find(" if "); condition != std::string_view::npos) {
    place.condition = without_blanks(place.name.substr(condition + 4));
    place.name = without_blanks(place.name.substr(0, condition));
  }
  place.address = VirtAddr{parse_location(context, place.name)};
  if (rest.empty()) return place;
  const std::string_view format = take_part(rest, ',');
  if (format.size() < 2 || format.front() != '"' || format.back() != '"') {
    throw Error(Exit::kUsage, "log: a \"FORMAT\" is in quotes: " + std::string(format));
  }
  place.format = format.substr(1, format.size() - 2);
  while (!rest.empty()) place.arguments.push_back(take_part(rest, ','));
  return place;
}

}  // namespace

void scan(CommandContext& context, Arguments arguments, std::ostream& out) {
  ScanOrder order = begin_order(context, arguments, "scan");
  expect_arguments(arguments, 1, kMostPlaces, "scan [FROM-TO] ADDRESS...");
  for (const std::string_view word : arguments) {
    const std::size_t end = std::min(word.find(';'), word.size());
    const std::string_view name = word.substr(0, end);
    const std::string_view clauses = end == word.size() ? std::string_view() : word.substr(end + 1);
    order.places.push_back({VirtAddr{parse_address(context, name)}, name, clauses});
  }
  context.scan(order, out);
}

void log(CommandContext& context, Arguments arguments, std::ostream& out) {
  const bool json = !arguments.empty() && arguments.front() == "--json";
  if (json) arguments = arguments.subspan(1);
  ScanOrder order = begin_order(context, arguments, "log");
  order.json = json;
  expect_arguments(arguments, 1, ~std::size_t{0},
                   "log [--json] [FROM-TO] LOCATION [if EXPR]: [\"FORMAT\", EXPR...][; ...]");
  // Words of one line: what stands between them belongs to it.
  const char* const begin = arguments.front().data();
  const char* const end = arguments.back().data() + arguments.back().size();
  std::string_view line(begin, static_cast<std::size_t>(end - begin));
  while (!line.empty()) order.places.push_back(parse_place(context, take_part(line, ';')));
  if (order.places.size() > kMostPlaces) throw Error(Exit::kUsage, "log: too many places");
  context.scan(order, out);
}

}  // namespace retrov::command_rows
