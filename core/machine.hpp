// The machine: a pure function of its state and its inputs. It has no clock, no file, no socket and no thread. It owns
// harts, RAM, devices and the decoded code, and makes steps; who runs is decided here by the rules of docs/machine.md.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bus.hpp"
#include "core/device.hpp"
#include "core/door.hpp"
#include "core/extensions.hpp"
#include "core/memory.hpp"
#include "core/registers.hpp"
#include "core/state.hpp"
#include "core/stops.hpp"
#include "core/time_base.hpp"
#include "core/touched.hpp"
#include "core/types.hpp"

namespace retrov {

class Hart;
class Engine;
struct CacheSizes;
struct Platform;

/// Bytes placed in RAM at power-on and at every reset.
struct Blob {
  PhysAddr at;
  std::vector<u8> bytes;
  template <class A>
  void serialize(A& a) {
    a(field("at", at.value), field("bytes", bytes));
  }
};

struct MachineConfig {
  PhysAddr ram_base{0x80000000};
  u64 ram_bytes = 128u << 20;
  unsigned harts = 1;              ///< 1 to 8.
  ExtensionSet extensions = default_extensions();
  u64 turn_steps = 10'000;         ///< Q, 64 to 1,000,000.
  u64 steps_per_tick = 100;        ///< R.
  PhysAddr reset_pc{0x1000};
  /// Where 32 bytes of fresh entropy go at power-on (when the Seed arrives) and at every reset: the value of the device
  /// tree's rng-seed in RAM. Absent: nowhere.
  std::optional<PhysAddr> rng_seed_at;
  std::vector<Blob> initial_memory;
  /// The header of a trace holds all of it.
  template <class A>
  void serialize(A& a) {
    std::string isa = isa_string(extensions, WithModes::kYes);
    bool has_rng_seed = rng_seed_at.has_value();
    u64 rng_seed = has_rng_seed ? rng_seed_at->value : 0;
    a(field("ram_base", ram_base.value), field("ram_bytes", ram_bytes), field("harts", harts), field("isa", isa));
    a(field("turn_steps", turn_steps), field("steps_per_tick", steps_per_tick), field("reset_pc", reset_pc.value));
    a(field("has_rng_seed", has_rng_seed), field("rng_seed_at", rng_seed), field("initial_memory", initial_memory));
    const std::optional<ExtensionSet> stored = parse_isa_string(isa);
    if (!stored) throw Error(Exit::kBadTrace, "the machine has extensions that this build does not know");
    extensions = *stored;
    rng_seed_at = has_rng_seed ? std::optional<PhysAddr>(PhysAddr{rng_seed}) : std::nullopt;
  }
};

enum class EngineKind : u8 { kFast, kReference };

/// Why run_until paused; ask idle() whether it is idle.
enum class Pause : u8 { kLimit, kIdle, kStop, kPoweredOff };

/// Everything that makes up a State(P). Cheap to hold: pages are shared with its neighbours.
struct Snapshot {
  Position at;
  std::vector<std::vector<u8>> components;  ///< write_state of each component, in component order.
  std::vector<PageTree> trees;              ///< RAM, then each device overlay in board order.
  Touched touched;                          ///< Since the machine's last begin_stretch or restore.
};

/// One 64-bit hash per component of State(P): "machine", "hart0"…, "ram", each device, overlays as "<device>.pages".
struct ComponentHash {
  std::string name;
  u64 hash = 0;
};

/// Whether RAM is among what is hashed: it costs what was written since the last time, all else microseconds.
enum class HashRam : bool { kNo, kYes };

struct PowerState {
  bool off = false;
  int status = 0;   ///< The process status the guest asked for.
  std::string why;  ///< For people.
};

/// What `info threads` says of a hart; read from the machine, never guessed.
struct HartSummary {
  unsigned privilege = 3;
  bool waiting = false;
  u64 satp = 0;
  VirtAddr pc;
};

/// A leaf of a hart's page tables.
struct PageMapping {
  VirtAddr at;
  PhysAddr physical;
  u64 size_bytes = 0;
  u8 flags = 0;  ///< The entry's low byte: D A G U X W R V.
};
struct PageMappings {
  std::vector<PageMapping> leaves;  ///< In the order in which the tables list them: the lower half first.
  bool complete = true;             ///< False: there were more.
};
/// A part of an access that lies in one page.
struct AccessPiece {
  VirtAddr address;
  PhysAddr physical;
  u64 size_bytes = 0;
};
/// An entry of a page table that a walk reads.
struct WalkedEntry {
  PhysAddr at;
  u64 entry = 0;
  std::optional<PhysAddr> physical = {};  ///< Where it leads, of a leaf.
};

/// Position bookkeeping that stepping backwards needs; a function of the history of the machine (docs/machine.md).
struct InterruptFrame {
  Position taken_at;
  u64 pc = 0;
  u64 sp = 0;
  u8 privilege = 0;
  template <class A>
  void serialize(A& a) {
    a(field("taken_at", taken_at.steps), field("pc", pc), field("sp", sp), field("privilege", privilege));
  }
};
struct SteppingFacts {
  std::optional<Position> last_step;         ///< Where this hart made its last step.
  std::vector<InterruptFrame> open_irqs;     ///< Handlers entered and not returned from, outermost first, at most 16.
  std::optional<Position> returned_at;       ///< Position right after its last return from an interrupt …
  Position returned_irq_taken_at;            ///< … and where that interrupt had been taken.
  template <class A>
  void serialize(A& a);
};

class Machine final : public PowerControl {
 public:
  Machine(MachineConfig config, EngineKind engine);
  ~Machine() override;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // --- building (devices/board.cpp) ---
  /// Takes ownership; the result is the index that Input::device names.
  u8 attach(PhysAddr base, u64 size_bytes, std::unique_ptr<Device> device);
  Memory& memory() { return memory_; }
  TimeBase& time_base() { return time_; }
  /// Places the initial memory and resets harts and devices. Once, after the last attach.
  void power_on();

