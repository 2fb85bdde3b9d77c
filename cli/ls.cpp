#include "cli/ls.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <utility>

#include "cli/messages.hpp"
#include "cli/shelf_list.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/report_fields.hpp"

namespace retrov {

namespace {

/// A name is printed on a terminal, which obeys control characters.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<u8>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

std::string duration_text(u64 ns) {
  if (ns < 10'000'000) return std::to_string(ns / 1000) + " us";
  if (ns < 10'000'000'000) return std::to_string(ns / 1'000'000) + " ms";
  const u64 tenths = ns / 100'000'000;
  if (tenths < 6000) return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  const u64 minutes = tenths / 600;
  if (minutes < 600) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h";
}

std::string time_text(u64 ns) {
  const std::time_t seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm local{};
  std::array<char, 32> text{};
  localtime_r(&seconds, &local);
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
  return text.data();
}

/// Columns of `ls -l`, before the name.
using Row = std::vector<std::string>;

Row row_of(const ShelvedTrace& trace) {
  std::string steps = "-";
  std::string lasted = "-";
  if (trace.outline) {
    const bool ended = trace.outline->outcome.has_value();
    steps = (ended ? "" : ">=") + group_digits(trace.outline->end.steps);
    if (const auto& time = trace.outline->lasted) lasted = (ended && time->exact ? "" : ">=") + duration_text(time->ns);
  }
  return {size_text(trace.file_bytes), steps, lasted,
          trace.outline ? std::to_string(trace.outline->key_frames) : "-", time_text(trace.changed_ns)};
}

void print_long(const TraceStore& store, const std::vector<ShelvedTrace>& traces) {
  const Row head = {"SIZE", "STEPS", "LASTED", "KEYS", "WRITTEN"};
  std::vector<Row> rows = {head};
  for (const ShelvedTrace& trace : traces) rows.push_back(row_of(trace));
  std::vector<std::size_t> widths(head.size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t line = 0; line < rows.size(); ++line) {
    for (std::size_t i = 0; i < head.size(); ++i) {
      std::cout << std::string(widths[i] - rows[line][i].size(), ' ') << rows[line][i] << "  ";
    }
    if (line == 0) {
      std::cout << "NAME, HOW IT ENDED\n";
      continue;
    }
    const ShelvedTrace& trace = traces[line - 1];
    std::cout << printable(trace.name) << (store.is_latest(trace.path) ? " (latest)" : "") << ", "
              << printable(describe_end(trace)) << '\n';
  }
}

std::string as_json(const TraceStore& store, const ShelvedTrace& trace) {
  return object(ReportFormat::kJson, [&](Fields& fields) {
    fields.text("name", trace.name);
    fields.number("bytes", trace.file_bytes);
    fields.number("written_ns", trace.changed_ns);
    fields.truth("latest", store.is_latest(trace.path));
    fields.truth("recording", trace.recording);
    fields.text("ended", describe_end(trace));
    if (!trace.outline) return;
    const TraceOutline& outline = *trace.outline;
    fields.text("id", bytes_as_hex(outline.identity.id));
    fields.text("release", outline.identity.release);
    fields.number("machine_version", outline.identity.machine_version);
    fields.number("steps", outline.end.steps);
    if (outline.lasted) {
      fields.number("lasted_ns", outline.lasted->ns);
      fields.truth("lasted_exactly", outline.lasted->exact && outline.outcome.has_value());
    }
    fields.number("branches", outline.branches);
    fields.number("key_frames", outline.key_frames);
    if (outline.cut_at) fields.number("cut_at", *outline.cut_at);
    if (outline.damaged_at) fields.number("damaged_at", *outline.damaged_at);
    if (!outline.outcome) return;
    fields.text("outcome", outcome_name(outline.outcome->kind));
    fields.bare("status", std::to_string(outline.outcome->status), {});
    fields.text("why", outline.outcome->why);
  });
}

}  // namespace

int run_ls(const Options& options) {
  const ShelfWords& words = options.shelf;
  if (words.names.size() > 1) throw Error(Exit::kUsage, "ls: one folder at a time");
  const TraceStore store;
  const std::string folder = words.names.empty() ? store.folder() : words.names[0];
  std::error_code failure;
  if (!words.names.empty() && !std::filesystem::is_directory(folder, failure)) {
    throw Error(Exit::kNoInput, "ls: " + folder + " is no folder");
  }
  std::vector<ShelvedTrace> traces = list_traces(folder);
  if (words.by_time) {
    std::stable_sort(traces.begin(), traces.end(),
                     [](const ShelvedTrace& a, const ShelvedTrace& b) { return a.changed_ns > b.changed_ns; });
  }
  if (words.reversed) std::reverse(traces.begin(), traces.end());
  if (options.replay.json) {
    std::cout << "{\"folder\": " << in_quotes(folder) << ", \"traces\": [";
    const char* separator = "\n  ";
    for (const ShelvedTrace& trace : traces) std::cout << std::exchange(separator, ",\n  ") << as_json(store, trace);
    std::cout << "]}\n";
  } else if (words.in_full && !traces.empty()) {
    print_long(store, traces);
  } else {
    for (const ShelvedTrace& trace : traces) std::cout << printable(trace.name) << '\n';
  }
  check_output();
  return 0;
}

}  // namespace retrov
