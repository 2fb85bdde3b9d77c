// The runner (tests/guests/difftest.S) as it lies in memory, with the code that loads and stores CSRs, which is made of
// the table of CSRs.
#pragma once

#include <string>
#include <vector>

#include "core/types.hpp"

namespace retrov::difftest {

struct RunnerImage {
  std::vector<u8> bytes;  ///< From DT_RAM on.
  u64 vectors = 0;        ///< What mtvec points to.
  u64 launch = 0;         ///< The MRET into a program.
  u64 resume = 0;         ///< The MRET from the trap handler.
  u64 done = 0;           ///< Where a program's log is complete.
};

/// Throws Error if the file is missing or is not the runner.
[[nodiscard]] RunnerImage load_runner(const std::string& path);

}  // namespace retrov::difftest
