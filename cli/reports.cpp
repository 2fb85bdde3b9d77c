#include "cli/reports.hpp"

#include <fstream>
#include <iostream>

#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_report.hpp"
#include "replay/verify.hpp"

namespace retrov {

namespace {

std::string trace_path(const Options& options) {
  return TraceStore().find(options.replay.trace);
}

ReportFormat format_of(const Options& options) {
  return options.replay.json ? ReportFormat::kJson : ReportFormat::kText;
}

/// "A-B" (both optional), "end", or one position. Percentages and times need a machine, so they are not for here.
DumpRange parse_range(const std::string& text, Position begin, Position end) {
  const auto position = [&](const std::string& part, Position otherwise) {
    if (part.empty()) return otherwise;
    const PositionText parsed = parse_position(part);
    if (parsed.kind == PositionText::Kind::kStep) return Position{parsed.value};
    if (parsed.kind == PositionText::Kind::kBegin) return begin;
    if (parsed.kind == PositionText::Kind::kEnd) return end;
    throw Error(Exit::kUsage, "dump: '" + part + "' is no step; write A-B in steps, or end");
  };
  const std::size_t sign = text.find('-');
  if (text.empty()) return {};
  if (sign == std::string::npos) {
    const Position at = position(text, end);
    return {at, Position{at.steps + 1}};
  }
  const DumpRange range{position(text.substr(0, sign), begin), position(text.substr(sign + 1), kEndOfTime)};
  if (range.last < range.first) throw Error(Exit::kUsage, "dump: " + text + " ends before it begins");
  return range;
}

std::string console_text(const ConsoleTally& tally) { return group_digits(tally.bytes) + " console bytes"; }

}  // namespace

void InterruptFlag::look(const Signals& signals) {
  if (signals.pending() != 0) flag_ = true;
}

void say_divergence(const Divergence& divergence, const std::string& file, std::ostream& out) {
  report_divergence(divergence, out);
  if (file.empty()) return;
  std::ofstream copy(file);
  report_divergence(divergence, copy);
  if (!copy.flush()) throw Error(Exit::kCannotCreate, "report " + file + ": cannot be written");
}

int run_info(const Options& options) {
  const TraceReader trace(trace_path(options));
  report_info(trace, std::cout, format_of(options));
  say_if_ring(trace.name());
  check_output();
  return 0;
}

int run_dump(const Options& options) {
  const TraceReader trace(trace_path(options));
  if (options.replay.sizes) {
    report_sizes(trace, std::cout, format_of(options));
  } else {
    report_dump(trace, std::cout, format_of(options), parse_range(options.replay.range, trace.begin().at, trace.end()));
  }
  check_output();
  return 0;
}

int run_verify(const Options& options) {
  Signals signals;
  InterruptFlag interrupted;
  Progress progress;
  const std::string path = trace_path(options);
  const TraceReader trace(path);
  if (const std::string note = trace.note(); !note.empty()) say(note);
  say_if_ring(path);
  const u64 number = options.replay.branch.empty() ? trace.last_branch() : trace.branch_named(options.replay.branch);
  const std::vector<BranchHistory> branches = trace.read_branches();
  const History* history = branches[number].history.get();
  if (branches.size() > 1 && !options.quiet) {
    say("branch " + branches[number].branch.name + " of " + std::to_string(branches.size()) + " (--branch)");
  }
  VerifyOptions verification;
  verification.engine = options.engine;
  verification.twice = options.replay.twice ? Twice::kYes : Twice::kNo;
  verification.snapshots = options.snapshots;
  verification.jobs = options.replay.jobs.value_or(default_jobs());
  verification.interrupted = interrupted.flag();
  verification.progress = [&](Position here) {
    interrupted.look(signals);
    progress.at(here, history->end(), history->begin().at);
  };
  progress.begin("verifying");
  const Verdict verdict = verify(*history, verification);
  progress.end();
  if (verdict.interrupted) {
    say("interrupted at step " + group_digits(verdict.reached.steps));
    return signals.pending() != 0 ? 128 + signals.pending() : static_cast<int>(Exit::kFailure);
  }
  for (const std::string& name : verdict.unknown) say("not compared, this build has no such component: " + name);
  if (verdict.divergence) {
    say_divergence(*verdict.divergence, options.replay.report_file, std::cout);
    check_output();
    return static_cast<int>(Exit::kDivergence);
  }
  if (!options.quiet) {
    char hash[17];
    std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(verdict.hash));
    const Position begin = history->begin().at;
    std::cout << "identical: " << group_digits(verdict.reached.steps - begin.steps) << " steps"
              << (begin > Position{} ? " from " + group_digits(begin.steps) + " on" : "") << ", " << verdict.marks
              << " hash marks, "
              << (verdict.key_frames != 0 ? std::to_string(verdict.key_frames) + " key frames, " : "")
              << console_text(verdict.console) << (options.replay.twice ? ", twice" : "") << ", final hash " << hash
              << '\n';
  }
  check_output();
  return 0;
}

}  // namespace retrov
