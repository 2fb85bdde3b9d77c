#include "devices/virtio_queue.hpp"

#include <array>
#include <optional>

namespace retrov {

namespace {

constexpr u64 kDescriptorBytes = 16;
constexpr u16 kFlagNext = 1, kFlagWrite = 2, kFlagIndirect = 4;
constexpr u16 kNoInterrupt = 1;
// What an indirect table may add: as QEMU allows.
constexpr u32 kMaxIndirect = 1024;

struct Descriptor {
  u64 address = 0;
  u32 size_bytes = 0;
  u16 flags = 0;
  u16 next = 0;
};

// Reads little-endian fields; an address outside RAM gives nothing.
template <class T>
std::optional<T> read_le(const Memory& memory, u64 address) {
  std::array<u8, sizeof(T)> bytes;
  if (!memory.contains(PhysAddr{address}, bytes.size())) return std::nullopt;
  memory.read(PhysAddr{address}, bytes);
  u64 value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= u64{bytes[i]} << (8 * i);
  return static_cast<T>(value);
}

template <class T>
bool write_le(Memory& memory, u64 address, T value) {
  std::array<u8, sizeof(T)> bytes;
  if (!memory.contains(PhysAddr{address}, bytes.size())) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(u64{value} >> (8 * i));
  memory.write(PhysAddr{address}, bytes, Writer::kDevice);
  return true;
}

std::optional<Descriptor> load_descriptor(const Memory& memory, u64 table, u32 index) {
  const u64 at = table + index * kDescriptorBytes;
  if (!memory.contains(PhysAddr{at}, kDescriptorBytes)) return std::nullopt;
  return Descriptor{*read_le<u64>(memory, at), *read_le<u32>(memory, at + 8), *read_le<u16>(memory, at + 12),
                    *read_le<u16>(memory, at + 14)};
}

}  // namespace

// Follows a chain through one table. A chain longer than its table has entries goes round in circles.
bool VirtQueue::walk(const Memory& memory, u64 table, u32 table_entries, u32 index, DescriptorChain& out) const {
  const bool in_indirect = table != descriptors;
  for (u32 steps = 0; steps < table_entries; ++steps) {
    if (index >= table_entries) return false;
    const std::optional<Descriptor> descriptor = load_descriptor(memory, table, index);
    if (!descriptor) return false;
    if ((descriptor->flags & kFlagIndirect) != 0) {
      // A table may not point to another, nor be followed by more (section 2.7.5.3.1).
      const u32 entries = descriptor->size_bytes / kDescriptorBytes;
      const bool whole = descriptor->size_bytes % kDescriptorBytes == 0 && entries != 0 && entries <= kMaxIndirect;
      if (in_indirect || !whole || (descriptor->flags & kFlagNext) != 0 || descriptor->address == descriptors)
        return false;
      return walk(memory, descriptor->address, entries, 0, out);
    }
    if (!memory.contains(PhysAddr{descriptor->address}, descriptor->size_bytes)) return false;
    const bool writable = (descriptor->flags & kFlagWrite) != 0;
    // All that is read comes before all that is written (section 2.7.4.2).
    if (!writable && !out.writable.empty()) return false;
    (writable ? out.writable : out.readable).push_back({descriptor->address, descriptor->size_bytes});
    if ((descriptor->flags & kFlagNext) == 0) return true;
    index = descriptor->next;
  }
  return false;
}

Popped VirtQueue::pop(const Memory& memory, DescriptorChain& out) {
  const std::optional<u16> index = read_le<u16>(memory, available + 2);
  if (!index) return Popped::kBroken;
  const u16 waiting = static_cast<u16>(*index - next_available);
  if (waiting == 0) return Popped::kEmpty;
  if (waiting > size) return Popped::kBroken;
  const std::optional<u16> head = read_le<u16>(memory, available + 4 + u64{2} * (next_available % size));
  if (!head) return Popped::kBroken;
  out = DescriptorChain{*head, {}, {}};
  if (!walk(memory, descriptors, size, *head, out)) return Popped::kBroken;
  ++next_available;
  return Popped::kChain;
}

bool VirtQueue::push(Memory& memory, u16 head, u32 written_bytes) {
  const u64 entry = used + 4 + u64{8} * (used_index % size);
  if (!memory.contains(PhysAddr{used}, 4)) return false;
  if (!write_le<u32>(memory, entry, head) || !write_le<u32>(memory, entry + 4, written_bytes)) return false;
  ++used_index;
  return write_le<u16>(memory, used + 2, used_index);
}

bool VirtQueue::wants_interrupt(const Memory& memory) const {
  const std::optional<u16> flags = read_le<u16>(memory, available);
  return flags && (*flags & kNoInterrupt) == 0;
}

void VirtQueue::place_legacy(u64 address, u64 alignment) {
  descriptors = address;
  available = address + size * kDescriptorBytes;
  used = (available + 4 + u64{2} * size + alignment - 1) & ~(alignment - 1);
}

}  // namespace retrov
