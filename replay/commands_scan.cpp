// Looking through all of history for what was executed there.
#include <algorithm>
#include <string>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"
#include "replay/position.hpp"

namespace retrov::command_rows {

namespace {

bool is_position(std::string_view text) {
  try {
    (void)parse_position(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Where "FROM-TO" is cut; a position may begin with '-' itself.
std::optional<std::size_t> cut_of_range(std::string_view text) {
  const std::size_t cut = text.find('-', 1);
  if (cut == std::string_view::npos) return std::nullopt;
  return is_position(text.substr(0, cut)) && is_position(text.substr(cut + 1)) ? std::optional(cut) : std::nullopt;
}

}  // namespace

void scan(CommandContext& context, Arguments arguments, std::ostream& out) {
  constexpr std::string_view kUsage = "scan [FROM-TO] ADDRESS...";
  constexpr std::size_t kMostPlaces = 1000;
  if (!context.scan) throw Error(Exit::kUsage, "scan: not in this session");
  ScanOrder order;
  order.to = context.debugger.end();
  const auto cut = arguments.empty() ? std::nullopt : cut_of_range(arguments[0]);
  expect_arguments(arguments, cut ? 2 : 1, kMostPlaces, kUsage);
  if (cut) {
    order.from = resolve_position(arguments[0].substr(0, *cut), context.debugger);
    order.to = resolve_position(arguments[0].substr(*cut + 1), context.debugger);
    if (order.to < order.from) throw Error(Exit::kUsage, "scan: the range ends before it begins");
    arguments = arguments.subspan(1);
  }
  for (const std::string_view word : arguments) {
    const std::size_t end = std::min(word.find(';'), word.size());
    const std::string_view name = word.substr(0, end);
    const std::string_view clauses = end == word.size() ? std::string_view() : word.substr(end + 1);
    order.places.push_back({VirtAddr{parse_address(context, name)}, name, clauses});
  }
  context.scan(order, out);
}

}  // namespace retrov::command_rows
