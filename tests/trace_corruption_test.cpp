// Damage and hostility: what replay/trace_reader and replay/trace_codec do with traces that no writer made.

#include "replay/trace_codec.hpp"
#include "tests/catch.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// What visit tells, without what depends on nothing but the reader.
struct Reading {
  std::vector<std::string> lines;
  Position end;
};

Reading read_all(const std::vector<u8>& bytes) {
  const TraceReader trace("x.rvt", bytes);
  const auto history = trace.read_history();
  CHECK(history->end() == trace.end());
  return {lines_of(trace), trace.end()};
}

bool is_prefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

using Payload = std::vector<u8>;

/// A header that this build made, then one frame with a good checksum and this payload.
std::string refusal_of_frame(FrameKind kind, const Payload& payload, Position at = {}) {
  static const std::vector<u8> header = [] {
    std::vector<u8> bytes = sample_trace(1, 0);
    const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
    bytes.resize(frames.back().offset);  // All but the end.
    return bytes;
  }();
  std::vector<u8> bytes = header;
  append_frame(bytes, bytes.size(), kind, at, payload);
  const std::string sentence = refusal(bytes);
  CHECK_THAT(sentence, has_substring("damaged at offset " + std::to_string(header.size()) + " (position " +
                                     std::to_string(at.steps) + ")"));
  return sentence;
}

/// A trace whose description is this payload.
std::string refusal_of_board(const Payload& payload) {
  const auto preamble = make_preamble(sample_identity());
  std::vector<u8> bytes(preamble.begin(), preamble.end());
  append_frame(bytes, bytes.size(), FrameKind::kBoard, {}, payload);
  return refusal(bytes);
}

BoardLayout sample_layout() {
  std::vector<std::size_t> first_blob;
  return make_layout(sample_board(), first_blob);
}

}  // namespace

TEST_CASE("trace_corruption: cut anywhere, a trace reads as a shorter history or has nothing to replay",
          "[trace_corruption]") {
  const std::vector<u8> bytes = sample_trace(7, 40);
  const Reading whole = read_all(bytes);
  const TraceReader trace("x.rvt", bytes);
  u64 header_bytes = 0;
  for (const FrameInfo& frame : trace.frames()) {
    if (frame.kind == FrameKind::kBlob) header_bytes = frame.offset + kFrameHeaderBytes + frame.stored_bytes + 8;
  }
  Position last;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<u8> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < header_bytes) {
      CHECK_FALSE(refusal(cut).empty());
      continue;
    }
    const Reading part = read_all(cut);
    CHECK(is_prefix(part.lines, whole.lines));
    CHECK(part.end >= last);
    CHECK(part.end <= whole.end);
    last = part.end;
    const TraceReader reader("x.rvt", cut);
    CHECK_FALSE(reader.complete());
    CHECK_FALSE(reader.note().empty());
  }
}

TEST_CASE("trace_corruption: a damaged byte anywhere is found and named", "[trace_corruption]") {
  const std::vector<u8> bytes = sample_trace(8, 30);
  REQUIRE(refusal(bytes).empty());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const u8 flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::vector<u8> damaged = bytes;
      damaged[at] ^= flip;
      const std::string sentence = refusal(damaged);
      const char* expected = at < 8 ? "not a trace of retrov" : "damaged at offset ";
      if (sentence.find(expected) == std::string::npos) FAIL("byte " << at << " ^ " << int{flip} << ": " << sentence);
    }
  }
}

TEST_CASE("trace_corruption: damage is named by the frame it is in and the position before it", "[trace_corruption]") {
  const std::vector<u8> bytes = sample_trace(8, 30);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  for (std::size_t i = 1; i < frames.size(); ++i) {
    std::vector<u8> damaged = bytes;
    damaged[frames[i].offset + 7] ^= 0x10;
    CHECK_THAT(refusal(damaged), has_substring("damaged at offset " + std::to_string(frames[i].offset) + " (position " +
                                               std::to_string(frames[i - 1].at.steps) + ")"));
  }
}

TEST_CASE("trace_corruption: a damaged byte behind the cut changes nothing", "[trace_corruption]") {
  std::vector<u8> bytes = sample_trace(9, 30);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  bytes.pop_back();
  const Reading before = read_all(bytes);
  for (std::size_t at = frames.back().offset + kFrameHeaderBytes; at < bytes.size(); ++at) {
    std::vector<u8> damaged = bytes;
    damaged[at] ^= 0xff;
    const Reading after = read_all(damaged);
    CHECK(after.lines == before.lines);
    CHECK(after.end == before.end);
  }
}

