// What a recording is told to: one file, or the files of a ring.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/check.hpp"
#include "replay/history.hpp"

namespace retrov {

class TraceSink : public HistoryListener {
 public:
  /// All has been told: what is left to be done is done. Once.
  virtual void end() = 0;
  /// Everything told so far is in the file when this returns, unless failed().
  virtual void flush() = 0;
  /// Why recording stopped, once; nothing before and nothing after. The session says it and goes on or ends: all that
  /// was written stays a trace that replays up to the position in the sentence.
  [[nodiscard]] virtual std::optional<Error> take_error() = 0;
  /// Recording has stopped: the trace ends where it was whole, with the reason if there was room for it.
  [[nodiscard]] virtual bool failed() const = 0;
  [[nodiscard]] virtual u64 written_bytes() const = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;
  /// Of the trace.
  [[nodiscard]] virtual const std::array<u8, 16>& id() const = 0;
};

}  // namespace retrov
