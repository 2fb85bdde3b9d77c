// The console: a 16550A, as drivers probe and use it. Transmission takes no time. Bytes typed wait in a backlog that is
// device state, so a paste loses nothing; the receive FIFO is a window on its first 16 bytes.
//
// Must stay true: the backlog never exceeds kBacklogBytes. A live source keeps to room_bytes(); what an input brings
// beyond it is dropped, so that a damaged trace cannot take all memory.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/device.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Uart final : public StatefulAs<Uart, Device> {
 public:
  static constexpr std::size_t kBacklogBytes = 1u << 20;

  /// `output` must outlive the device; `position` is asked for the step that is being made.
  Uart(OutputSink& output, std::function<Position()> position) : output_(output), position_(std::move(position)) {}

  [[nodiscard]] std::string_view name() const override { return "uart0"; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override;
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  /// What has been typed and not read stays: it is outside the machine.
  void reset() override;
  void accept(const InputKind& input, Ticks now) override;
  [[nodiscard]] bool irq_level() const override;
  [[nodiscard]] unsigned irq_source() const override { return kUartIrq; }
  bool take_irq_request() override { return std::exchange(irq_asked_, false); }
  /// How many more bytes `accept` takes.
  [[nodiscard]] std::size_t room_bytes() const { return kBacklogBytes - waiting_bytes(); }

  template <class A>
  void serialize(A& a) {
    a(field("ier", ier_), field("fcr", fcr_), field("lcr", lcr_), field("mcr", mcr_), field("scr", scr_));
    a(field("dll", dll_), field("dlm", dlm_), field("overrun", overrun_), field("thr_empty_irq", thr_empty_irq_));
    a(field("looped", looped_));
    std::vector<u8> backlog(backlog_.begin() + static_cast<std::ptrdiff_t>(taken_), backlog_.end());
    a(field("backlog", backlog));
    if constexpr (A::is_loading::value) {
      if (looped_.size() > kFifoBytes || backlog.size() > kBacklogBytes) {
        throw Error(Exit::kBadTrace, "uart0: more bytes in a FIFO than it can hold");
      }
      backlog_ = std::move(backlog);
      taken_ = 0;
    }
  }

 private:
  static constexpr std::size_t kFifoBytes = 16;
  OutputSink& output_;
  std::function<Position()> position_;
  u8 ier_ = 0, fcr_ = 0, lcr_ = 0, mcr_ = 0, scr_ = 0, dll_ = 0x0c, dlm_ = 0;
  bool overrun_ = false;
  bool thr_empty_irq_ = false;  ///< The "transmitter empty" interrupt has not been seen by a read of IIR yet.
  std::vector<u8> looped_;      ///< Received from our own transmitter in loopback mode.
  std::vector<u8> backlog_;
  /// Something happened since the last take_irq_request that makes QEMU's UART update its line. False between steps.
  bool irq_asked_ = false;
  std::size_t taken_ = 0;  ///< Bytes at the front of backlog_ that have been read.

  [[nodiscard]] std::size_t waiting_bytes() const { return backlog_.size() - taken_; }
  [[nodiscard]] std::size_t fifo_capacity() const;
  /// Bytes the guest can see: looped ones, else the window on the backlog.
  [[nodiscard]] std::size_t fifo_bytes() const;
  [[nodiscard]] u8 interrupt_id() const;
  [[nodiscard]] u8 line_status() const;
  [[nodiscard]] u8 modem_status() const;
  [[nodiscard]] u8 next_received() const;
  [[nodiscard]] u8 value_of(u64 offset) const;
  void drop_received();
  void transmit(u8 byte);
  void write_fcr(u8 value);
};

}  // namespace retrov
