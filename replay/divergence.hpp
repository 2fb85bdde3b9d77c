// Why a replay is not what was recorded: where, in what, and as exactly as can be known. A recording holds hashes of
// components and few states, so names of registers and bytes come from comparing replays: with each other where they
// differ, with what the step did in the replay where marks are dense, with every state that is one bit away, and with
// the next key frame, which is a state of the recording.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "replay/fresh_replay.hpp"

namespace retrov {

struct DifferingComponent {
  std::string name;  ///< "console" is the output.
  Position equal_at;  ///< The last mark that says so.
};

struct Divergence {
  Position after;  ///< The last mark of the whole state at which all was well, or the beginning.
  Position at;     ///< The first at which it was not.
  std::vector<DifferingComponent> components;
  std::string detail;  ///< A sentence.
  /// The step from here on is the first that differs, if that is known.
  std::optional<Position> first_step;
  std::string explanation;  ///< Lines for people.
};

/// The lines that begin with DIVERGED, and the explanation.
void report_divergence(const Divergence& divergence, std::ostream& out);

/// Names of the components whose hashes differ, of those that `theirs` has.
[[nodiscard]] std::vector<std::string> differing(const std::vector<ComponentHash>& mine,
                                                 const std::vector<ComponentHash>& theirs);

/// What is known of a mark that a replay does not meet.
struct Mismatch {
  const KeptSnapshot& good;                ///< Of the replay, at Divergence::after.
  const HashMark& recorded;                ///< At Divergence::at.
  std::vector<ComponentHash> replayed;     ///< There, in the first replay.
};

/// Fills first_step and explanation. `first` and `second` are replays of the same history, `second` a fresh one; they
/// are left anywhere. Throws what replaying throws.
void explain(Divergence& divergence, const Mismatch& mismatch, FreshReplay& first, FreshReplay& second);

/// Two replays that were equal in the states given and are not at `differ_at`: where the first difference is, by
/// halving. Both then stand behind it. Nothing if they are equal now: what made them differ did not come again.
[[nodiscard]] std::optional<Position> find_first_difference(FreshReplay& first, const KeptSnapshot& first_good,
                                                            FreshReplay& second, const KeptSnapshot& second_good,
                                                            Position differ_at);

/// Explains two replays that differ from each other, by find_first_difference.
void explain_replays(Divergence& divergence, FreshReplay& first, const KeptSnapshot& first_good, FreshReplay& second,
                     const KeptSnapshot& second_good);

}  // namespace retrov
