#include "cli/shelf.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>

#include "cli/messages.hpp"
#include "cli/shelf_list.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/new_file.hpp"
#include "replay/ring.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

Exit exit_of(int error) {
  return error == EACCES || error == EPERM || error == EROFS ? Exit::kNoPermission : Exit::kIo;
}

[[noreturn]] void fail(const std::string& path, int error) {
  const Exit exit = error == ENOENT || error == ENOTDIR ? Exit::kNoInput : exit_of(error);
  throw Error(exit, "trace " + path + ": " + std::generic_category().message(error));
}

/// The file itself, if the word names a link to it.
std::string file_of(const TraceStore& store, const std::string& word) {
  const std::string path = store.find(word);
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) fail(path, errno);
  std::error_code failure;
  if (!fs::is_symlink(path, failure)) return path;
  const fs::path target = fs::canonical(path, failure);
  return failure ? path : target.string();
}

/// For what only a trace may be done to.
ShelvedTrace require_trace(const std::string& path) {
  if (auto trace = look_at_trace(path)) return *trace;
  throw Error(Exit::kBadTrace, path + " is no trace and stays");
}

/// The one written last is what `replay` takes now.
void renew_latest(const TraceStore& store) {
  const std::vector<ShelvedTrace> left = list_traces(store.folder());
  const auto newest = std::max_element(left.begin(), left.end(), [](const ShelvedTrace& a, const ShelvedTrace& b) {
    return a.changed_ns < b.changed_ns;
  });
  if (newest == left.end()) return store.forget_latest();
  store.set_latest(newest->path);
}

/// A recovered trace has the id of the one it was made from, and its bookmarks.
bool has_twin(const TraceStore& store, const std::array<u8, 16>& id) {
  const std::vector<ShelvedTrace> all = list_traces(store.folder());
  return std::any_of(all.begin(), all.end(),
                     [&](const ShelvedTrace& other) { return other.outline && other.outline->identity.id == id; });
}

void remove_trace(const TraceStore& store, const std::string& word) {
  const std::string path = file_of(store, word);
  const ShelvedTrace trace = require_trace(path);
  if (trace.recording) throw Error(Exit::kUnavailable, "trace " + path + ": is being recorded");
  const bool latest = store.is_latest(path);
  // The parts of a ring that was killed go first: without the oldest nobody would find them.
  const std::vector<std::string> parts = ring_parts(path);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (unlink(parts[i].c_str()) != 0) fail(parts[i], errno);
  }
  for (const std::string& stub : ring_stubs(path)) {
    if (unlink(stub.c_str()) != 0) fail(stub, errno);
  }
  if (unlink(path.c_str()) != 0) fail(path, errno);
  if (latest) renew_latest(store);
  if (!trace.outline) return;
  const std::array<u8, 16>& id = trace.outline->identity.id;
  const std::string bookmarks = store.bookmark_file(id);
  if (!bookmarks.empty() && !has_twin(store, id)) unlink(bookmarks.c_str());
}

/// To another file system. The time of writing goes along, for it is what `ls -t` sorts by.
void copy_trace(const std::string& from, const std::string& to) {
  const TraceBytes source(from);
  struct stat facts {};
  if (stat(from.c_str(), &facts) != 0) fail(from, errno);
  NewFile file(to);
  while (file.size_bytes() < source.size_bytes()) {
    const u64 offset = file.size_bytes();
    file.write(source.read(offset, std::min<u64>(u64{1} << 20, source.size_bytes() - offset)));
  }
  file.keep();
  const timespec times[2] = {facts.st_atim, facts.st_mtim};
  utimensat(AT_FDCWD, to.c_str(), times, 0);
}

/// Where `word` says that `from` should go: into a folder, to a path, or to another name beside it.
std::string destination_of(const std::string& from, const std::string& word) {
  std::error_code failure;
  if (fs::is_directory(word, failure)) return (fs::path(word) / fs::path(from).filename()).string();
  if (word.find('/') != std::string::npos) return word;
  return (fs::path(from).parent_path() / word).string();
}

void move_trace(const TraceStore& store, const std::string& word, const std::string& to_word) {
  const std::string from = file_of(store, word);
  const ShelvedTrace trace = require_trace(from);
  if (ring_parts(from).size() > 1) {
    throw Error(Exit::kUnavailable, "trace " + from + ": its recording has parts beside it, which are not moved; "
                                        "retrov recover joins them");
  }
  const std::string to = destination_of(from, to_word);
  const bool latest = store.is_latest(from);
  // A link, then no more the old name: in no moment is there none, and nothing is overwritten.
  if (link(from.c_str(), to.c_str()) == 0) {
    if (unlink(from.c_str()) != 0) {
      const int error = errno;
      unlink(to.c_str());
      fail(from, error);
    }
  } else if (errno == EXDEV || errno == EPERM) {
    if (trace.recording) throw Error(Exit::kUnavailable, "trace " + from + ": is being recorded");
    copy_trace(from, to);
    if (unlink(from.c_str()) != 0) {
      const int error = errno;
      unlink(to.c_str());
      fail(from, error);
    }
  } else {
    const std::string hint = errno == EEXIST ? " (a trace is never overwritten)" : "";
    throw Error(errno == EACCES ? Exit::kNoPermission : Exit::kCannotCreate,
                "trace " + to + ": " + std::generic_category().message(errno) + hint);
  }
  if (latest) store.set_latest(to);
}

/// Goes through all of them; what fails is said, and the first failure is the status.
template <class Work>
int for_each(std::span<const std::string> words, Work work) {
  int status = 0;
  for (const std::string& word : words) {
    try {
      work(word);
    } catch (const Error& error) {
      say(error.what());
      if (status == 0) status = static_cast<int>(error.exit_code());
    }
  }
  return status;
}

}  // namespace

int run_rm(const Options& options) {
  if (options.shelf.names.empty()) throw Error(Exit::kUsage, "rm: which traces? retrov ls lists them");
  const TraceStore store;
  return for_each(options.shelf.names, [&](const std::string& word) { remove_trace(store, word); });
}

int run_mv(const Options& options) {
  const std::vector<std::string>& names = options.shelf.names;
  if (names.size() < 2) throw Error(Exit::kUsage, "mv: write TRACE NAME, or TRACES FOLDER");
  std::error_code failure;
  if (names.size() > 2 && !fs::is_directory(names.back(), failure)) {
    throw Error(Exit::kUsage, "mv: " + names.back() + " is no folder for several traces");
  }
  const TraceStore store;
  return for_each(std::span(names).first(names.size() - 1),
                  [&](const std::string& word) { move_trace(store, word, names.back()); });
}

}  // namespace retrov
