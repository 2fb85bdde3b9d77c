#include "cli/shelf_list.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/check.hpp"
#include "replay/report_fields.hpp"
#include "replay/trace_file.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

constexpr u64 kNsPerSecond = 1'000'000'000;

void read_facts(ShelvedTrace& trace) {
  struct stat facts {};
  if (stat(trace.path.c_str(), &facts) != 0) return;
  trace.file_bytes = static_cast<u64>(facts.st_size);
  if (facts.st_mtim.tv_sec < 0) return;
  trace.changed_ns = static_cast<u64>(facts.st_mtim.tv_sec) * kNsPerSecond + static_cast<u64>(facts.st_mtim.tv_nsec);
}

}  // namespace

std::optional<ShelvedTrace> look_at_trace(const std::string& path) {
  ShelvedTrace trace;
  trace.path = path;
  trace.name = fs::path(path).filename().string();
  std::error_code failure;
  if (!fs::is_regular_file(path, failure)) return std::nullopt;
  const bool called_one = trace.name.ends_with(".rvt");
  try {
    const TraceBytes bytes(path);
    const std::vector<u8> begin = bytes.read(0, std::min<u64>(bytes.size_bytes(), kPreambleBytes));
    if (!called_one && (begin.size() < kPreambleBytes || !looks_like_preamble(begin))) return std::nullopt;
    trace.recording = is_being_recorded(path);
    trace.outline = outline_trace(bytes);
  } catch (const Error& error) {
    if (!called_one && error.exit_code() != Exit::kBadTrace) return std::nullopt;
    trace.trouble = error.what();
    // It is named by whoever says so.
    const std::string prefix = "trace " + path + ": ";
    if (trace.trouble.starts_with(prefix)) trace.trouble.erase(0, prefix.size());
  }
  read_facts(trace);
  return trace;
}

std::vector<ShelvedTrace> list_traces(const std::string& folder) {
  std::vector<ShelvedTrace> traces;
  std::error_code failure;
  if (folder.empty() || !fs::exists(folder, failure)) return traces;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code ignored;
    // The link to the latest is no trace of its own.
    if (entry->is_symlink(ignored)) continue;
    if (auto trace = look_at_trace(entry->path().string())) traces.push_back(std::move(*trace));
  }
  if (failure) {
    throw Error(failure == std::errc::permission_denied ? Exit::kNoPermission : Exit::kIo,
                "cannot read the folder " + folder + ": " + failure.message());
  }
  std::sort(traces.begin(), traces.end(), [](const ShelvedTrace& a, const ShelvedTrace& b) {
    return strverscmp(a.name.c_str(), b.name.c_str()) < 0;
  });
  return traces;
}

std::string describe_end(const ShelvedTrace& trace) {
  if (!trace.outline) return trace.trouble;
  const TraceOutline& outline = *trace.outline;
  if (outline.damaged_at) return "damaged at offset " + std::to_string(*outline.damaged_at);
  if (trace.recording) return "recording";
  if (outline.cut_at) return "cut at offset " + std::to_string(*outline.cut_at);
  if (!outline.outcome) return "not ended";
  const Outcome& outcome = *outline.outcome;
  if (outcome.kind == Outcome::Kind::kUnknown) return "given up: " + outcome.why;
  return std::string(outcome_name(outcome.kind)) + " " + std::to_string(outcome.status);
}

}  // namespace retrov
