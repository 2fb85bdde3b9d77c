// `retrov pack`.
#include <iostream>

#include "cli/messages.hpp"
#include "cli/reports.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/bookmarks.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"

namespace retrov {

int run_pack(const Options& options) {
  if (options.live.trace.empty()) throw Error(Exit::kUsage, "pack: say where to, by -o FILE");
  if (options.live.key_frames.policy == KeyFramePolicy::kEvery) {
    throw Error(Exit::kUsage, "pack: --key-frames is off, or auto for those that there are");
  }
  const TraceStore store;
  const TraceReader trace(options.replay.trace.empty() ? store.latest() : options.replay.trace);
  if (const std::string note = trace.note(); !note.empty()) say(note);
  Bookmarks bookmarks;
  bookmarks.keep_in(store.bookmark_file(trace.identity().id), kMainBranch, parse_bookmarks(trace.notes()));
  PackOptions packing;
  packing.key_frames = options.live.key_frames.policy != KeyFramePolicy::kOff;
  packing.notes = write_bookmarks(bookmarks.list());
  const u64 size_bytes = pack_trace(trace, options.live.trace, packing);
  if (options.quiet) return 0;
  std::cout << for_people(options.live.trace) << ": " << group_digits(size_bytes) << " bytes, of "
            << group_digits(trace.file_bytes()) << '\n';
  check_output();
  say("whoever gets this file gets all of the guest's memory, every disk block it read, and all that was sent or typed "
      "to it, passwords included");
  return 0;
}

}  // namespace retrov
