#include "replay/recover.hpp"

#include <sys/stat.h>

#include "core/check.hpp"
#include "replay/trace_reader.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

struct Recovered {
  TraceCheck check;
  std::vector<u8> bytes;
};

Recovered recover(const std::vector<u8>& bytes) {
  const TemporaryFolder folder;
  const auto open = [&bytes] { return TraceBytes(bytes); };
  Recovered result{check_trace("x.rvt", open), {}};
  const u64 written = recover_trace(result.check, open(), folder.file("y.rvt"));
  result.bytes = read_file(folder.file("y.rvt"));
  REQUIRE(written == result.bytes.size());
  struct stat facts {};
  REQUIRE(::stat(folder.file("y.rvt").c_str(), &facts) == 0);
  REQUIRE((facts.st_mode & 0777) == 0600);
  return result;
}

}  // namespace

TEST_CASE("recover: of a whole trace it is a copy", "[recover]") {
  const std::vector<u8> bytes = sample_trace(3, 60);
  const Recovered result = recover(bytes);
  CHECK(result.bytes == bytes);
  CHECK(describe_loss(result.check) == "nothing was lost");
}

TEST_CASE("recover: the history up to the damage, and an end that says why", "[recover]") {
  const std::vector<u8> bytes = sample_trace(8, 60);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  const std::vector<std::string> whole = lines_of(TraceReader("x.rvt", bytes));
  for (std::size_t i = 1; i < frames.size(); ++i) {
    if (frames[i].kind == FrameKind::kBlob) continue;
    std::vector<u8> damaged = bytes;
    damaged[frames[i].offset + 16] ^= 0x10;
    const Recovered result = recover(damaged);
    const TraceReader trace("y.rvt", result.bytes);
    CHECK(trace.complete());
    CHECK(trace.torn_bytes() == 0);
    CHECK(trace.end() == result.check.good_to);
    CHECK(trace.identity().id == TraceReader("x.rvt", bytes).identity().id);
    std::vector<std::string> lines = lines_of(trace);
    REQUIRE_FALSE(lines.empty());
    CHECK_THAT(lines.back(), has_substring("damaged at offset " + std::to_string(frames[i].offset)));
    lines.pop_back();
    CHECK((lines.size() <= whole.size() && std::equal(lines.begin(), lines.end(), whole.begin())));
    CHECK(check_trace("y.rvt", [&] { return TraceBytes(result.bytes); }).clean());
  }
}

TEST_CASE("recover: a cut trace loses what was cut, an ended one keeps its end", "[recover]") {
  std::vector<u8> bytes = sample_trace(8, 60);
  bytes.pop_back();
  const TraceReader before("x.rvt", bytes);
  const Recovered cut = recover(bytes);
  CHECK(TraceReader("y.rvt", cut.bytes).end() == before.end());
  CHECK_THAT(TraceReader("y.rvt", cut.bytes).note(), has_substring("(the rest was lost: cut at offset "));
  CHECK_THAT(describe_loss(cut.check), has_substring("and what they told of positions from"));

  std::vector<u8> longer = sample_trace(8, 60);
  const std::vector<u8> whole = longer;
  longer.insert(longer.end(), 1000, 0x77);
  CHECK(recover(longer).bytes == whole);
}

TEST_CASE("recover: a damaged frame that nobody needs leaves its place, and nothing moves", "[recover]") {
  std::vector<u8> bytes = sample_trace(8, 60);
  const u64 offset = bytes.size();
  for (const u8 value : {1, 2}) {
    const std::vector<u8> payload(200, value);
    append_stored_frame(bytes, bytes.size(), static_cast<FrameKind>(99), kFrameOptional, {5}, payload);
  }
  bytes[offset + 50] ^= 1;
  const Recovered result = recover(bytes);
  CHECK(result.bytes.size() == bytes.size());
  CHECK(std::equal(result.bytes.begin() + static_cast<std::ptrdiff_t>(offset + 224), result.bytes.end(),
                   bytes.begin() + static_cast<std::ptrdiff_t>(offset + 224)));
  const TraceReader trace("y.rvt", result.bytes);
  CHECK(trace.note().empty());
  CHECK(trace.totals()[static_cast<std::size_t>(FrameKind::kLost)].frames == 1);
  CHECK(describe_loss(result.check) == "lost: 1 damaged frame that the history does not need");
}

TEST_CASE("recover: what is lost is said in bytes, positions and guest time", "[recover]") {
  std::vector<u8> bytes = sample_trace(1, 0);
  bytes.resize(TraceReader("x.rvt", bytes).frames().back().offset);
  append_frame(bytes, bytes.size(), FrameKind::kProgress, {1'000}, {});
  const u64 offset = bytes.size();
  append_frame(bytes, bytes.size(), FrameKind::kProgress, {2'000}, {});
  append_frame(bytes, bytes.size(), FrameKind::kProgress, {2'001'000}, {});
  bytes[offset + 20] ^= 1;
  CHECK(describe_loss(recover(bytes).check) ==
        "lost: 48 bytes from offset " + std::to_string(offset) +
            " on, positions 1,000 to 2,001,000 at least, 0.002000 s of guest time without what was idle");
}

TEST_CASE("recover: nothing is overwritten, and nothing is made where nothing replays", "[recover]") {
  const TemporaryFolder folder;
  const std::vector<u8> bytes = sample_trace(3, 60);
  const auto open = [&bytes] { return TraceBytes(bytes); };
  const TraceCheck check = check_trace("x.rvt", open);
  write_file(folder.file("y.rvt"), std::vector<u8>{1});
  try {
    recover_trace(check, open(), folder.file("y.rvt"));
    FAIL("overwritten");
  } catch (const Error& error) {
    CHECK(error.exit_code() == Exit::kCannotCreate);
  }
  CHECK(read_file(folder.file("y.rvt")) == std::vector<u8>{1});
  std::vector<u8> damaged = bytes;
  damaged[100] ^= 1;
  const auto open_damaged = [&damaged] { return TraceBytes(damaged); };
  CHECK_THROWS_WITH(recover_trace(check_trace("x.rvt", open_damaged), open_damaged(), folder.file("z.rvt")),
                    has_substring("damaged at offset 96; there is nothing to replay"));
  struct stat facts {};
  CHECK(::stat(folder.file("z.rvt").c_str(), &facts) != 0);
}
