#include "devices/virtio.hpp"

#include <cstdio>

#include "devices/fdt.hpp"

namespace retrov {

namespace {

enum : u64 {
  kMagic = 0x000,
  kVersion = 0x004,
  kDeviceId = 0x008,
  kVendorId = 0x00c,
  kDeviceFeatures = 0x010,
  kDeviceFeaturesSelect = 0x014,
  kDriverFeatures = 0x020,
  kDriverFeaturesSelect = 0x024,
  kGuestPageSize = 0x028,  // Legacy.
  kQueueSelect = 0x030,
  kQueueSizeMax = 0x034,
  kQueueSize = 0x038,
  kQueueAlign = 0x03c,  // Legacy.
  kQueuePfn = 0x040,    // Legacy.
  kQueueReady = 0x044,
  kQueueNotify = 0x050,
  kInterruptStatus = 0x060,
  kInterruptAck = 0x064,
  kStatus = 0x070,
  kQueueDescriptorsLow = 0x080,
  kQueueDescriptorsHigh = 0x084,
  kQueueDriverLow = 0x090,
  kQueueDriverHigh = 0x094,
  kQueueDeviceLow = 0x0a0,
  kQueueDeviceHigh = 0x0a4,
  kShmLengthLow = 0x0b0,
  kShmLengthHigh = 0x0b4,
  kShmBaseLow = 0x0b8,
  kShmBaseHigh = 0x0bc,
  kConfig = 0x100,
};

constexpr u32 kMagicValue = 0x74726976;   // "virt"
constexpr u32 kVendorValue = 0x554d4551;  // "QEMU": the board is a stand-in for its own.
constexpr u8 kStatusFeaturesOk = 0x08, kStatusNeedsReset = 0x40;
constexpr u8 kIrqUsedRing = 1, kIrqConfigChange = 2, kIrqMask = 3;

void set_low(u64& whole, u32 value) { whole = (whole & ~u64{0xffffffffu}) | value; }
void set_high(u64& whole, u32 value) { whole = (whole & 0xffffffffu) | u64{value} << 32; }
bool is_power_of_two(u32 value) { return value != 0 && (value & (value - 1)) == 0; }

void describe_slot(FdtNode& soc, unsigned slot) {
  const PhysAddr base{kVirtioBase.value + slot * kVirtioSlotBytes};
  char node_name[40];
  std::snprintf(node_name, sizeof node_name, "virtio_mmio@%llx", static_cast<unsigned long long>(base.value));
  FdtNode node = soc.child(node_name);
  node.text("compatible", "virtio,mmio");
  node.reg(base, kVirtioSlotBytes);
  node.interrupt(kFirstVirtioIrq + slot);
}

}  // namespace

VirtioMmio::VirtioMmio(std::string name, unsigned slot, VirtioVersion version, u32 device_id, unsigned queues,
                       Memory& memory)
    : name_(std::move(name)),
      slot_(slot),
      version_(version),
      device_id_(device_id),
      queue_count_(queues),
      memory_(memory) {
  RV_CHECK(queues >= 1 && queues <= kMaxQueues);
}

u64 VirtioMmio::offered_features() const {
  return features() | kFeatureIndirect | (is_legacy() ? 0 : kFeatureVersion1);
}

u64 VirtioMmio::read_config(u64 offset, unsigned size_bytes) const {
  const std::span<const u8> config = config_space();
  u64 value = 0;
  for (u64 i = 0; i < size_bytes; ++i) {
    if (offset + i < config.size()) value |= u64{config[offset + i]} << (8 * i);
  }
  return value;
}

// Registers are words; only the config space is read in other widths. A double word is two words.
std::optional<u64> VirtioMmio::peek(u64 offset, unsigned size_bytes, Ticks) const {
  if (offset % size_bytes != 0) return std::nullopt;
  if (offset >= kConfig) return read_config(offset - kConfig, size_bytes);
  if (size_bytes == 8) return read_register(offset) | u64{read_register(offset + 4)} << 32;
  return size_bytes == 4 ? read_register(offset) : 0;
}

bool VirtioMmio::write(u64 offset, unsigned size_bytes, u64 value, Ticks now) {
  if (offset % size_bytes != 0) return false;
  if (offset >= kConfig || size_bytes < 4) return true;  // No device has a config space that can be written.
  write_register(offset, static_cast<u32>(value), now);
  if (size_bytes == 8) write_register(offset + 4, static_cast<u32>(value >> 32), now);
  return true;
}

u32 VirtioMmio::read_register(u64 offset) const {
  switch (offset) {
    case kMagic:
      return kMagicValue;
    case kVersion:
      return static_cast<u32>(version_);
    case kDeviceId:
      return device_id_;
    case kVendorId:
      return kVendorValue;
    case kDeviceFeatures:
      if (device_features_select_ > 1) return 0;
      return static_cast<u32>(offered_features() >> (32 * device_features_select_));
    case kInterruptStatus:
      return interrupt_status_;
    case kStatus:
      return status_;
    // No shared memory regions: length and base are all ones (section 4.2.2).
    case kShmLengthLow:
    case kShmLengthHigh:
    case kShmBaseLow:
    case kShmBaseHigh:
      return is_legacy() ? 0 : ~u32{0};
    default:
      return read_queue_register(offset);
  }
}

u32 VirtioMmio::read_queue_register(u64 offset) const {
  if (!has_selected_queue()) return 0;
  const VirtQueue& selected = queues_[queue_select_];
  switch (offset) {
    case kQueueSizeMax:
      return VirtQueue::kMaxSize;
    case kQueuePfn:
      if (!is_legacy() || guest_page_bytes_ == 0 || !selected.ready) return 0;
      return static_cast<u32>(selected.descriptors / guest_page_bytes_);
    case kQueueReady:
      return !is_legacy() && selected.ready;
    default:
      return 0;
  }
}

void VirtioMmio::write_register(u64 offset, u32 value, Ticks now) {
  switch (offset) {
    case kDeviceFeaturesSelect:
      device_features_select_ = value;
      break;
    case kDriverFeatures:
      write_driver_features(value);
      break;
    case kDriverFeaturesSelect:
      driver_features_select_ = value;
      break;
    case kGuestPageSize:
      if (is_legacy() && is_power_of_two(value)) guest_page_bytes_ = value;
      break;
    case kQueueSelect:
      queue_select_ = value;
      break;
    case kQueueNotify:
      if (value < queue_count_ && queues_[value].ready && !broken_) notified(value, now);
      break;
    case kInterruptAck:
      interrupt_status_ &= static_cast<u8>(~value & kIrqMask);
      break;
    case kStatus:
      write_status(value);
      break;
    default:
      write_queue_register(offset, value);
      break;
  }
}

void VirtioMmio::write_queue_register(u64 offset, u32 value) {
  if (!has_selected_queue()) return;
  VirtQueue& selected = queues_[queue_select_];
  if (offset == kQueueSize) {
    // The rings of a queue in use stay as they are.
    if (VirtQueue::is_valid_size(value) && !selected.ready) selected.size = value;
    return;
  }
  if (is_legacy()) {
    if (offset == kQueueAlign && is_power_of_two(value)) queue_align_ = value;
    if (offset == kQueuePfn) write_legacy_pfn(selected, value);
    return;
  }
  switch (offset) {
    case kQueueReady:
      selected.ready = (value & 1) != 0;
      break;
    case kQueueDescriptorsLow:
      set_low(selected.descriptors, value);
      break;
    case kQueueDescriptorsHigh:
      set_high(selected.descriptors, value);
      break;
    case kQueueDriverLow:
      set_low(selected.available, value);
      break;
    case kQueueDriverHigh:
      set_high(selected.available, value);
      break;
    case kQueueDeviceLow:
      set_low(selected.used, value);
      break;
    case kQueueDeviceHigh:
      set_high(selected.used, value);
      break;
    default:
      break;
  }
}

// Page number 0 gives the queue up; QEMU resets the whole device then, and legacy drivers expect no less.
void VirtioMmio::write_legacy_pfn(VirtQueue& selected, u32 value) {
  if (value == 0) {
    driver_reset();
    return;
  }
  selected.place_legacy(u64{value} * guest_page_bytes_, queue_align_);
  selected.ready = true;
}

void VirtioMmio::write_driver_features(u32 value) {
  if (driver_features_select_ == 0) set_low(driver_features_, value);
  if (driver_features_select_ == 1) set_high(driver_features_, value);
}

void VirtioMmio::write_status(u32 value) {
  if ((value & 0xff) == 0) {
    driver_reset();
    return;
  }
  u8 status = static_cast<u8>(value) | (status_ & kStatusNeedsReset);
  // Features that were never offered are refused by not taking FEATURES_OK (section 3.1.1).
  if (!is_legacy() && (driver_features_ & ~offered_features()) != 0) status &= static_cast<u8>(~kStatusFeaturesOk);
  status_ = status;
}

void VirtioMmio::reset() {
  guest_page_bytes_ = 0;
  driver_reset();
}

// The guest's page size stays: Linux tells it once, before it resets the device for the first time.
void VirtioMmio::driver_reset() {
  status_ = interrupt_status_ = 0;
  broken_ = false;
  queue_select_ = device_features_select_ = driver_features_select_ = 0;
  driver_features_ = 0;
  queue_align_ = kPageBytes;
  queues_ = {};
  device_reset();
}

// Only drivers of version 2 know the status bit and the interrupt that announces it.
void VirtioMmio::break_device() {
  broken_ = true;
  device_reset();
  if (is_legacy()) return;
  status_ |= kStatusNeedsReset;
  interrupt_status_ |= kIrqConfigChange;
}

void VirtioMmio::complete(unsigned index, u16 head, u32 written_bytes) {
  if (!queues_[index].push(memory_, head, written_bytes)) {
    break_device();
  } else if (queues_[index].wants_interrupt(memory_)) {
    interrupt_status_ |= kIrqUsedRing;
  }
}

void VirtioMmio::describe(FdtNode& soc) const { describe_slot(soc, slot_); }

VirtioEmpty::VirtioEmpty(unsigned slot, VirtioVersion version)
    : name_("virtio-mmio" + std::to_string(slot)), slot_(slot), version_(version) {}

std::optional<u64> VirtioEmpty::peek(u64 offset, unsigned size_bytes, Ticks) const {
  if (offset % size_bytes != 0) return std::nullopt;
  if (size_bytes != 4) return 0;
  switch (offset) {
    case kMagic:
      return kMagicValue;
    case kVersion:
      return static_cast<u32>(version_);
    case kVendorId:
      return kVendorValue;
    default:
      return 0;
  }
}

void VirtioEmpty::describe(FdtNode& soc) const { describe_slot(soc, slot_); }

}  // namespace retrov
