// A trace: opened, told, reported in every form, read into histories.
#include <sstream>

#include "core/check.hpp"
#include "replay/trace_report.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_mutator.hpp"

namespace retrov::fuzz {

namespace {

void read(const std::vector<u8>& bytes) {
  const TraceReader reader("trace", bytes);
  (void)reader.note();
  std::ostringstream out;
  for (const ReportFormat format : {ReportFormat::kText, ReportFormat::kJson}) {
    report_info(reader, out, format);
    report_sizes(reader, out, format);
    report_dump(reader, out, format);
  }
  for (const char c : out.str()) RV_CHECK(c == '\n' || (c >= ' ' && c <= '~'));
  const std::vector<BranchHistory> branches = reader.read_branches();
  RV_CHECK(branches.size() == reader.branches().size());
  for (const BranchHistory& branch : branches) RV_CHECK(branch.history->end() == branch.branch.end);
}

}  // namespace

void trace(std::span<const u8> input) {
  try {
    (void)parse_preamble(input);
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kBadTrace);
  }
  try {
    read(with_own_preamble(input));
  } catch (const Error& error) {
    RV_CHECK(error.exit_code() == Exit::kBadTrace);
  }
}

}  // namespace retrov::fuzz
