#include "replay/bookmarks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/check.hpp"
#include "replay/history.hpp"
#include "replay/position.hpp"

namespace retrov {

namespace {

constexpr std::string_view kAdded = "bookmark";
constexpr std::string_view kDeleted = "delete";

std::optional<u64> parse_whole(std::string_view text) {
  u64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// The part before the next tab, which goes with it.
std::string_view take_part(std::string_view& line) {
  const std::size_t end = std::min(line.find('\t'), line.size());
  const std::string_view part = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return part;
}

/// False: it is no line of a journal.
bool read_line(std::string_view line, std::vector<Bookmark>& list) {
  const std::string_view word = take_part(line);
  const auto number = parse_whole(take_part(line));
  if (!number) return false;
  if (word == kDeleted) {
    std::erase_if(list, [&](const Bookmark& bookmark) { return bookmark.number == *number; });
    return true;
  }
  if (word != kAdded) return false;
  Bookmark bookmark;
  bookmark.number = *number;
  bookmark.branch = take_part(line);
  const auto at = parse_whole(take_part(line));
  bookmark.name = take_part(line);
  bookmark.text = line;
  if (!at || !is_bookmark_name(bookmark.name) || !is_branch_name(bookmark.branch)) return false;
  bookmark.at = Position{*at};
  // The file may repeat what is packed in the trace.
  std::erase_if(list, [&](const Bookmark& other) { return other.number == *number; });
  list.push_back(std::move(bookmark));
  return true;
}

std::vector<Bookmark> read_journal(const std::string& path, std::vector<Bookmark> list) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return list;
    throw Error(Exit::kIo, "bookmarks " + path + ": " + std::strerror(errno));
  }
  std::string line;
  // A last line without its end is one that is just being written.
  for (u64 number = 1; std::getline(in, line) && !in.eof(); ++number) {
    if (!read_line(line, list)) {
      throw Error(Exit::kIo, "bookmarks " + path + ": line " + std::to_string(number) + " is none");
    }
  }
  return list;
}

void make_private_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return;
  make_private_folder(folder.parent_path());
  if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return;
  throw Error(Exit::kCannotCreate, "cannot make the folder " + folder.string() + ": " + std::strerror(errno));
}

/// One write(2), so that lines of several sessions do not mix.
void append(const std::string& path, const std::string& line) {
  make_private_folder(std::filesystem::path(path).parent_path());
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  if (file >= 0) close(file);
  if (!written) throw Error(Exit::kCannotCreate, "bookmarks " + path + ": " + std::strerror(error));
}

std::string line_of(const Bookmark& bookmark, const std::string& branch) {
  return std::string(kAdded) + '\t' + std::to_string(bookmark.number) + '\t' + branch + '\t' +
         std::to_string(bookmark.at.steps) + '\t' + bookmark.name + '\t' + bookmark.text + '\n';
}

std::string current_branch(const Debugger& debugger) {
  for (const BranchInfo& branch : debugger.branches()) {
    if (branch.current) return branch.name;
  }
  return kMainBranch;
}

/// The branch and those it left, the innermost first.
std::vector<BranchInfo> lineage(const Debugger& debugger, const std::string& branch) {
  std::vector<BranchInfo> result;
  const std::vector<BranchInfo> all = debugger.branches();
  for (std::string name = branch; !name.empty();) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& info) { return info.name == name; });
    if (found == all.end()) break;
    result.push_back(*found);
    name = found->parent;
  }
  return result;
}

}  // namespace

