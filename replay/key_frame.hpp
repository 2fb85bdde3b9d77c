// A key frame: a whole state of the machine, so that a replay can begin there instead of at power-on. An accelerator
// and nothing more: a trace says the same without them, and one that is damaged or lies is not used.
//
// Must stay true: what a key frame says of a state is compared with the hash mark at its position before it is used.
#pragma once

#include <atomic>
#include <compare>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/page_tree.hpp"
#include "replay/snapshots.hpp"

namespace retrov {

class History;

struct BlockName {
  u8 disk = 0;  ///< Index into BoardConfig::disks.
  u64 index = 0;
  auto operator<=>(const BlockName&) const = default;
};

/// What writing a key frame has cost so far, for whoever decides when the next one is due. Written by another thread.
struct KeyFrameToll {
  std::atomic<bool> in_hand{false};  ///< One is being written.
  std::atomic<u64> cpu_ns{0};        ///< Of the last one.
  std::atomic<u64> stored_bytes{0};  ///< Of the last one.
};

struct KeyFrame {
  /// With what was touched since the key frame before, or since `state->machine.touched.since` if that is later.
  KeptPointer state;
  /// One for each component of the state and then one for each of its trees, as in hash marks.
  std::vector<std::string> names;
  /// The disk blocks that the steps since `blocks_since` needed; perhaps more, never less. Ascending.
  Position blocks_since;
  std::vector<BlockName> blocks;
  /// RAM at power-on, whose pages a trace has already.
  PageTree initial_ram;
  std::shared_ptr<KeyFrameToll> toll;  ///< Null: nobody asks.
};

/// In a trace, where it is found when it is needed.
class StoredKeyFrame {
 public:
  virtual ~StoredKeyFrame() = default;
  /// `initial_ram` is that of the machine. Any thread. Throws Error: kBadTrace if it is none, kIo.
  [[nodiscard]] virtual KeyFrame load(const PageTree& initial_ram) const = 0;
};

/// One that was never in a trace.
class HeldKeyFrame final : public StoredKeyFrame {
 public:
  explicit HeldKeyFrame(KeyFrame frame) : frame_(std::move(frame)) {}
  [[nodiscard]] KeyFrame load(const PageTree&) const override { return frame_; }

 private:
  const KeyFrame frame_;
};

/// A hash mark of the history at that position says the same of all components, and of the console.
[[nodiscard]] bool is_marked(const History& history, Position at, const std::vector<ComponentHash>& components,
                             const ConsoleTally& console);

/// Which blocks a stretch of steps needs.
class BlockReads {
 public:
  explicit BlockReads(Position since) : since_(since) {}
  void note(BlockName name);
  [[nodiscard]] Position since() const { return since_; }
  /// All of them, ascending; from here on those of the steps from `now` on are collected.
  [[nodiscard]] std::vector<BlockName> take(Position now);

 private:
  void lose_doubles();
  Position since_;
  std::vector<BlockName> names_;
  std::size_t lose_doubles_at_ = 4096;
};

}  // namespace retrov
