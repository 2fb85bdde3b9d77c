#include "replay/trace_report.hpp"

#include <sstream>

#include "replay/report_fields.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// One of each kind of thing, with text that a terminal or a JSON parser could stumble over.
std::vector<u8> told_trace() {
  const TemporaryFolder folder;
  {
    TraceWriter writer(folder.file("x.rvt"), sample_board(), sample_identity());
    History history(sample_board());
    history.set_listener(&writer);
    DebuggerWrite write{DebuggerWrite::Space::kPhysicalMemory, 1, 0x80001000, {0xab, 0xcd}};
    history.add_event({{0}, {{{4, RtcStart{5}}, {kMachineItself, Seed{}}}, {}}});
    history.add_event({{10}, {{{3, ConsoleBytes{{'l', 's', '\n', '"', '\\', 0x1b, 0xff}}}}, {17}}});
    history.add_event({{11}, {{{kMachineItself, write}, {kMachineItself, SchedMask{3}}}, {}}});
    history.add_event({{12}, {{{kMachineItself, SystemReset{}}}, {}}});
    history.add_block({20}, {0, 7, page_of(1)});
    history.add_mark({{30}, {{"machine", 0xabc}, {"ram", 1}}, 12, 0xff});
    history.progress({40});
    history.finish({Outcome::Kind::kPoweredOff, -3, "off \"now\""});
  }
  return read_file(folder.file("x.rvt"));
}

std::string dump(ReportFormat format, const DumpRange& range = {}) {
  std::ostringstream out;
  report_dump(TraceReader("x.rvt", told_trace()), out, format, range);
  return out.str();
}

std::string info(ReportFormat format) {
  std::ostringstream out;
  report_info(TraceReader("x.rvt", told_trace()), out, format);
  return out.str();
}

/// Reads one JSON value from the front and returns what is left; fails the test if there is none.
std::string_view after_json(std::string_view text) {
  const auto skip = [&text] { text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size())); };
  const auto expect = [&](char c) {
    skip();
    REQUIRE((!text.empty() && text.front() == c));
    text.remove_prefix(1);
  };
  skip();
  REQUIRE_FALSE(text.empty());
  const char first = text.front();
  if (first == '"') {
    for (text.remove_prefix(1); text.front() != '"'; text.remove_prefix(1)) {
      REQUIRE((text.front() >= ' ' && text.front() <= '~'));
      if (text.front() == '\\') text.remove_prefix(1);
    }
    text.remove_prefix(1);
  } else if (first == '{' || first == '[') {
    const char last = first == '{' ? '}' : ']';
    text.remove_prefix(1);
    skip();
    while (text.front() != last) {
      if (first == '{') {
        REQUIRE(text.front() == '"');
        text = after_json(text);
        expect(':');
      }
      text = after_json(text);
      skip();
      if (text.front() == ',') {
        expect(',');
        skip();
        REQUIRE(text.front() != last);
      }
    }
    text.remove_prefix(1);
  } else {
    const std::size_t end = text.find_first_not_of("-0123456789truefalse");
    REQUIRE(end != 0);
    text.remove_prefix(std::min(end, text.size()));
  }
  return text;
}

}  // namespace

TEST_CASE("trace_report: dump lists what was recorded in the order of the file", "[trace_report]") {
  CHECK(dump(ReportFormat::kText) ==
        "0  event  rtc-start  device 4  unix_ns 5; seed  seed " + std::string(64, '0') +
            "\n"
            "10  event  wake 17  console  device 3  bytes \"ls\\n\\\"\\\\\\u001b\\u00ff\"\n"
            "11  event  debugger-write  space memory  hart 1  where 0x80001000  value abcd; "
            "sched-mask  harts 0x3\n"
            "12  event  system-reset\n"
            "20  block  disk 0  index 7  hash " +
            [] {
              std::ostringstream hash;
              hash << std::hex << hash_bytes(*page_of(1));
              return hash.str();
            }() +
            "\n"
            "30  mark  console_bytes 12  console_hash 00000000000000ff  machine 0000000000000abc  "
            "ram 0000000000000001\n"
            "40  end  powered-off  status -3  why \"off \\\"now\\\"\"\n");
}

