// The traces of a folder, as far as they can be told without reading them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replay/trace_outline.hpp"

namespace retrov {

struct ShelvedTrace {
  std::string path;
  std::string name;  ///< In its folder.
  u64 file_bytes = 0;
  u64 changed_ns = 0;  ///< Since 1970: when it was written last.
  bool recording = false;
  std::optional<TraceOutline> outline;
  std::string trouble;  ///< Why there is no outline.
};

/// Nothing if it is neither called a trace nor one. Throws nothing.
[[nodiscard]] std::optional<ShelvedTrace> look_at_trace(const std::string& path);

/// By name, numbers in it by their value. A folder that is not there holds none. Throws Error(kNoPermission) or
/// Error(kIo) if it cannot be read.
[[nodiscard]] std::vector<ShelvedTrace> list_traces(const std::string& folder);

/// In a word or two: "powered-off 0", "recording", "cut at offset 4711".
[[nodiscard]] std::string describe_end(const ShelvedTrace& trace);

}  // namespace retrov
