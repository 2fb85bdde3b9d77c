// How people name a place in history: one grammar for the command line, gdb's `monitor goto` and the prompt.
//
//   412,883,190   a step        +N -N       relative to here     50%     of the history
//   begin start   the first     end         the last there is    #1203   the n-th event
//   t=3.1s        guest time: the first position that has reached it (units s, ms, us, ns; none is s)
//   smash @smash  a bookmark, and behind an @ also its number: @2
//   main@3        where the symbol, or an address, is about to be executed for the third time
//
// Everything is exact integer arithmetic: the same text names the same position on every host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/types.hpp"

namespace retrov {

class Bookmarks;
class Debugger;

/// What a text says, before it is known which history it is about.
struct PositionText {
  enum class Kind : u8 {
    kStep, kForward, kBackward, kFraction, kBegin, kEnd, kEvent, kTime, kBookmark, kExecution,
  };
  Kind kind = Kind::kStep;
  /// Steps; for kFraction billionths of the whole; for kTime ticks, rounded up; for kEvent the event's number, for
  /// kExecution how often.
  u64 value = 0;
  std::string name = {};  ///< Of a bookmark, or its number in digits; of a symbol.
  bool operator==(const PositionText&) const = default;
};

/// Throws Error(kUsage) that says what is wrong with the text.
[[nodiscard]] PositionText parse_position(std::string_view text);

/// "A-B" as two words for positions, each of which may have a minus of its own; nothing if it is no such range. A is a
/// bookmark only if it is one of these. Throws Error(kUsage) if A is a position and B is none.
[[nodiscard]] std::optional<std::pair<std::string_view, std::string_view>> range_words(std::string_view text,
                                                                                       const Bookmarks& bookmarks);

/// What names in positions mean.
struct PositionNames {
  const Bookmarks& bookmarks;
  /// The address of a symbol; throws Error (kUsage) if it is none. Empty: no symbols are known.
  std::function<u64(std::string_view)> address = {};
};

/// Finds the place in the debugger's history, and leaves the debugger where it was. Throws Error(kUsage) if the history
/// does not reach that far, or there is no such bookmark. Guest time and executions are searched for, which takes a
/// while in a long history.
[[nodiscard]] Position resolve_position(const PositionText& text, Debugger& debugger, const PositionNames& names);
[[nodiscard]] Position resolve_position(std::string_view text, Debugger& debugger, const PositionNames& names);

/// 401220118 as 401,220,118.
[[nodiscard]] std::string group_digits(u64 value);

/// Guest time for people: 3.114 s, rounded down.
[[nodiscard]] std::string seconds_text(Ticks time);

/// "step 401,220,118 of 412,990,004, 97%": how far a long way is.
[[nodiscard]] std::string describe_progress(Position here, Position end, Position begin = {});

/// `when`: "step 401,220,118  hart 1  event 1203  t=3.114 s  97.2%". In a branch or a throw-away copy it begins with
/// the name, the step at which that left, and the steps since: "fix@1,200,000+42  step 1,200,042 …".
[[nodiscard]] std::string describe_position(const Debugger& debugger);

}  // namespace retrov
