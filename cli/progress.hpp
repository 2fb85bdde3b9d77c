// A line that says how far a long move is, on a terminal and only once it takes more than half a second.
#pragma once

#include <string>

#include "core/types.hpp"

namespace retrov {

class Progress {
 public:
  /// Nothing is printed unless standard error is a terminal.
  Progress();
  /// A move begins, or what was begun has ended: the line is taken away.
  void begin(std::string what);
  void end();
  /// Something is about to be printed where the line may be: it comes again.
  void make_way();
  /// Where it is now; cheap.
  void at(Position here, Position end, Position begin);

 private:
  bool is_terminal_;
  bool moving_ = false;
  bool printed_ = false;
  u64 began_ns_ = 0;
  u64 printed_ns_ = 0;
  std::string what_;
};

}  // namespace retrov