TEST_CASE("trace_corruption: frames that are exchanged, repeated or taken away are found", "[trace_corruption]") {
  const std::vector<u8> bytes = sample_trace(10, 60);
  const std::vector<FrameInfo> frames = TraceReader("x.rvt", bytes).frames();
  for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(frames[i].offset);
    const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(frames[i + 1].offset);
    std::vector<u8> without(bytes.begin(), begin);
    without.insert(without.end(), end, bytes.end());
    CHECK_FALSE(refusal(without).empty());
    std::vector<u8> twice(bytes.begin(), end);
    twice.insert(twice.end(), begin, bytes.end());
    CHECK_FALSE(refusal(twice).empty());
  }
}

TEST_CASE("trace_corruption: hostile payloads with good checksums are refused by what is wrong", "[trace_corruption]") {
  const Payload key = {0, 0, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'k'};
  Payload two_keys = key;
  two_keys.insert(two_keys.end(), key.begin(), key.end());
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, two_keys), has_substring("two events at one position"));
  Payload half = key;
  half.pop_back();
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, half), has_substring("ends too early"));
  const Payload far = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, far), has_substring("position beyond 2^62"));
  CHECK_THAT(refusal_of_frame(FrameKind::kProgress, {}, {~u64{0}}), has_substring("position beyond 2^62"));
  const Payload other_hart = {0, 0, 1, 255, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, other_hart), has_substring("hart that is not there"));

  const Payload late = {0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xc0, 1, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                        'k'};
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, late), has_substring("wake time that no guest reaches"));
  Payload other_device = key;
  other_device[3] = 200;
  CHECK_THAT(refusal_of_frame(FrameKind::kEvents, other_device), has_substring("input for device 200, which is not"));

  CHECK_THAT(refusal_of_frame(FrameKind::kBlocks, {0, 1, 0}), has_substring("block 0 of disk 1, which is not there"));
  CHECK_THAT(refusal_of_frame(FrameKind::kBlocks, {0, 0, 16}), has_substring("block 16 of disk 0"));
  CHECK_THAT(refusal_of_frame(FrameKind::kBlocks, {0, 0, 15, 1, 2, 3}), has_substring("ends too early"));
  CHECK_THAT(refusal_of_frame(FrameKind::kMarks, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), has_substring("have no names"));
  CHECK_THAT(refusal_of_frame(FrameKind::kComponents, {65}), has_substring("longer than 64 bytes"));
  CHECK_THAT(refusal_of_frame(FrameKind::kComponents, Payload(257 * 3)), has_substring("more than 256 components"));
  CHECK_THAT(refusal_of_frame(FrameKind::kProgress, {1}), has_substring("bytes after the last of the progress"));
  CHECK_THAT(refusal_of_frame(FrameKind::kEnd, {9, 0, 0, 0, 0, 0}), has_substring("unknown outcome"));
  CHECK_THAT(refusal_of_frame(FrameKind::kBoard, {}), has_substring("behind its beginning"));
}

TEST_CASE("trace_corruption: no text of a trace brings control characters to a terminal", "[trace_corruption]") {
  std::vector<u8> bytes = sample_trace(1, 0);
  bytes.resize(TraceReader("x.rvt", bytes).frames().back().offset);
  const Outcome how{Outcome::Kind::kUnknown, 0, "a\nb\033[2J\177"};
  append_frame(bytes, bytes.size(), FrameKind::kEnd, {}, encode_outcome(how));
  const TraceReader trace("x.rvt", bytes);
  CHECK_THAT(trace.note(), has_substring("(a?b?[2J?)"));
  CHECK(trace.read_history()->outcome().why == "a?b?[2J?");
}

TEST_CASE("trace_corruption: names of components bring no bytes outside ASCII to a terminal", "[trace_corruption]") {
  // 0x9b begins a control sequence on a terminal that takes eight bits.
  std::vector<u8> bytes = sample_trace(1, 0);
  bytes.resize(TraceReader("x.rvt", bytes).frames().back().offset);
  HashMark mark{{}, {{"a\x9b" "2J", 5}}, 0, 0};
  append_frame(bytes, bytes.size(), FrameKind::kComponents, {}, encode_components(mark.components));
  std::vector<u8> payload;
  encode_mark(payload, {}, mark, 0);
  append_frame(bytes, bytes.size(), FrameKind::kMarks, {}, payload);
  const auto history = TraceReader("x.rvt", bytes).read_history();
  REQUIRE(history->marks().size() == 1);
  CHECK(history->marks()[0].components[0].name == "a?2J");
}

