// Where recordings live when the user does not say: one folder per user, one file per recording, and a link to the
// latest. The link moves when a recording starts, so that the one that crashed is the latest.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "core/types.hpp"

namespace retrov {

class TraceStore {
 public:
  /// The folder is $RETROV_TRACE_DIR, else $XDG_DATA_HOME/retrov, else ~/.local/share/retrov. Nothing is made yet.
  TraceStore();
  explicit TraceStore(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// A path NAME-N.rvt in the folder that does not exist yet. Makes the folder (mode 0700). Throws
  /// Error(kCannotCreate).
  [[nodiscard]] std::string new_trace(const std::string& guest_name) const;
  /// Lets `make` create a new trace at such a path, and again at the next if somebody else was faster. Returns the
  /// path. Throws Error(kCannotCreate), and what `make` throws.
  std::string make_trace(const std::string& guest_name, const std::function<void(const std::string& path)>& make) const;
  /// Makes `path` what replay takes without a name. Throws Error(kCannotCreate).
  void set_latest(const std::string& path) const;
  /// There is no latest trace any more.
  void forget_latest() const;
  /// What the link names, whether it is there or not; empty without a link.
  [[nodiscard]] std::string linked() const;
  [[nodiscard]] bool is_latest(const std::string& path) const;
  /// Where bookmarks of the trace with that id are kept; empty if there is no folder. Nothing is made.
  [[nodiscard]] std::string bookmark_file(const std::array<u8, 16>& id) const;
  /// The trace a person means: the latest if the word is empty, else that path, or the trace of that name in the folder
  /// if there is no such file. Throws Error(kNoInput) if nothing has been recorded.
  [[nodiscard]] std::string find(const std::string& word) const;
  /// The file the link points to. Throws Error(kNoInput) if nothing has been recorded.
  [[nodiscard]] std::string latest() const;

 private:
  void make_folder() const;
  std::string folder_;
};

/// `path` with the home folder written as ~.
[[nodiscard]] std::string for_people(const std::string& path);

}  // namespace retrov
