#include "devices/uart.hpp"

#include <algorithm>

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u64 kRegisters = 8;
// Register numbers; 0 and 1 are the divisor while LCR's latch bit is set.
enum : u64 { kData = 0, kIer = 1, kIirFcr = 2, kLcr = 3, kMcr = 4, kLsr = 5, kMsr = 6, kScr = 7 };

constexpr u8 kIerReceived = 1, kIerThrEmpty = 2, kIerLineStatus = 4, kIerMask = 0x0f;
constexpr u8 kIirNone = 1, kIirThrEmpty = 2, kIirReceived = 4, kIirLineStatus = 6, kIirTimeout = 0x0c, kIirFifos = 0xc0;
constexpr u8 kFcrEnable = 1, kFcrClearReceiver = 2, kFcrMask = 0xc9;
constexpr u8 kLcrDivisorLatch = 0x80;
constexpr u8 kMcrLoop = 0x10, kMcrMask = 0x1f;
constexpr u8 kLsrDataReady = 1, kLsrOverrun = 2, kLsrThrEmpty = 0x20, kLsrIdle = 0x40;
// Nobody drives the modem lines: carrier, data set ready and clear to send are there, as on QEMU's console.
constexpr u8 kMsrConnected = 0xb0;
constexpr std::array<std::size_t, 4> kTriggerLevels = {1, 4, 8, 14};
constexpr std::size_t kCompactAboveBytes = 4096;
constexpr u32 kClockHz = 3'686'400;

}  // namespace

std::size_t Uart::fifo_capacity() const { return (fcr_ & kFcrEnable) != 0 ? kFifoBytes : 1; }

std::size_t Uart::fifo_bytes() const {
  if (!looped_.empty()) return looped_.size();
  return (mcr_ & kMcrLoop) != 0 ? 0 : std::min(waiting_bytes(), fifo_capacity());
}

// Below the trigger level a real receiver waits four character times before it says "timeout"; here it says so at once,
// which no driver can tell from a slow line.
u8 Uart::interrupt_id() const {
  const std::size_t received = fifo_bytes();
  if ((ier_ & kIerLineStatus) != 0 && overrun_) return kIirLineStatus;
  if ((ier_ & kIerReceived) != 0 && received != 0) {
    const bool fifos = (fcr_ & kFcrEnable) != 0;
    return !fifos || received >= kTriggerLevels[fcr_ >> 6] ? kIirReceived : kIirTimeout;
  }
  return (ier_ & kIerThrEmpty) != 0 && thr_empty_irq_ ? kIirThrEmpty : kIirNone;
}

bool Uart::irq_level() const { return interrupt_id() != kIirNone; }

u8 Uart::line_status() const {
  const u8 data = fifo_bytes() != 0 ? kLsrDataReady : 0;
  return static_cast<u8>(kLsrThrEmpty | kLsrIdle | data | (overrun_ ? kLsrOverrun : 0));
}

// In loopback the four outputs of MCR come back as the four inputs (DTR as DSR, RTS as CTS, OUT1 as RI, OUT2 as DCD),
// which is how Linux tells a 16550 from an empty socket.
u8 Uart::modem_status() const {
  if ((mcr_ & kMcrLoop) == 0) return kMsrConnected;
  return static_cast<u8>((mcr_ & 0x0c) << 4 | (mcr_ & 0x02) << 3 | (mcr_ & 0x01) << 5);
}

u8 Uart::next_received() const {
  if (fifo_bytes() == 0) return 0;
  return looped_.empty() ? backlog_[taken_] : looped_.front();
}

void Uart::drop_received() {
  if (fifo_bytes() == 0) return;
  if (!looped_.empty()) {
    looped_.erase(looped_.begin());
    return;
  }
  ++taken_;
  if (taken_ < kCompactAboveBytes && taken_ != backlog_.size()) return;
  backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
}

