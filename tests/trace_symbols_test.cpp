#include "replay/trace_symbols.hpp"

#include "core/check.hpp"
#include "replay/fsck.hpp"
#include "replay/trace_reader.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

std::vector<u8> trace_with(const std::vector<SymbolFile>& files) {
  const TemporaryFolder folder;
  {
    TraceWriter writer(folder.file("x.rvt"), sample_board(), sample_identity(), TraceExtras{Sync::kNo, files});
    writer.on_progress({1000});
    writer.on_finish({1000}, {Outcome::Kind::kStopped, 0, ""});
  }
  return read_file(folder.file("x.rvt"));
}

std::vector<SymbolFile> collect(const std::vector<std::vector<u8>>& payloads) {
  SymbolCollector collector;
  for (const std::vector<u8>& payload : payloads) collector.add(payload);
  return collector.take();
}

}  // namespace

TEST_CASE("trace_symbols: files come back whole, and the history is what it was", "[trace_symbols]") {
  Dice dice(1);
  const std::vector<SymbolFile> files = {{"vmlinux", dice.bytes(2'500'000)}, {"fw.elf", dice.bytes(10)}};
  const std::vector<u8> bytes = trace_with(files);
  const TraceReader trace("x.rvt", bytes);
  const std::vector<SymbolFile> read = trace.read_symbols();
  REQUIRE(read.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(read[i].name == files[i].name);
    CHECK(read[i].bytes == files[i].bytes);
  }
  CHECK(trace.totals()[static_cast<std::size_t>(FrameKind::kSymbols)].frames == 4);
  CHECK(lines_of(trace) == lines_of(TraceReader("x.rvt", trace_with({}))));
  CHECK(trace.note().empty());
  CHECK(check_trace("x.rvt", [&bytes] { return TraceBytes(bytes); }).clean());
}

TEST_CASE("trace_symbols: damaged ones are left out, and the trace replays", "[trace_symbols]") {
  Dice dice(2);
  const std::vector<SymbolFile> files = {{"one", dice.bytes(3000)}, {"two", dice.bytes(3000)}};
  std::vector<u8> bytes = trace_with(files);
  const TraceCheck whole = check_trace("x.rvt", [&bytes] { return TraceBytes(bytes); });
  const std::vector<u8> needle(files[0].bytes.begin() + 100, files[0].bytes.begin() + 120);
  const auto at = std::search(bytes.begin(), bytes.end(), needle.begin(), needle.end());
  REQUIRE(at != bytes.end());
  *at ^= 1;
  const TraceReader trace("x.rvt", bytes);
  CHECK(trace.end() == Position{1000});
  CHECK_THAT(trace.note(), has_substring("1 frame is damaged that it replays without, the first at offset "));
  CHECK_THAT(trace.note(), has_substring("(symbols)"));
  const std::vector<SymbolFile> read = trace.read_symbols();
  REQUIRE(read.size() == 1);
  CHECK(read[0].name == "two");
  const TraceCheck check = check_trace("x.rvt", [&bytes] { return TraceBytes(bytes); });
  REQUIRE(check.findings.size() == 1);
  CHECK(check.findings[0].what == TraceFinding::What::kDropped);
  CHECK(check.findings[0].kind == "symbols");
  CHECK(check.good_bytes == whole.good_bytes);
}

TEST_CASE("trace_symbols: hostile ones are passed over before they take memory", "[trace_symbols]") {
  const std::vector<SymbolFile> file = {{"one", std::vector<u8>(100, 1)}};
  std::vector<u8> payload = encode_symbols(file).at(0);
  REQUIRE(collect({payload}).size() == 1);
  CHECK(collect({payload, payload}).empty());  // Twice the same is not in order.
  payload.back() ^= 1;
  CHECK(collect({payload}).empty());           // Its hash is another.
  CHECK(collect({{0}}).empty());
  CHECK(collect({{}}).empty());
  CHECK(collect({{16, 0, 1, 'x', 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}}).empty());
  CHECK(collect({{0, 5, 1, 2, 3}}).empty());
  const std::vector<u8> long_name = {0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f, 'x'};
  CHECK(collect({long_name}).empty());
  Dice dice(3);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::vector<u8>> payloads(1 + dice.below(3));
    for (std::vector<u8>& one : payloads) {
      one = dice.bytes(dice.below(60));
      for (u8& byte : one) byte = dice.below(3) == 0 ? byte : static_cast<u8>(byte % 4);
    }
    (void)collect(payloads);
  }
  // A name cannot lead out of a folder, nor be an option.
  CHECK(collect(encode_symbols({{"../../etc/x y", {1}}})).at(0).name == "_._.._etc_x_y");
  CHECK(collect(encode_symbols({{"-x", {1}}})).at(0).name == "_x");
  CHECK(collect(encode_symbols({{std::string(500, 'n'), {1}}})).at(0).name.size() == 64);
  CHECK(encode_symbols(std::vector<SymbolFile>(40, {"x", {1}})).size() == kMaxSymbolFiles);
}