  // --- running ---
  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] Ticks now() const { return time_.at(position_); }
  /// The step that is being made, for what happens inside it: a device's access, event or input. position() is where
  /// the run began, or already behind the step.
  [[nodiscard]] Position step_in_hand() const;
  /// No hart is runnable at this position.
  [[nodiscard]] bool idle() const;
  /// The guest time to which an idle step jumps; kNever: quiescent.
  [[nodiscard]] Ticks idle_deadline() const;
  /// Makes steps and nothing else. `stops` may be null. Pauses at `limit`, when idle, at a stop, or powered off.
  Pause run_until(Position limit, StopSet* stops);
  /// From here on, what these write is kept for stops_at_other_write.
  void keep_writes_of(OtherWriters writers);
  /// Since the last call something but an instruction has written to a range that `stops`, which may be null, watches;
  /// notes the hit.
  bool stops_at_other_write(StopSet* stops);
  /// One step: jumps to idle_deadline(), which must not be kNever. The machine must be idle.
  void idle_step();
  /// Applies one batch, never empty. Always one step.
  void apply(const Batch& batch);
  [[nodiscard]] const PowerState& power() const { return power_; }
  void power_off(int status, const std::string& why) override;
  void reset() override;

  // --- state ---
  Snapshot snapshot();
  /// What snapshots say was touched counts from here.
  void begin_stretch();
  /// Throws Error (kBadTrace) if it is no state of this machine, as one from a file may be; the present state is lost
  /// then, and another must be restored.
  void restore(const Snapshot& snapshot);
  /// RAM as power_on left it.
  [[nodiscard]] const PageTree& initial_ram() const { return initial_ram_; }
  /// It is not what it was at power-on, because nobody knows that any more: a reset throws Error (kFailure) from here
  /// on. Not undone by restore().
  void forget_initial_ram() { initial_ram_known_ = false; }
  /// How many resets were made so far, those that were undone by restore() too. No state.
  [[nodiscard]] u64 resets_made() const { return resets_made_; }
  /// Hash of State(P), and of each component.
  [[nodiscard]] std::vector<ComponentHash> component_hashes(HashRam ram = HashRam::kYes);
  [[nodiscard]] u64 hash();
  /// Registers, CSRs and devices as JSON, for `info` and divergence reports.
  void print_state(StatePrinter& out) const;

