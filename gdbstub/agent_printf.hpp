// The format of an agent expression's printf: text as in C source, escapes and all, checked once and printed often
// ("Bytecode Descriptions" in gdb's manual). Arguments are integers of 64 bits; a string is its address in the guest.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replay/debugger.hpp"

namespace retrov {

class AgentFormat {
 public:
  /// Throws Error for an escape or a conversion that is not known (those for floating point among them: the bytecode
  /// has none), or if the conversions are not as many as `arguments`.
  AgentFormat(std::string_view text, unsigned arguments);

  [[nodiscard]] unsigned argument_count() const { return argument_count_; }
  /// Adds the text to `out`. `arguments` are argument_count() many.
  void print(const HartView& hart, std::span<const u64> arguments, std::string& out) const;

 private:
  /// Literal text, and perhaps a conversion behind it.
  struct Piece {
    std::string text;
    std::string flags;        ///< Flags, width and precision, as snprintf takes them.
    char conversion = 0;      ///< 'd', 'u', 'o', 'x', 'X', 'c', 's' or 'p'; 0: none.
    unsigned size_bits = 32;  ///< Of an integer.
  };
  std::string_view parse_conversion(std::string_view text, Piece& piece) const;

  std::vector<Piece> pieces_;
  unsigned argument_count_ = 0;
};

}  // namespace retrov
