#include "replay/pack.hpp"

#include <span>
#include <vector>

#include "core/check.hpp"
#include "replay/new_file.hpp"
#include "replay/trace_index.hpp"

namespace retrov {

namespace {

class Packer {
 public:
  Packer(const TraceReader& trace, const PackOptions& options, NewFile& file)
      : trace_(trace), options_(options), file_(file) {}

  void pack() {
    file_.write(make_preamble(trace_.identity()));
    const std::vector<FrameInfo>& frames = trace_.frames();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (options_.progress) options_.progress(frames[i].at);
      if (is_dropped(frames, i)) continue;
      const bool optional = (frames[i].flags & kFrameOptional) != 0;
      add(frames[i].kind, frames[i].at, trace_.payload(frames[i]), optional ? Needed::kNo : Needed::kYes);
    }
    const Position end = frames.back().at;
    if (!options_.notes.empty()) {
      const auto* bytes = reinterpret_cast<const u8*>(options_.notes.data());
      add(FrameKind::kNotes, end, {bytes, options_.notes.size()});
    }
    if (indexed_.empty()) return;
    const PackedPayload index = encode_index(indexed_);
    if (index.stored.size() <= kMaxPayloadBytes) add_packed(FrameKind::kIndex, end, index);
  }

 private:
  [[nodiscard]] bool is_dropped(const std::vector<FrameInfo>& frames, std::size_t i) const {
    switch (frames[i].kind) {
      case FrameKind::kIndex:
      case FrameKind::kNotes:
        return true;  // They are made anew.
      case FrameKind::kKeyFrame:
      case FrameKind::kPages:
        return !options_.key_frames && (frames[i].flags & kFrameOptional) != 0;
      case FrameKind::kProgress: {
        // What follows says that all below it was told, unless it is of another branch.
        while (++i < frames.size() && is_beside_history(frames[i].kind)) continue;
        return i < frames.size() && frames[i].kind != FrameKind::kBranch;
      }
      default:
        return false;
    }
  }

  void add(FrameKind kind, Position at, std::span<const u8> payload, Needed needed = Needed::kNo) {
    add_packed(kind, at, pack_payload(payload, Compression::kBest), needed);
  }

  void add_packed(FrameKind kind, Position at, const PackedPayload& payload, Needed needed = Needed::kNo) {
    const u64 offset = file_.size_bytes();
    if (kind == FrameKind::kKeyFrame || kind == FrameKind::kPages) {
      indexed_.push_back({kind, offset, static_cast<u32>(payload.stored.size()), payload.raw_bytes()});
    }
    std::vector<u8> frame;
    append_packed_frame(frame, offset, kind, at, payload, needed);
    file_.write(frame);
  }

  const TraceReader& trace_;
  const PackOptions& options_;
  NewFile& file_;
  std::vector<IndexedFrame> indexed_;
};

/// What a trace tells, as numbers to compare.
class Digest final : public HistoryListener {
 public:
  void on_event(const Event& event) override {
    out_(u8{1});
    write_event(out_, event);
  }
  void on_block(Position before, const CapturedBlock& block) override {
    out_(u8{2}, before.steps, block.disk, block.index, block.bytes != nullptr ? hash_bytes(*block.bytes) : 0);
  }
  void on_mark(const HashMark& mark) override {
    out_(u8{3}, mark.at.steps, mark.console_bytes, mark.console_hash);
    for (const ComponentHash& component : mark.components) out_(component.hash);
  }
  void on_progress(Position) override {}
  void on_branch(const BranchPoint& branch) override { out_(u8{4}, branch.number, branch.at.steps); }
  void on_finish(Position end, const Outcome& outcome) override { out_(u8{5}, end.steps, i32{outcome.status}); }
  [[nodiscard]] u64 hash() const { return hash_bytes(bytes_); }

 private:
  std::vector<u8> bytes_;
  StateWriter out_{bytes_};
};

u64 digest_of(const TraceReader& trace) {
  Digest digest;
  trace.visit(digest);
  return digest.hash();
}

bool tells_the_same(const std::string& path, const TraceReader& trace, const PackOptions& options) try {
  const TraceReader packed(path);
  const u64 with_which_it_begins = trace.begin().state != nullptr ? 1 : 0;
  const u64 key_frames = options.key_frames ? trace.find_key_frames().size() : with_which_it_begins;
  return packed.end() == trace.end() && digest_of(packed) == digest_of(trace) &&
         packed.find_key_frames().size() == key_frames;
} catch (const Error&) {
  return false;
}

}  // namespace

u64 pack_trace(const TraceReader& trace, NewFile& file, const PackOptions& options) {
  Packer(trace, options, file).pack();
  if (!tells_the_same(file.path_now(), trace, options)) {
    throw Error(Exit::kIo, "trace " + file.path() + ": what was written is not what can be read there");
  }
  file.keep();
  return file.size_bytes();
}

u64 pack_trace(const TraceReader& trace, const std::string& path, const PackOptions& options) {
  NewFile file(path);
  return pack_trace(trace, file, options);
}

}  // namespace retrov
