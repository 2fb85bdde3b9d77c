// What a device is to the machine: registers at an offset, state, a clock it is told about, a level interrupt. A device
// asks the host for nothing; what comes from outside is handed to `accept` between two steps.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/door.hpp"
#include "core/page_tree.hpp"
#include "core/state.hpp"
#include "core/types.hpp"

namespace retrov {

class FdtNode;  // devices/fdt.hpp

/// DMA that a guest has asked for.
struct QueuedWrite {
  std::string what;    ///< For people: "read of sectors 8 to 15".
  Position queued_at;  ///< The step that asked, an access to a register of the device.
};

class Device : public Stateful {
 public:
  /// The name in dumps, hash marks and messages; unique on the board ("uart0", "virtio-blk0").
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// `offset` is relative to the device, `size_bytes` 1, 2, 4 or 8; nullopt / false is an access fault. `now` is T(P)
  /// of the step that makes the access.
  virtual std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) = 0;
  virtual bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) = 0;
  /// What `read` would give, without its side effects: for the debugger.
  [[nodiscard]] virtual std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const = 0;
  /// Instructions can be fetched from it (a ROM).
  [[nodiscard]] virtual bool executable() const { return false; }
  /// Adds this device's node to the device tree.
  virtual void describe(FdtNode& soc) const = 0;
  /// Back to the power-on state. What the guest cannot reach (disk contents) stays.
  virtual void reset() = 0;
  /// Something from outside has arrived. Called between instructions only.
  virtual void accept(const InputKind&, Ticks now) { (void)now; }
  /// Guest time has reached `now`: do what is due. Returns when to be told next; kNever if nothing is planned. Calling
  /// it more often than asked must change nothing. Called after every access to the device and every accept, too.
  virtual Ticks advance_to(Ticks now) {
    (void)now;
    return kNever;
  }
  /// The level of its interrupt line (derived from state, never saved).
  [[nodiscard]] virtual bool irq_level() const { return false; }
  /// The number of its line at the interrupt controller; 0: it has none.
  [[nodiscard]] virtual unsigned irq_source() const { return 0; }
  /// Whether it has asked for an interrupt since the last call. A line that was claimed and stays high without asking
  /// again is not served again. By default a high line asks all the time, as level-triggered ones do.
  virtual bool take_irq_request() { return irq_level(); }
  /// The levels of all lines, bit n = source n, and which of them asked; an interrupt controller latches them. Called
  /// after anything moved.
  virtual void lines_changed(u64 levels, u64 asked) { (void)levels, (void)asked; }
  /// Bits it drives in hart `hart`'s mip (MSIP and MTIP from a CLINT, MEIP and SEIP from a PLIC).
  [[nodiscard]] virtual u64 mip_bits(unsigned hart, Ticks now) const {
    (void)hart, (void)now;
    return 0;
  }
  /// When mip_bits of that hart next changes by the passing of time alone, after `now`.
  [[nodiscard]] virtual Ticks next_mip_change(unsigned hart, Ticks now) const {
    (void)hart, (void)now;
    return kNever;
  }
  /// What it has under way that will write to that byte of RAM until guest time `by`; nothing if it is no such device.
  [[nodiscard]] virtual std::optional<QueuedWrite> queued_write(PhysAddr byte, Ticks by) const {
    (void)byte, (void)by;
    return std::nullopt;
  }
  /// Pages that are this device's state (a disk overlay); kept in snapshots apart from write_state. Null: none.
  virtual PageTree* pages() { return nullptr; }
};

/// What the guest asks of the machine through a device. Takes effect after the step that asks.
class PowerControl {
 public:
  virtual ~PowerControl() = default;
  /// Ends the run with a process status; `why` is one phrase for people ("test finisher: pass").
  virtual void power_off(int status, const std::string& why) = 0;
  /// The next step is a reset.
  virtual void reset() = 0;
};

}  // namespace retrov
