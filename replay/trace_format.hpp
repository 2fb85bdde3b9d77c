// The container of a trace: the preamble, frames and their checks, and the limits that writer and reader share. What
// the payloads mean is in trace_codec.hpp; docs/trace-format.md describes both so that a reader can be written from it
// alone.
//
// Must stay true: the preamble never changes its shape, so that any build can name the build that made a trace. Parsing
// works on spans, believes no number before it was checked, and throws Error(kBadTrace) without naming the file.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/types.hpp"
#include "replay/compress.hpp"

namespace retrov {

/// The shape of the file.
inline constexpr u32 kContainerVersion = 3;
/// The function from description and inputs to the sequence of states: whatever moves a step changes it.
inline constexpr u32 kMachineVersion = 6;
/// What a component's hash covers; kept per component in the trace.
inline constexpr u16 kStateSchema = 2;

// Limits: the reader refuses what is beyond them, the writer stops recording before it.
inline constexpr u64 kMaxPayloadBytes = u64{2} << 20;  ///< Of a frame, stored and raw.
inline constexpr u64 kBlobChunkBytes = u64{1} << 20;   ///< Raw, in one frame of initial memory.
inline constexpr u64 kMaxBoardBytes = u64{256} << 10;  ///< Raw, the board frame.
inline constexpr u64 kMaxBlobs = 256;
inline constexpr u64 kMaxBlobBytes = u64{4} << 30;     ///< All initial memory together.
inline constexpr u64 kMaxInputs = u64{4} << 20;        ///< In all events of a trace together.
inline constexpr u64 kMaxMarkedHashes = u64{8} << 20;  ///< In all hash marks of a trace together.
inline constexpr u64 kMaxComponentTables = 1024;
inline constexpr u64 kMaxComponents = 256;
inline constexpr u64 kMaxNameBytes = 64;
inline constexpr u64 kMaxBranches = 1024;             ///< With that which began at power-on.
inline constexpr u64 kMaxReasonBytes = 4096;
inline constexpr Position kMaxPosition{u64{1} << 62};
inline constexpr Ticks kMaxWake{u64{3} << 62};  ///< 2^63, where nothing waits any longer, and time for every step.

struct TraceIdentity {
  u32 container_version = kContainerVersion;
  u32 machine_version = kMachineVersion;
  std::string release;
  std::string commit;
  std::array<u8, 16> id{};  ///< Random; bookmarks and notes that live elsewhere refer to it.
};

/// Of a trace that this build makes now, with an id of its own.
[[nodiscard]] TraceIdentity this_build();

inline constexpr u64 kPreambleBytes = 96;
[[nodiscard]] std::array<u8, kPreambleBytes> make_preamble(const TraceIdentity& identity);
/// `bytes` is the beginning of the file, at least kPreambleBytes of it if it has them.
[[nodiscard]] TraceIdentity parse_preamble(std::span<const u8> bytes);
/// Of kPreambleBytes that parse_preamble() refuses: they are a trace's with some bits wrong, not another file's.
[[nodiscard]] bool looks_like_preamble(std::span<const u8> bytes);
/// Throws unless this build replays it; the sentence names both versions and the build that made it.
void require_replayable(const TraceIdentity& identity);

enum class FrameKind : u8 {
  kUnknown = 0,     ///< Never written; counts what a newer build wrote and this one skips.
  kBoard = 1,       ///< Description of the machine, and which initial memory follows.
  kBlob = 2,        ///< A chunk of initial memory.
  kEvents = 3,      ///< Batches of inputs.
  kBlocks = 4,      ///< Captured disk blocks.
  kComponents = 5,  ///< Names and schemas for the marks that follow.
  kMarks = 6,       ///< Hash marks.
  kProgress = 7,    ///< The history reaches the frame's position.
  kEnd = 8,         ///< How it ended, and where.
  kBranch = 9,      ///< What follows is of that branch.
  kKeyFrame = 10,   ///< A state of the machine, but for its pages. Optional.
  kIndex = 11,      ///< Where the frames of key frames are. Optional.
  kNotes = 12,      ///< Bookmarks. Optional.
  kSymbols = 13,    ///< Names for addresses, for debuggers.
  kHoles = 14,      ///< Disk blocks that could not be had.
  kLost = 15,       ///< Stands where an optional frame was damaged, so that nothing behind it moves.
  kPages = 16,      ///< Pages of key frames. Optional.
  kStart = 17,      ///< The history begins here, with the state of a key frame, and not at power-on.
};
/// One more than the highest.
inline constexpr std::size_t kFrameKinds = 18;
/// What happened can be told without it: its frames are optional, unless the history begins with a state that is in
/// them, and their positions say nothing.
[[nodiscard]] constexpr bool is_beside_history(FrameKind kind) {
  return kind == FrameKind::kUnknown || kind == FrameKind::kKeyFrame || kind == FrameKind::kIndex ||
         kind == FrameKind::kNotes || kind == FrameKind::kSymbols || kind == FrameKind::kLost ||
         kind == FrameKind::kPages;
}
[[nodiscard]] const char* frame_kind_name(FrameKind kind);

inline constexpr u8 kFrameCompressed = 1;  ///< The payload is u32 raw size, then LZ4.
inline constexpr u8 kFrameOptional = 2;    ///< A reader that does not know the kind skips the frame.
/// Whether a frame of a kind that is beside the history is optional. kYes: the history begins with what is in it.
enum class Needed : bool { kNo, kYes };

inline constexpr u64 kFrameHeaderBytes = 16;
inline constexpr u64 kFrameCheckBytes = 8;

struct FrameInfo {
  u64 offset = 0;  ///< In the file.
  Position at;     ///< Of the first thing in it; everything below was told by earlier frames.
  FrameKind kind = FrameKind::kUnknown;
  u8 kind_byte = 0;
  u8 flags = 0;
  u32 stored_bytes = 0;  ///< Payload as it is in the file.
  u32 raw_bytes = 0;     ///< Payload decompressed.
};

/// A payload as it will stand in the file.
struct PackedPayload {
  std::vector<u8> stored;
  bool compressed = false;
  [[nodiscard]] u32 raw_bytes() const;
};
/// Compressed if that pays. At most kMaxPayloadBytes.
[[nodiscard]] PackedPayload pack_payload(std::span<const u8> payload, Compression how = Compression::kFast);
/// Appends a frame that will stand at `offset` in the file.
void append_packed_frame(std::vector<u8>& out, u64 offset, FrameKind kind, Position at, const PackedPayload& payload,
                         Needed needed = Needed::kNo);
void append_frame(std::vector<u8>& out, u64 offset, FrameKind kind, Position at, std::span<const u8> payload);

/// The same with a payload that goes in as it is.
void append_stored_frame(std::vector<u8>& out, u64 offset, FrameKind kind, u8 flags, Position at,
                         std::span<const u8> payload);
/// The same for a payload that is built in place: where the frame begins in `out`. The caller appends the payload …
[[nodiscard]] std::size_t begin_stored_frame(std::vector<u8>& out);
/// … and this makes all that follows `begin` a frame.
void end_stored_frame(std::vector<u8>& out, std::size_t begin, u64 offset, FrameKind kind, u8 flags, Position at);

[[nodiscard]] constexpr u64 frame_size_bytes(const FrameInfo& frame) {
  return kFrameHeaderBytes + frame.stored_bytes + kFrameCheckBytes;
}

/// Nothing if the header's own check fails. raw_bytes is not yet known.
[[nodiscard]] std::optional<FrameInfo> parse_frame_header(std::span<const u8, kFrameHeaderBytes> bytes, u64 offset);
/// Whether the checksum that ends the frame agrees. `bytes` is the whole frame.
[[nodiscard]] bool frame_intact(std::span<const u8> bytes, u64 offset);
/// Size of the payload once decompressed, from an intact frame.
[[nodiscard]] u32 raw_payload_bytes(const FrameInfo& frame, std::span<const u8> bytes);
/// The payload of an intact frame.
[[nodiscard]] std::vector<u8> unpack_frame(const FrameInfo& frame, std::span<const u8> bytes);

}  // namespace retrov
