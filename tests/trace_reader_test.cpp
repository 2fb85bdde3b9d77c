#include "replay/trace_reader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "replay/compress.hpp"
#include "replay/frame_builder.hpp"
#include "replay/trace_writer.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

void check_error(const std::string& path, Exit exit_code, const std::string& sentence) {
  try {
    const TraceReader trace(path);
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.exit_code() == exit_code);
    CHECK(std::string(error.what()) == sentence);
  }
}

void append(std::vector<u8>& trace, const std::vector<u8>& bytes) {
  trace.insert(trace.end(), bytes.begin(), bytes.end());
}

/// A trace with nothing but its header.
std::vector<u8> header(const TraceIdentity& identity = sample_identity()) {
  const TemporaryFolder folder;
  { const TraceWriter writer(folder.file("x.rvt"), sample_board(), identity); }
  return read_file(folder.file("x.rvt"));
}

/// A frame as a writer of tomorrow might make it.
std::vector<u8> foreign_frame(u64 offset, u8 kind, u8 flags, Position at) {
  std::vector<u8> frame;
  append_frame(frame, offset, FrameKind::kProgress, at, {});
  frame[4] = kind;
  frame[5] = flags;
  u16 crc = 0xffff;
  for (std::size_t i = 0; i < 14; ++i) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool top = ((crc >> 15) ^ (frame[i] >> bit)) & 1;
      crc = static_cast<u16>((crc << 1) ^ (top ? 0x1021 : 0));
    }
  }
  frame[14] = static_cast<u8>(crc);
  frame[15] = static_cast<u8>(crc >> 8);
  const u64 check = checksum({frame.data(), kFrameHeaderBytes}, offset);
  for (std::size_t i = 0; i < 8; ++i) frame[kFrameHeaderBytes + i] = static_cast<u8>(check >> (8 * i));
  return frame;
}

}  // namespace

TEST_CASE("trace_reader: what is no trace is named with its reason", "[trace_reader]") {
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  check_error(path, Exit::kNoInput, "trace " + path + ": No such file or directory");
  check_error(folder.file("."), Exit::kBadTrace, "trace " + folder.file(".") + ": not a regular file");
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  check_error(pipe, Exit::kBadTrace, "trace " + pipe + ": not a regular file");
  write_file(path, {});
  check_error(path, Exit::kBadTrace, "trace " + path + ": empty file, not a trace");
  const std::string text = "#!/bin/sh\n";
  write_file(path, {reinterpret_cast<const u8*>(text.data()), text.size()});
  check_error(path, Exit::kBadTrace, "trace " + path + ": not a trace of retrov");
  const std::vector<u8> whole = header();
  write_file(path, {whole.data(), 50});
  check_error(path, Exit::kBadTrace, "trace " + path + ": too short to be a trace: cut at offset 50");
  write_file(path, {whole.data(), kPreambleBytes});
  check_error(
      path, Exit::kBadTrace,
      "trace " + path + ": cut at offset 96, inside the description of the machine: there is nothing to replay");
  write_file(path, {whole.data(), whole.size() - 1});
  CHECK_THROWS_WITH(TraceReader(path), has_substring("inside the initial memory: there is nothing to replay"));
}

TEST_CASE("trace_reader: a trace that may not be read is named with its reason", "[trace_reader]") {
  if (::geteuid() == 0) return;  // Root may read everything.
  const TemporaryFolder folder;
  const std::string path = folder.file("x.rvt");
  write_file(path, header());
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  check_error(path, Exit::kNoPermission, "trace " + path + ": Permission denied");
}

TEST_CASE("trace_reader: a trace of another version is refused and names the build that made it", "[trace_reader]") {
  TraceIdentity other = sample_identity();
  other.machine_version = 77;
  CHECK(refusal(header(other)) ==
        "trace x.rvt: machine version 77, this build reads " + std::to_string(kMachineVersion) +
            ": replay it with retrov 1.2.3, commit 0123456789ab, which made it");
  other.container_version = 9;
  CHECK_THAT(refusal(header(other)), has_substring("trace format 9, this build reads 3"));
}

