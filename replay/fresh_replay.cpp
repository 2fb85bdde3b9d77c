#include "replay/fresh_replay.hpp"

#include "replay/beginning.hpp"
#include "replay/disks.hpp"

namespace retrov {

/// Closed until the position from which somebody watches.
class FreshReplay::Curtain final : public OutputSink {
 public:
  Curtain(OutputSink* shown, Position shown_from) : shown_(shown), shown_from_(shown_from) {}
  void console(Position at, std::span<const u8> bytes) override {
    if (shown_ != nullptr && at >= shown_from_) shown_->console(at, bytes);
  }
  void notice(Position at, const std::string& sentence) override {
    if (shown_ != nullptr && at >= shown_from_) shown_->notice(at, sentence);
  }

 private:
  OutputSink* shown_;
  Position shown_from_;
};

FreshReplay::FreshReplay(const History& history, EngineKind engine, OutputSink* shown, Position shown_from)
    : history_(history),
      curtain_(std::make_unique<Curtain>(shown, shown_from)),
      output_(std::make_unique<OutputLog>(*curtain_)),
      replayer_(history) {
  std::vector<DiskBase*> bases;
  for (std::size_t i = 0; i < history.board().disks.size(); ++i) {
    disks_.push_back(std::make_unique<ReplayDisk>(history, static_cast<u8>(i)));
    bases.push_back(disks_.back().get());
  }
  machine_ = build_board(history.board(), engine, *output_, bases);
  go_to_beginning(history, *machine_, *output_);
  replayer_.move_to(position());
}

FreshReplay::~FreshReplay() = default;

Halt FreshReplay::run_to(Position limit, const std::atomic<bool>& interrupted, StopSet* stops) {
  return drive(*machine_, replayer_, limit, stops, interrupted);
}

void FreshReplay::on_block(const std::function<void(BlockName)>& callback) {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    if (!callback) {
      disks_[i]->on_read({});
      continue;
    }
    disks_[i]->on_read([callback, disk = static_cast<u8>(i)](u64 index) { callback({disk, index}); });
  }
}

KeptSnapshot FreshReplay::snapshot() { return {machine_->snapshot(), output_->tally()}; }

void FreshReplay::restore(const KeptSnapshot& snapshot) {
  machine_->restore(snapshot.machine);
  replayer_.move_to(position());
  output_->rewind(snapshot.console, position());
}

}  // namespace retrov