u8 Uart::value_of(u64 offset) const {
  const bool divisor = (lcr_ & kLcrDivisorLatch) != 0;
  switch (offset) {
    case kData:
      return divisor ? dll_ : next_received();
    case kIer:
      return divisor ? dlm_ : ier_;
    case kIirFcr:
      return static_cast<u8>(interrupt_id() | ((fcr_ & kFcrEnable) != 0 ? kIirFifos : 0));
    case kLcr:
      return lcr_;
    case kMcr:
      return mcr_;
    case kLsr:
      return line_status();
    case kMsr:
      return modem_status();
    default:
      return scr_;
  }
}

// Any width reads the one register at that offset.
std::optional<u64> Uart::peek(u64 offset, unsigned, Ticks) const {
  if (offset >= kRegisters) return std::nullopt;
  return value_of(offset);
}

std::optional<u64> Uart::read(u64 offset, unsigned, Ticks) {
  if (offset >= kRegisters) return std::nullopt;
  const u8 value = value_of(offset);
  if (offset == kData && (lcr_ & kLcrDivisorLatch) == 0) {
    drop_received();
    irq_asked_ = true;
  }
  if (offset == kIirFcr && interrupt_id() == kIirThrEmpty) thr_empty_irq_ = false;
  if (offset == kLsr) overrun_ = false;
  return value;
}

void Uart::transmit(u8 byte) {
  thr_empty_irq_ = true;
  if ((mcr_ & kMcrLoop) == 0) {
    output_.console(position_(), {&byte, 1});
  } else if (looped_.size() < fifo_capacity()) {
    looped_.push_back(byte);
  } else {
    overrun_ = true;
  }
}

// Clearing the receiver discards what was looped back, never what was typed: those bytes count as still on the line, so
// that a guest opening its console does not swallow a paste.
void Uart::write_fcr(u8 value) {
  const bool toggled = ((value ^ fcr_) & kFcrEnable) != 0;
  if (toggled || (value & kFcrClearReceiver) != 0) looped_.clear();
  fcr_ = (value & kFcrEnable) != 0 ? value & kFcrMask : 0;
}

bool Uart::write(u64 offset, unsigned, u64 value, Ticks) {
  if (offset >= kRegisters) return false;
  const u8 byte = static_cast<u8>(value);
  const bool divisor = (lcr_ & kLcrDivisorLatch) != 0;
  irq_asked_ |= offset <= kIirFcr && !divisor;
  switch (offset) {
    case kData:
      if (divisor) {
        dll_ = byte;
      } else {
        transmit(byte);
      }
      break;
    case kIer:
      if (divisor) {
        dlm_ = byte;
        break;
      }
      // Enabling "transmitter empty" while it is empty interrupts at once; Linux tests for that.
      if ((byte & ~ier_ & kIerThrEmpty) != 0) thr_empty_irq_ = true;
      ier_ = byte & kIerMask;
      break;
    case kIirFcr:
      write_fcr(byte);
      break;
    case kLcr:
      lcr_ = byte;
      break;
    case kMcr:
      mcr_ = byte & kMcrMask;
      break;
    case kScr:
      scr_ = byte;
      break;
    default:
      break;  // LSR and MSR are read-only.
  }
  return true;
}

void Uart::reset() {
  ier_ = fcr_ = lcr_ = mcr_ = scr_ = dlm_ = 0;
  dll_ = 0x0c;
  overrun_ = thr_empty_irq_ = irq_asked_ = false;
  looped_.clear();
}

void Uart::accept(const InputKind& input, Ticks) {
  const auto* typed = std::get_if<ConsoleBytes>(&input);
  if (typed == nullptr) return;
  const std::size_t count = std::min(typed->bytes.size(), room_bytes());
  irq_asked_ = true;
  backlog_.insert(backlog_.end(), typed->bytes.begin(), typed->bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

void Uart::describe(FdtNode& soc) const {
  FdtNode node = soc.child("serial@10000000");
  node.text("compatible", "ns16550a");
  node.reg(kUartRegion.base, kUartRegion.size_bytes);
  node.interrupt(kUartIrq);
  node.cell("clock-frequency", kClockHz);
}

}  // namespace retrov
