// Compares the key frames of a trace with a machine that has come to them by the recorded inputs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/history.hpp"
#include "replay/key_frame.hpp"

namespace retrov {

class KeyFrameCheck {
 public:
  struct Fault {
    std::vector<std::string> components;  ///< That differ.
    std::string detail;                   ///< A sentence.
  };
  /// Both must outlive it. The machine stands at the first position of the history.
  KeyFrameCheck(const History& history, Machine& machine) : history_(history), machine_(machine) {}

  /// To be asked at every position that has a key frame, or more often. Nothing: there is none, or all is well.
  [[nodiscard]] std::optional<Fault> compare(const ConsoleTally& console);
  /// So many were compared.
  [[nodiscard]] u64 compared() const { return compared_; }

 private:
  [[nodiscard]] std::vector<std::string> differing(const KeyFrame& frame, const ConsoleTally& console);

  const History& history_;
  Machine& machine_;
  std::size_t next_ = 0;
  u64 compared_ = 0;
  KeptPointer last_;  ///< Holds the pages that the next one has, too.
};

}  // namespace retrov
