// The threaded engine against the reference engine: a random program passes through the same states, wherever the
// threaded one is made to stop, and from whatever snapshot it goes on.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/machine.hpp"
#include "tests/difftest/on_retrov.hpp"
#include "tests/difftest/random.hpp"

namespace retrov::difftest {

class Engines {
 public:
  explicit Engines(const RunnerImage& runner);
  /// Where the two disagree, for people; or nothing. Programs that nobody would judge do as well.
  [[nodiscard]] std::optional<std::string> disagreement(const Program& program);
  /// How many states were compared.
  [[nodiscard]] u64 compared() const { return compared_; }

 private:
  void load(Machine& machine, const Snapshot& fresh, const Program& program);

  const RunnerImage& runner_;
  bool asked_ = false;
  std::unique_ptr<Machine> fast_, reference_;
  Snapshot fast_fresh_, reference_fresh_;
  u64 compared_ = 0;
};

}  // namespace retrov::difftest
