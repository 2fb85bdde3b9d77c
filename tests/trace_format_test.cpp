// Covers replay/release as well.
#include "replay/trace_format.hpp"

#include <fstream>
#include <sstream>

#include "core/check.hpp"
#include "replay/compress.hpp"
#include "replay/frame_builder.hpp"
#include "replay/release.hpp"
#include "replay/trace_codec.hpp"
#include "tests/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// The machine and the things of the example in docs/trace-format.md.
std::vector<u8> example_trace(std::vector<u8>& description) {
  BoardConfig board;
  board.machine.ram_bytes = u64{2} << 20;
  board.machine.extensions = base_extensions();
  board.machine.initial_memory.push_back({PhysAddr{0x80000000}, {0x73, 0x00, 0x50, 0x10, 0x6f, 0xf0, 0xdf, 0xff}});
  board.rom = {0x13, 0x00, 0x00, 0x00};
  std::vector<std::size_t> first_blob;
  description = encode_layout(make_layout(board, first_blob));

  const auto preamble = make_preamble(sample_identity());
  std::vector<u8> bytes(preamble.begin(), preamble.end());
  append_frame(bytes, bytes.size(), FrameKind::kBoard, {}, description);
  std::vector<u8> chunk;
  encode_blob_chunk(chunk, {0, 0}, board.machine.initial_memory[0].bytes);
  append_frame(bytes, bytes.size(), FrameKind::kBlob, {}, chunk);

  FrameBuilder frames;
  frames.start_at(bytes.size());
  frames.add_event({{0}, {{{3, RtcStart{1'700'000'000'000'000'000}}}, {}}});
  frames.add_event({{300}, {{{2, ConsoleBytes{{'h', 'i'}}}}, {20}}});
  frames.add_mark({{1000}, {{"machine", 0x1111111111111111}, {"ram", 0x2222222222222222}}, 2, 0x3333333333333333});
  frames.add_progress({1200});
  const std::vector<u8> flushed = frames.take();
  bytes.insert(bytes.end(), flushed.begin(), flushed.end());
  frames.add_end({1300}, {Outcome::Kind::kPoweredOff, 3, "off"});
  const std::vector<u8> end = frames.take();
  bytes.insert(bytes.end(), end.begin(), end.end());
  return bytes;
}

/// The bytes of the n-th block fenced by ```hex; what follows a '#' explains them.
std::vector<u8> documented_bytes(int wanted) {
  std::ifstream in(test::source_dir() + "/docs/trace-format.md");
  REQUIRE(in);
  std::vector<u8> bytes;
  std::string line;
  int block = 0;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line.starts_with("```")) {
      inside = line == "```hex" && ++block == wanted;
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    while (words >> word) bytes.push_back(static_cast<u8>(std::stoul(word, nullptr, 16)));
  }
  return bytes;
}

/// The preamble and each frame's kind, position and raw payload: another version of LZ4 may compress differently.
std::vector<std::vector<u8>> parts_of(const std::vector<u8>& bytes) {
  REQUIRE(bytes.size() > kPreambleBytes);
  std::vector<std::vector<u8>> parts = {{bytes.begin(), bytes.begin() + kPreambleBytes}};
  for (std::size_t at = kPreambleBytes; at < bytes.size();) {
    const auto frame =
        parse_frame_header(std::span<const u8, kFrameHeaderBytes>(bytes.data() + at, kFrameHeaderBytes), at);
    REQUIRE(frame);
    const std::size_t size_bytes = kFrameHeaderBytes + frame->stored_bytes + kFrameCheckBytes;
    REQUIRE(size_bytes <= bytes.size() - at);
    const std::span<const u8> whole(bytes.data() + at, size_bytes);
    REQUIRE(frame_intact(whole, at));
    std::vector<u8>& part = parts.emplace_back(unpack_frame(*frame, whole));
    part.push_back(frame->kind_byte);
    for (int byte = 0; byte < 8; ++byte) part.push_back(static_cast<u8>(frame->at.steps >> (8 * byte)));
    at += size_bytes;
  }
  return parts;
}

}  // namespace

TEST_CASE("trace_format: the example in the documentation is what is written", "[trace_format]") {
  std::vector<u8> description;
  const std::vector<u8> bytes = example_trace(description);
  CHECK(parts_of(documented_bytes(1)) == parts_of(bytes));
  CHECK(documented_bytes(2) == description);
}

TEST_CASE("trace_format: the example in the documentation is read as it says", "[trace_format]") {
  const TraceReader trace("example.rvt", documented_bytes(1));
  CHECK(trace.layout().board.machine.ram_bytes == u64{2} << 20);
  CHECK(trace.end() == Position{1300});
  const auto history = trace.read_history();
  REQUIRE(history->events().size() == 2);
  CHECK(history->events()[1].at == Position{300});
  CHECK(history->events()[1].batch.wake == Ticks{20});
  REQUIRE(history->marks().size() == 1);
  REQUIRE(history->marks()[0].components.size() == 2);
  CHECK(history->marks()[0].components[1].name == "ram");
  CHECK(history->outcome().status == 3);
}

