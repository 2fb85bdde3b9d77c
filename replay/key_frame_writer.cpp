#include "replay/key_frame_writer.hpp"

#include <sys/random.h>

#include "replay/host_clock.hpp"
#include "replay/quiet_thread.hpp"

namespace retrov {

namespace {

/// For a seed that it knew a guest could make two pages with one fingerprint.
u64 secret() {
  u64 value = host_ns();
  (void)!::getrandom(&value, sizeof value, GRND_NONBLOCK);
  return value;
}

}  // namespace

KeyFrameWriter::KeyFrameWriter(KeyFrameEncoder::Emit emit, Needed first)
    : emit_(std::move(emit)), encoder_(secret(), first), thread_(start_quiet_thread([this] { run(); })) {}

KeyFrameWriter::~KeyFrameWriter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void KeyFrameWriter::take(KeyFrame frame, u64 branch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !in_hand_; });
  if (frame.toll != nullptr) frame.toll->in_hand = true;
  in_hand_.emplace(std::move(frame), branch);
  changed_.notify_all();
}

void KeyFrameWriter::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !in_hand_; });
}

bool KeyFrameWriter::idle() const {
  const std::lock_guard lock(mutex_);
  return !in_hand_;
}

void KeyFrameWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return in_hand_ || closing_; });
    if (!in_hand_) return;
    lock.unlock();
    encode(in_hand_->first, in_hand_->second);
    lock.lock();
    in_hand_.reset();
    changed_.notify_all();
  }
}

void KeyFrameWriter::encode(const KeyFrame& frame, u64 branch) {
  const u64 begin = cpu_ns();
  u64 stored_bytes = 0;
  encoder_.encode(frame, branch, [&](FrameKind kind, PackedPayload payload, Needed needed) {
    stored_bytes += kFrameHeaderBytes + payload.stored.size() + kFrameCheckBytes;
    return emit_(kind, std::move(payload), needed);
  });
  if (frame.toll == nullptr) return;
  frame.toll->cpu_ns = cpu_ns() - begin;
  frame.toll->stored_bytes = stored_bytes;
  frame.toll->in_hand = false;
}

}  // namespace retrov
