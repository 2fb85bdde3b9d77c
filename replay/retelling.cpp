#include "replay/retelling.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/check.hpp"

namespace retrov {

namespace {

class Teller {
 public:
  Teller(const History& history, const Part& part, const InitialRam& ram, HistoryListener& listener)
      : history_(history), part_(part), ram_(ram), listener_(listener) {}

  void run() {
    mark_ = history_.first_mark_at(part_.from);
    event_ = history_.first_event_at(part_.from);
    const Position first_key_frame{part_.from.steps + (part_.first_key_frame ? 0 : 1)};
    const Chain<KeyFramePlace>& key_frames = history_.key_frames();
    while (key_frame_ < key_frames.size() && key_frames[key_frame_].at < first_key_frame) ++key_frame_;
    while (tell_next()) continue;
    listener_.on_progress(part_.to);
  }

 private:
  /// At one position blocks come first, and the input last: the mark and the key frame are of the state before it.
  bool tell_next() {
    const std::array<std::optional<Position>, 4> next = {next_block(), next_mark(), next_key_frame(), next_event()};
    std::size_t first = next.size();
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (next[i] && (first == next.size() || *next[i] < *next[first])) first = i;
    }
    switch (first) {
      case 0:
        tell_block(part_.blocks[block_++]);
        return true;
      case 1:
        listener_.on_mark(history_.marks()[mark_++]);
        return true;
      case 2:
        tell_key_frame(*history_.key_frames()[key_frame_++].stored);
        return true;
      case 3:
        listener_.on_event(history_.events()[event_++]);
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] std::optional<Position> inside(Position at) const {
    const bool is = at < part_.to || (at == part_.to && part_.with_end);
    return is ? std::optional(at) : std::nullopt;
  }
  [[nodiscard]] std::optional<Position> next_block() const {
    if (block_ == part_.blocks.size()) return std::nullopt;
    return std::max(part_.blocks[block_].before, part_.from);
  }
  [[nodiscard]] std::optional<Position> next_mark() const {
    return mark_ < history_.marks().size() ? inside(history_.marks()[mark_].at) : std::nullopt;
  }
  [[nodiscard]] std::optional<Position> next_key_frame() const {
    if (!part_.key_frames || key_frame_ == history_.key_frames().size()) return std::nullopt;
    return inside(history_.key_frames()[key_frame_].at);
  }
  [[nodiscard]] std::optional<Position> next_event() const {
    if (event_ == history_.events().size() || history_.events()[event_].at >= part_.to) return std::nullopt;
    return history_.events()[event_].at;
  }

  void tell_block(const NeededBlock& needed) {
    const auto& [disk, index] = needed.name;
    const auto bytes = history_.block(disk, index);
    RV_CHECK(bytes != nullptr || history_.is_hole(disk, index));
    listener_.on_block(std::max(needed.before, part_.from), CapturedBlock{disk, index, bytes});
  }

  void tell_key_frame(const StoredKeyFrame& stored) {
    try {
      KeyFrame frame = stored.load(ram_.there);
      frame.initial_ram = ram_.here;
      listener_.on_key_frame(frame);
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
    }
  }

  const History& history_;
  const Part& part_;
  const InitialRam& ram_;
  HistoryListener& listener_;
  std::size_t block_ = 0, mark_ = 0, key_frame_ = 0, event_ = 0;
};

}  // namespace

void tell_part(const History& history, const Part& part, const InitialRam& ram, HistoryListener& listener) {
  RV_CHECK(part.from <= part.to);
  Teller(history, part, ram, listener).run();
}

}  // namespace retrov
