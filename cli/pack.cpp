// `retrov pack`.
#include <iostream>
#include <optional>
#include <utility>

#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/reports.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"
#include "replay/session.hpp"
#include "replay/slice.hpp"

namespace retrov {

namespace {

class Silence final : public OutputSink {
 public:
  void console(Position, std::span<const u8>) override {}
  void notice(Position, const std::string&) override {}
};

/// "A-B", where names and times may have a minus of their own.
std::pair<std::string, std::string> range_of(const std::string& text, const Bookmarks& bookmarks) {
  for (std::size_t minus = text.find('-', 1); minus != std::string::npos; minus = text.find('-', minus + 1)) {
    std::pair<std::string, std::string> range{text.substr(0, minus), text.substr(minus + 1)};
    try {
      for (const std::string& word : {range.first, range.second}) {
        const PositionText place = parse_position(word);
        if (place.kind == PositionText::Kind::kBookmark) (void)bookmarks.find(place.name);
      }
      return range;
    } catch (const Error&) {
      continue;
    }
  }
  throw Error(Exit::kUsage, "--slice: write A-B, two positions: 412,883,190, 50%, start, end, #EVENT, t=3.1s or a "
                            "bookmark");
}

std::vector<Bookmark> on_line(const std::vector<Bookmark>& all, const Debugger& debugger) {
  std::vector<Bookmark> result;
  for (const Bookmark& bookmark : all) {
    if (is_on_line(debugger, bookmark.branch, bookmark.at)) result.push_back(bookmark);
  }
  return result;
}

/// The positions that are asked for, and the bookmarks of that line of history.
void resolve(SliceOrder& order, const std::string& range, const std::vector<BranchHistory>& branches, u64 number,
             const Bookmarks& bookmarks) {
  std::vector<RecordedBranch> lines;
  for (const BranchHistory& told : branches) {
    lines.push_back({told.branch.name, static_cast<std::size_t>(told.branch.parent), told.branch.from,
                     std::make_unique<History>(*told.history, told.history->end())});
  }
  Silence silence;
  const auto session = Session::replay(std::move(lines), number, EngineKind::kFast, silence);
  const auto [from, to] = range_of(range, bookmarks);
  const auto no_symbol = [](std::string_view) -> u64 {
    throw Error(Exit::kUsage, "--slice: no symbols here; `replay -g` says the step");
  };
  order.from = resolve_position(from, *session, {bookmarks, no_symbol});
  order.to = resolve_position(to, *session, {bookmarks, no_symbol});
  order.bookmarks = on_line(bookmarks.list(), *session);
}

/// What happens while it is made: whoever waits sees how far it is, and may break it off.
class Patience {
 public:
  void begin(const std::string& what) { progress_.begin(what); }
  void end() { progress_.end(); }
  void at(Position here, Position end, Position begin) {
    interrupted_.look(signals_);
    if (signals_.pending() != 0) throw Error(Exit::kFailure, "pack: interrupted, and nothing was written");
    progress_.at(here, end, begin);
  }
  [[nodiscard]] const std::atomic<bool>* flag() const { return interrupted_.flag(); }
  /// The signal that broke it off, or 0.
  [[nodiscard]] int signal() const { return signals_.pending(); }

 private:
  Signals signals_;
  InterruptFlag interrupted_;
  Progress progress_;
};

u64 slice(const TraceReader& trace, const Options& options, const Bookmarks& bookmarks, Patience& patience) {
  const u64 number = options.replay.branch.empty() ? trace.last_branch() : trace.branch_named(options.replay.branch);
  const std::vector<BranchHistory> branches = trace.read_branches();
  const History& history = *branches[number].history;
  SliceOrder order;
  resolve(order, options.replay.range, branches, number, bookmarks);
  order.key_frames = options.live.key_frames.policy != KeyFramePolicy::kOff;
  order.symbols = trace.read_symbols();
  order.interrupted = patience.flag();
  order.progress = [&](Position here) { patience.at(here, order.to, history.begin().at); };
  patience.begin("finding what it needs");
  const Slice made = write_slice(history, order, options.live.trace);
  patience.end();
  if (!options.quiet) {
    const std::string what = made.begin == history.begin().at ? " (the beginning) to " : " (a key frame) to ";
    say("steps " + group_digits(made.begin.steps) + what + group_digits(made.end.steps));
  }
  return made.file_bytes;
}

u64 pack_whole(const TraceReader& trace, const Options& options, const Bookmarks& bookmarks, Patience& patience) {
  PackOptions packing;
  packing.key_frames = options.live.key_frames.policy != KeyFramePolicy::kOff;
  packing.notes = write_bookmarks(bookmarks.list());
  packing.progress = [&](Position here) { patience.at(here, trace.end(), trace.begin().at); };
  patience.begin("packing");
  const u64 size_bytes = pack_trace(trace, options.live.trace, packing);
  patience.end();
  return size_bytes;
}

}  // namespace

int run_pack(const Options& options) {
  if (options.live.trace.empty()) throw Error(Exit::kUsage, "pack: say where to, by -o FILE");
  if (options.live.key_frames.policy == KeyFramePolicy::kEvery) {
    throw Error(Exit::kUsage, "pack: --key-frames is off, or auto for those that there are");
  }
  const bool slices = !options.replay.range.empty();
  if (!slices && !options.replay.branch.empty()) throw Error(Exit::kUsage, "pack: --branch goes with --slice");
  const TraceStore store;
  const TraceReader trace(store.find(options.replay.trace));
  if (const std::string note = trace.note(); !note.empty()) say(note);
  say_if_ring(trace.name());
  Bookmarks bookmarks;
  bookmarks.keep_in(store.bookmark_file(trace.identity().id), kMainBranch, parse_bookmarks(trace.notes()));
  Patience patience;
  u64 size_bytes = 0;
  try {
    size_bytes = (slices ? slice : pack_whole)(trace, options, bookmarks, patience);
  } catch (const Error& error) {
    patience.end();
    if (patience.signal() == 0) throw;
    say(error.what());
    return 128 + patience.signal();
  }
  if (options.quiet) return 0;
  std::cout << for_people(options.live.trace) << ": " << group_digits(size_bytes) << " bytes, of "
            << group_digits(trace.file_bytes()) << '\n';
  check_output();
  say("whoever gets this file gets all of the guest's memory, every disk block it read, and all that was sent or typed "
      "to it, passwords included");
  return 0;
}

}  // namespace retrov
