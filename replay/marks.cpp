#include "replay/marks.hpp"

#include <algorithm>

namespace retrov {

Position MarkPlan::next_after(Position now) const {
  const Position full{now.steps + every_steps};
  if (dense_steps == 0) return full;
  const Position dense = now < dense_from ? dense_from : Position{now.steps + dense_steps};
  return dense <= dense_to ? std::min(full, dense) : full;
}

std::vector<ComponentHash> with_state(std::vector<ComponentHash> components) {
  const u64 nothing = hash_bytes({});
  std::erase_if(components, [&](const ComponentHash& component) { return component.hash == nothing; });
  return components;
}

bool has_ram(const HashMark& mark) {
  return std::any_of(mark.components.begin(), mark.components.end(),
                     [](const ComponentHash& component) { return component.name == "ram"; });
}

HashMark make_mark(Machine& machine, const ConsoleTally& console, HashRam ram) {
  return {machine.position(), with_state(machine.component_hashes(ram)), console.bytes, console.hash};
}

}  // namespace retrov
