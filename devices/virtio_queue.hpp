// A split virtqueue (virtio 1.2, section 2.7): rings in guest RAM through which a driver hands over chains of buffers.
// Everything in them is the guest's word: indices, addresses and lengths are checked before use, and every walk is
// bounded by the size of the ring, so that a hostile guest breaks its own device and nothing else.
#pragma once

#include <vector>

#include "core/memory.hpp"
#include "core/state.hpp"
#include "core/types.hpp"

namespace retrov {

/// A piece of guest RAM; checked when it was parsed.
struct DmaBuffer {
  u64 address = 0;
  u32 size_bytes = 0;
  template <class A>
  void serialize(A& a) {
    a(field("address", address), field("size_bytes", size_bytes));
  }
};

/// One request: what the driver gave to read and to fill, in order.
struct DescriptorChain {
  u16 head = 0;
  std::vector<DmaBuffer> readable;
  std::vector<DmaBuffer> writable;
};

enum class Popped : u8 { kChain, kEmpty, kBroken };

struct VirtQueue {
  static constexpr u32 kMaxSize = 256;

  u32 size = kMaxSize;
  bool ready = false;
  u64 descriptors = 0;  ///< Physical addresses of the three parts.
  u64 available = 0;
  u64 used = 0;
  u16 next_available = 0;  ///< Index of the next entry we take.
  u16 used_index = 0;      ///< What we last stored in the used ring.

  /// Takes the next chain. Nothing is written.
  Popped pop(const Memory& memory, DescriptorChain& out);
  /// Gives a chain back with `written_bytes` put into its writable part. False: the used ring is not RAM.
  [[nodiscard]] bool push(Memory& memory, u16 head, u32 written_bytes);
  /// The driver has not asked to be left alone.
  [[nodiscard]] bool wants_interrupt(const Memory& memory) const;
  /// Legacy: all parts from one address.
  void place_legacy(u64 address, u64 alignment);

  template <class A>
  void serialize(A& a) {
    a(field("size", size), field("ready", ready), field("descriptors", descriptors), field("available", available));
    a(field("used", used), field("next_available", next_available), field("used_index", used_index));
    if constexpr (A::is_loading::value) {
      if (!is_valid_size(size)) throw Error(Exit::kBadTrace, "a virtqueue of an impossible size");
    }
  }
  /// A power of two up to kMaxSize.
  [[nodiscard]] static bool is_valid_size(u64 entries) {
    return entries != 0 && entries <= kMaxSize && (entries & (entries - 1)) == 0;
  }

 private:
  bool walk(const Memory& memory, u64 table, u32 table_entries, u32 index, DescriptorChain& out) const;
};

}  // namespace retrov
