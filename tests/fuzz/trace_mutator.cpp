#include "tests/fuzz/trace_mutator.hpp"

#include <algorithm>
#include <random>

#include "core/check.hpp"
#include "replay/compress.hpp"
#include "replay/trace_codec.hpp"

namespace retrov::fuzz {

namespace {

/// A frame without what follows from the rest of it.
struct LooseFrame {
  u8 kind = 0;
  u8 flags = 0;
  Position at;
  std::vector<u8> payload;  ///< Decompressed if it could be.
};

constexpr u8 kStoredAsItIs = 0x80;  ///< In LooseFrame::flags, of a payload that does not decompress.

void put(std::vector<u8>& out, u64 value, unsigned size_bytes) {
  for (unsigned i = 0; i < size_bytes; ++i) out.push_back(static_cast<u8>(value >> (8 * i)));
}

u64 get(std::span<const u8> bytes, std::size_t at, unsigned size_bytes) {
  u64 value = 0;
  for (unsigned i = 0; i < size_bytes; ++i) value |= u64{bytes[at + i]} << (8 * i);
  return value;
}

u16 crc(std::span<const u8> bytes) {
  unsigned value = 0xffff;
  for (const u8 byte : bytes) {
    value ^= unsigned{byte} << 8;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ ((value & 0x8000) != 0 ? 0x1021u : 0);
  }
  return static_cast<u16>(value);
}

/// Believes sizes as far as there are bytes.
std::vector<LooseFrame> take_apart(std::span<const u8> bytes) {
  std::vector<LooseFrame> frames;
  std::size_t at = kPreambleBytes;
  while (at + kFrameHeaderBytes <= bytes.size()) {
    const std::size_t begin = at + kFrameHeaderBytes;
    const std::size_t stored = std::min<std::size_t>(get(bytes, at, 4), bytes.size() - begin);
    LooseFrame frame{bytes[at + 4], bytes[at + 5], Position{get(bytes, at + 6, 8)}, {}};
    FrameInfo info;
    info.flags = frame.flags;
    info.stored_bytes = static_cast<u32>(stored);
    try {
      frame.payload = unpack_frame(info, bytes.subspan(at));
    } catch (const Error&) {
      frame.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                           bytes.begin() + static_cast<std::ptrdiff_t>(begin + stored));
      frame.flags |= kStoredAsItIs;
    }
    frames.push_back(std::move(frame));
    at = begin + stored + kFrameCheckBytes;
  }
  return frames;
}

/// The description of the machine says the hashes of what follows it.
void mend_description(std::vector<LooseFrame>& frames) {
  try {
    BoardLayout layout = decode_layout(frames.at(0).payload);
    std::vector<std::vector<u8>> contents(layout.contents.size());
    for (std::size_t i = 1; i < frames.size() && frames[i].kind == static_cast<u8>(FrameKind::kBlob); ++i) {
      std::span<const u8> bytes = frames[i].payload;
      const BlobChunk chunk = decode_blob_chunk(bytes);
      std::vector<u8>& content = contents.at(chunk.content);
      content.insert(content.end(), bytes.begin(), bytes.end());
    }
    for (std::size_t i = 0; i < contents.size(); ++i) {
      layout.contents[i] = {contents[i].size(), hash_bytes(contents[i])};
    }
    frames[0].payload = encode_layout(layout);
  } catch (const std::exception&) {
    return;  // What cannot be understood stays as it is.
  }
}

void append(std::vector<u8>& out, const LooseFrame& frame) {
  std::vector<u8> stored = frame.payload;
  const bool compressed = (frame.flags & (kFrameCompressed | kStoredAsItIs)) == kFrameCompressed;
  if (compressed && !compress(frame.payload, stored)) stored = frame.payload;
  const bool smaller = compressed && stored.size() < frame.payload.size();
  const std::size_t begin = out.size();
  put(out, stored.size() + (smaller ? 4 : 0), 4);
  out.push_back(frame.kind);
  const u8 flags = static_cast<u8>(frame.flags & ~kStoredAsItIs);
  out.push_back(compressed && !smaller ? static_cast<u8>(flags & ~kFrameCompressed) : flags);
  put(out, frame.at.steps, 8);
  put(out, crc(std::span(out).subspan(begin)), 2);
  if (smaller) put(out, frame.payload.size(), 4);
  out.insert(out.end(), stored.begin(), stored.end());
  put(out, checksum(std::span(out).subspan(begin), begin), 8);
}

class Mutator {
 public:
  Mutator(unsigned seed, std::size_t max_size, MutateBytes mutate_bytes)
      : random_(seed), max_size_(max_size), mutate_bytes_(mutate_bytes) {}

  void change(std::vector<LooseFrame>& frames) {
    const std::size_t index = below(frames.size());
    LooseFrame& frame = frames[index];
    const auto here = frames.begin() + static_cast<std::ptrdiff_t>(index);
    switch (below(16)) {
      case 0:
        frame.at.steps = below(2) == 0 ? random_() : frame.at.steps + below(2000) - 1000;
        break;
      case 1:
        frame.kind = static_cast<u8>(below(kFrameKinds + 1));
        break;
      case 2:
        frame.flags = static_cast<u8>(frame.flags ^ (1u << below(3)));
        break;
      case 3:
        frames.insert(here, LooseFrame(frame));
        break;
      case 4:
        frames.erase(here);
        break;
      case 5:
        std::swap(frame, frames[below(frames.size())]);
        break;
      default:
        change(frame.payload);
    }
  }
  void change(std::vector<u8>& bytes) {
    const std::size_t size = bytes.size();
    const std::size_t most = std::min(max_size_, size + 64);
    bytes.resize(std::max(most, size) + 1);  // Never without an address.
    bytes.resize(mutate_bytes_(bytes.data(), std::min(size, most), most));
  }
  u64 below(u64 limit) { return random_() % limit; }

 private:
  std::mt19937 random_;
  std::size_t max_size_;
  MutateBytes mutate_bytes_;
};

}  // namespace

std::vector<u8> with_own_preamble(std::span<const u8> trace) {
  const std::array<u8, kPreambleBytes> preamble = make_preamble({});
  std::vector<u8> result(preamble.begin(), preamble.end());
  if (trace.size() > kPreambleBytes) result.insert(result.end(), trace.begin() + kPreambleBytes, trace.end());
  return result;
}

std::size_t mutate_trace(std::span<u8> buffer, std::size_t size, unsigned seed, MutateBytes mutate_bytes) {
  Mutator mutator(seed, buffer.size(), mutate_bytes);
  if (mutator.below(16) == 0) return mutate_bytes(buffer.data(), size, buffer.size());
  std::vector<LooseFrame> frames = take_apart(buffer.first(size));
  if (frames.empty()) frames.emplace_back();
  for (u64 changes = 1 + mutator.below(3); changes > 0 && !frames.empty(); --changes) mutator.change(frames);
  if (mutator.below(8) != 0) mend_description(frames);
  std::vector<u8> made = with_own_preamble({});
  for (const LooseFrame& frame : frames) append(made, frame);
  if (made.size() > buffer.size()) return mutate_bytes(buffer.data(), size, buffer.size());
  std::copy(made.begin(), made.end(), buffer.begin());
  return made.size();
}

}  // namespace retrov::fuzz
