// Programs on both machines, and what they disagree about.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/difftest/compare.hpp"
#include "tests/difftest/on_qemu.hpp"

namespace retrov::difftest {

struct Disagreement {
  Program program;
  Difference first;
  std::string all;  ///< A line each.
};

struct Tally {
  Coverage coverage;
  std::map<std::string, u64> refused;  ///< Why how many programs were drawn anew.
  u64 steps = 0;
};

class Duel {
 public:
  Duel(const RunnerImage& runner, std::string qemu, std::string folder)
      : runner_(runner), ours_(runner), theirs_(runner, std::move(qemu), std::move(folder)) {}

  /// Draws programs from `seed` on until `count` ran, or a batch is full. Returns those about which there is a
  /// disagreement; `seed` is then the next one.
  std::vector<Disagreement> draw(u64& seed, u64 count, u64& drawn);
  /// For each of them: what they disagree about; nothing if the program is refused or there is no disagreement.
  std::vector<std::optional<Disagreement>> about(const std::vector<Program>& programs,
                                                 Translation translation = Translation::kBlocks);
  /// The program with as much as possible replaced by instructions that do nothing, such that the first difference is
  /// still of the same kind.
  Disagreement shrink(Disagreement found);

  /// Of all programs that were drawn.
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  struct Prepared {
    ProgramBatch batch;
    std::vector<std::vector<u64>> logs;
  };
  bool prepare(Prepared& prepared, Program program);
  std::vector<std::optional<Disagreement>> settle(Prepared prepared, Translation translation);
  std::optional<Disagreement> without(const Disagreement& found, std::size_t chunk);

  const RunnerImage& runner_;
  OnRetrov ours_;
  OnQemu theirs_;
  Tally tally_;
};

/// For people: the seed and the first difference, a line.
[[nodiscard]] std::string headline(const Disagreement& found);
/// And where it starts, what it does, what differs.
[[nodiscard]] std::string describe(const Disagreement& found);

}  // namespace retrov::difftest