bool is_bookmark_name(std::string_view name) {
  const bool begins_with_letter = !name.empty() && ((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z');
  return begins_with_letter && is_branch_name(name) && name != "begin" && name != "start" && name != "end";
}

std::string write_bookmarks(const std::vector<Bookmark>& bookmarks) {
  std::string text;
  for (const Bookmark& bookmark : bookmarks) text += line_of(bookmark, bookmark.branch);
  return text;
}

std::vector<Bookmark> parse_bookmarks(std::string_view text) {
  constexpr std::size_t kMostBookmarks = 4096;
  std::vector<Bookmark> list;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (list.size() >= kMostBookmarks || !read_line(text.substr(0, end), list)) {
      throw Error(Exit::kBadTrace, "the bookmarks in the trace are none");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (Bookmark& bookmark : list) {
    // Terminals obey control characters.
    std::replace_if(
        bookmark.text.begin(), bookmark.text.end(), [](char c) { return static_cast<u8>(c) < ' ' || c == 0x7f; }, '?');
  }
  return list;
}

void Bookmarks::keep_in(const std::string& path, const std::string& branch, std::vector<Bookmark> packed) {
  if (path.empty()) {
    loose_ = std::move(packed);
  } else {
    shelves_.push_back({branch, path, std::move(packed)});
  }
}

const Bookmarks::Shelf* Bookmarks::shelf_of(const Debugger& debugger) const {
  for (const BranchInfo& branch : lineage(debugger, current_branch(debugger))) {
    const auto found = std::find_if(shelves_.begin(), shelves_.end(),
                                    [&](const Shelf& shelf) { return shelf.branch == branch.name; });
    if (found != shelves_.end()) return &*found;
  }
  return nullptr;
}

std::vector<Bookmark> Bookmarks::list() const {
  std::vector<Bookmark> result = loose_;
  for (const Shelf& shelf : shelves_) {
    for (Bookmark& bookmark : read_journal(shelf.path, shelf.packed)) {
      if (bookmark.branch == kMainBranch) bookmark.branch = shelf.branch;
      result.push_back(std::move(bookmark));
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const Bookmark& a, const Bookmark& b) { return a.number < b.number; });
  return result;
}

Bookmark Bookmarks::find(std::string_view word) const {
  const std::string_view name = word.starts_with('@') ? word.substr(1) : word;
  const auto number = parse_whole(name);
  for (const Bookmark& bookmark : list()) {
    if (number ? bookmark.number == *number : bookmark.name == name) return bookmark;
  }
  throw Error(Exit::kUsage, "there is no bookmark '" + std::string(name) + "'; `bookmarks` lists them");
}

Bookmark Bookmarks::add(const Debugger& debugger, const std::string& name, const std::string& text) {
  if (const auto fork = debugger.forked(); fork && fork->is_scratch) {
    throw Error(Exit::kUsage, "a throw-away copy does not last; `scratch off` returns to history");
  }
  const std::vector<Bookmark> all = list();
  Bookmark bookmark;
  bookmark.number = all.empty() ? 1 : all.back().number + 1;
  bookmark.name = name.empty() ? "mark-" + std::to_string(bookmark.number) : name;
  bookmark.branch = current_branch(debugger);
  bookmark.at = debugger.position();
  bookmark.text = text;
  std::replace_if(bookmark.text.begin(), bookmark.text.end(), [](char c) { return static_cast<u8>(c) < ' '; }, ' ');
  if (!is_bookmark_name(bookmark.name)) {
    throw Error(Exit::kUsage, "a bookmark's name is a letter, then letters, digits and any of ._- (not begin, start, "
                              "end)");
  }
  if (std::any_of(all.begin(), all.end(), [&](const Bookmark& other) { return other.name == bookmark.name; })) {
    throw Error(Exit::kUsage, "there is a bookmark '" + bookmark.name + "' already; `delete " + bookmark.name +
                                  "` makes room");
  }
  if (const Shelf* shelf = shelf_of(debugger)) {
    append(shelf->path, line_of(bookmark, bookmark.branch == shelf->branch ? kMainBranch : bookmark.branch));
  } else {
    loose_.push_back(bookmark);
  }
  return bookmark;
}

Bookmark Bookmarks::remove(std::string_view word) {
  Bookmark gone = find(word);
  const auto is_it = [&](const Bookmark& bookmark) { return bookmark.number == gone.number; };
  if (std::erase_if(loose_, is_it) != 0) return gone;
  for (const Shelf& shelf : shelves_) {
    const std::vector<Bookmark> there = read_journal(shelf.path, shelf.packed);
    if (std::none_of(there.begin(), there.end(), is_it)) continue;
    append(shelf.path, std::string(kDeleted) + '\t' + std::to_string(gone.number) + '\n');
    break;
  }
  return gone;
}

void Bookmarks::copy_to(const std::string& path, const Debugger& debugger) const {
  for (const Bookmark& bookmark : list()) {
    if (is_on_line(debugger, bookmark.branch, bookmark.at)) append(path, line_of(bookmark, kMainBranch));
  }
}

bool is_on_line(const Debugger& debugger, const std::string& branch, Position at) {
  Position shared_to = kEndOfTime;
  for (const BranchInfo& line : lineage(debugger, current_branch(debugger))) {
    if (line.name == branch) return at <= shared_to;
    shared_to = std::min(shared_to, line.from);
  }
  return false;
}

Position position_of(const Bookmark& bookmark, const Debugger& debugger) {
  if (is_on_line(debugger, bookmark.branch, bookmark.at)) return bookmark.at;
  throw Error(Exit::kUsage, "bookmark " + bookmark.name + " is step " + group_digits(bookmark.at.steps) +
                                " of branch " + bookmark.branch + "; `switch " + bookmark.branch + "` goes there");
}

}  // namespace retrov
