#include "replay/fsck.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include "core/check.hpp"
#include "replay/frame_walk.hpp"
#include "replay/trace_codec.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

namespace {

using What = TraceFinding::What;

/// Hears nothing: it is the decoder's checks that matter.
class Deaf final : public HistoryListener {
 public:
  void on_event(const Event&) override {}
  void on_block(Position, const CapturedBlock&) override {}
  void on_mark(const HashMark&) override {}
  void on_progress(Position) override {}
  void on_branch(const BranchPoint&) override { ended = false; }
  void on_finish(Position, const Outcome&) override { ended = true; }
  bool ended = false;
};

bool ends_history(const TraceFinding& finding) { return finding.what == What::kDamage || finding.what == What::kCut; }

class Checker {
 public:
  Checker(TraceCheck& check, const std::function<TraceBytes()>& open) : check_(check), open_(open), bytes_(open()) {}

  void run() {
    check_.file_bytes = bytes_.size_bytes();
    read_preamble();
    walk_frames(bytes_, frames_, check_.findings);
    check_.whole_frames = frames_.size();
    measure();
    if (check_.identity && !check_.unread) read_contents();
    count_behind();
  }

 private:
  void read_preamble() {
    const std::vector<u8> preamble = bytes_.read(0, std::min(check_.file_bytes, kPreambleBytes));
    try {
      check_.identity = parse_preamble(preamble);
    } catch (const Error& error) {
      if (preamble.size() < kPreambleBytes || !looks_like_preamble(preamble)) {
        throw Error(error.exit_code(), "trace " + check_.name + ": " + error.what());
      }
      add({What::kDamage, 0, kPreambleBytes, {}, "preamble", "it does not agree with its checksum"});
      return;
    }
    if (check_.identity->container_version != kContainerVersion) {
      try {
        require_replayable(*check_.identity);
      } catch (const Error& error) {
        throw Error(error.exit_code(), "trace " + check_.name + ": " + error.what());
      }
    }
    check_.unread = check_.identity->machine_version != kMachineVersion;
  }

  void add(TraceFinding finding) {
    const auto behind = std::find_if(check_.findings.begin(), check_.findings.end(),
                                     [&](const TraceFinding& other) { return other.offset > finding.offset; });
    check_.findings.insert(behind, std::move(finding));
  }

  /// From what was found so far.
  void measure() {
    const auto first = std::find_if(check_.findings.begin(), check_.findings.end(), ends_history);
    check_.good_bytes = first == check_.findings.end() ? check_.file_bytes : first->offset;
    for (const FrameInfo& frame : frames_) {
      if (frame.offset < check_.good_bytes && !is_beside_history(frame.kind)) check_.good_to = frame.at;
    }
  }

  void break_at(const FrameInfo& frame, const std::string& why) {
    add({What::kDamage, frame.offset, frame_size_bytes(frame), frame.at, frame_kind_name(frame.kind), why});
    check_.good_bytes = std::min(check_.good_bytes, frame.offset);
  }

  void nothing_replays() {
    check_.good_bytes = 0;
    check_.good_to = {};
  }

  /// What agrees with its checks can still break the rules of the format.
  void read_contents() {
    const u64 told = find_told();
    TraceBytes head = open_();
    head.limit(std::min(told, check_.good_bytes));
    try {
      const TraceReader reader(check_.name, std::move(head));
      read_history(reader.layout().board, told);
    } catch (const BadFrame& bad) {
      add({What::kDamage, bad.offset, 0, bad.at, {}, bad.why});
      nothing_replays();
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
      const bool is_cut = std::any_of(check_.findings.begin(), check_.findings.end(), ends_history);
      if (!is_cut) add({What::kDamage, told, 0, {}, {}, "the initial memory is not whole"});
      nothing_replays();
    }
  }

  /// Where the history begins, behind description and initial memory.
  [[nodiscard]] u64 find_told() const {
    for (const FrameInfo& frame : frames_) {
      const bool is_head = frame.kind == FrameKind::kBoard || frame.kind == FrameKind::kBlob;
      if (!is_head && !is_beside_history(frame.kind)) return frame.offset;
    }
    return check_.file_bytes;
  }

