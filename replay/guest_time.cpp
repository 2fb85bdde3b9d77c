#include "replay/guest_time.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "core/time_base.hpp"
#include "replay/key_frame_codec.hpp"

namespace retrov {

namespace {

constexpr u64 kNsPerTick = 100;
constexpr u64 kAnyPage = ~u32{0};

/// What stands first in the component `machine` (core/machine_state.hpp).
struct MachineTime {
  u64 position = 0;
  TimeBase time;
  template <class A>
  void serialize(A& a) {
    a(field("position", position), field("time", time));
  }
};

}  // namespace

std::vector<u8> GuestTime::payload(const FrameInfo& frame) const {
  const std::vector<u8> whole = bytes_.read(frame.offset, frame_size_bytes(frame));
  if (!frame_intact(whole, frame.offset)) throw Error(Exit::kBadTrace, "a damaged frame");
  return unpack_frame(frame, whole);
}

void GuestTime::look_at(const FrameInfo& frame) {
  if (frame.kind == FrameKind::kKeyFrame) return key_frames_.push_back(frame);
  if (lost_ || is_beside_history(frame.kind) || frame.kind == FrameKind::kBlob) return;
  try {
    if (frame.kind == FrameKind::kBoard && !layout_) {
      layout_ = decode_layout(payload(frame));
      decoder_.emplace(layout_->board);
      return;
    }
    // Disk blocks are most of a trace, and say nothing of time.
    const bool is_told = frame.kind != FrameKind::kBlocks && frame.kind != FrameKind::kHoles;
    if (!decoder_) throw Error(Exit::kBadTrace, "no description");
    decoder_->decode(frame, is_told ? payload(frame) : std::vector<u8>{}, *this);
  } catch (const Error&) {
    lost_ = true;
  }
}

void GuestTime::on_event(const Event& event) {
  if (event.batch.wake.value == 0) return;
  const Position next{event.at.steps + 1};
  const u64 computed = next.steps / layout_->board.machine.steps_per_tick;
  std::vector<IdleSince>& idle = lines_[branch_].idle;
  if (event.batch.wake.value <= computed) return;
  const u64 ticks = event.batch.wake.value - computed;
  if (idle.empty() || ticks > idle.back().ticks) idle.push_back({next, ticks});
}

void GuestTime::on_branch(const BranchPoint& branch) {
  branch_ = branch.number;
  if (!branch.resumed) lines_.push_back({branch.parent, branch.at, {}});
}

bool GuestTime::is_last_piece(std::size_t piece) const {
  const std::vector<u8> bytes = payload(key_frames_[piece]);
  return bytes.empty() || bytes.front() != 0;
}

std::optional<GuestTime::KeyFrameTime> GuestTime::key_frame(std::size_t first, std::size_t last) const {
  std::vector<u8> body;
  for (std::size_t i = first; i <= last; ++i) {
    const std::vector<u8> piece = payload(key_frames_[i]);
    if (body.size() + piece.size() > kMaxKeyFrameBytes || piece.empty()) return std::nullopt;
    body.insert(body.end(), piece.begin() + 1, piece.end());
  }
  const KeyFrameBody decoded = decode_key_frame(body, kAnyPage);
  const auto& names = decoded.frame.names;
  const auto place = static_cast<std::size_t>(std::find(names.begin(), names.end(), "machine") - names.begin());
  const auto& components = decoded.frame.state->machine.components;
  if (decoded.foreign || place >= components.size()) return std::nullopt;
  MachineTime machine;
  StateReader in(components[place]);
  in(machine);
  return KeyFrameTime{decoded.head.branch, {decoded.head.at, machine.time.idle_offset}};
}

std::optional<GuestTime::KeyFrameTime> GuestTime::first_key_frame() const try {
  for (std::size_t last = 0; last < key_frames_.size(); ++last) {
    if (is_last_piece(last)) return key_frame(0, last);
  }
  return std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

std::optional<GuestTime::KeyFrameTime> GuestTime::last_key_frame() const try {
  std::size_t end = key_frames_.size();
  // One that was cut off is none.
  while (end > 0 && !is_last_piece(end - 1)) --end;
  if (end == 0) return std::nullopt;
  std::size_t first = end - 1;
  while (first > 0 && !is_last_piece(first - 1)) --first;
  return key_frame(first, end - 1);
} catch (const Error&) {
  return std::nullopt;
}

std::vector<std::pair<u64, Position>> GuestTime::line_to(u64 branch, Position end) const {
  std::vector<std::pair<u64, Position>> line;
  for (;;) {
    if (branch >= lines_.size()) return line;
    line.emplace_back(branch, end);
    if (branch == 0) return line;
    end = std::min(end, lines_[branch].from);
    branch = lines_[branch].parent;
  }
}

std::optional<Lasted> GuestTime::until(u64 branch, Position end) const {
  if (!decoder_) return std::nullopt;
  TimeBase base{layout_->board.machine.steps_per_tick};
  Ticks begin_ticks{};
  if (decoder_->begin().at > Position{}) {
    const auto first = first_key_frame();
    if (!first || first->idle.at != decoder_->begin().at) return std::nullopt;
    base.idle_offset = first->idle.ticks;
    begin_ticks = base.at(first->idle.at);
  }
  const auto line = line_to(branch, end);
  for (const auto& [number, limit] : line) {
    const std::vector<IdleSince>& idle = lines_[number].idle;
    const auto behind = std::partition_point(idle.begin(), idle.end(),
                                             [at = limit](const IdleSince& since) { return since.at <= at; });
    if (behind != idle.begin()) base.idle_offset = std::max(base.idle_offset, std::prev(behind)->ticks);
  }
  bool exact = false;
  if (const auto last = last_key_frame()) {
    const bool is_on_line = std::any_of(line.begin(), line.end(), [&](const auto& part) {
      return part.first == last->branch && last->idle.at <= part.second;
    });
    if (is_on_line) base.idle_offset = std::max(base.idle_offset, last->idle.ticks);
    exact = is_on_line && last->idle.at == end;
  }
  const u128 ns = u128{base.at(end).value - begin_ticks.value} * kNsPerTick;
  return Lasted{static_cast<u64>(std::min(ns, u128{~u64{0}})), exact};
}

}  // namespace retrov
