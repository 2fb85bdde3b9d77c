// Encodes key frames on a thread of its own: pages of a snapshot never change, so the machine need not wait.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "replay/key_frame_encoder.hpp"

namespace retrov {

class KeyFrameWriter {
 public:
  /// `emit` is called on the thread, until it returns false; it must be ready for that until the writer is gone.
  /// `first` is what the first key frame is.
  KeyFrameWriter(KeyFrameEncoder::Emit emit, Needed first);
  /// What is in hand is finished first.
  ~KeyFrameWriter();
  KeyFrameWriter(const KeyFrameWriter&) = delete;
  KeyFrameWriter& operator=(const KeyFrameWriter&) = delete;

  /// Waits only for the one before.
  void take(KeyFrame frame, u64 branch);
  /// All that was taken has been emitted when this returns.
  void drain();
  [[nodiscard]] bool idle() const;

 private:
  void run();
  void encode(const KeyFrame& frame, u64 branch);

  const KeyFrameEncoder::Emit emit_;
  KeyFrameEncoder encoder_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::pair<KeyFrame, u64>> in_hand_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace retrov
