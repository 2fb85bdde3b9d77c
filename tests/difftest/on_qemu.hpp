// Runs a batch of programs on QEMU. Its RAM is a file that we map, too: the batch goes in and the logs come out without
// a word on a wire.
#pragma once

#include <string>
#include <vector>

#include "tests/difftest/on_retrov.hpp"
#include "tests/difftest/program.hpp"
#include "tests/difftest/runner_image.hpp"

namespace retrov::difftest {

struct ProgramBatch {
  std::vector<Program> programs;
  std::vector<Place> places;

  /// Where the next program would lie; absent: the batch is full.
  [[nodiscard]] std::optional<Place> next_place() const;
  void add(Program program, const Place& place);
  u64 next_record = 0;
};

class SharedRam;

/// How QEMU translates: kSingle is slow, and leaves its optimiser nothing to do.
enum class Translation : u8 { kBlocks, kSingle };

class OnQemu {
 public:
  /// `folder`: where the file goes.
  OnQemu(const RunnerImage& runner, std::string qemu, std::string folder);
  /// The log of each program, of DT_LOG_BYTES; that of a program that never ended says so (DT_L_STATE).
  [[nodiscard]] std::vector<std::vector<u64>> run(const ProgramBatch& batch,
                                                  Translation translation = Translation::kBlocks) const;

 private:
  void load(SharedRam& ram, const ProgramBatch& batch, u64 index) const;

  const RunnerImage& runner_;
  std::string qemu_, folder_;
};

}  // namespace retrov::difftest
