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

class Duel {
 public:
  Duel(const RunnerImage& runner, std::string qemu, std::string folder)
      : runner_(runner), ours_(runner), theirs_(runner, std::move(qemu), std::move(folder)) {}

  /// Draws programs from `seed` on until `count` ran, or a batch is full. Returns those about which there is a
  /// disagreement; `seed` is then the next one.
  std::vector<Disagreement> draw(u64& seed, u64 count, u64& drawn);
  /// For each of them: what they disagree about; nothing if the program is refused or there is no disagreement.
  std::vector<std::optional<Disagreement>> about(const std::vector<Program>& programs);
  /// The program with as much as possible replaced by instructions that do nothing, such that the first difference is
  /// still of the same kind.
  Disagreement shrink(Disagreement found);

  [[nodiscard]] const Coverage& coverage() const { return coverage_; }
  /// Why how many programs were refused.
  [[nodiscard]] const std::map<std::string, u64>& refused() const { return refused_; }
  [[nodiscard]] u64 steps() const { return steps_; }

 private:
  struct Prepared {
    ProgramBatch batch;
    std::vector<std::vector<u64>> logs;
  };
  bool prepare(Prepared& prepared, Program program);
  std::vector<std::optional<Disagreement>> settle(Prepared prepared);
  std::optional<Disagreement> without(const Disagreement& found, std::size_t chunk);

  const RunnerImage& runner_;
  OnRetrov ours_;
  OnQemu theirs_;
  Coverage coverage_;
  std::map<std::string, u64> refused_;
  u64 steps_ = 0;
};

/// For people: where it starts, what it does, what differs.
[[nodiscard]] std::string describe(const Disagreement& found);

}  // namespace retrov::difftest
