// Ten thousand flipped bits and a thousand cuts of real recordings, in memory: each flip is found and named by the
// offset of its frame, by the reader and by replay/fsck, or it is in a frame that nobody needs and that is said; each
// cut leaves what replays. RETROV_FLIP_TRACE names another recording than those in traces/, RETROV_FLIPS another number
// (tests/deep/bit_flips.py).

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "replay/fsck.hpp"
#include "replay/trace_reader.hpp"
#include "replay/verify.hpp"
#include "tests/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/trace_samples.hpp"

using namespace retrov;

namespace {

/// A tenth as many cuts.
unsigned flips() {
  const char* number = std::getenv("RETROV_FLIPS");
  return number != nullptr ? static_cast<unsigned>(std::strtoul(number, nullptr, 10)) : 10'000;
}

/// Cut recordings are replayed, so they are short.
constexpr Position kShort{100'000};

struct Sample {
  std::string path;
  std::vector<u8> bytes;
  std::vector<FrameInfo> frames;  ///< All of them.
  Position end;
};

std::vector<Sample> samples() {
  std::vector<std::string> paths;
  if (const char* path = std::getenv("RETROV_FLIP_TRACE"); path != nullptr) {
    paths.emplace_back(path);
  } else {
    for (const auto& entry : std::filesystem::directory_iterator(test::source_dir() + "/traces")) {
      if (entry.path().extension() == ".rvt") paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Sample> result;
  for (const std::string& path : paths) {
    Sample sample{path, read_file(path), {}, TraceReader(path).end()};
    for (u64 offset = kPreambleBytes; offset < sample.bytes.size();) {
      const std::span<const u8, kFrameHeaderBytes> header(sample.bytes.data() + offset, kFrameHeaderBytes);
      sample.frames.push_back(parse_frame_header(header, offset).value());
      offset += frame_size_bytes(sample.frames.back());
    }
    result.push_back(std::move(sample));
  }
  return result;
}

TraceCheck check_bytes(const std::vector<u8>& bytes) {
  return check_trace("x.rvt", [&bytes] { return TraceBytes(bytes); });
}

/// Of the frame that holds the byte; 0 for the preamble.
u64 place_of(const Sample& sample, std::size_t at) {
  u64 place = 0;
  for (const FrameInfo& frame : sample.frames) {
    if (frame.offset <= at) place = frame.offset;
  }
  return place;
}

/// What the reader says of them, be it a refusal or a note.
std::string said_of(const std::vector<u8>& bytes) {
  if (std::string sentence = refusal(bytes); !sentence.empty()) return sentence;
  return TraceReader("x.rvt", bytes).note();
}

}  // namespace

TEST_CASE("trace_flips: ten thousand flipped bits are found, and named by offset", "[trace_flips]") {
  const std::vector<Sample> all = samples();
  REQUIRE_FALSE(all.empty());
  Dice dice(17);
  for (unsigned flip = 0; flip < flips(); ++flip) {
    const Sample& sample = all[flip % all.size()];
    const std::size_t at = static_cast<std::size_t>(dice.below(sample.bytes.size()));
    std::vector<u8> bytes = sample.bytes;
    bytes[at] ^= static_cast<u8>(1u << dice.below(8));
    const u64 place = place_of(sample, at);
    const TraceCheck check = check_bytes(bytes);
    const std::string said = said_of(bytes);
    const bool found = check.findings.size() == 1 && check.findings[0].offset == place && !check.clean();
    const char* in_magic = "not a trace of retrov";
    const bool named = at < 8 ? said.find(in_magic) != std::string::npos
                              : said.find("at offset " + std::to_string(place)) != std::string::npos;
    const bool is_index = std::any_of(sample.frames.begin(), sample.frames.end(), [place](const FrameInfo& frame) {
      return frame.offset == place && frame.kind == FrameKind::kIndex;
    });
    const bool as_index = found && check.findings[0].what == TraceFinding::What::kIndex;
    if (!found || !named || is_index != as_index) {
      FAIL(sample.path << ", bit in byte " << at << ": " << said << "; " << summarise(check));
    }
  }
}

TEST_CASE("trace_flips: a thousand cuts are named, and what is left replays", "[trace_flips]") {
  const std::vector<Sample> all = samples();
  Dice dice(18);
  for (unsigned cut = 0; cut < flips() / 10; ++cut) {
    const Sample& sample = all[cut % all.size()];
    const std::size_t size = static_cast<std::size_t>(dice.below(sample.bytes.size()));
    const std::vector<u8> bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CAPTURE(sample.path, size);
    const std::string said = said_of(bytes);
    REQUIRE_FALSE(said.empty());
    const u64 place = place_of(sample, size);
    const bool between = place == size;
    const bool named = said.find(" cut at offset " + std::to_string(size < kPreambleBytes ? size : place)) !=
                       std::string::npos;
    REQUIRE((named || between || size == 0));
    if (!refusal(bytes).empty()) continue;
    REQUIRE((between || check_bytes(bytes).findings.at(0).what == TraceFinding::What::kCut));
    const TraceReader trace("x.rvt", bytes);
    if (trace.end() > kShort) continue;
    for (const BranchHistory& told : trace.read_branches()) {
      const Verdict verdict = verify(*told.history);
      REQUIRE(verdict.identical());
      REQUIRE(verdict.reached == told.history->end());
    }
  }
}
