#include "cli/fsck.hpp"

#include <iostream>

#include "cli/messages.hpp"
#include "cli/store.hpp"
#include "core/check.hpp"
#include "replay/position.hpp"
#include "replay/recover.hpp"
#include "replay/report_fields.hpp"
#include "replay/ring.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

int run_fsck(const Options& options) {
  const TraceCheck check = check_trace(TraceStore().find(options.replay.trace));
  if (check.unread) {
    say("trace " + check.name + ": of machine version " + std::to_string(check.identity->machine_version) +
        ", so only its checksums are compared");
  }
  report_check(check, std::cout, options.replay.json ? ReportFormat::kJson : ReportFormat::kText);
  check_output();
  if (check.clean()) return 0;
  const bool recovers = check.good_bytes != 0 && !check.unread;
  throw Error(Exit::kBadTrace, summarise(check) + (recovers ? ", which retrov recover writes to a new one" : ""));
}

namespace {

/// What is in the new file, and what is not.
void print_recovered(const std::string& path, Position begin, Position end, u64 parts, const std::string& lost) {
  std::cout << object(ReportFormat::kJson, [&](Fields& fields) {
    fields.text("file", path);
    fields.number("from", begin.steps);
    fields.number("to", end.steps);
    fields.number("parts", parts);
    fields.text("lost", lost);
  }) << '\n';
  check_output();
}

int join(const std::vector<std::string>& parts, const Options& options) {
  const std::string& path = options.live.trace;
  const JoinedRing joined = join_ring(parts, path);
  if (!joined.note.empty()) say(joined.note);
  if (options.replay.json) {
    print_recovered(path, joined.begin, joined.end, joined.parts, joined.note);
    return 0;
  }
  say(std::to_string(joined.parts) + " parts are joined to " + path + ": steps " + group_digits(joined.begin.steps) +
      " to " + group_digits(joined.end.steps));
  return 0;
}

}  // namespace

int run_recover(const Options& options) {
  if (options.live.trace.empty()) throw Error(Exit::kUsage, "recover: -o FILE says where to; a trace is never changed");
  const std::string path = TraceStore().find(options.replay.trace);
  if (const auto parts = ring_parts(path); parts.size() > 1) return join(parts, options);
  const TraceCheck check = check_trace(path);
  recover_trace(check, TraceBytes(path), options.live.trace);
  if (const std::string found = summarise(check); !found.empty()) say(found);
  if (options.replay.json) {
    const Position begin = TraceReader(options.live.trace, Check::kWhatIsUsed).begin().at;
    print_recovered(options.live.trace, begin, check.good_to, 1, describe_loss(check));
    return 0;
  }
  say(describe_loss(check));
  say("recovered to " + options.live.trace + ": " + group_digits(check.good_to.steps) + " steps");
  return 0;
}

}  // namespace retrov