  void read_history(const BoardConfig& board, u64 told) {
    HistoryDecoder decoder(board);
    Deaf deaf;
    for (const FrameInfo& frame : frames_) {
      if (frame.offset < told || is_beside_history(frame.kind)) continue;
      if (frame.offset >= check_.good_bytes) break;
      try {
        decoder.decode(frame, unpack_frame(frame, bytes_.read(frame.offset, frame_size_bytes(frame))), deaf);
      } catch (const Error& error) {
        if (error.exit_code() != Exit::kBadTrace) throw;
        break_at(frame, error.what());
        break;
      }
      check_.good_to = decoder.reached();
      check_.good_ends = deaf.ended;
    }
    if (decoder.begin().at > Position{}) look_for_beginning();
    if (check_.good_bytes == told) check_.good_to = {};
    check_.steps_per_second = board.machine.steps_per_tick * kTicksPerSecond;
  }

  /// A history that begins with a state is nothing without it.
  void look_for_beginning() {
    TraceBytes good = open_();
    good.limit(check_.good_bytes);
    try {
      const TraceReader reader(check_.name, std::move(good));
    } catch (const Error& error) {
      if (error.exit_code() != Exit::kBadTrace) throw;
      const bool is_cut = std::any_of(check_.findings.begin(), check_.findings.end(), ends_history);
      if (!is_cut) add({What::kDamage, check_.good_bytes, 0, {}, {}, "the state that it begins with is not whole"});
      nothing_replays();
    }
  }

  void count_behind() {
    for (const FrameInfo& frame : frames_) {
      if (frame.offset < check_.good_bytes) continue;
      ++check_.behind_frames;
      check_.behind_to = std::max(check_.behind_to, frame.at);
    }
  }

  TraceCheck& check_;
  const std::function<TraceBytes()>& open_;
  const TraceBytes bytes_;
  std::vector<FrameInfo> frames_;
};

const char* name_of(What what) {
  static constexpr std::array<const char*, 5> kNames = {"damage", "cut", "dropped", "index", "unknown"};
  return kNames[static_cast<std::size_t>(what)];
}

void add_finding(Fields& fields, const TraceFinding& finding) {
  fields.bare("what", in_quotes(std::string_view(name_of(finding.what))), name_of(finding.what));
  fields.number("offset", finding.offset);
  fields.number("position", finding.at.steps);
  fields.number("bytes", finding.size_bytes);
  fields.put("frame", in_quotes(finding.kind), finding.kind);
  fields.bare("why", in_quotes(finding.why), finding.why);
}

}  // namespace

bool TraceCheck::clean() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const TraceFinding& finding) { return finding.what == What::kUnknown; });
}

TraceCheck check_trace(const std::string& name, const std::function<TraceBytes()>& open) {
  TraceCheck check;
  check.name = name;
  Checker(check, open).run();
  return check;
}

TraceCheck check_trace(const std::string& path) {
  return check_trace(path, [&path] { return TraceBytes(path); });
}

void report_check(const TraceCheck& check, std::ostream& out, ReportFormat format) {
  std::string findings;
  for (const TraceFinding& finding : check.findings) {
    const std::string row = object(format, [&](Fields& fields) { add_finding(fields, finding); });
    findings += format == ReportFormat::kJson ? (findings.empty() ? "" : ", ") + row : row + '\n';
  }
  if (format == ReportFormat::kText) out << findings;
  out << object(format, [&](Fields& fields) {
    if (format == ReportFormat::kJson) {
      fields.text("trace", check.name);
      fields.truth("clean", check.clean());
      fields.bare("findings", "[" + findings + "]", {});
    } else {
      fields.bare("clean", {}, check.clean() ? "clean" : "replays");
    }
    fields.number("whole_frames", check.whole_frames);
    fields.number("bytes", check.file_bytes);
    fields.number("good_bytes", check.good_bytes);
    fields.number("good_to", check.good_to.steps);
    if (check.unread) fields.number("unread_machine_version", check.identity->machine_version);
    if (check.behind_frames == 0) return;
    fields.number("behind_frames", check.behind_frames);
    fields.number("behind_to", check.behind_to.steps);
  }) << '\n';
}

std::string summarise(const TraceCheck& check) {
  if (check.clean()) return {};
  const auto first = std::find_if(check.findings.begin(), check.findings.end(), [](const TraceFinding& finding) {
    return finding.what != What::kUnknown;
  });
  const std::string how = first->what == What::kCut ? "cut" : "damaged";
  std::string text = "trace " + check.name + ": " + how + " at offset " + std::to_string(first->offset);
  const auto count = std::count_if(check.findings.begin(), check.findings.end(),
                                   [](const TraceFinding& finding) { return finding.what != What::kUnknown; });
  if (count > 1) text += " and at " + std::to_string(count - 1) + (count > 2 ? " other places" : " other place");
  if (check.good_bytes == 0) return text + "; there is nothing to replay";
  return text + "; it replays up to position " + std::to_string(check.good_to.steps);
}

}  // namespace retrov
