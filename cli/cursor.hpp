// One place in a trace: a session on it with its front end, and the recordings of the branches that leave from it.
// Several share what the trace told; each has a machine of its own, and may live on a thread of its own.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cli/watched_writer.hpp"
#include "cli/console.hpp"
#include "cli/front_end.hpp"
#include "cli/options.hpp"
#include "replay/session.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"

namespace retrov {

/// What a trace told, for all cursors.
struct OpenTrace {
  std::string path;
  std::array<u8, 16> id{};
  std::string note;
  std::vector<BranchHistory> branches;
  u64 current = 0;  ///< The branch to begin in.
  std::vector<SymbolFile> symbols{};
  std::vector<Bookmark> bookmarks = {};  ///< Those that are in it.
};

class Cursor {
 public:
  /// At the first step. Branches hear what is typed at `console_fd`; -1: nothing. All must outlive it. Throws Error.
  Cursor(const Options& options, const OpenTrace& trace, ConsoleWiring wiring, int console_fd, const Symbols& symbols,
         Signals& signals);

  [[nodiscard]] Console& console() { return console_; }
  [[nodiscard]] Session& session() { return *session_; }
  [[nodiscard]] FrontEnd& front_end() { return *front_end_; }
  /// Ends the traces of branches that were made. Throws Error.
  void finish(Outcome::Kind kind);

 private:
  HistoryListener* record_branch(const std::string& name, std::optional<TraceStart> start);
  void say_failure(TraceWriter& writer);

  const Options& options_;
  const OpenTrace& trace_;
  Console console_;
  /// Of a branch that left the trace.
  struct Recorded {
    std::unique_ptr<TraceWriter> writer;
    std::unique_ptr<WatchedWriter> watched;
  };
  std::vector<Recorded> recorded_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<FrontEnd> front_end_;
};

}  // namespace retrov
