// The words for places in a history: names for them, and those where one has been.
#include <ostream>

#include "core/check.hpp"
#include "replay/commands_rows.hpp"
#include "replay/history.hpp"
#include "replay/places.hpp"
#include "replay/position.hpp"

namespace retrov::command_rows {

namespace {

void print_bookmark(const Bookmark& bookmark, std::ostream& out) {
  out << bookmark.number << "  " << bookmark.name << "  step " << group_digits(bookmark.at.steps);
  if (bookmark.branch != kMainBranch) out << " of " << bookmark.branch;
  if (!bookmark.text.empty()) out << "  " << bookmark.text;
  out << '\n';
}

std::string join(Arguments words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

/// Along the list of places that were visited.
void walk(CommandContext& context, Arguments arguments, std::ostream& out, i64 sign, const std::string& word) {
  expect_arguments(arguments, 0, 1, word + " [N]");
  constexpr u64 kMost = 1'000'000;
  const u64 count = arguments.empty() ? 1 : parse_number(arguments[0]);
  if (count == 0 || count > kMost) throw Error(Exit::kUsage, word + ": 1 or more places");
  const auto place = context.places.visited.aim(sign * static_cast<i64>(count));
  if (!place) throw Error(Exit::kUsage, "no place is that far " + word + "; `history` lists them");
  if (!is_on_line(context.debugger, place->branch, place->at)) {
    throw Error(Exit::kUsage, "that was step " + group_digits(place->at.steps) + " of branch " + place->branch +
                                  "; `switch " + place->branch + "` goes there");
  }
  move_to(context, place->at, out);
}

}  // namespace

void bookmark(CommandContext& context, Arguments arguments, std::ostream& out) {
  const std::string name = arguments.empty() ? "" : std::string(arguments[0]);
  const std::string text = arguments.empty() ? "" : join(arguments.subspan(1));
  print_bookmark(context.places.bookmarks.add(context.debugger, name, text), out);
}

void list_bookmarks(const CommandContext& context, std::ostream& out) {
  const auto all = context.places.bookmarks.list();
  if (all.empty()) out << "no bookmarks; `bookmark NAME` makes one here\n";
  for (const Bookmark& one : all) print_bookmark(one, out);
}

void bookmarks(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "bookmarks");
  list_bookmarks(context, out);
}

void restart(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 1, 1, "restart NAME|N");
  move_to(context, position_of(context.places.bookmarks.find(arguments[0]), context.debugger), out);
}

/// Breakpoints have numbers and no names, so one word does for both.
void delete_one(CommandContext& context, Arguments arguments, std::ostream& out) {
  const bool at_prompt = context.where == Offered::kPromptOnly;
  expect_arguments(arguments, at_prompt ? 0 : 1, 1, at_prompt ? "delete [N|NAME|@N]" : "delete NAME|N");
  const bool is_number = !arguments.empty() && arguments[0].find_first_not_of("0123456789") == std::string_view::npos;
  if (at_prompt && (arguments.empty() || is_number)) return delete_stops(context, arguments, out);
  const Bookmark gone = context.places.bookmarks.remove(arguments[0]);
  out << "deleted bookmark " << gone.number << " " << gone.name << '\n';
}

void back(CommandContext& context, Arguments arguments, std::ostream& out) {
  walk(context, arguments, out, -1, "back");
}

void forward(CommandContext& context, Arguments arguments, std::ostream& out) {
  walk(context, arguments, out, 1, "forward");
}

void history(CommandContext& context, Arguments arguments, std::ostream& out) {
  expect_arguments(arguments, 0, 0, "history");
  const Visited& visited = context.places.visited;
  for (std::size_t i = 0; i < visited.places().size(); ++i) {
    const Place& place = visited.places()[i];
    const i64 distance = static_cast<i64>(i) - static_cast<i64>(visited.current());
    out << (distance == 0 ? "* " : "  ") << (distance > 0 ? "+" : "") << distance << "  step "
        << group_digits(place.at.steps) << (place.branch == kMainBranch ? "" : " of " + place.branch) << '\n';
  }
}

}  // namespace retrov::command_rows
