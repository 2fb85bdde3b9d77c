// Where a person has been: what `back`, `forward` and `history` know. Works like a browser's list: who goes back and
// then elsewhere has no way forward any more.
//
// Must stay true: many single steps in a row are one entry, the last of them, and a step between two jumps is none (gdb
// steps off a breakpoint by itself before it continues); a throw-away copy is not in the list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/debugger.hpp"

namespace retrov {

struct Place {
  std::string branch;
  Position at;
  bool operator==(const Place&) const = default;
};

class Visited {
 public:
  enum class How : u8 { kJump, kStep };
  /// The debugger stands there now.
  void arrive(const Debugger& debugger, How how);
  /// The entry that many behind the present one (negative: before), or nothing. Arriving there, as the next thing, is a
  /// move along the list and not a new entry.
  [[nodiscard]] std::optional<Place> aim(i64 distance);

  [[nodiscard]] const std::vector<Place>& places() const { return places_; }
  /// Index of the present one.
  [[nodiscard]] std::size_t current() const { return current_; }

 private:
  std::vector<Place> places_;
  std::size_t current_ = 0;
  u64 steps_ = 0;  ///< By which the present one was reached; 0: by a jump.
  std::optional<std::size_t> aim_;
};

}  // namespace retrov
