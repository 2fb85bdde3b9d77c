// What words for positions on the command line mean in a trace that is only read: bookmarks, guest time and the rest of
// the grammar (replay/position.hpp). What takes a look at the guest is replayed, and only then.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "replay/bookmarks.hpp"
#include "replay/output_log.hpp"
#include "replay/session.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

/// Those in the trace. If they are none that is said, and there are none: the history does not need them.
[[nodiscard]] std::vector<Bookmark> packed_bookmarks(const TraceReader& trace);

class TracePlaces {
 public:
  /// On the branch of that name; empty: the last. The trace must outlive it. Throws Error (kUsage) if there is none.
  TracePlaces(const TraceReader& trace, const std::string& branch);

  [[nodiscard]] u64 branch() const { return branch_; }
  [[nodiscard]] const Bookmarks& bookmarks() const { return bookmarks_; }
  /// Throws Error (kUsage) as resolve_position does, but for a step that the history does not have.
  [[nodiscard]] Position at(std::string_view word);
  /// The same, and the history has it.
  [[nodiscard]] Position reached(std::string_view word);
  /// Those of that line of history.
  [[nodiscard]] std::vector<Bookmark> bookmarks_on_line();

 private:
  class Silence final : public OutputSink {
   public:
    void console(Position, std::span<const u8>) override {}
    void notice(Position, const std::string&) override {}
  };
  [[nodiscard]] Session& session();

  const TraceReader& trace_;
  const u64 branch_;
  Bookmarks bookmarks_;
  Silence silence_;
  std::unique_ptr<Session> session_;
};

}  // namespace retrov
