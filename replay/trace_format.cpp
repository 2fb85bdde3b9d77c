#include "replay/trace_format.hpp"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/check.hpp"
#include "replay/release.hpp"

namespace retrov {

namespace {

// Not text, and changed by whatever changes line ends or strips the eighth bit.
constexpr std::array<u8, 8> kMagic = {0xd2, 'R', 'V', 'T', '\r', '\n', 0x1a, '\n'};
constexpr std::size_t kReleaseBytes = 16;
constexpr std::size_t kCommitBytes = 40;
constexpr std::size_t kRawSizeBytes = 4;
constexpr std::size_t kLeastCompressed = 64;  ///< Below that the raw size eats what is saved.

template <class T>
void put(u8* out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<u8>(value >> (8 * i));
}

template <class T>
T get(const u8* in) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | (static_cast<T>(in[i]) << (8 * i)));
  return value;
}

std::string get_text(const u8* in, std::size_t size_bytes) {
  const u8* end = std::find(in, in + size_bytes, u8{0});
  std::string text(in, end);
  // It is shown in messages, and terminals obey control characters.
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

// CRC-16 with the polynomial 0x1021: finds every damage of a header within 16 bits of each other, so that a wrong
// length is never taken for a cut at the end of the file.
u16 header_check(std::span<const u8> bytes) {
  u16 crc = 0xffff;
  for (const u8 byte : bytes) {
    crc = static_cast<u16>(crc ^ (byte << 8));
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<u16>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc;
}

}  // namespace

TraceIdentity this_build() {
  TraceIdentity identity;
  identity.release = release();
  identity.commit = commit();
  if (::getrandom(identity.id.data(), identity.id.size(), 0) != static_cast<ssize_t>(identity.id.size())) {
    throw Error(Exit::kIo, "the host gives no random bytes for the trace's id");
  }
  return identity;
}

// Offset  Size  Field
//      0     8  magic
//      8     4  container version
//     12     4  machine version
//     16    16  release, padded with zeros
//     32    40  commit, padded with zeros
//     72    16  id
//     88     8  XXH3 of the 88 bytes before, seed 0
std::array<u8, kPreambleBytes> make_preamble(const TraceIdentity& identity) {
  std::array<u8, kPreambleBytes> bytes{};
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  put(&bytes[8], identity.container_version);
  put(&bytes[12], identity.machine_version);
  std::memcpy(&bytes[16], identity.release.data(), std::min(identity.release.size(), kReleaseBytes - 1));
  std::memcpy(&bytes[32], identity.commit.data(), std::min(identity.commit.size(), kCommitBytes));
  std::copy(identity.id.begin(), identity.id.end(), bytes.begin() + 72);
  put(&bytes[88], checksum({bytes.data(), 88}, 0));
  return bytes;
}

TraceIdentity parse_preamble(std::span<const u8> bytes) {
  if (bytes.empty()) throw Error(Exit::kBadTrace, "empty file, not a trace");
  const std::size_t known = std::min(bytes.size(), kMagic.size());
  if (!std::equal(kMagic.begin(), kMagic.begin() + known, bytes.begin())) {
    throw Error(Exit::kBadTrace, "not a trace of retrov");
  }
  if (bytes.size() < kPreambleBytes) {
    throw Error(Exit::kBadTrace, "too short to be a trace: cut at offset " + std::to_string(bytes.size()));
  }
  if (get<u64>(&bytes[88]) != checksum(bytes.first(88), 0)) {
    throw Error(Exit::kBadTrace, "damaged at offset 0: the checksum of the first 96 bytes does not agree");
  }
  TraceIdentity identity;
  identity.container_version = get<u32>(&bytes[8]);
  identity.machine_version = get<u32>(&bytes[12]);
  identity.release = get_text(&bytes[16], kReleaseBytes);
  identity.commit = get_text(&bytes[32], kCommitBytes);
  std::copy_n(bytes.begin() + 72, identity.id.size(), identity.id.begin());
  return identity;
}

bool looks_like_preamble(std::span<const u8> bytes) {
  constexpr int kMostWrongBits = 8;
  int wrong_bits = 0;
  for (std::size_t i = 0; i < kMagic.size(); ++i) wrong_bits += std::popcount(static_cast<u8>(bytes[i] ^ kMagic[i]));
  return wrong_bits <= kMostWrongBits;
}

void require_replayable(const TraceIdentity& identity) {
  const auto refuse = [&identity](const char* what, u32 theirs, u32 ours) {
    throw Error(Exit::kBadTrace, std::string(what) + " " + std::to_string(theirs) + ", this build reads " +
                                     std::to_string(ours) + ": replay it with retrov " + identity.release +
                                     ", commit " + identity.commit + ", which made it");
  };
  if (identity.container_version != kContainerVersion) {
    refuse("trace format", identity.container_version, kContainerVersion);
  }
  if (identity.machine_version != kMachineVersion) refuse("machine version", identity.machine_version, kMachineVersion);
}

const char* frame_kind_name(FrameKind kind) {
  static constexpr std::array<const char*, kFrameKinds> kNames = {
      "other", "board",  "memory", "events", "blocks", "components", "marks", "progress",
      "end",   "branch", "key frame", "index", "notes",  "symbols",    "holes", "lost",    "pages",  "start"};
  return kNames[static_cast<std::size_t>(kind)];
}

u32 PackedPayload::raw_bytes() const {
  return compressed ? get<u32>(stored.data()) : static_cast<u32>(stored.size());
}

PackedPayload pack_payload(std::span<const u8> payload, Compression how) {
  RV_CHECK(payload.size() <= kMaxPayloadBytes);
  std::vector<u8> compressed;
  if (payload.size() < kLeastCompressed || !compress(payload, compressed, how)) {
    return {{payload.begin(), payload.end()}, false};
  }
  PackedPayload packed{std::vector<u8>(kRawSizeBytes), true};
  put(packed.stored.data(), static_cast<u32>(payload.size()));
  packed.stored.insert(packed.stored.end(), compressed.begin(), compressed.end());
  return packed;
}

// Offset  Size  Field
//      0     4  payload size
//      4     1  kind
//      5     1  flags
//      6     8  position
//     14     2  CRC-16 of the 14 bytes before
//     16     n  payload
//   16+n     8  XXH3 of all before, seed: offset of the frame in the file
std::size_t begin_stored_frame(std::vector<u8>& out) {
  const std::size_t begin = out.size();
  out.resize(begin + kFrameHeaderBytes);
  return begin;
}

void end_stored_frame(std::vector<u8>& out, std::size_t begin, u64 offset, FrameKind kind, u8 flags, Position at) {
  put(&out[begin], static_cast<u32>(out.size() - begin - kFrameHeaderBytes));
  out[begin + 4] = static_cast<u8>(kind);
  out[begin + 5] = flags;
  put(&out[begin + 6], at.steps);
  put(&out[begin + 14], header_check({&out[begin], 14}));
  const u64 check = checksum({&out[begin], out.size() - begin}, offset);
  out.resize(out.size() + kFrameCheckBytes);
  put(&out[out.size() - kFrameCheckBytes], check);
}

void append_stored_frame(std::vector<u8>& out, u64 offset, FrameKind kind, u8 flags, Position at,
                         std::span<const u8> payload) {
  const std::size_t begin = begin_stored_frame(out);
  out.insert(out.end(), payload.begin(), payload.end());
  end_stored_frame(out, begin, offset, kind, flags, at);
}

void append_packed_frame(std::vector<u8>& out, u64 offset, FrameKind kind, Position at, const PackedPayload& payload,
                         Needed needed) {
  const u8 optional = is_beside_history(kind) && needed == Needed::kNo ? kFrameOptional : u8{0};
  const u8 compressed = payload.compressed ? kFrameCompressed : u8{0};
  append_stored_frame(out, offset, kind, optional | compressed, at, payload.stored);
}

void append_frame(std::vector<u8>& out, u64 offset, FrameKind kind, Position at, std::span<const u8> payload) {
  append_packed_frame(out, offset, kind, at, pack_payload(payload));
}

std::optional<FrameInfo> parse_frame_header(std::span<const u8, kFrameHeaderBytes> bytes, u64 offset) {
  if (get<u16>(&bytes[14]) != header_check(bytes.first(14))) return std::nullopt;
  FrameInfo frame;
  frame.offset = offset;
  frame.stored_bytes = get<u32>(&bytes[0]);
  frame.kind_byte = bytes[4];
  frame.flags = bytes[5];
  frame.at.steps = get<u64>(&bytes[6]);
  const bool known = frame.kind_byte < kFrameKinds && *frame_kind_name(static_cast<FrameKind>(frame.kind_byte)) != '\0';
  if (known) frame.kind = static_cast<FrameKind>(frame.kind_byte);
  return frame;
}

bool frame_intact(std::span<const u8> bytes, u64 offset) {
  RV_CHECK(bytes.size() >= kFrameHeaderBytes + kFrameCheckBytes);
  const std::size_t covered = bytes.size() - kFrameCheckBytes;
  return get<u64>(&bytes[covered]) == checksum(bytes.first(covered), offset);
}

u32 raw_payload_bytes(const FrameInfo& frame, std::span<const u8> bytes) {
  if ((frame.flags & kFrameCompressed) == 0) return frame.stored_bytes;
  if (frame.stored_bytes < kRawSizeBytes) throw Error(Exit::kBadTrace, "compressed payload without a size");
  const u32 raw_bytes = get<u32>(&bytes[kFrameHeaderBytes]);
  if (raw_bytes > kMaxPayloadBytes || raw_bytes > (frame.stored_bytes - kRawSizeBytes) * kMostExpansion) {
    throw Error(Exit::kBadTrace, "compressed payload claims " + std::to_string(raw_bytes) + " bytes");
  }
  return raw_bytes;
}

std::vector<u8> unpack_frame(const FrameInfo& frame, std::span<const u8> bytes) {
  const std::span<const u8> stored = bytes.subspan(kFrameHeaderBytes, frame.stored_bytes);
  if ((frame.flags & kFrameCompressed) == 0) return {stored.begin(), stored.end()};
  std::vector<u8> raw(raw_payload_bytes(frame, bytes));
  if (!decompress(stored.subspan(kRawSizeBytes), raw)) {
    throw Error(Exit::kBadTrace, "compressed payload that does not decompress to its size");
  }
  return raw;
}

}  // namespace retrov