TEST_CASE("trace_report: dump as JSON is an object on each line", "[trace_report]") {
  std::istringstream lines(dump(ReportFormat::kJson));
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    CHECK(line.front() == '{');
    CHECK(after_json(line).empty());
    ++count;
  }
  CHECK(count == 7);
  CHECK_THAT(
      dump(ReportFormat::kJson),
      has_substring(R"({"at": 11, "what": "event", "inputs": [{"input": "debugger-write", "space": "memory", )"
                    R"("hart": 1, "where": 2147487744, "value": "abcd"}, {"input": "sched-mask", "harts": 3}]})"));
  CHECK_THAT(dump(ReportFormat::kJson), has_substring(R"("bytes": "ls\n\"\\\u001b\u00ff")"));
}

TEST_CASE("trace_report: dump keeps to the range that was asked for", "[trace_report]") {
  const std::string part = dump(ReportFormat::kText, {{10}, {20}});
  CHECK_THAT(part, has_substring("10  event"));
  CHECK_THAT(part, has_substring("11  event"));
  CHECK(part.find("0  event  rtc") == std::string::npos);
  CHECK(part.find("20  block") == std::string::npos);
}

TEST_CASE("trace_report: info names the machine, the build, the outcome and where the bytes go", "[trace_report]") {
  const std::string text = info(ReportFormat::kText);
  const std::string version = std::to_string(kMachineVersion);
  CHECK_THAT(text, has_substring("made_by   release 1.2.3  commit 0123456789ab  format 3  machine_version " + version));
  CHECK_THAT(text, has_substring("machine   harts 2  ram_bytes 1048576"));
  CHECK_THAT(text, has_substring("bootargs \"console=ttyS0 \\\"quoted\\\"\""));
  CHECK_THAT(text, has_substring("memory    at 0x80002000  bytes 9000"));
  CHECK_THAT(text, has_substring("disks     slot 0  bytes 65536  read_only no"));
  CHECK_THAT(text, has_substring("flash     unit 1  read_only yes"));
  CHECK_THAT(text, has_substring("recorded  events 4  console 1  rtc-start 1  seed 1  debugger-write 1  sched-mask 1  "
                                 "system-reset 1  blocks 1  marks 1"));
  CHECK_THAT(text, has_substring("end       at 40  complete yes  torn_bytes 0  powered-off  status -3"));
  CHECK_THAT(text, has_substring("sizes     memory  frames 3"));
}

TEST_CASE("trace_report: info as JSON is one object with the same content", "[trace_report]") {
  const std::string json = info(ReportFormat::kJson);
  CHECK(after_json(json) == "\n");
  for (const char* member : {"trace", "made_by", "machine", "memory", "disks", "flash", "recorded", "end", "sizes"}) {
    CHECK_THAT(json, has_substring("\n  \"" + std::string(member) + "\": "));
  }
  CHECK_THAT(json, has_substring("\"outcome\": \"powered-off\", \"status\": -3, \"why\": \"off \\\"now\\\"\""));
  std::ostringstream sizes;
  report_sizes(TraceReader("x.rvt", told_trace()), sizes, ReportFormat::kJson);
  CHECK(after_json(sizes.str()) == "\n");
}

TEST_CASE("trace_report: info says that a trace is cut", "[trace_report]") {
  std::vector<u8> bytes = told_trace();
  bytes.pop_back();
  std::ostringstream out;
  report_info(TraceReader("x.rvt", bytes), out, ReportFormat::kText);
  CHECK_THAT(out.str(), has_substring("complete no"));
  CHECK_THAT(out.str(), has_substring("  unknown  status 0"));
  CHECK_THAT(out.str(), has_substring("trace x.rvt is cut at offset "));
}
