// virtio over memory-mapped registers (virtio 1.2, section 4.2), in both versions that guests know: 1 ("legacy", what
// QEMU gives by default) and 2. A device is a class on top that says its id, features and config space and handles its
// queues.
//
// Must stay true: a request is parsed at the notify store; everything it does to RAM happens in one later device event,
// at a guest time that follows from the request alone.
#pragma once

#include <array>
#include <string>

#include "core/device.hpp"
#include "devices/memory_map.hpp"
#include "devices/virtio_queue.hpp"

namespace retrov {

enum class VirtioVersion : u8 { kLegacy = 1, kModern = 2 };

class VirtioMmio : public Device {
 public:
  static constexpr unsigned kMaxQueues = 4;
  static constexpr u64 kFeatureIndirect = u64{1} << 28;
  static constexpr u64 kFeatureVersion1 = u64{1} << 32;

  [[nodiscard]] std::string_view name() const override { return name_; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  void reset() override;
  [[nodiscard]] bool irq_level() const override { return interrupt_status_ != 0; }
  [[nodiscard]] unsigned irq_source() const override { return kFirstVirtioIrq + slot_; }

 protected:
  /// `memory` must outlive the device.
  VirtioMmio(std::string name, unsigned slot, VirtioVersion version, u32 device_id, unsigned queues, Memory& memory);

  /// Without the transport's own bits.
  [[nodiscard]] virtual u64 features() const = 0;
  /// Little-endian; reads past its end give 0.
  [[nodiscard]] virtual std::span<const u8> config_space() const = 0;
  /// The driver says that queue `index` has chains. The queue is ready.
  virtual void notified(unsigned index, Ticks now) = 0;
  /// The driver starts anew: forget all requests.
  virtual void device_reset() = 0;

  [[nodiscard]] Memory& memory() const { return memory_; }
  [[nodiscard]] VirtQueue& queue(unsigned index) { return queues_[index]; }
  [[nodiscard]] bool is_broken() const { return broken_; }
  /// The driver broke the rules: the device does nothing more until it is reset.
  void break_device();
  /// Gives a chain back and raises the interrupt unless the driver declined it.
  void complete(unsigned queue, u16 head, u32 written_bytes);

  template <class A>
  void serialize_transport(A& a) {
    a(field("status", status_), field("interrupt_status", interrupt_status_), field("broken", broken_));
    a(field("queue_select", queue_select_), field("device_features_select", device_features_select_));
    a(field("driver_features_select", driver_features_select_), field("driver_features", driver_features_));
    a(field("guest_page_bytes", guest_page_bytes_), field("queue_align", queue_align_), field("queues", queues_));
  }

 private:
  std::string name_;
  unsigned slot_;
  VirtioVersion version_;
  u32 device_id_;
  unsigned queue_count_;
  Memory& memory_;
  u8 status_ = 0, interrupt_status_ = 0;
  bool broken_ = false;
  u32 queue_select_ = 0, device_features_select_ = 0, driver_features_select_ = 0;
  u64 driver_features_ = 0;
  u32 guest_page_bytes_ = 0;
  u32 queue_align_ = kPageBytes;
  std::array<VirtQueue, kMaxQueues> queues_{};

  [[nodiscard]] bool is_legacy() const { return version_ == VirtioVersion::kLegacy; }
  [[nodiscard]] bool has_selected_queue() const { return queue_select_ < queue_count_; }
  [[nodiscard]] u64 offered_features() const;
  [[nodiscard]] u32 read_register(u64 offset) const;
  [[nodiscard]] u32 read_queue_register(u64 offset) const;
  [[nodiscard]] u64 read_config(u64 offset, unsigned size_bytes) const;
  void write_register(u64 offset, u32 value, Ticks now);
  void write_queue_register(u64 offset, u32 value);
  void write_legacy_pfn(VirtQueue& selected, u32 value);
  void write_driver_features(u32 value);
  void write_status(u32 value);
  void driver_reset();
};

/// A slot with nothing in it: a transport whose device id is 0.
class VirtioEmpty final : public StatefulAs<VirtioEmpty, Device> {
 public:
  VirtioEmpty(unsigned slot, VirtioVersion version);
  [[nodiscard]] std::string_view name() const override { return name_; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64, unsigned, u64, Ticks) override { return true; }
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  void describe(FdtNode& soc) const override;
  void reset() override {}

  template <class A>
  void serialize(A&) {}

 private:
  std::string name_;
  unsigned slot_;
  VirtioVersion version_;
};

}  // namespace retrov
