#include "replay/marks.hpp"

#include <algorithm>

namespace retrov {

Position MarkPlan::next_after(Position now) const {
  const Position full{now.steps + every_steps};
  if (dense_steps == 0) return full;
  const Position dense = now < dense_from ? dense_from : Position{now.steps + dense_steps};
  return dense <= dense_to ? std::min(full, dense) : full;
}

HashMark make_mark(Machine& machine, const ConsoleTally& console, HashRam ram) {
  HashMark mark{machine.position(), machine.component_hashes(ram), console.bytes, console.hash};
  // A component without state (an empty slot) has the hash of nothing, always.
  const u64 nothing = hash_bytes({});
  std::erase_if(mark.components, [&](const ComponentHash& component) { return component.hash == nothing; });
  return mark;
}

}  // namespace retrov