  // --- looking, as the debugger: no side effect the guest could see ---
  [[nodiscard]] unsigned hart_count() const { return static_cast<unsigned>(harts_.size()); }
  /// The hart that makes the next step, or made the last one when idle.
  [[nodiscard]] unsigned current_hart() const;
  [[nodiscard]] const Hart& hart(unsigned index) const { return *harts_[index]; }
  [[nodiscard]] HartSummary hart_summary(unsigned index) const;
  [[nodiscard]] const SteppingFacts& stepping(unsigned index) const;
  /// Absent: no such register on this machine.
  [[nodiscard]] std::optional<u64> read_register(unsigned hart, RegisterId id) const;
  /// Why a write would be refused (read-only, absent), or nothing. The write itself goes through apply().
  [[nodiscard]] std::optional<std::string> refuse_register_write(unsigned hart, RegisterId id) const;
  /// Walks the hart's current page tables without permission checks and without writing A or D.
  [[nodiscard]] std::optional<PhysAddr> translate_for_debugger(unsigned hart, VirtAddr address) const;
  /// What such a walk reads, from the root; empty if satp names no tables.
  [[nodiscard]] std::vector<WalkedEntry> walk_for_debugger(unsigned hart, VirtAddr address) const;
  /// The leaves of the page tables that the hart's satp names, at most so many.
  [[nodiscard]] PageMappings page_mappings(unsigned hart, std::size_t most) const;
  /// Whose the trees of a snapshot are: "ram" first.
  [[nodiscard]] std::vector<std::string> page_owners() const;
  /// Reads RAM, or a device register without side effect; false if nothing answers there.
  [[nodiscard]] bool read_physical(PhysAddr address, std::span<u8> out) const;
  [[nodiscard]] u64 sched_mask() const { return sched_mask_; }
  /// How much the engine remembers, which nobody can see but by the clock. For tests.
  void limit_caches(const CacheSizes& sizes);
  /// Of the access that a watch has stopped before, where the machine still stands: its first byte in that range.
  [[nodiscard]] std::optional<VirtAddr> watched_byte(const StopHit& access, const WatchRange& range) const;
  /// The same access in RAM or devices, a piece for each page; nothing where it would trap.
  [[nodiscard]] std::vector<AccessPiece> pieces_of(const StopHit& access) const;
  /// Some device answers somewhere in [address, address + size).
  [[nodiscard]] bool has_device_in(PhysAddr address, u64 size_bytes) const;
  [[nodiscard]] Device* device(u8 index) { return devices_[index].get(); }
  [[nodiscard]] const Device* device(u8 index) const { return devices_[index].get(); }
  [[nodiscard]] unsigned device_count() const { return static_cast<unsigned>(devices_.size()); }
  [[nodiscard]] const MachineConfig& config() const { return config_; }
  [[nodiscard]] EngineKind engine_kind() const { return engine_kind_; }

 private:
  struct Parts;
  /// Whose step is next, and how many steps of its turn are left. Nothing is changed by choosing.
  struct Pick {
    unsigned hart = 0;
    u64 left = 0;
  };
  [[nodiscard]] std::optional<Pick> pick() const;
  [[nodiscard]] bool runnable(unsigned hart) const;
  /// One stretch of steps of the picked hart, or one interrupt; Pause::kLimit means go on.
  Pause run_slice(const Pick& pick, Position limit, StopSet* stops);
  [[nodiscard]] u64 slice_steps(const Pick& pick, Position limit, StopSet* stops) const;
  void commit_turn(const Pick& pick, u64 steps);
  [[nodiscard]] std::optional<Pause> stop_before(const Pick& pick, StopSet* stops);
  void use_stops(StopSet* stops);
  Pause make_access(StopSet& stops);
  void reset_step();
  void refill_rng_seed();
  /// Time or a device register has moved: events that are due, interrupt lines, next deadlines.
  void settle_devices();
  void set_position(Position position);
  void apply_write(const DebuggerWrite& write);
  void write_device(PhysAddr address, std::span<const u8> bytes);
  void check_restored(Position at) const;
  [[nodiscard]] std::vector<const Stateful*> components() const;

  MachineConfig config_;
  EngineKind engine_kind_;
  Memory memory_;
  Bus bus_;
  TimeBase time_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Hart>> harts_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Platform> platform_;
  PageTree initial_ram_;  ///< As power_on left it.
  bool initial_ram_known_ = true;
  u64 resets_made_ = 0;
  std::vector<WatchRange> watches_;  ///< Those the translation caches respect.
  Position next_device_event_ = kEndOfTime;
  const Hart* running_ = nullptr;    ///< While instructions of it are executed.

  // State (Parts serialises it).
  Position position_;
  PowerState power_;
  bool reset_pending_ = false;
  unsigned current_ = 0;      ///< The hart whose turn it is.
  u64 turn_left_ = 0;         ///< Steps left in it.
  u64 sched_mask_ = ~u64{0};  ///< Harts that may run.
  std::array<u64, 4> entropy_{};
};

}  // namespace retrov
