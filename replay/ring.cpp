#include "replay/ring.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/check.hpp"
#include "replay/fresh_replay.hpp"
#include "replay/new_file.hpp"
#include "replay/retelling.hpp"
#include "replay/trace_bytes.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPartInfix = ".ring-";

/// Nothing if that is no trace of ours.
std::optional<TraceIdentity> identity_of(const std::string& path) {
  try {
    const TraceBytes bytes(path);
    return parse_preamble(bytes.read(0, std::min(bytes.size_bytes(), kPreambleBytes)));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// What is called as a part of it would be, by its number.
std::map<u64, std::string> files_beside(const std::string& path) {
  const fs::path whole(path);
  const std::string prefix = whole.filename().string() + kPartInfix;
  const fs::path folder = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
  std::map<u64, std::string> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    u64 number = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number);
    if (error == std::errc() && stop == end) found[number] = entry.path().string();
  }
  return found;
}

/// The steps that need blocks, as the file tells.
class BlockListener final : public HistoryListener {
 public:
  explicit BlockListener(std::set<BlockName>& known) : known_(known) {}
  void on_event(const Event&) override {}
  void on_block(Position before, const CapturedBlock& block) override {
    const BlockName name{block.disk, block.index};
    if (known_.insert(name).second) blocks.push_back({before, name});
  }
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint&) override {}
  void on_finish(Position, const Outcome&) override {}

  std::vector<NeededBlock> blocks;

 private:
  std::set<BlockName>& known_;
};

/// Those that follow one another; the last may be one that was never begun, and any may be damaged.
std::vector<std::unique_ptr<TraceReader>> open_parts(const std::vector<std::string>& parts, std::string& note) {
  std::vector<std::unique_ptr<TraceReader>> traces;
  for (const std::string& part : parts) {
    try {
      auto trace = std::make_unique<TraceReader>(part);
      const bool follows = traces.empty() || (trace->begin().at > traces.back()->begin().at &&
                                              trace->begin().at <= traces.back()->end());
      if (!follows) {
        note = "trace " + part + " does not follow the part before it; it and what comes behind are left out";
        break;
      }
      traces.push_back(std::move(trace));
    } catch (const Error& error) {
      if (traces.empty() || error.exit_code() != Exit::kBadTrace) throw;
      note = std::string(error.what()) + "; it and what comes behind are left out";
      break;
    }
  }
  return traces;
}

void tell_parts(const std::vector<std::unique_ptr<TraceReader>>& traces,
                const std::vector<std::vector<BranchHistory>>& told, const PageTree& ram, TraceWriter& writer) {
  std::set<BlockName> known;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    const bool is_last = i + 1 == traces.size();
    if (is_last && told[i].size() > 1) {
      traces[i]->visit(writer);
      break;
    }
    BlockListener listener(known);
    traces[i]->visit(listener);
    const History& history = *told[i].front().history;
    Part part{history.begin().at, is_last ? history.end() : traces[i + 1]->begin().at, is_last,
              std::move(listener.blocks), true, i != 0};
    // What lies behind the beginning of the next part is told there.
    std::erase_if(part.blocks, [&](const NeededBlock& block) {
      const bool is_behind = !is_last && block.before >= part.to;
      if (is_behind) known.erase(block.name);
      return is_behind;
    });
    tell_part(history, part, {ram, ram}, writer);
    if (is_last && traces[i]->complete()) writer.on_finish(history.end(), history.outcome());
  }
}

}  // namespace

std::string ring_part(const std::string& path, u64 number) { return path + kPartInfix + std::to_string(number); }

std::vector<std::string> ring_parts(const std::string& path) {
  std::vector<std::string> parts = {path};
  const auto identity = identity_of(path);
  for (const auto& [number, file] : files_beside(path)) {
    const auto theirs = identity_of(file);
    if (identity && theirs && theirs->id == identity->id) parts.push_back(file);
  }
  return parts;
}

std::vector<std::string> ring_stubs(const std::string& path) {
  std::vector<std::string> stubs;
  for (const auto& [number, file] : files_beside(path)) {
    std::error_code failure;
    const bool is_file = fs::symlink_status(file, failure).type() == fs::file_type::regular;
    if (is_file && fs::file_size(file, failure) < kPreambleBytes && !failure) stubs.push_back(file);
  }
  return stubs;
}

JoinedRing join_ring(const std::vector<std::string>& parts, const std::string& path, Sync sync) {
  JoinedRing joined;
  const std::vector<std::unique_ptr<TraceReader>> traces = open_parts(parts, joined.note);
  std::vector<std::vector<BranchHistory>> told;
  for (const auto& trace : traces) told.push_back(trace->read_branches());
  const History& first = *told.front().front().history;
  FreshReplay replay(first, EngineKind::kFast);
  const PageTree& ram = replay.machine().initial_ram();
  NewFile file(path);
  {
    TraceWriter writer(path, file.as_trace(), first.board(), traces.front()->identity(),
                       TraceExtras{sync, traces.front()->read_symbols(), start_of(first, ram)});
    tell_parts(traces, told, ram, writer);
    writer.flush();
    if (const auto error = writer.take_error()) throw Error(error->exit_code(), error->what());
  }
  file.keep();
  joined.begin = first.begin().at;
  joined.end = traces.back()->end();
  joined.parts = traces.size();
  return joined;
}

}  // namespace retrov
