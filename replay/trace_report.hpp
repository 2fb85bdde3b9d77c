// What `retrov info` and `retrov dump` print about a trace, for people and as JSON. Reads the trace and nothing else;
// the fields of the JSON form are listed in docs/trace-format.md ("Reports") and only ever grow.
#pragma once

#include <iosfwd>

#include "replay/report_fields.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

/// Machine, initial memory, versions, outcome, and where the bytes go. One JSON object.
void report_info(const TraceReader& trace, std::ostream& out, ReportFormat format);

/// Positions first <= p < last.
struct DumpRange {
  Position first;
  Position last = kEndOfTime;
};

/// Events, blocks, marks and progress in the order of the file, a line each; as JSON one object per line.
void report_dump(const TraceReader& trace, std::ostream& out, ReportFormat format, const DumpRange& range = {});

/// As in a dump, for people and without a line end.
[[nodiscard]] std::string describe_event(const Event& event);

/// Frames, stored and raw bytes by kind (`dump -s`).
void report_sizes(const TraceReader& trace, std::ostream& out, ReportFormat format);

}  // namespace retrov
