#include "replay/key_frame.hpp"

#include <algorithm>
#include <utility>

#include "replay/history.hpp"
#include "replay/marks.hpp"

namespace retrov {

bool is_marked(const History& history, Position at, const std::vector<ComponentHash>& components,
               const ConsoleTally& console) {
  const auto same = [](const ComponentHash& a, const ComponentHash& b) { return a.name == b.name && a.hash == b.hash; };
  const std::vector<ComponentHash> mine = with_state(components);
  for (std::size_t i = history.first_mark_at(at); i < history.marks().size() && history.marks()[i].at == at; ++i) {
    const HashMark& mark = history.marks()[i];
    const std::vector<ComponentHash> theirs = with_state(mark.components);
    if (mark.console_bytes == console.bytes && mark.console_hash == console.hash &&
        std::equal(theirs.begin(), theirs.end(), mine.begin(), mine.end(), same)) {
      return true;
    }
  }
  return false;
}

void BlockReads::note(BlockName name) {
  names_.push_back(name);
  if (names_.size() < lose_doubles_at_) return;
  lose_doubles();
  lose_doubles_at_ = std::max(lose_doubles_at_, 2 * names_.size());
}

void BlockReads::lose_doubles() {
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

std::vector<BlockName> BlockReads::take(Position now) {
  lose_doubles();
  since_ = now;
  return std::exchange(names_, {});
}

}  // namespace retrov
