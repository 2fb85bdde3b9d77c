// How often each row of the instruction tables and each CSR was executed by random programs.
#pragma once

#include <string>
#include <vector>

#include "core/insn.hpp"

namespace retrov::difftest {

struct Count {
  u64 made = 0;
  u64 trapped = 0;
};

class Coverage {
 public:
  Coverage();
  /// An instruction was executed; `raw` says which CSR it named.
  void note(const InsnRow& row, u32 raw, bool trapped);
  void add(const Coverage& other);
  /// A line for each row and CSR.
  [[nodiscard]] std::string table() const;
  /// What ran less than `least` times without a trap; nothing but traps are ECALL and EBREAK, which count with them.
  [[nodiscard]] std::vector<std::string> rare(u64 least) const;
  [[nodiscard]] u64 total() const;

 private:
  struct RowCount {
    const InsnRow* row;
    Count count;
  };
  std::vector<RowCount> rows_;  ///< Ascending by address of the row.
  std::vector<Count> csrs_;     ///< As csr_rows().
};

}  // namespace retrov::difftest
