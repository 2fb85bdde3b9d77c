#include "replay/slice.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/check.hpp"
#include "replay/fresh_replay.hpp"
#include "replay/last_key_frame.hpp"
#include "replay/new_file.hpp"
#include "replay/pack.hpp"
#include "replay/position.hpp"
#include "replay/retelling.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

namespace {

constexpr u64 kProgressSteps = 10'000'000;

void check_range(const History& history, const SliceOrder& order) {
  const auto refuse = [](const std::string& what) { throw Error(Exit::kUsage, "slice: " + what); };
  const Position begin = history.begin().at;
  const Position end = history.end();
  if (order.from < begin) {
    refuse("step " + group_digits(order.from.steps) + " is before the beginning, which is step " +
           group_digits(begin.steps));
  }
  if (order.to > end) {
    refuse("step " + group_digits(order.to.steps) + " is beyond the end, which is step " + group_digits(end.steps));
  }
  if (order.to <= order.from) {
    refuse("from step " + group_digits(order.from.steps) + " to step " + group_digits(order.to.steps) +
           " there is nothing");
  }
}

class Slicer {
 public:
  Slicer(const History& history, const SliceOrder& order)
      : history_(history), order_(order), replay_(history, EngineKind::kFast), first_(history.begin().at) {}

  Slice write(const std::string& path) {
    // Nothing is written where nothing can be: that is seen before the work is done.
    NewFile file(path);
    const WorkFile work(path);
    go_to_start();
    run_through();
    {
      const BoardConfig& board = history_.board();
      const bool lacks_ram = start_ && !start_->initial_memory;
      if (lacks_ram) start_->state.initial_ram = {};
      TraceExtras extras{Sync::kNo, order_.symbols, start_};
      TraceWriter writer(path, work.as_trace(), lacks_ram ? without_initial_memory(board) : board, this_build(),
                         extras);
      tell(writer, lacks_ram ? PageTree() : replay_.machine().initial_ram());
      if (const auto error = writer.take_error()) throw Error(error->exit_code(), error->what());
    }
    PackOptions packing;
    packing.notes = write_bookmarks(bookmarks_inside());
    packing.progress = order_.progress;
    const u64 file_bytes = pack_trace(TraceReader(work.path_now()), file, packing);
    return {first_, order_.to, file_bytes};
  }

 private:
  void go_to_start() {
    if (auto frame = enter_last_key_frame(replay_, order_.from)) {
      first_ = frame->state->machine.at;
      start_ = TraceStart{std::move(*frame), true};
    } else {
      start_ = start_of(history_, replay_.machine().initial_ram());
    }
  }

  /// To the end, noting what that needs.
  void run_through() {
    const std::atomic<bool> never{false};
    const std::atomic<bool>& interrupted = order_.interrupted != nullptr ? *order_.interrupted : never;
    std::set<BlockName> known;
    replay_.on_block([&](BlockName name) {
      if (known.insert(name).second) blocks_.push_back({replay_.machine().step_in_hand(), name});
    });
    while (replay_.position() < order_.to) {
      const u64 left = order_.to.steps - replay_.position().steps;
      const Position limit{replay_.position().steps + std::min(left, kProgressSteps)};
      const Halt halt = replay_.run_to(limit, interrupted);
      if (halt == Halt::kInterrupted) throw Error(Exit::kFailure, "slice: interrupted");
      if (halt != Halt::kLimit && replay_.position() < limit) {
        throw Error(Exit::kDivergence, "replay diverged: the machine came to rest at step " +
                                           std::to_string(replay_.position().steps) + ", before the end of the slice");
      }
      if (order_.progress) order_.progress(replay_.position());
    }
    replay_.on_block({});
    if (!start_) return;
    start_->initial_memory = history_.begin().initial_memory && replay_.machine().resets_made() != 0;
    start_->state.blocks_since = first_;
    start_->state.blocks.clear();
  }

  void tell(TraceWriter& writer, const PageTree& initial_ram) {
    Part part{first_, order_.to, true, blocks_, order_.key_frames};
    tell_part(history_, part, {replay_.machine().initial_ram(), initial_ram}, writer);
    const bool is_whole_end = order_.to == history_.end();
    const Outcome& outcome = history_.outcome();
    if (!is_whole_end) {
      const std::string why = "a slice; the recording went on to step " + std::to_string(history_.end().steps);
      writer.on_finish(order_.to, Outcome{Outcome::Kind::kStopped, 0, why});
    } else if (outcome.kind != Outcome::Kind::kUnknown || !outcome.why.empty()) {
      writer.on_finish(order_.to, outcome);
    }
    writer.flush();
  }

  [[nodiscard]] std::vector<Bookmark> bookmarks_inside() const {
    std::vector<Bookmark> inside;
    for (Bookmark bookmark : order_.bookmarks) {
      if (bookmark.at < first_ || bookmark.at > order_.to) continue;
      bookmark.branch = kMainBranch;
      inside.push_back(std::move(bookmark));
    }
    return inside;
  }

  const History& history_;
  const SliceOrder& order_;
  FreshReplay replay_;
  Position first_;
  std::optional<TraceStart> start_;
  std::vector<NeededBlock> blocks_;
};

}  // namespace

Slice write_slice(const History& history, const SliceOrder& order, const std::string& path) {
  check_range(history, order);
  return Slicer(history, order).write(path);
}

}  // namespace retrov
