#include "replay/key_frame_check.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace retrov {

namespace {

/// What was touched may be too much in a key frame, and never too little.
bool covers(const Touched& told, const Touched& seen) {
  if (told.since > seen.since) return true;  // It says nothing of all that was seen.
  const auto has_root = [&told](u64 satp) {
    const bool bare = satp >> 60 == 0;
    return bare || std::find(told.satps.begin(), told.satps.end(), satp) != told.satps.end();
  };
  return (told.everything || !seen.everything) && (told.ebreaks || !seen.ebreaks) &&
         (told.everything ||
          std::includes(told.pages.begin(), told.pages.end(), seen.pages.begin(), seen.pages.end())) &&
         std::all_of(seen.satps.begin(), seen.satps.end(), has_root);
}

}  // namespace

std::optional<KeyFrameCheck::Fault> KeyFrameCheck::compare(const ConsoleTally& console) {
  const Chain<KeyFramePlace>& places = history_.key_frames();
  const Position here = machine_.position();
  while (next_ < places.size() && places[next_].at < here) ++next_;
  if (next_ == places.size() || places[next_].at > here) return std::nullopt;
  const KeyFramePlace& place = places[next_++];
  try {
    const KeyFrame frame = place.stored->load(machine_.initial_ram());
    std::vector<std::string> names = differing(frame, console);
    last_ = frame.state;
    machine_.begin_stretch();
    ++compared_;
    if (names.empty()) return std::nullopt;
    return Fault{std::move(names), "the key frame is not the state that is reached there"};
  } catch (const Error& error) {
    if (error.exit_code() != Exit::kBadTrace) throw;
    return Fault{{}, std::string("the key frame cannot be read: ") + error.what()};
  }
}

std::vector<std::string> KeyFrameCheck::differing(const KeyFrame& frame, const ConsoleTally& console) {
  const Snapshot mine = machine_.snapshot();
  const Snapshot& theirs = frame.state->machine;
  std::vector<std::string> names;
  const std::vector<ComponentHash> components = machine_.component_hashes();
  const auto has_name = [](const ComponentHash& own, const std::string& name) { return own.name == name; };
  const bool same_shape =
      theirs.components.size() == mine.components.size() && theirs.trees.size() == mine.trees.size() &&
      std::equal(components.begin(), components.end(), frame.names.begin(), frame.names.end(), has_name);
  if (!same_shape || theirs.at != mine.at) return {"all"};
  for (std::size_t i = 0; i < mine.components.size(); ++i) {
    if (mine.components[i] != theirs.components[i]) names.push_back(components[i].name);
  }
  for (std::size_t i = 0; i < mine.trees.size(); ++i) {
    if (mine.trees[i].hash() != theirs.trees[i].hash()) names.push_back(components[mine.components.size() + i].name);
  }
  // What was touched before the history began nobody can say, nor does anybody ask.
  const bool is_first = theirs.at == history_.begin().at;
  if (!is_first && !covers(theirs.touched, mine.touched)) names.emplace_back("what was touched");
  if (frame.state->console != console) names.emplace_back("console");
  return names;
}

}  // namespace retrov
