// `retrov pack`.
#include <iostream>
#include <utility>

#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/reports.hpp"
#include "cli/store.hpp"
#include "cli/trace_places.hpp"
#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"
#include "replay/report_fields.hpp"
#include "replay/slice.hpp"

namespace retrov {

namespace {

/// The part that is asked for, and the bookmarks in it.
SliceOrder order_of(TracePlaces& places, const std::string& text) {
  const auto words = range_words(text, places.bookmarks());
  if (!words) {
    throw Error(Exit::kUsage, "--slice: write A-B, two positions: 412,883,190, 50%, start, end, #EVENT, t=3.1s or a "
                              "bookmark");
  }
  SliceOrder order;
  order.from = places.at(words->first);
  order.to = places.at(words->second);
  order.bookmarks = places.bookmarks_on_line();
  return order;
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

u64 slice(const TraceReader& trace, const Options& options, u64 branch, SliceOrder order, Patience& patience) {
  const std::vector<BranchHistory> branches = trace.read_branches();
  const History& history = *branches[branch].history;
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
  const TraceReader trace(TraceStore().find(options.replay.trace));
  if (const std::string note = trace.note(); !note.empty()) say(note);
  say_if_ring(trace.name());
  TracePlaces places(trace, options.replay.branch);
  SliceOrder order;
  if (slices) order = order_of(places, options.replay.range);
  Patience patience;
  u64 size_bytes = 0;
  try {
    size_bytes = slices ? slice(trace, options, places.branch(), std::move(order), patience)
                        : pack_whole(trace, options, places.bookmarks(), patience);
  } catch (const Error& error) {
    patience.end();
    if (patience.signal() == 0) throw;
    say(error.what());
    return 128 + patience.signal();
  }
  if (options.replay.json) {
    std::cout << object(ReportFormat::kJson, [&](Fields& fields) {
      fields.text("file", options.live.trace);
      fields.number("bytes", size_bytes);
      fields.number("of_bytes", trace.file_bytes());
    }) << '\n';
  } else if (!options.quiet) {
    std::cout << for_people(options.live.trace) << ": " << group_digits(size_bytes) << " bytes, of "
              << group_digits(trace.file_bytes()) << '\n';
  }
  check_output();
  if (options.quiet) return 0;
  say("whoever gets this file gets all of the guest's memory, every disk block it read, and all that was sent or typed "
      "to it, passwords included");
  return 0;
}

}  // namespace retrov
