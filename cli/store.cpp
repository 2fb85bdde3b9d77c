#include "cli/store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "core/check.hpp"
#include "core/types.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLatest = "latest-trace";
constexpr std::string_view kSuffix = ".rvt";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string default_folder() {
  if (std::string folder = environment("RETROV_TRACE_DIR"); !folder.empty()) return folder;
  if (std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/retrov";
  if (std::string home = environment("HOME"); !home.empty()) return home + "/.local/share/retrov";
  return {};
}

/// The N of NAME-N.rvt, or 0.
u64 number_of(const std::string& file, const std::string& guest_name) {
  const std::string prefix = guest_name + "-";
  if (!file.starts_with(prefix) || !file.ends_with(kSuffix) || file.size() <= prefix.size() + kSuffix.size()) return 0;
  u64 number = 0;
  const char* begin = file.data() + prefix.size();
  const char* end = file.data() + file.size() - kSuffix.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end && number < 1'000'000'000 ? number : 0;
}

}  // namespace

TraceStore::TraceStore() : folder_(default_folder()) {}

void TraceStore::make_folder() const {
  if (folder_.empty()) {
    throw Error(Exit::kCannotCreate, "no place for traces: neither RETROV_TRACE_DIR nor HOME is set; use -o FILE");
  }
  std::error_code failure;
  if (fs::is_directory(folder_, failure)) return;
  fs::create_directories(fs::path(folder_).parent_path(), failure);
  // A trace holds all that the guest knew, and all that was typed.
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error(Exit::kCannotCreate,
                "cannot make the folder " + folder_ + ": " + std::generic_category().message(errno));
  }
}

std::string TraceStore::new_trace(const std::string& guest_name) const {
  make_folder();
  u64 highest = 0;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder_, failure)) {
    highest = std::max(highest, number_of(entry.path().filename().string(), guest_name));
  }
  if (failure) throw Error(Exit::kCannotCreate, "cannot read the folder " + folder_ + ": " + failure.message());
  return folder_ + "/" + guest_name + "-" + std::to_string(highest + 1) + ".rvt";
}

std::string TraceStore::make_trace(const std::string& guest_name,
                                   const std::function<void(const std::string& path)>& make) const {
  constexpr unsigned kPatience = 100;
  for (unsigned tries = 1;; ++tries) {
    const std::string path = new_trace(guest_name);
    try {
      make(path);
      return path;
    } catch (const Error& error) {
      std::error_code failure;
      const bool was_faster = error.exit_code() == Exit::kCannotCreate && fs::exists(path, failure);
      if (!was_faster || tries == kPatience) throw;
    }
  }
}

void TraceStore::set_latest(const std::string& path) const {
  make_folder();
  std::error_code failure;
  const fs::path target = fs::absolute(path, failure);
  // Renamed over the old link, so that there is no moment without one.
  const std::string link = folder_ + "/" + kLatest;
  const std::string fresh = link + "." + std::to_string(getpid());
  unlink(fresh.c_str());
  const bool in_folder = target.parent_path() == fs::absolute(folder_, failure);
  const std::string written = in_folder ? target.filename().string() : target.string();
  if (symlink(written.c_str(), fresh.c_str()) != 0 || rename(fresh.c_str(), link.c_str()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    throw Error(Exit::kCannotCreate, "cannot make the link " + link + ": " + std::generic_category().message(error));
  }
}

std::string TraceStore::bookmark_file(const std::array<u8, 16>& id) const {
  if (folder_.empty()) return {};
  std::string name;
  for (const u8 byte : id) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 15];
  }
  return folder_ + "/bookmarks/" + name;
}

std::string TraceStore::find(const std::string& word) const {
  if (word.empty()) return latest();
  std::error_code failure;
  if (folder_.empty() || word.find('/') != std::string::npos || fs::exists(word, failure)) return word;
  for (const std::string& name : {word, word + std::string(kSuffix)}) {
    if (fs::exists(folder_ + "/" + name, failure)) return folder_ + "/" + name;
  }
  return word;
}

std::string TraceStore::linked() const {
  std::error_code failure;
  const fs::path target = folder_.empty() ? fs::path() : fs::read_symlink(folder_ + "/" + kLatest, failure);
  if (failure || target.empty()) return {};
  return target.is_absolute() ? target.string() : folder_ + "/" + target.string();
}

bool TraceStore::is_latest(const std::string& path) const {
  std::error_code failure;
  const std::string latest = linked();
  return !latest.empty() && fs::equivalent(latest, path, failure);
}

void TraceStore::forget_latest() const { unlink((folder_ + "/" + kLatest).c_str()); }

std::string TraceStore::latest() const {
  const std::string path = linked();
  if (!path.empty()) return path;
  throw Error(Exit::kNoInput, "nothing has been recorded yet: retrov record makes a trace, or name one");
}

std::string for_people(const std::string& path) {
  const std::string home = environment("HOME");
  if (home.size() > 1 && path.starts_with(home + "/")) return "~" + path.substr(home.size());
  return path;
}

}  // namespace retrov
