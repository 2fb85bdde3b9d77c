#include "cli/reports.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/store.hpp"
#include "cli/trace_places.hpp"
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

/// A-B (either may be left out), or one position.
DumpRange dump_range(const TraceReader& trace, const std::string& text) {
  if (text.empty()) return {};
  TracePlaces places(trace, {});
  if (const auto words = range_words(text, places.bookmarks())) {
    const DumpRange range{places.at(words->first), places.at(words->second)};
    if (range.last < range.first) throw Error(Exit::kUsage, "dump: " + text + " ends before it begins");
    return range;
  }
  if (text.front() == '-') return {trace.begin().at, text.size() == 1 ? kEndOfTime : places.at(text.substr(1))};
  if (text.back() == '-') return {places.at(text.substr(0, text.size() - 1)), kEndOfTime};
  const Position at = places.at(text);
  return {at, Position{at.steps + 1}};
}

std::string console_text(const ConsoleTally& tally) { return group_digits(tally.bytes) + " console bytes"; }

std::string hash_text(u64 value) { return hex(value, 16); }

void say_verdict(const Verdict& verdict, const History& history, bool twice) {
  const Position begin = history.begin().at;
  std::cout << "identical: " << group_digits(verdict.reached.steps - begin.steps) << " steps"
            << (begin > Position{} ? " from " + group_digits(begin.steps) + " on" : "") << ", " << verdict.marks
            << " hash marks, "
            << (verdict.key_frames != 0 ? std::to_string(verdict.key_frames) + " key frames, " : "")
            << console_text(verdict.console) << (twice ? ", twice" : "") << ", final hash " << hash_text(verdict.hash)
            << '\n';
}

void add_divergence(Fields& fields, const Divergence& divergence) {
  std::string components;
  for (const DifferingComponent& component : divergence.components) {
    components += (components.empty() ? "" : ", ") + object(ReportFormat::kJson, [&](Fields& inner) {
                    inner.text("name", component.name);
                    inner.number("equal_at", component.equal_at.steps);
                  });
  }
  fields.number("equal_at", divergence.after.steps);
  fields.number("differs_at", divergence.at.steps);
  fields.bare("components", "[" + components + "]", {});
  fields.text("detail", divergence.detail);
  if (divergence.first_step) fields.number("first_step", divergence.first_step->steps);
  fields.text("explanation", divergence.explanation);
}

void print_verdict(const Verdict& verdict, const History& history, bool twice) {
  std::cout << object(ReportFormat::kJson, [&](Fields& fields) {
    fields.truth("identical", verdict.identical());
    fields.number("from", history.begin().at.steps);
    fields.number("to", verdict.reached.steps);
    fields.number("marks", verdict.marks);
    fields.number("key_frames", verdict.key_frames);
    fields.number("console_bytes", verdict.console.bytes);
    fields.truth("twice", twice);
    if (verdict.identical()) fields.text("hash", hash_text(verdict.hash));
    if (verdict.divergence) add_divergence(fields, *verdict.divergence);
  }) << '\n';
}

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
    report_dump(trace, std::cout, format_of(options), dump_range(trace, options.replay.range));
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
  if (options.replay.json) {
    std::ostringstream elsewhere;
    if (verdict.divergence) say_divergence(*verdict.divergence, options.replay.report_file, elsewhere);
    print_verdict(verdict, *history, options.replay.twice);
  } else if (verdict.divergence) {
    say_divergence(*verdict.divergence, options.replay.report_file, std::cout);
  } else if (!options.quiet) {
    say_verdict(verdict, *history, options.replay.twice);
  }
  check_output();
  return static_cast<int>(verdict.divergence ? Exit::kDivergence : Exit::kOk);
}

}  // namespace retrov
