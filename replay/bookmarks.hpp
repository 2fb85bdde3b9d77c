// Places of a history that a person has named. Those of a recording are kept in a file of the user's that the
// trace's id names, never in the trace; those of a session that is not recorded are gone with it.
//
// The file is a journal, a line for each bookmark made or deleted, and is read anew each time it is asked, so several
// sessions on one trace see each other's.
//
// Must stay true: a bookmark names a position of one line of history; elsewhere it holds only where that is shared.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replay/debugger.hpp"

namespace retrov {

struct Bookmark {
  u64 number = 0;      ///< Counted from 1; stays when others are deleted.
  std::string name;
  std::string branch;  ///< As the session calls it.
  Position at;
  std::string text;    ///< What the person said of it; may be empty.
};

/// A letter, then letters, digits and "._-", 64 at most; no other word for a position.
[[nodiscard]] bool is_bookmark_name(std::string_view name);

class Bookmarks {
 public:
  /// Those of `branch`, and of branches that leave it and have no file of their own, are kept in that file from here
  /// on; in it `branch` is called main. Nothing is made before the first bookmark. `packed` are those that are in the
  /// trace, as if the file began with them. Without a path they are kept here.
  void keep_in(const std::string& path, const std::string& branch, std::vector<Bookmark> packed = {});

  /// In the order in which they were made. Throws Error (kIo) if a file cannot be read or is none.
  [[nodiscard]] std::vector<Bookmark> list() const;
  /// By name, number, or either behind an @. Throws Error (kUsage) if there is none.
  [[nodiscard]] Bookmark find(std::string_view word) const;
  /// Marks where the debugger stands. An empty name: one is made up. Throws Error: kUsage for a name that is none or is
  /// taken, and in a throw-away copy; kIo or kCannotCreate if it cannot be kept.
  Bookmark add(const Debugger& debugger, const std::string& name, const std::string& text);
  /// Throws Error as find() and add() do.
  Bookmark remove(std::string_view word);
  /// Writes those that hold in the current branch to a file that calls it main.
  void copy_to(const std::string& path, const Debugger& debugger) const;

 private:
  struct Shelf {
    std::string branch;
    std::string path;
    std::vector<Bookmark> packed;
  };
  [[nodiscard]] const Shelf* shelf_of(const Debugger& debugger) const;

  std::vector<Shelf> shelves_;
  /// Those without a file.
  std::vector<Bookmark> loose_;
};

/// Bookmarks as text, for a trace.
[[nodiscard]] std::string write_bookmarks(const std::vector<Bookmark>& bookmarks);
/// May be from a stranger. Throws Error (kBadTrace).
[[nodiscard]] std::vector<Bookmark> parse_bookmarks(std::string_view text);

/// Whether that place of `branch` is one of the line the debugger is in.
[[nodiscard]] bool is_on_line(const Debugger& debugger, const std::string& branch, Position at);

/// Where a bookmark is, in the line the debugger is in. Throws Error (kUsage) that says how to get there if it is in
/// another.
[[nodiscard]] Position position_of(const Bookmark& bookmark, const Debugger& debugger);

}  // namespace retrov
