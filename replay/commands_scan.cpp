// Looking through all of history for what was executed there.
#include <algorithm>
#include <string>

#include "core/check.hpp"
#include "replay/commands.hpp"
#include "replay/commands_rows.hpp"

namespace retrov::command_rows {

void scan(CommandContext& context, Arguments arguments, std::ostream& out) {
  constexpr std::string_view kUsage = "scan [FROM-TO] ADDRESS...";
  constexpr std::size_t kMostPlaces = 1000;
  if (!context.scan) throw Error(Exit::kUsage, "scan: not in this session");
  ScanOrder order;
  order.to = context.debugger.end();
  const auto range = arguments.empty() ? std::nullopt : range_words(arguments[0]);
  expect_arguments(arguments, range ? 2 : 1, kMostPlaces, kUsage);
  if (range) {
    order.from = place_of(context, range->first);
    order.to = place_of(context, range->second);
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
