// The slow truth about a line of history: a machine of its own with the reference engine goes straight through it, a
// step at a time, and of every step is noted what a debugger could be asked about. What instructions do is read off
// their encodings, registers and memory, before and behind each step; stops, watches and snapshots are not used.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/hart.hpp"
#include "core/insn.hpp"
#include "replay/branch.hpp"
#include "replay/replayer.hpp"
#include "replay/session.hpp"
#include "tests/support/guest_bench.hpp"

namespace retrov::test {

/// What an instruction did to memory; only if it did not trap.
struct MadeAccess {
  u64 address = 0;
  unsigned size_bytes = 0;
  bool reads = false;
  bool writes = false;
  u64 satp = 0;  ///< As it counts for the access: 0 in M-mode.
  std::array<u64, 8> physical{};  ///< Of each byte.
  u64 before = 0;
  u64 after = 0;
};

/// A stretch of RAM that a device wrote in a step.
struct DeviceWrite {
  u64 physical = 0;
  u64 size_bytes = 0;
};

/// What conditions may look at: two registers of a hart, and its pc.
using Sight = std::array<u64, 3>;
inline constexpr std::array<RegisterId, 3> kSeen{integer_register(10), integer_register(15), kRegisterPc};

struct TrueStep {
  u64 hash = 0;            ///< Of the state before it.
  int hart = -1;           ///< Who makes it; nobody makes inputs, idle steps and resets.
  bool interrupt = false;  ///< It takes an interrupt.
  bool by_hand = false;    ///< It is an input of somebody who had stopped there.
  bool waits = false;      ///< It is a WFI that begins to wait.
  bool powers_off = false;
  unsigned turn = 0;       ///< Whose turn it is before it.
  u64 pc = 0;              ///< Of the hart that makes it.
  Sight before{};
  Sight after{};
  std::optional<u16> csr;  ///< Which it writes.
  std::optional<MadeAccess> access;
  std::vector<DeviceWrite> device_writes;
  std::vector<Sight> harts;  ///< All of them, before it.
};

/// Of an interrupt, from when it is taken to right behind its return.
struct Handler {
  unsigned hart = 0;
  Position taken_at;
  Position closed_at = kEndOfTime;
  bool returned = false;  ///< Closed by its own return, and not by that of one around it.
  u64 pc = 0;
  u64 sp = 0;
  Priv privilege = Priv::kMachine;
};

/// The disk of all walks: its bytes follow from their places.
u8 walk_disk_byte(u64 offset);
inline constexpr u64 kWalkDiskBytes = 64 * 512;

class Truth {
 public:
  /// The line that begins at power-on.
  explicit Truth(const History& history);
  /// One that leaves `parent` at `from`, at most its end; it is the truth of `history`, or, of none, of a throw-away
  /// copy.
  Truth(const Truth& parent, const History* history, Position from);

  /// Goes on to there. Throws Error if the history does not lead there.
  void extend(Position end);
  /// Of a throw-away copy: what is done by hand at its end.
  void apply(const Batch& batch);

  [[nodiscard]] Position end() const { return machine_->position(); }
  /// At the end: the step that would come next if nobody said anything.
  [[nodiscard]] const TrueStep& at(Position at);
  [[nodiscard]] const std::deque<Handler>& handlers() const { return handlers_; }
  /// Where RAM is that an address means to all harts at all times, if it does: it lies there, or is one of the upper
  /// half, which the guest maps to RAM while it pages.
  [[nodiscard]] std::optional<u64> identity(u64 address) const;
  /// To look at: it stands at the end.
  [[nodiscard]] Machine& machine() { return *machine_; }

 private:
  class Disk final : public DiskBase {
   public:
    bool read_block(u64 index, std::span<u8, kBlockBytes> out) override;
  };
  /// What is known before a step, which may become an instruction of the hart whose turn it is.
  struct Intent {
    unsigned hart = 0;
    u64 retired = 0;
    u64 sp = 0;
    Priv privilege = Priv::kMachine;
    u32 raw = 0;
    const InsnRow* row = nullptr;  ///< Null: nothing can be fetched.
    std::optional<MadeAccess> access;
    u16 used_index = 0;
  };

  void build(const BoardConfig& board);
  void go(Position to);
  TrueStep look_before(Intent& intent);
  void intend_access(Intent& intent, unsigned size_bytes) const;
  void look_behind(TrueStep& step, const Intent& intent);
  void note_access(TrueStep& step, const Intent& intent) const;
  void note_handlers(const TrueStep& step, const Intent& intent);
  [[nodiscard]] u64 read_bytes(const MadeAccess& access) const;
  [[nodiscard]] u64 read_word(u64 physical, unsigned size_bytes) const;

  const History* history_ = nullptr;
  Position from_;  ///< Below here it is the parent's.
  Disk disk_;
  Screen screen_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Replayer> replayer_;
  NoInputs no_inputs_;
  std::atomic<bool> never_{false};
  std::deque<TrueStep> steps_;
  std::deque<Handler> handlers_;
  std::optional<TrueStep> next_;  ///< At the end.
  u64 queue_at_ = 0, header_at_ = 0, buffer_at_ = 0, status_at_ = 0;
};

}  // namespace retrov::test
