#include "cli/trace_places.hpp"

#include <utility>

#include "cli/messages.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"

namespace retrov {

std::vector<Bookmark> packed_bookmarks(const TraceReader& trace) try {
  return parse_bookmarks(trace.notes());
} catch (const Error& error) {
  if (error.exit_code() != Exit::kBadTrace) throw;
  say("trace " + trace.name() + ": " + error.what() + ", and are left out");
  return {};
}

TracePlaces::TracePlaces(const TraceReader& trace, const std::string& branch)
    : trace_(trace), branch_(branch.empty() ? trace.last_branch() : trace.branch_named(branch)) {
  bookmarks_.keep_in(TraceStore().bookmark_file(trace.identity().id), kMainBranch, packed_bookmarks(trace));
}

Position TracePlaces::at(std::string_view word) {
  const PositionText place = parse_position(word);
  using Kind = PositionText::Kind;
  if (place.kind == Kind::kStep) return Position{place.value};
  if (place.kind == Kind::kBegin) return trace_.begin().at;
  if (place.kind == Kind::kEnd) return trace_.branches()[branch_].end;
  return reached(word);
}

Position TracePlaces::reached(std::string_view word) {
  const auto no_symbol = [&](std::string_view) -> u64 {
    throw Error(Exit::kUsage, "'" + std::string(word) + "': no symbols here; `replay -g` says the step");
  };
  return resolve_position(word, session(), {bookmarks_, no_symbol});
}

std::vector<Bookmark> TracePlaces::bookmarks_on_line() {
  std::vector<Bookmark> result;
  for (const Bookmark& bookmark : bookmarks_.list()) {
    if (is_on_line(session(), bookmark.branch, bookmark.at)) result.push_back(bookmark);
  }
  return result;
}

Session& TracePlaces::session() {
  if (session_) return *session_;
  std::vector<RecordedBranch> lines;
  for (BranchHistory& told : trace_.read_branches()) {
    lines.push_back({told.branch.name, static_cast<std::size_t>(told.branch.parent), told.branch.from,
                     std::move(told.history)});
  }
  session_ = Session::replay(std::move(lines), branch_, EngineKind::kFast, silence_);
  return *session_;
}

}  // namespace retrov