TEST_CASE("trace_reader: unknown frames are skipped if they are optional and refused if not", "[trace_reader]") {
  std::vector<u8> bytes = header();
  append(bytes, foreign_frame(bytes.size(), 200, kFrameOptional, {5}));
  append(bytes, foreign_frame(bytes.size(), 7, 0x80 | kFrameOptional, {900}));  // A known kind in an unknown form.
  std::vector<u8> progress;
  append_frame(progress, bytes.size(), FrameKind::kProgress, {10}, {});
  append(bytes, progress);
  const TraceReader trace("x.rvt", bytes);
  CHECK(trace.end() == Position{10});
  CHECK(trace.totals()[0].frames == 2);
  CHECK(lines_of(trace) == std::vector<std::string>{"progress 10"});

  std::vector<u8> mandatory = bytes;
  append(mandatory, foreign_frame(mandatory.size(), 99, 0, {11}));
  CHECK(refusal(mandatory) == "trace x.rvt: the frame at offset " + std::to_string(bytes.size()) +
                                  " (position 11) is of kind 99, which this build cannot do without: use retrov 1.2.3, "
                                  "commit 0123456789ab, which made it");
  std::vector<u8> flagged = bytes;
  append(flagged, foreign_frame(flagged.size(), 7, 0x80, {11}));
  CHECK_THAT(refusal(flagged), has_substring("cannot do without"));
}

TEST_CASE("trace_reader: after the end only what is skipped may follow", "[trace_reader]") {
  std::vector<u8> bytes = header();
  FrameBuilder frames;
  frames.start_at(bytes.size());
  frames.add_end({50}, {Outcome::Kind::kStopped, 0, ""});
  append(bytes, frames.take());
  append(bytes, foreign_frame(bytes.size(), 11, kFrameOptional, {0}));
  CHECK(refusal(bytes).empty());
  CHECK(TraceReader("x.rvt", bytes).end() == Position{50});
  std::vector<u8> more;
  append_frame(more, bytes.size(), FrameKind::kProgress, {60}, {});
  append(bytes, more);
  CHECK_THAT(refusal(bytes), has_substring("frame after the end"));
}

TEST_CASE("trace_reader: hashes of a foreign schema are passed over", "[trace_reader]") {
  std::vector<u8> bytes = header();
  std::vector<u8> table = encode_components({{"machine", 0}, {"uart", 0}});
  table[table.size() - 2] = 9;
  std::vector<u8> marks;
  encode_mark(marks, {0}, {{0}, {{"machine", 11}, {"uart", 22}}, 0, 0}, 0);
  std::vector<u8> frame;
  append_frame(frame, bytes.size(), FrameKind::kComponents, {}, table);
  append(bytes, frame);
  frame.clear();
  append_frame(frame, bytes.size(), FrameKind::kMarks, {}, marks);
  append(bytes, frame);
  CHECK(lines_of(TraceReader("x.rvt", bytes)) == std::vector<std::string>{"mark 0: 0 0 machine=11"});
}

TEST_CASE("trace_reader: zeros after the last frame are what a power failure leaves", "[trace_reader]") {
  std::vector<u8> bytes = sample_trace(4, 20);
  const Position end = TraceReader("x.rvt", bytes).end();
  const std::size_t size = bytes.size();
  bytes.resize(size + 200'000);
  const TraceReader trace("x.rvt", bytes);
  CHECK(trace.end() == end);
  CHECK(trace.torn_bytes() == 200'000);
  CHECK(trace.note() == "trace x.rvt is cut at offset " + std::to_string(size) +
                            ": its last 200000 bytes are not a whole frame and are ignored; it ends at position " +
                            std::to_string(end.steps));
  bytes.back() = 1;
  CHECK_THAT(refusal(bytes), has_substring("damaged at offset " + std::to_string(size)));
}

TEST_CASE("trace_reader: a file is read as the same bytes in memory are", "[trace_reader]") {
  const TemporaryFolder folder;
  const std::vector<u8> bytes = sample_trace(5, 100);
  write_file(folder.file("x.rvt"), bytes);
  const TraceReader trace(folder.file("x.rvt"));
  CHECK(trace.file_bytes() == bytes.size());
  CHECK(lines_of(trace) == lines_of(TraceReader("x.rvt", bytes)));
  CHECK(trace.identity().release == "1.2.3");
}