TEST_CASE("trace_corruption: hostile descriptions are refused before anything is allocated", "[trace_corruption]") {
  CHECK_THAT(refusal_of_board({}), has_substring("ends too early"));
  CHECK_THAT(refusal_of_board({0x81, 0x02}), has_substring("more than 256 pieces"));
  CHECK_THAT(refusal_of_board({0, 1, 0}), has_substring("that is not in the trace"));
  CHECK_THAT(refusal_of_board(Payload(kMaxBoardBytes + 1)), has_substring("too long"));

  BoardLayout layout = sample_layout();
  layout.contents[0].size_bytes = u64{3} << 30;  // Twice, for two blobs have it.
  CHECK_THAT(refusal_of_board(encode_layout(layout)), has_substring("more than 4 GiB"));
  layout = sample_layout();
  layout.contents[0].size_bytes = u64{1} << 30;  // Allowed to say, but not there.
  CHECK_THAT(refusal_of_board(encode_layout(layout)), has_substring("inside the initial memory"));
  layout = sample_layout();
  layout.content_of_blob.pop_back();
  CHECK_THAT(refusal_of_board(encode_layout(layout)), has_substring("two different numbers"));
  layout = sample_layout();
  layout.board.machine.initial_memory[0].bytes = {1};
  CHECK_THAT(refusal_of_board(encode_layout(layout)), has_substring("in the wrong place"));
  Payload longer = encode_layout(sample_layout());
  longer.push_back(0);
  CHECK_THAT(refusal_of_board(longer), has_substring("bytes after the description"));

  BoardConfig bare;
  bare.machine.ram_bytes = u64{1} << 50;
  std::vector<std::size_t> first_blob;
  CHECK_THAT(refusal_of_board(encode_layout(make_layout(bare, first_blob))), has_substring("damaged at offset 96"));
}

TEST_CASE("trace_corruption: a description cut anywhere is refused", "[trace_corruption]") {
  const Payload whole = encode_layout(sample_layout());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(decode_layout({whole.data(), size}), Error);
  }
}

TEST_CASE("trace_corruption: a compressed payload is not believed about its size", "[trace_corruption]") {
  std::vector<u8> frame;
  append_frame(frame, 0, FrameKind::kBlob, {}, Payload(100'000));
  std::optional<FrameInfo> info =
      parse_frame_header(std::span<const u8, kFrameHeaderBytes>(frame.data(), kFrameHeaderBytes), 0);
  REQUIRE(info);
  REQUIRE((info->flags & kFrameCompressed) != 0);
  CHECK(raw_payload_bytes(*info, frame) == 100'000);
  frame[kFrameHeaderBytes + 2] = 2;  // 100,000 becomes 165,536 or so, which LZ4 could not have made of so few bytes.
  CHECK_THROWS_WITH(raw_payload_bytes(*info, frame), has_substring("claims"));
  frame[kFrameHeaderBytes + 2] = 1;
  frame[kFrameHeaderBytes] ^= 1;
  CHECK_THROWS_WITH(unpack_frame(*info, frame), has_substring("does not decompress"));
  info->stored_bytes = 3;
  CHECK_THROWS_WITH(raw_payload_bytes(*info, frame), has_substring("without a size"));
}

TEST_CASE("trace_corruption: random payloads with good checksums never do worse than a refusal", "[trace_corruption]") {
  Dice dice(11);
  const BoardConfig board = sample_board();
  ToldLines told;
  for (int i = 0; i < 20'000; ++i) {
    HistoryDecoder decoder(board);
    FrameInfo frame;
    Payload payload = dice.bytes(dice.below(60));
    // Small numbers get further than large ones.
    for (u8& byte : payload) byte = dice.below(3) == 0 ? byte : static_cast<u8>(byte % 6);
    frame.kind = static_cast<FrameKind>(1 + dice.below(kFrameKinds - 1));
    try {
      decoder.decode(frame, payload, told);
    } catch (const Error& error) {
      REQUIRE(error.exit_code() == Exit::kBadTrace);
    }
  }
}