TEST_CASE("trace_format: the documentation gives the limits that hold", "[trace_format]") {
  std::ifstream in(test::source_dir() + "/docs/trace-format.md");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  for (const u64 limit : {kMaxPayloadBytes, kBlobChunkBytes, kMaxBoardBytes, kMaxBlobs, kMaxBlobBytes, kMaxInputs,
                          kMaxMarkedHashes, kMaxComponentTables, kMaxComponents, kMaxNameBytes, kMaxBranches,
                          kMaxReasonBytes}) {
    CHECK_THAT(text, has_substring("| " + std::to_string(limit) + " |"));
  }
  for (std::size_t kind = 1; kind < kFrameKinds; ++kind) {
    const std::string name = frame_kind_name(static_cast<FrameKind>(kind));
    if (name.empty()) continue;  // Set aside.
    CHECK_THAT(text, has_substring("| " + std::to_string(kind) + " | `" + name + "` |"));
  }
}

TEST_CASE("trace_format: the preamble says which build made the trace", "[trace_format]") {
  const TraceIdentity identity = parse_preamble(make_preamble(sample_identity()));
  CHECK(identity.container_version == kContainerVersion);
  CHECK(identity.machine_version == kMachineVersion);
  CHECK(identity.release == "1.2.3");
  CHECK(identity.commit == "0123456789ab");
  CHECK(identity.id == sample_identity().id);
  require_replayable(identity);
}

TEST_CASE("trace_format: this build names itself and every trace differently", "[trace_format]") {
  const TraceIdentity one = this_build();
  CHECK(one.release == release());
  CHECK(one.commit == commit());
  CHECK_FALSE(release().empty());
  CHECK(release().size() < 16);
  CHECK_FALSE(commit().empty());
  CHECK(one.id != this_build().id);
}

TEST_CASE("trace_format: control characters of a stranger do not reach the terminal", "[trace_format]") {
  TraceIdentity identity = sample_identity();
  identity.commit = "\x1b[31mred\x80";
  CHECK(parse_preamble(make_preamble(identity)).commit == "?[31mred?");
}

TEST_CASE("trace_format: other versions are refused by number and by the build that made them", "[trace_format]") {
  TraceIdentity newer = sample_identity();
  newer.container_version = kContainerVersion + 1;
  CHECK_THROWS_WITH(require_replayable(newer),
                    "trace format 4, this build reads 3: replay it with retrov 1.2.3, commit "
                    "0123456789ab, which made it");
  TraceIdentity other = sample_identity();
  other.machine_version = kMachineVersion + 1;
  CHECK_THROWS_WITH(require_replayable(other),
                    "machine version " + std::to_string(kMachineVersion + 1) + ", this build reads " +
                        std::to_string(kMachineVersion) +
                        ": replay it with retrov 1.2.3, commit 0123456789ab, which made it");
}

TEST_CASE("trace_format: a frame holds what was put into it, compressed where that pays", "[trace_format]") {
  for (const std::size_t size : {0, 1, 63, 64, 5000}) {
    for (const bool zeros : {true, false}) {
      const std::vector<u8> payload = zeros ? std::vector<u8>(size) : Dice(size).bytes(size);
      std::vector<u8> bytes;
      append_frame(bytes, 500, FrameKind::kBlob, {77}, payload);
      const auto frame =
          parse_frame_header(std::span<const u8, kFrameHeaderBytes>(bytes.data(), kFrameHeaderBytes), 500);
      REQUIRE(frame);
      CHECK(frame->offset == 500);
      CHECK(frame->at == Position{77});
      CHECK(frame->kind == FrameKind::kBlob);
      CHECK(((frame->flags & kFrameCompressed) != 0) == (zeros && size >= 64));
      CHECK(bytes.size() == kFrameHeaderBytes + frame->stored_bytes + kFrameCheckBytes);
      CHECK(frame_intact(bytes, 500));
      CHECK_FALSE(frame_intact(bytes, 501));  // Moved.
      CHECK(raw_payload_bytes(*frame, bytes) == size);
      CHECK(unpack_frame(*frame, bytes) == payload);
    }
  }
}

TEST_CASE("trace_format: every single damage to a header is found", "[trace_format]") {
  std::vector<u8> bytes;
  append_frame(bytes, 0, FrameKind::kProgress, {123456789}, {});
  for (std::size_t at = 0; at < kFrameHeaderBytes; ++at) {
    for (int wrong = 1; wrong < 256; ++wrong) {
      std::vector<u8> damaged = bytes;
      damaged[at] = static_cast<u8>(damaged[at] ^ wrong);
      const std::span<const u8, kFrameHeaderBytes> header(damaged.data(), kFrameHeaderBytes);
      if (parse_frame_header(header, 0)) FAIL("byte " << at << " ^ " << wrong);
    }
  }
}
