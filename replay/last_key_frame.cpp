#include "replay/last_key_frame.hpp"

#include <memory>
#include <utility>

#include "core/check.hpp"

namespace retrov {

std::optional<KeyFrame> enter_last_key_frame(FreshReplay& replay, Position at) {
  const History& history = replay.history();
  const KeptSnapshot beginning = replay.snapshot();
  for (const KeyFramePlace* place = history.key_frame_before(at);
       place != nullptr && place->at > history.begin().at;
       place = history.key_frame_before(Position{place->at.steps - 1})) {
    try {
      KeyFrame frame = place->stored->load(replay.machine().initial_ram());
      replay.restore(*frame.state);
      if (is_marked(history, place->at, replay.machine().component_hashes(), replay.console())) return frame;
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
    }
  }
  replay.restore(beginning);
  return std::nullopt;
}

KeyFrame key_frame_of(FreshReplay& replay) {
  KeyFrame frame;
  frame.state = std::make_shared<KeptSnapshot>(replay.snapshot());
  for (const ComponentHash& component : replay.machine().component_hashes()) frame.names.push_back(component.name);
  frame.blocks_since = replay.position();
  frame.initial_ram = replay.machine().initial_ram();
  return frame;
}

}  // namespace retrov
